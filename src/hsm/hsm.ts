/**
 * The HSM port: what the daemon asks of a token. Keys are named by CKA_ID, never by a handle; private values have no
 * way through it. Adapters: hsm/pool (worker processes over PKCS#11) and test/fakes.
 * Every method rejects with a KeyturnError; once closed, with SHUTTING_DOWN.
 */
import type { Reason } from '../base/reasons.ts';
import type { CallerName, CkaId } from '../base/ids.ts';
import type { Algorithm, KeySpec } from '../jose/algorithms.ts';
import type { PublicKeyMembers } from '../jose/jwk.ts';
import type { BirthRecord } from '../lifecycle/model.ts';

export interface SignRequest {
  readonly ckaId: CkaId;
  readonly algorithm: Algorithm;
  /** The JWS signing input (RFC 7515, section 5.1), whole; the adapter hashes it where the mechanism wants a hash. */
  readonly signingInput: Uint8Array;
  /** The version's public key: no signature that it doesn't verify leaves the adapter. */
  readonly publicKey: PublicKeyMembers;
  /** False where the configuration samples: a session that signed well with the key before is then believed. */
  readonly mustVerify: boolean;
  /** The daemon's own, over an input that no caller has a hand in, with a key that signed before: a refusal speaks of the token. */
  readonly isCanary: boolean;
  /** Monotonic time in ms after which the answer is worthless. */
  readonly deadlineMs: number;
  /** For the fair share of the queue. */
  readonly caller: CallerName;
}

export interface GenerateRequest {
  readonly ckaId: CkaId;
  readonly ckaLabel: string;
  readonly spec: KeySpec;
}

export interface GeneratedKey {
  readonly publicKey: PublicKeyMembers;
  readonly birth: BirthRecord;
}

/** One CKA_ID found in the token under keyturn's label prefix. Counts above one are duplicates. */
export interface TokenKey {
  readonly ckaId: CkaId;
  readonly ckaLabel: string;
  readonly privateKeys: number;
  readonly publicKeys: number;
}

export interface WorkerStatus {
  readonly pid: number;
  readonly state: 'starting' | 'ready' | 'draining';
  /** That take requests: none while it starts or is on trial. */
  readonly sessions: number;
  readonly inFlight: number;
  /** Monotonic time of its last change of state. */
  readonly sinceMs: number;
}

/** What is done about faults of the token, from the least to the most (ladder.ts). */
export type Rung = 'retry' | 'evictSession' | 'findHandle' | 'login' | 'reinitialise' | 'restartWorker' | 'operator';

/** Signatures since the daemon started, trials included. None that was found wrong was delivered. */
export interface SignatureCounts {
  readonly verified: number;
  readonly wrong: number;
  /** Delivered on trust, where the configuration samples. */
  readonly unchecked: number;
}

export interface TokenStatus {
  /** `ready`: at least one worker is logged in and has signing sessions. */
  readonly state: 'starting' | 'ready' | 'unavailable';
  /** Why not ready. */
  readonly reason?: Reason;
  readonly message?: string;
  readonly label?: string;
  readonly serial?: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly firmwareVersion?: string;
  /** Sessions that the token says it allows one process, or all of them; absent where it tells no limit. */
  readonly maxSessions?: number;
  readonly workers: readonly WorkerStatus[];
  /** Workers replaced since the daemon started. */
  readonly workerRestarts: number;
  /** How often each rung was taken since the daemon started. */
  readonly faultRungs: Readonly<Record<Rung, number>>;
  readonly signatures: SignatureCounts;
  readonly queueDepth: number;
}

export interface Hsm {
  /**
   * A JWS signature (RFC 7518 form: R‖S for ECDSA) that verified under `publicKey`, as `mustVerify` says.
   * Tried again elsewhere when a worker dies or hangs. Errors: QUEUE_FULL, DEADLINE_EXCEEDED, TOKEN_UNAVAILABLE,
   * SIGNATURE_INVALID, TOKEN_OPERATION_FAILED.
   */
  sign(request: SignRequest): Promise<Uint8Array>;
  /**
   * Makes a key pair inside the token, reads its attributes back and proves it non-exportable. A key that isn't is
   * destroyed and refused (KEY_NOT_PROVEN). Not tried again by itself: after a failure, call destroyKeyPair.
   */
  generateKeyPair(request: GenerateRequest): Promise<GeneratedKey>;
  /**
   * Reads back a key pair that is in the token already, as after its generation. KEY_NOT_PROVEN: there isn't exactly one
   * private and one public key with that CKA_ID, it isn't of that kind, or the token doesn't prove it non-exportable.
   * That the two halves belong together, only `tryKey` tells.
   */
  readKeyPair(key: { readonly ckaId: CkaId; readonly spec: KeySpec }): Promise<GeneratedKey>;
  /** Every session of every live worker finds the key (exactly one) and makes a trial signature that verifies. */
  tryKey(key: Pick<SignRequest, 'ckaId' | 'algorithm' | 'publicKey'>): Promise<void>;
  /** Destroys private and public objects with this CKA_ID, and has every session drop its handle. None found is success. */
  destroyKeyPair(ckaId: CkaId): Promise<{ readonly destroyedObjects: number }>;
  /** Every key in the token whose label begins with `keyturn/`. */
  listKeys(): Promise<readonly TokenKey[]>;
  status(): TokenStatus;
  /** Calls back at each change of `status().state`; returns the cancellation. */
  onStateChange(listener: (status: TokenStatus) => void): () => void;
  /** After an operator cleared the login latch: try to log in once more. */
  retryLogin(): void;
  /** Refuses new work, lets what is in flight end until the deadline (ms from now), then stops the workers. Idempotent. */
  close(graceMs: number): Promise<void>;
}

/** The durable login latch (section 6): set when the token refused the PIN, cleared only by an operator. */
export interface LoginLatch {
  isSet(): boolean;
  /** Durable when it resolves. */
  set(reason: 'PIN_INCORRECT' | 'PIN_LOCKED'): Promise<void>;
}
