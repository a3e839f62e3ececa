/**
 * The events of the log: one stream per signing key, one per key set. They are the truth; everything else is their
 * fold (fold.ts). An event is never changed or removed once released: new facts get new types.
 */
import type { CallerName, CkaId, KeySetName, Kid, SigningKeyName } from '../base/ids.ts';
import type { Algorithm, KeySpec } from '../jose/algorithms.ts';
import type { PublicKeyMembers } from '../jose/jwk.ts';
import type { CommandAnswered } from './command-records.ts';
import type { BirthRecord, KeySetPromise, LifecyclePolicy } from './model.ts';

interface At {
  /** Unix time in ms, as the daemon saw it. */
  readonly atMs: number;
}

/** Who gave a command, and why, in the commander's words. */
interface Commanded {
  readonly caller: CallerName;
  readonly reason: string;
}

/** Why a version begins to sign; `takeover`: nothing else was ACTIVE, or what was is compromised. */
export type ActivationCause = 'first' | 'rotation' | 'takeover' | 'reactivation' | 'rollback' | 'unretirement';
export type SuspensionCause = 'rotation' | 'operator' | 'reactivation' | 'rollback' | 'retirement';

/** An end by the wall clock, and the up-time that must have passed as well: what follows is final. */
export interface Window {
  readonly untilMs: number;
  readonly windowMs: number;
}

export type SigningKeyEvent = At &
  (
    | ({
        readonly type: 'SIGNING_KEY_CREATED';
        readonly name: SigningKeyName;
        readonly keySet: KeySetName;
        readonly spec: KeySpec;
        readonly policy: LifecyclePolicy;
      } & Commanded)
    | ({ readonly type: 'POLICY_CHANGED'; readonly policy: LifecyclePolicy } & Commanded)
    /** Committed before the token is asked: a restart finds it, whatever the token did meanwhile. */
    | { readonly type: 'VERSION_INTENDED'; readonly version: number; readonly ckaId: CkaId; readonly ckaLabel: string }
    /** The key pair is in the token, proven non-exportable and tried in every live worker. Not published yet. */
    | {
        readonly type: 'VERSION_MADE';
        readonly version: number;
        readonly kid: Kid;
        readonly publicKey: PublicKeyMembers;
        readonly birth: BirthRecord;
      }
    /** Nothing with the intent's CKA_ID is left in the token. */
    | { readonly type: 'INTENT_ABANDONED'; readonly version: number; readonly problem: string }
    /** The key set holds it from this commit on: it is a standby. */
    | { readonly type: 'VERSION_PUBLISHED'; readonly version: number }
    /** `first-generation`: no copy of the key set without it can exist (rule 4); `served`: it was served long enough (rule 1). */
    | { readonly type: 'VERSION_PROPAGATED'; readonly version: number; readonly basis: 'first-generation' | 'served' }
    | ({
        readonly type: 'VERSION_ACTIVATED';
        readonly version: number;
        readonly expCeilingMs: number;
        readonly cause: ActivationCause;
        /** Only in older logs: a rotation's, which is in COMMAND_ANSWERED now. */
        readonly requestId?: string;
      } & Commanded)
    /**
     * `window`: when, and after how much up-time, it becomes DEACTIVATED; absent while an operator is to decide.
     * `keepMs` of up-time must pass from here before the version may leave the key set (rule 3).
     */
    | {
        readonly type: 'VERSION_SUSPENDED';
        readonly version: number;
        readonly cause: SuspensionCause;
        readonly window?: Window;
        readonly keepMs: number;
      }
    /** A version that an operator had suspended: a later rotation decided that it will not come back. */
    | { readonly type: 'SUSPENSION_LIMITED'; readonly version: number; readonly window: Window }
    /** Whether standbys may take over while no version is ACTIVE; `suspend --halt` says no. */
    | ({ readonly type: 'SIGNING_HALTED' } & Commanded)
    /** Nothing of it signs or is made from here on; within the window it can come back. */
    | ({ readonly type: 'SIGNING_KEY_RETIRED'; readonly window: Window } & Commanded)
    | ({ readonly type: 'SIGNING_KEY_UNRETIRED' } & Commanded)
    /** Final: the window is over. What could have come back is DEACTIVATED in the same commit. */
    | { readonly type: 'RETIREMENT_ENDED' }
    /** The ACTIVE version is due to be replaced at this time, and not when its signing period ends. */
    | ({ readonly type: 'ROTATION_SCHEDULED'; readonly dueMs: number } & Commanded)
    | ({ readonly type: 'ROTATION_UNSCHEDULED' } & Commanded)
    /** Final. It signs nothing more and is in no key set from here on. `retain`: its private key is kept for evidence. */
    | ({ readonly type: 'VERSION_COMPROMISED'; readonly version: number; readonly retain: boolean } & Commanded)
    | CommandAnswered
    | { readonly type: 'EXP_CEILING_RAISED'; readonly version: number; readonly expCeilingMs: number }
    /** `keepMs`: only of a version that was no more than a standby, counted from here (rule 3). */
    | { readonly type: 'VERSION_DEACTIVATED'; readonly version: number; readonly keepMs?: number }
    | { readonly type: 'DESTRUCTION_INTENDED'; readonly version: number }
    | { readonly type: 'PRIVATE_KEY_DESTROYED'; readonly version: number }
    /**
     * Found in the token by `recover`, without history: proven to be born there, and DEACTIVATED from the beginning. It
     * is published, unless the same commit says that it is compromised.
     */
    | ({
        readonly type: 'VERSION_RECOVERED';
        readonly version: number;
        readonly ckaId: CkaId;
        readonly ckaLabel: string;
        readonly kid: Kid;
        readonly publicKey: PublicKeyMembers;
        readonly birth: BirthRecord;
      } & Commanded)
    /**
     * The store has forgotten what it signed: until now, perhaps, and nothing that expires after `expCeilingMs`.
     * `keepMs` of up-time must pass from here before the version may leave the key set (rule 3).
     */
    | {
        readonly type: 'MAY_HAVE_SIGNED';
        readonly version: number;
        readonly expCeilingMs: number;
        readonly keepMs: number;
      }
    /** Withdrawn from the key set; the private key is gone already. */
    | { readonly type: 'VERSION_DESTROYED'; readonly version: number }
    /** Totals so far, by version number: never smaller than those recorded before. */
    | {
        readonly type: 'METERS_RECORDED';
        readonly servedMs: Readonly<Record<string, number>>;
        readonly quietMs: Readonly<Record<string, number>>;
        /** Up-time since the signing key was retired. */
        readonly retiredMs?: number;
      }
  );

/** Verify-only public keys of an old signer (rule 10): imports.ts. */
export type ImportEvent = At &
  /** `proof`: the JWS that its private key made for this import, kept as evidence. */
  (
    | ({
        readonly type: 'PUBLIC_KEY_IMPORTED';
        readonly kid: Kid;
        readonly thumbprint: Kid;
        readonly algorithm: Algorithm;
        readonly publicKey: PublicKeyMembers;
        readonly expiresAtMs: number;
        readonly proof: string;
      } & Commanded)
    | ({
        readonly type: 'IMPORT_EXTENDED';
        readonly kid: Kid;
        readonly expiresAtMs: number;
        readonly proof: string;
      } & Commanded)
    /** Final: neither its kid nor the key itself is ever imported again. */
    | ({ readonly type: 'PUBLIC_KEY_REMOVED'; readonly kid: Kid; readonly compromised: boolean } & Commanded)
    | { readonly type: 'PUBLIC_KEY_EXPIRED'; readonly kid: Kid }
    /** The daemon's up-time so far, over all its runs; recorded while imports wait for their expiry. Never smaller. */
    | { readonly type: 'UP_TIME_RECORDED'; readonly upMs: number }
  );

export type KeySetEvent =
  | ImportEvent
  | (At &
      (
        | { readonly type: 'KEY_SET_CREATED'; readonly keySet: KeySetName; readonly promise: KeySetPromise }
        | { readonly type: 'PROMISE_CHANGED'; readonly promise: KeySetPromise }
        /** A change of the published versions; in the same commit as the signing key's events that caused it. */
        | { readonly type: 'GENERATION_COMMITTED'; readonly generation: number; readonly kids: readonly Kid[] }
        /** How long the key set has been served since the latest promise change, in all. */
        | { readonly type: 'KEY_SET_SERVED'; readonly servedMs: number }
      ));
