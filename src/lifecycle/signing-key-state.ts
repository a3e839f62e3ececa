/** A signing key as the fold of its events (fold.ts) leaves it. */
import type { CallerName, CkaId, KeySetName, Kid, SigningKeyName } from '../base/ids.ts';
import type { KeySpec } from '../jose/algorithms.ts';
import type { PublicKeyMembers } from '../jose/jwk.ts';
import type { Archive } from './archive.ts';
import type { CommandRecord } from './command-records.ts';
import type { SuspensionCause, Window } from './events.ts';
import type { BirthRecord, LifecyclePolicy, LifecycleState } from './model.ts';

export interface Intent {
  readonly version: number;
  readonly ckaId: CkaId;
  readonly ckaLabel: string;
}

export interface KeyVersion {
  readonly number: number;
  readonly kid: Kid;
  readonly ckaId: CkaId;
  readonly ckaLabel: string;
  readonly publicKey: PublicKeyMembers;
  readonly birth: BirthRecord;
  readonly state: LifecycleState;
  readonly isPublished: boolean;
  readonly privateKey: 'present' | 'destroying' | 'destroyed';
  readonly madeAtMs: number;
  readonly activatedAtMs: number | undefined;
  readonly suspendedAtMs: number | undefined;
  readonly deactivatedAtMs: number | undefined;
  readonly destroyedAtMs: number | undefined;
  readonly compromisedAtMs: number | undefined;
  /** COMPROMISED, and its private key is kept for evidence. */
  readonly isRetained: boolean | undefined;
  /** It was in the key set's first generation: no copy without it ever existed. */
  readonly isFirstGeneration: boolean;
  /** When it was first found propagated. Judged anew at each use: a raised ceiling can take it back. */
  readonly propagatedAtMs: number | undefined;
  /** How long the HTTP server has answered with it, in ms of monotonic time over all runs of the daemon. */
  readonly servedMs: number;
  /** No JWT of it expires later (Unix ms); undefined as long as it never signed. */
  readonly expCeilingMs: number | undefined;
  /** The longest that a ceiling of it ever lay ahead: no JWT of it lives longer, whatever the wall clock did since. */
  readonly longestMs: number;
  /** SUSPENDED: why, and when, and after how much up-time, it becomes DEACTIVATED; no window while an operator is to decide. */
  readonly suspensionCause: SuspensionCause | undefined;
  readonly window: Window | undefined;
  /** How much up-time since its last signature must pass before withdrawal. */
  readonly keepMs: number | undefined;
  /** Up-time since its last signature, in ms of monotonic time over all runs of the daemon. */
  readonly quietMs: number;
}

export interface Retirement {
  readonly atMs: number;
  /** How long it can be undone. */
  readonly window: Window;
  /** Up-time since then, in ms of monotonic time over all runs of the daemon. */
  readonly retiredMs: number;
  /** The window is over, and no version comes back. */
  readonly isFinal: boolean;
}

/** Of the version that is ACTIVE: void when another one becomes it. */
export interface ScheduledRotation {
  readonly dueMs: number;
  readonly caller: CallerName;
  readonly reason: string;
}

export interface SigningKeyState {
  readonly name: SigningKeyName;
  readonly keySet: KeySetName;
  readonly spec: KeySpec;
  readonly policy: LifecyclePolicy;
  readonly createdAtMs: number;
  /** Intents without a result yet, oldest first. */
  readonly intents: readonly Intent[];
  /** Those that something can still happen to, by number, ascending; abandoned intents leave gaps. */
  readonly versions: readonly KeyVersion[];
  /** The others: DESTROYED or COMPROMISED, and their private key gone. Kept for the record, and not walked. */
  readonly archive: Archive<KeyVersion>;
  /** Whether a version was ever ACTIVE. */
  readonly hasEverSigned: boolean;
  /** When a version was last declared compromised. */
  readonly latestCompromiseMs: number | undefined;
  /** The next version's number. */
  readonly nextVersion: number;
  /** Commands that came with a request id, newest last; bounded. */
  readonly commands: readonly CommandRecord[];
  /** A rollback holds scheduled rotation until `maxSigningPeriod` or the next rotation. */
  readonly isRotationHeld: boolean;
  /** `suspend --halt`: no standby takes over until a version is activated by command. */
  readonly isHalted: boolean;
  /** Undefined while it is in service. */
  readonly retirement: Retirement | undefined;
  readonly scheduledRotation: ScheduledRotation | undefined;
  /** Counts what a user would call a change; meters and ceilings don't. */
  readonly revision: number;
  /** Events in the stream. */
  readonly sequence: number;
}
