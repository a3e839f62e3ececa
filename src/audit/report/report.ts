/**
 * The compliance report as data: what an auditor asks about a period, answered from the audit log alone. Times are Unix
 * ms, durations ms. src/audit/report/markdown.ts has it as a page, `--json` as it is here.
 */
import type { ActivationCause } from '../../lifecycle/events.ts';
import type { BirthRecord, LifecyclePolicy } from '../../lifecycle/model.ts';

export interface Period {
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
}

export interface PolicySpan {
  readonly sinceMs: number;
  readonly caller: string;
  readonly reason: string;
  readonly policy: LifecyclePolicy;
}

/**
 * `onTime`: within its signing period. `late`: after it. `overdue`: after it, and still not done when the period ended.
 * `tooLate`: after the longest signing period, in which the version signs nothing more.
 */
export type Punctuality = 'onTime' | 'late' | 'tooLate' | 'overdue';

/** One end of a version's signing: its replacement, or that none came although it was due. */
export interface Turn {
  readonly signingKey: string;
  readonly fromVersion: number | undefined;
  /** Undefined: nothing took over. */
  readonly toVersion: number | undefined;
  readonly cause: ActivationCause | 'halt' | 'compromise' | 'due';
  readonly sinceMs: number | undefined;
  /** The latest time at which the policy, or a command, wanted it. Undefined: it wasn't due, a command or an incident made it. */
  readonly dueMs: number | undefined;
  readonly doneMs: number | undefined;
  readonly lateMs: number;
  readonly punctuality: Punctuality;
  readonly caller: string;
  readonly reason: string;
}

export interface Birth {
  readonly signingKey: string;
  readonly version: number;
  readonly kid: string;
  readonly atMs: number;
  readonly isRecovered: boolean;
  readonly record: BirthRecord;
  /** What of the record speaks against a key that was born in the token and can't leave it. */
  readonly doubts: readonly string[];
}

/** A version whose life ended: destroyed by the policy's course, or declared compromised. */
export interface Ending {
  readonly signingKey: string;
  readonly version: number;
  readonly kid: string;
  readonly compromised: { readonly atMs: number; readonly caller: string; readonly reason: string } | undefined;
  readonly isRetained: boolean;
  readonly stoppedSigningMs: number | undefined;
  readonly withdrawnMs: number | undefined;
  readonly privateKeyDestroyedMs: number | undefined;
}

export interface SigningKeySection {
  readonly name: string;
  readonly keySet: string | undefined;
  readonly algorithm: string | undefined;
  readonly createdMs: number | undefined;
  readonly retiredMs: number | undefined;
  readonly policies: readonly PolicySpan[];
}

export interface CommandRow {
  readonly sequence: number;
  readonly atMs: number;
  readonly caller: string;
  readonly method: string;
  readonly subject: string;
  readonly reason: string;
  readonly outcome: string;
}

export interface ApprovalRow {
  readonly id: string;
  readonly proposedMs: number;
  readonly method: string;
  readonly proposer: string;
  readonly reason: string;
  /** How many must agree, the proposer included. */
  readonly officers: number;
  readonly effect: readonly string[];
  readonly approvers: readonly string[];
  readonly outcome: string;
}

export interface RefusalRow {
  readonly caller: string;
  readonly method: string;
  readonly reason: string;
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

export interface JwtRow {
  readonly signingKey: string;
  readonly caller: string;
  readonly kid: string;
  readonly algorithm: string;
  readonly dispatched: number;
  readonly failed: number;
  readonly longestLifetimeMs: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

export interface Happening {
  /** 0: it is the report's own conclusion. */
  readonly sequence: number;
  readonly atMs: number;
  readonly what: string;
}

/** What the verification of the log said. */
export interface Coverage {
  readonly isVerified: boolean;
  readonly problem: string | undefined;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly headHash: string;
  readonly checkpoints: number;
  /** The latest entry that a checkpoint's signature vouches for; undefined without a key to check it with. */
  readonly signedThrough: number | undefined;
  /** The latest entry that a head from elsewhere vouches for. */
  readonly knownThrough: number | undefined;
}

export interface ComplianceReport {
  readonly period: Period;
  readonly coverage: Coverage;
  readonly signingKeys: readonly SigningKeySection[];
  readonly turns: readonly Turn[];
  readonly births: readonly Birth[];
  readonly endings: readonly Ending[];
  readonly commands: readonly CommandRow[];
  readonly approvals: readonly ApprovalRow[];
  readonly accessPolicies: readonly Happening[];
  readonly refusals: readonly RefusalRow[];
  readonly jwts: readonly JwtRow[];
  readonly gaps: readonly Happening[];
  readonly clock: readonly Happening[];
  readonly anomalies: readonly Happening[];
  /** Rows left out because a limit was reached. */
  readonly omitted: number;
}
