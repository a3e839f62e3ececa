/**
 * The daemon's configuration, parsed and resolved: paths absolute, durations in ms, defaults filled in. The schema and
 * the loader are beside this file; nobody else reads YAML.
 */
import type { CallerName, KeySetName } from '../base/ids.ts';
import type { KeySetPromise } from '../lifecycle/model.ts';

export interface TlsListenerConfig {
  readonly kind: 'tls';
  readonly host: string;
  readonly port: number;
  readonly certificateFile: string;
  readonly privateKeyFile: string;
  /** CA certificates (PEM) that client certificates must chain to. */
  readonly clientCaFile: string;
  /** Certificate revocation lists, PEM or DER: with any, each CA needs one, and one that is out of date lets nobody in. */
  readonly revocationListFiles: readonly string[];
  /** When a connection is told to make way for a new one, give or take a tenth. */
  readonly maxConnectionAgeMs: number;
  /** How long the calls of such a connection may go on. */
  readonly connectionGraceMs: number;
  /** Which name of a client certificate names the caller; one type per listener, no fall-through. */
  readonly callerName: 'spiffe' | 'dns' | 'cn';
}

export interface UnixListenerConfig {
  readonly kind: 'unix';
  /** At most 107 bytes. The directory must be 0700 and ours; the socket is made 0600. */
  readonly path: string;
  /** Whoever can open the socket is this caller. */
  readonly caller: CallerName;
}

export type GrpcListenerConfig = TlsListenerConfig | UnixListenerConfig;

export interface HttpConfig {
  readonly host: string;
  readonly port: number;
}

export interface TokenConfig {
  /** The PKCS#11 module (shared library). */
  readonly moduleFile: string;
  /** What C_Initialize takes from a module's own configuration string (pReserved); most modules take none. */
  readonly moduleParameters: string | undefined;
  /** Which token: by label or by serial, exactly one of them. */
  readonly selector: { readonly label: string } | { readonly serial: string };
  /** Holds the user PIN and nothing else; 0600 or stricter. The daemon passes its descriptor on and never reads it. */
  readonly pinFile: string;
  /** Environment variables that the module needs, such as SOFTHSM2_CONF; given to the workers only. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workers: number;
  readonly sessionsPerWorker: number;
  /** A worker that answers no request for longer is killed and replaced. */
  readonly signTimeoutMs: number;
  readonly generateTimeoutMs: number;
}

export interface LimitsConfig {
  /** Sign requests that may wait for a session; over it, QUEUE_FULL. */
  readonly maxQueuedRequests: number;
  readonly maxClaimsBytes: number;
  readonly maxClaimsDepth: number;
  /** What a request without a deadline gets, and the longest that any gets. */
  readonly maxRequestMs: number;
  /** How long SIGTERM waits for what is in flight. */
  readonly drainMs: number;
}

export interface AuditConfig {
  readonly directory: string;
  /** When the disk takes no entries: nothing is signed, or it is signed without an entry. */
  readonly onFailure: 'refuse' | 'continue';
  readonly checkpointPeriodMs: number;
  /** Undefined: entries are kept for ever. */
  readonly retentionMs: number | undefined;
  readonly segmentBytes: number;
}

export interface Config {
  readonly file: string;
  readonly grpcListeners: readonly GrpcListenerConfig[];
  readonly http: HttpConfig;
  /** Where Prometheus fetches the metrics; undefined: nowhere, and nothing is counted. */
  readonly metrics: HttpConfig | undefined;
  readonly token: TokenConfig;
  /** How old the evidence that the token signs may be before a signing key isn't ready any more. */
  readonly canaryPeriodMs: number;
  /** One signature of so many is verified before it is delivered; 1: every one. */
  readonly verifyOneIn: number;
  readonly storeFile: string;
  /** Undefined: no audit log is written. */
  readonly audit: AuditConfig | undefined;
  readonly accessPolicyFile: string;
  readonly keySets: ReadonlyMap<KeySetName, KeySetPromise>;
  /** The wall-clock step that rule 3 allows for. */
  readonly clockStepLimitMs: number;
  readonly limits: LimitsConfig;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}
