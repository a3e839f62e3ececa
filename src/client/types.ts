/** What goes into the client's methods and comes out of them. Times are Dates, durations are ms; what is absent is undefined. */
import type { LifecycleState } from '../lifecycle/model.ts';

export interface CallOptions {
  /** How long this call may take, in ms from now. */
  readonly deadlineMs?: number | undefined;
}

export interface WatchOptions {
  /** Ends the stream. */
  readonly signal?: AbortSignal | undefined;
  /** How long the stream may last, in ms from its first call. Default: as long as daemon and connection do. */
  readonly deadlineMs?: number | undefined;
}

export interface SignJwtRequest {
  readonly signingKey: string;
  /** A JSON object, without `iat`, `exp`, `nbf` and `jti`; or its UTF-8 bytes, which are signed as they are. */
  readonly claims: object | Uint8Array;
  /** The header's `typ`. Default: `JWT`. */
  readonly typ?: string | undefined;
  /** Whole seconds. Default: the longest that the grant and the lifecycle policy allow. */
  readonly lifetimeSeconds?: number | undefined;
}

export interface SignedJwt {
  /** JWS compact serialization. */
  readonly jwt: string;
  readonly kid: string;
  /** The JWT's `exp`. */
  readonly expireTime: Date;
}

export interface LifecyclePolicy {
  readonly signingPeriodMs: number;
  readonly maxSigningPeriodMs: number;
  readonly maxJwtLifetimeMs: number;
  readonly rollbackWindowMs: number;
  readonly standbys: number;
  readonly addJti: boolean;
  readonly addNbf: boolean;
}

export interface ApplySigningKeyRequest {
  readonly name: string;
  readonly algorithm: string;
  /** Default: `default`. */
  readonly keySet?: string | undefined;
  /** RSA only. Default: 3072. */
  readonly rsaBits?: number | undefined;
  /** What is absent gets the documented default. */
  readonly lifecyclePolicy?:
    | { readonly [Field in keyof LifecyclePolicy]?: LifecyclePolicy[Field] | undefined }
    | undefined;
  /** Refuse (ETAG_MISMATCH) unless the signing key's etag is this one. */
  readonly etag?: string | undefined;
  /** Check everything, change nothing. */
  readonly validateOnly?: boolean | undefined;
  /** Why; kept in the event log. */
  readonly reason?: string | undefined;
}

export interface SigningKey {
  readonly name: string;
  readonly keySet: string;
  readonly algorithm: string;
  /** RSA only. */
  readonly rsaBits: number | undefined;
  readonly lifecyclePolicy: LifecyclePolicy;
  readonly etag: string;
  readonly createTime: Date;
  /** Of the ACTIVE version; undefined while there is none. */
  readonly activeVersion: number | undefined;
  readonly activeKid: string | undefined;
  readonly propagatedStandbys: number;
  readonly publishedStandbys: number;
  /** When `rotate` will be allowed; undefined when it is already. */
  readonly rotateAllowedTime: Date | undefined;
  /** When it can sign; undefined when it can already. */
  readonly readyTime: Date | undefined;
  readonly reconciling: boolean;
  readonly lastProblem: string | undefined;
  /** When rotation is due, on schedule or as an operator said; undefined without an ACTIVE version. */
  readonly rotationDueTime: Date | undefined;
  /** Suspended with `halt`: no standby takes over until a version becomes ACTIVE by command. */
  readonly halted: boolean;
  /** Since when it is retired; undefined while it is in service. */
  readonly retireTime: Date | undefined;
  /** Until when it can come back; undefined when it isn't retired, or is retired for good. */
  readonly unretireUntilTime: Date | undefined;
  /** When an operator wants the ACTIVE version to be replaced. */
  readonly scheduledRotationTime: Date | undefined;
}

export interface KeyVersion {
  readonly signingKey: string;
  readonly version: number;
  readonly kid: string;
  readonly state: LifecycleState;
  readonly published: boolean;
  readonly propagated: boolean;
  readonly servedMs: number;
  readonly servedRequiredMs: number;
  readonly createTime: Date;
  readonly activateTime: Date | undefined;
  readonly suspendTime: Date | undefined;
  /** While SUSPENDED: when it can't come back any more; undefined while an operator is to decide. */
  readonly suspensionEndTime: Date | undefined;
  readonly deactivateTime: Date | undefined;
  readonly destroyTime: Date | undefined;
  readonly expCeiling: Date | undefined;
  readonly ckaId: string;
  readonly ckaLabel: string;
  readonly privateKeyPresent: boolean;
  readonly birthRecord: BirthRecord;
}

/** What the token said of a key right after it was generated. */
export interface BirthRecord {
  readonly tokenSerial: string;
  readonly tokenLabel: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly firmwareVersion: string;
  /** By PKCS#11 attribute name: `true`, `false`, a number, or `unreadable`. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface PageRequest {
  /** At most 100. Default: 50. */
  readonly pageSize?: number | undefined;
  /** The `nextPageToken` of the page before. */
  readonly pageToken?: string | undefined;
}

export interface RotateRequest {
  readonly signingKey: string;
  readonly useLastStandby?: boolean | undefined;
  /** Makes a repetition harmless for a day. Default: a fresh UUID for each call, so that its own retries are. */
  readonly requestId?: string | undefined;
  readonly validateOnly?: boolean | undefined;
  readonly etag?: string | undefined;
  readonly reason?: string | undefined;
}

export interface RotateResponse {
  readonly signingKey: SigningKey;
  readonly activated: KeyVersion;
  /** Undefined when there was no ACTIVE version. */
  readonly suspended: KeyVersion | undefined;
}

export interface KeySetRequest {
  /** Default: the key set `default`. */
  readonly keySet?: string | undefined;
}

export interface KeySet {
  readonly keySet: string;
  readonly generation: number;
  /** The JWKS, byte for byte as over HTTP. */
  readonly jwks: Uint8Array;
  readonly etag: string;
  readonly maxAgeMs: number;
}

/** How store and token differ; docs/reference/lifecycle.md says what each kind means. */
export interface Finding {
  readonly kind: 'ORPHAN' | 'RESURRECTED' | 'MISSING' | 'DUPLICATE' | 'CHALLENGE_FAILED';
  readonly ckaId: string;
  readonly ckaLabel: string;
  readonly signingKey: string | undefined;
  readonly version: number | undefined;
}

export interface Reconciliation {
  /** Empty when store and token agree. */
  readonly findings: readonly Finding[];
  /** Names that neither sign nor change, nor can be made, until an operator has decided. */
  readonly fencedSigningKeys: readonly string[];
  /** When the store was restored; undefined when it wasn't, or when all is decided. */
  readonly restoreTime: Date | undefined;
  /** The latest event of the copy. */
  readonly knownUntilTime: Date | undefined;
}

/** Whether the daemon believes its machine's wall clock. */
export interface ClockStatus {
  readonly trusted: boolean;
  /** How far the wall clock is from where it should be; negative when it is behind. */
  readonly stepMs: number;
  readonly stepLimitMs: number;
  /** The wall clock. */
  readonly time: Date;
}

export interface TokenStatus {
  readonly state: 'STARTING' | 'READY' | 'UNAVAILABLE';
  /** When not ready. */
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly label: string | undefined;
  readonly serial: string | undefined;
  readonly manufacturer: string | undefined;
  readonly model: string | undefined;
  readonly firmwareVersion: string | undefined;
  readonly workers: readonly Worker[];
  readonly workerRestarts: number;
  readonly queueDepth: number;
}

export interface Worker {
  readonly pid: number;
  readonly state: string;
  readonly sessions: number;
  readonly inFlight: number;
  readonly uptimeMs: number;
}
