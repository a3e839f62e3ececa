# keyturn's container image: see docs/guides/container.md.
# Build:  docker build -t keyturn .            (SoftHSM2 inside, for trials: --build-arg WITH_SOFTHSM=true)
ARG NODE_VERSION=24.21.0

# ---- build: the compiler, the PKCS#11 addon, and nothing of it in the image that runs -------------------------------
FROM node:${NODE_VERSION}-bookworm AS build
WORKDIR /build
# The image brings Node's headers: node-gyp need not fetch them.
ENV npm_config_nodedir=/usr/local
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build
# What runs: no compilers, no linters, and no Node of npm's, since the image has its own.
RUN npm prune --omit=dev --omit=optional --no-audit --no-fund

# ---- runtime --------------------------------------------------------------------------------------------------------
FROM node:${NODE_VERSION}-bookworm-slim
ARG WITH_SOFTHSM=false
RUN if [ "$WITH_SOFTHSM" = true ]; then apt-get update && apt-get install -y --no-install-recommends softhsm2 && rm -rf /var/lib/apt/lists/*; fi
RUN groupadd --gid 10001 keyturn && useradd --uid 10001 --gid keyturn --no-create-home --home-dir /var/lib/keyturn --shell /usr/sbin/nologin keyturn
# The only places it writes to, so that the root can be read-only: the store, and its Unix sockets.
RUN install -d -m 0700 -o keyturn -g keyturn /var/lib/keyturn /run/keyturn && install -d -m 0755 /etc/keyturn
WORKDIR /opt/keyturn
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY proto ./proto
COPY softhsm ./softhsm
COPY scripts/healthcheck.mjs ./scripts/
RUN ln -s /opt/keyturn/dist/cli.js /usr/local/bin/keyturn && chmod 0755 dist/cli.js
ENV NODE_ENV=production KEYTURN_CONFIG=/etc/keyturn/keyturn.yaml
USER 10001:10001
VOLUME ["/var/lib/keyturn"]
EXPOSE 8443 8080
STOPSIGNAL SIGTERM
# Liveness only: a token that is away must not restart the daemon.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["node", "/opt/keyturn/scripts/healthcheck.mjs", "http://127.0.0.1:8080/healthz"]
ENTRYPOINT ["node", "/opt/keyturn/dist/cli.js"]
CMD ["serve"]
