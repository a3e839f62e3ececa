/**
 * What the store and its thread say to each other. One job is under way at a time; the thread answers each job with
 * one answer, in order. Events travel as the columns they become, so that the thread neither parses nor checks them.
 */
import type { Reason } from '../../base/reasons.ts';
import type { StoredStream } from '../store.ts';

export interface ThreadOptions {
  readonly file: string;
}

export interface EventRow {
  readonly stream: string;
  readonly sequence: number;
  readonly type: string;
  readonly atMs: number;
  /** The event's other members, as a JSON object. */
  readonly data: string;
}

/** One `commit` of the port. `expected` is checked before any of the rows is written. */
export interface CommitJob {
  readonly expected: readonly { readonly stream: string; readonly sequence: number }[];
  readonly rows: readonly EventRow[];
  readonly mayUseReserve: boolean;
}

export type Job =
  /** The next batch after that event; without one, the first. */
  | { readonly kind: 'load'; readonly after?: Place }
  | { readonly kind: 'commit'; readonly commits: readonly CommitJob[] }
  /** A copy of the log as a file of that name, in the place of what a crash may have left there. */
  | { readonly kind: 'copy'; readonly copy: string }
  | { readonly kind: 'close' };

/** An event by its place in the log. */
export interface Place {
  readonly stream: string;
  readonly sequence: number;
}

export interface LoadedBatch {
  readonly streams: readonly StoredStream[];
  /** Where to go on; undefined at the end. */
  readonly last?: Place;
}

export interface Refusal {
  readonly reason: Reason;
  readonly message: string;
}

export type Answer =
  /** `reserveProblem`: why there is no reserve for a full disk. */
  | { readonly kind: 'opened'; readonly reserveProblem?: string; readonly reservedEvents: number }
  | { readonly kind: 'loaded'; readonly batch: LoadedBatch }
  /** One outcome per commit of the job, in its order; undefined means durable. */
  | { readonly kind: 'committed'; readonly outcomes: readonly (Refusal | undefined)[]; readonly reservedEvents: number }
  | { readonly kind: 'copied' }
  | { readonly kind: 'closed' }
  /** The whole job (or the opening) failed. */
  | { readonly kind: 'refused'; readonly refusal: Refusal };
