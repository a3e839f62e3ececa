/** The text of the two documents that `keyturn init` writes: the configuration and the access policy. Pure. */

export interface InitChoices {
  readonly tokenLabel: string;
  readonly moduleFile: string;
  /** Absolute: the module reads it as it is. */
  readonly softhsmConfigFile: string;
  readonly grpcAddress: string;
  readonly httpAddress: string;
  readonly isDemo: boolean;
}

/** Layout of the folder, relative to it. */
export const LAYOUT = {
  configuration: 'keyturn.yaml',
  accessPolicy: 'access-policy.yaml',
  tokenFolder: 'token',
  softhsmConfig: 'token/softhsm2.conf',
  pin: 'token/pin',
  tlsFolder: 'tls',
  authorityCertificate: 'tls/development-ca.pem',
  authorityKey: 'tls/development-ca.key',
  runFolder: 'run',
  adminSocket: 'run/admin.sock',
  store: 'keyturn.db',
} as const;

export function certificatePath(name: string): string {
  return `${LAYOUT.tlsFolder}/${name}.pem`;
}

export function privateKeyPath(name: string): string {
  return `${LAYOUT.tlsFolder}/${name}.key`;
}

/** What the example caller may put into its JWTs. */
export const EXAMPLE = {
  signingKey: 'access-tokens',
  issuer: 'https://issuer.example',
  audience: 'https://api.example',
} as const;

const PRODUCTION_PROMISE = `    jwksMaxAge: 5m             # sent as Cache-Control: max-age
    verifierCacheCeiling: 1h   # the longest that any verifier uses an old copy; a new key waits this long
    verifierSkew: 5m           # the worst verifier clock and leeway together`;

const DEMO_PROMISE = `    # !!! FOR DEMONSTRATION ONLY !!!
    # These few seconds let you watch a rotation without waiting for an hour. Real verifiers keep a key set for
    # minutes to hours; with this promise they would meet JWTs that they can't verify.
    # The defaults are: jwksMaxAge 5m, verifierCacheCeiling 1h, verifierSkew 5m.
    jwksMaxAge: 1s             # sent as Cache-Control: max-age
    verifierCacheCeiling: 3s   # the longest that any verifier uses an old copy; a new key waits this long
    verifierSkew: 1s           # the worst verifier clock and leeway together`;

export function toConfigurationDocument(choices: InitChoices): string {
  return `# keyturn's configuration. Every option is here; optional ones have their default.
# Relative paths start at this file's folder. After a change: keyturn config check, and a restart.
# The files that it names for TLS, the access policy and the PIN are read again on SIGHUP.

grpc:
  # Callers reach the daemon over mutual TLS (1.3), each with a certificate of its own.
  tls:
    address: ${quote(choices.grpcAddress)}
    certificate: ${certificatePath('server')}
    privateKey: ${privateKeyPath('server')}
    clientCa: ${LAYOUT.authorityCertificate}   # client certificates must chain to it
    callerName: dns            # which name in a client certificate names the caller: dns, spiffe or cn
    revocationLists: []        # certificate revocation lists, PEM or DER; one that is out of date lets nobody in
    maxConnectionAge: 1h       # then a client has to make a new connection; no call fails
    connectionGrace: 15s       # how long the calls of the old one may still run
  # Whoever can open a Unix socket is its one caller. The folder must be 0700.
  unix:
    - path: ${LAYOUT.adminSocket}
      caller: admin

# Verifiers fetch the public keys here: /.well-known/jwks.json and /{keySet}/jwks.json
http:
  address: ${quote(choices.httpAddress)}

# Prometheus fetches the metrics here, at /metrics. Without it nothing is counted, and nothing listens.
# metrics:
#   address: "127.0.0.1:9464"

# The PKCS#11 token that makes and keeps the private keys.
token:
  module: ${quote(choices.moduleFile)}   # the vendor's PKCS#11 library
  # moduleParameters: TEXT      # what C_Initialize of the library takes; hardly any takes something
  label: ${quote(choices.tokenLabel)}   # or serial: …, never a slot number
  pinFile: ${LAYOUT.pin}   # holds the user PIN and nothing else; 0600
  environment:               # variables for the module, given to the HSM workers only
    SOFTHSM2_CONF: ${quote(choices.softhsmConfigFile)}
  workers: 2                 # HSM worker processes: one can die and signing goes on
  sessionsPerWorker: 1       # signing sessions of each
  signTimeout: 2s            # a worker that hangs longer is replaced
  generateTimeout: 10s       # the same while it makes a key
  canaryPeriod: 5s           # ready means: a signature verified within so long
  verifyOneIn: 1             # every signature is verified before it leaves

# The event log: what every key is, was, and why. Back it up together with the token.
store:
  file: ${LAYOUT.store}

# Every JWT, command and lifecycle event, chained and signed by the token. No JWT leaves without its entry.
audit:
  enabled: true
  directory: audit           # a file system of its own keeps it and the store out of each other's way
  onFailure: refuse          # on a full disk: refuse, or continue without entries
  checkpointPeriod: 1m       # how often the token signs the log's head
  # retention: 400d          # older segments are removed; without it none is
  segmentMegabytes: 64

# Who may do what. An empty document grants nothing.
accessPolicy: ${LAYOUT.accessPolicy}

# What each key set promises its verifiers. \`default\` always exists; it is the one at /.well-known/jwks.json
keySets:
  default:
${choices.isDemo ? DEMO_PROMISE : PRODUCTION_PROMISE}
    sharedCaches: assumed      # assumed: caches on the way may double max-age; none: there are no caches
    maxPublishedVersions: 16   # more than 5 is more than some verifiers remember

clock:
  stepLimit: ${choices.isDemo ? '1s ' : '1m '}             # the largest step of the wall clock that is taken for normal

limits:
  maxQueuedRequests: 1024    # sign requests that may wait; over it callers are told to come back
  maxClaimsBytes: 8192
  maxClaimsDepth: 16
  maxRequest: 10s            # the longest that any request may take
  drain: 10s                 # how long SIGTERM waits for what is in flight

log:
  level: info                # debug, info, warn or error
`;
}

export function toAccessPolicyDocument(): string {
  return `# Who may do what. Nothing is allowed that isn't granted here. After a change: keyturn config check, and SIGHUP to the daemon
version: 1

callers:
  # Whoever can open ${LAYOUT.adminSocket}: the user that runs the daemon.
  admin:
    identities: ["unix:admin"]
  # Named by the DNS name in their client certificates.
  operator:
    identities: ["dns:operator"]
  auth-service:
    identities: ["dns:auth-service"]

grants:
  # Operators make, rotate and suspend signing keys. They can't sign.
  - role: operator
    callers: [admin, operator]

  # Security officers may also declare keys compromised: final, and it can stop signing.
  - role: securityOfficer
    callers: [admin]

  # A signer gets JWTs signed, with these claims only.
  - role: signer
    callers: [auth-service]
    signingKeys: [${EXAMPLE.signingKey}]
    claims:
      iss: ["${EXAMPLE.issuer}"]
      aud: ["${EXAMPLE.audience}"]
      typ: [JWT, at+jwt]
      maxLifetime: 15m
`;
}

/** JSON strings are YAML strings. */
function quote(text: string): string {
  return JSON.stringify(text);
}
