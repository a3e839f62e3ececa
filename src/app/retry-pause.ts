/** How long a lifecycle step that failed waits until it is tried again: twice as long each time, up to a limit. Pure. */
import type { KeyturnError } from '../base/errors.ts';
import type { Step } from '../lifecycle/plan.ts';
import type { LifecyclePolicy } from '../lifecycle/model.ts';

export const FIRST_RETRY_MS = 500;
export const MAX_RETRY_MS = 30_000;
/** Each attempt at a key that can't be made leaves an intent and its end in the event log for ever. */
const MAX_RECORDED_RETRY_MS = 600_000;
/** A token that can make keys again is found out within one such part of the signing period, long before a standby is missed. */
const RETRIES_PER_SIGNING_PERIOD = 100;

export interface FailedStep {
  readonly kind: Step['kind'];
  readonly reason: KeyturnError['reason'];
  readonly policy: Pick<LifecyclePolicy, 'signingPeriodMs'> | undefined;
}

/** `beforeMs`: the pause before the attempt that failed now; 0 if it was the first, or an operator asked for it. */
export function nextPauseMs(beforeMs: number, failed: FailedStep): number {
  return Math.min(Math.max(beforeMs * 2, FIRST_RETRY_MS), maxPauseMs(failed));
}

function maxPauseMs({ kind, reason, policy }: FailedStep): number {
  // A full key set is noticed before anything is recorded.
  if (kind !== 'makeVersion' || reason === 'KEY_SET_FULL' || policy === undefined) return MAX_RETRY_MS;
  const partMs = policy.signingPeriodMs / RETRIES_PER_SIGNING_PERIOD;
  return Math.min(Math.max(partMs, MAX_RETRY_MS), MAX_RECORDED_RETRY_MS);
}
