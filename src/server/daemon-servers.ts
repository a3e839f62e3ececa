/**
 * Everything that the daemon listens with, started all or nothing and drained in order. The key sets are published
 * longest: a verifier must be able to check what was signed last.
 */
import type { CallerIdentity } from '../access/caller.ts';
import { type AccessPolicy, findCaller } from '../access/policy.ts';
import type { Application } from '../app/application.ts';
import type { AuditTrail } from '../app/audit-trail.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Config } from '../config/config.ts';
import type { GrpcServerOptions } from './grpc/grpc-server.ts';
import { Health } from './grpc/health-service.ts';
import { KeySetWatches } from './grpc/key-set-watches.ts';
import { RateLimiter } from './grpc/rate-limiter.ts';
import { loadReflection } from './grpc/reflection.ts';
import { type HttpServer, listenHttp } from './http/http-server.ts';
import { createJwksHandler, type HttpHandler } from './http/jwks-handler.ts';
import { countingAnswers, createMetricsHandler } from './http/metrics-handler.ts';
import { type EndpointPorts, type GrpcEndpoint, openTls, openUnix } from './grpc-endpoints.ts';
import { BoundedLog } from './telemetry/bounded-log.ts';
import type { Telemetry } from './telemetry/telemetry.ts';

/** What is left of the grace for HTTP, after gRPC has taken its part. */
const MIN_HTTP_GRACE_MS = 1_000;
/** For the status of a stream that another access policy ends, before its connection is cut. */
const LAST_WORD_MS = 250;

export interface ServersOptions {
  readonly config: Pick<Config, 'file' | 'grpcListeners' | 'http' | 'limits'>;
  readonly app: Application;
  /** Counts, and is served on a listener of its own; absent: neither. */
  readonly telemetry?: Telemetry | undefined;
  /** The policy now: a reload replaces it. */
  readonly accessPolicy: () => AccessPolicy;
  /** Absent where the audit log is off. */
  readonly audit?: AuditTrail | undefined;
  readonly log: Logger;
  readonly clock: Clock;
}

export interface Servers {
  readonly httpUrl: string;
  readonly metricsUrl: string | undefined;
  /** Of the first TLS listener. */
  readonly grpcAddress: { readonly host: string; readonly port: number } | undefined;
  /** The TLS listener's files anew; resolves with what changed. Undefined without such a listener. Errors: CONFIG_INVALID. */
  readonly reloadTls: (() => Promise<string>) | undefined;
  /**
   * Ends the watches that the access policy refuses by now, and cuts the connections of callers that it doesn't name any
   * more, or denies everything.
   */
  dropUnwantedCallers(): void;
  /**
   * Health says NOT_SERVING and watches end; gRPC accepts no connection and no call, and ends what is running; then HTTP. What takes
   * longer than `graceMs` is cut. Idempotent.
   */
  drain(graceMs: number): Promise<void>;
}

/** What all gRPC servers share. */
type Services = Pick<
  GrpcServerOptions,
  'health' | 'watches' | 'reflection' | 'requests' | 'rateLimiter' | 'signing' | 'onStatus' | 'audit'
>;

/** Errors: ADDRESS_UNAVAILABLE with the address, CONFIG_INVALID, SECRET_FILE_UNREADABLE, SECRET_FILE_EXPOSED; then nothing listens. */
export async function startServers(options: ServersOptions): Promise<Servers> {
  const { config, app, telemetry, log, clock } = options;
  const services: Services = {
    health: new Health(app),
    watches: new KeySetWatches(app, (open) => telemetry?.setKeySetWatches(open)),
    reflection: loadReflection(),
    requests: new BoundedLog(clock, log),
    rateLimiter: new RateLimiter(clock, (caller) => telemetry?.countRateLimited(caller)),
    signing: telemetry?.meterSigning(app) ?? app,
    audit: options.audit,
    onStatus:
      telemetry === undefined
        ? undefined
        : (method, code) => {
            telemetry.countCall(method, code);
          },
  };
  const { health, watches } = services;
  const endpoints: GrpcEndpoint[] = [];
  let http: HttpServer | undefined;
  let metrics: HttpServer | undefined;
  try {
    // First: what is signed over the others must be verifiable from the first moment.
    http = await listenHttp(config.http, { handler: createPublicHandler(app, telemetry), clock, log });
    if (telemetry !== undefined)
      metrics = await listenHttp(telemetry.address, { handler: createMetricsHandler(telemetry, log), clock, log });
    const ports = toEndpointPorts(options, services);
    for (const listener of config.grpcListeners)
      endpoints.push(await (listener.kind === 'tls' ? openTls(listener, ports) : openUnix(listener, ports)));
  } catch (failure) {
    await drainAll({ health, watches, endpoints, http, metrics, clock }, 0);
    throw failure;
  }
  const open = { health, watches, endpoints, http, metrics, clock };
  let drained: Promise<void> | undefined;
  return {
    httpUrl: http.url,
    metricsUrl: metrics?.url,
    grpcAddress: findTlsAddress(endpoints),
    reloadTls: endpoints.find(({ reloadTls }) => reloadTls !== undefined)?.reloadTls,
    dropUnwantedCallers() {
      const isUnwanted = (identity: CallerIdentity): boolean => {
        const policy = options.accessPolicy();
        const caller = findCaller(policy, identity);
        return caller === undefined || policy.rights.get(caller)?.isDenied === true;
      };
      const cut = (): void => {
        for (const { listener } of endpoints) listener.destroyConnectionsOf(isUnwanted);
      };
      // Whatever else comes over these connections meanwhile is judged call by call.
      if (watches.judgeAnew()) clock.after(LAST_WORD_MS, cut);
      else cut();
    },
    drain(graceMs) {
      drained ??= drainAll(open, graceMs);
      return drained;
    },
  };
}

function createPublicHandler(app: Application, telemetry: Telemetry | undefined): HttpHandler {
  const handler = createJwksHandler(app);
  return telemetry === undefined
    ? handler
    : countingAnswers(handler, (status) => {
        telemetry.countHttpAnswer(status);
      });
}

function findTlsAddress(endpoints: readonly GrpcEndpoint[]): Servers['grpcAddress'] {
  for (const { host, listener } of endpoints) {
    if (host !== undefined && listener.port !== undefined) return { host, port: listener.port };
  }
  return undefined;
}

function toEndpointPorts(options: ServersOptions, services: Services): EndpointPorts {
  const { app, telemetry, accessPolicy, config, clock, log } = options;
  return {
    configFile: config.file,
    clock,
    log,
    refusals: new BoundedLog(clock, log),
    onTlsFiles: (files) => telemetry?.setTlsFiles(files),
    toGrpcOptions: (own) => ({ app, accessPolicy, ...own, ...services, limits: config.limits, clock }),
  };
}

interface OpenServers {
  readonly health: Health;
  readonly watches: KeySetWatches;
  readonly endpoints: readonly GrpcEndpoint[];
  readonly http: HttpServer | undefined;
  readonly metrics: HttpServer | undefined;
  readonly clock: Clock;
}

async function drainAll(open: OpenServers, graceMs: number): Promise<void> {
  const { health, watches, endpoints, http, metrics, clock } = open;
  const endMs = clock.monotonicMs() + graceMs;
  health.drain();
  watches.drain();
  const ended = endpoints.map(({ listener }) => listener.stop());
  for (const { server } of endpoints) server.drain();
  const cutAll = (): void => {
    for (const { listener } of endpoints) listener.destroyConnections();
  };
  const cancel = clock.after(graceMs, cutAll);
  await Promise.all(ended);
  cancel();
  // Handshakes that are still going on are nobody's work.
  cutAll();
  const httpGraceMs = Math.max(MIN_HTTP_GRACE_MS, endMs - clock.monotonicMs());
  await Promise.all([http?.drain(httpGraceMs), metrics?.drain(httpGraceMs)]);
}
