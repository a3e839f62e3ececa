/**
 * What is to be done next for the pool to have its workers and its spare. Pure, and asked again after every change: the
 * answer rests on what there is now and never on what happened before, so nothing that gets lost on the way, such as a
 * process that dies while another one starts, is missed for longer than until the next question.
 */
import type { WorkerStatus } from './hsm.ts';

export interface PlannedWorker {
  readonly state: WorkerStatus['state'];
  /** It holds a PIN file of before: it gives way to one that logs in with the new one. */
  readonly isOutdated: boolean;
}

export interface PoolFacts<W extends PlannedWorker> {
  readonly wantedWorkers: number;
  /** All whose process may still live. */
  readonly workers: readonly W[];
  readonly hasSpare: boolean;
  /** Until a login may be tried; Infinity until an operator says so. */
  readonly loginWaitMs: number;
  /** Until a worker may be started, after those that failed or died young. */
  readonly startWaitMs: number;
  /** Until a spare may be started, after the last change or the last failure. */
  readonly spareWaitMs: number;
}

export type PoolStep<W extends PlannedWorker> =
  /** Its successor is ready. */
  | { readonly kind: 'retire'; readonly worker: W }
  | { readonly kind: 'start' }
  | { readonly kind: 'startSpare' }
  /** For so long, or until something changes. */
  | { readonly kind: 'wait'; readonly waitMs: number }
  /** A worker is missing, and nobody may log in. */
  | { readonly kind: 'waitForOperator' };

export function planPool<W extends PlannedWorker>(facts: PoolFacts<W>): PoolStep<W> {
  const { wantedWorkers, workers, hasSpare, loginWaitMs, startWaitMs, spareWaitMs } = facts;
  const ready = workers.filter(({ state }) => state === 'ready');
  const outdated = ready.find(({ isOutdated }) => isOutdated);
  if (outdated !== undefined && ready.length > wantedWorkers) return { kind: 'retire', worker: outdated };
  if (isWorkerMissing(wantedWorkers, workers)) {
    // One that tries to reach a token that is away is enough.
    const isSearching = ready.length === 0 && workers.some(({ state }) => state === 'starting');
    if (isSearching) return { kind: 'wait', waitMs: Number.POSITIVE_INFINITY };
    if (loginWaitMs === Number.POSITIVE_INFINITY) return { kind: 'waitForOperator' };
    const waitMs = Math.max(0, loginWaitMs, startWaitMs);
    return waitMs > 0 ? { kind: 'wait', waitMs } : { kind: 'start' };
  }
  if (hasSpare || ready.length < wantedWorkers) return { kind: 'wait', waitMs: Number.POSITIVE_INFINITY };
  return spareWaitMs > 0 ? { kind: 'wait', waitMs: spareWaitMs } : { kind: 'startSpare' };
}

/** A successor comes before its predecessor goes. */
function isWorkerMissing(wantedWorkers: number, workers: readonly PlannedWorker[]): boolean {
  const successors = workers.some(({ isOutdated }) => isOutdated) ? 1 : 0;
  return workers.length < wantedWorkers + successors;
}
