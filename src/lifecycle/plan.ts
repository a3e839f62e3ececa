/**
 * What is due on a signing key, and when to look again: `plan(state, around) → {due, lookAgainMs}`. Pure; the rotator
 * (app/rotator.ts) does one due step at a time and plans anew. Scheduled rotation joins here.
 */
import type { KeyVersion, SigningKeyState } from './fold.ts';
import type { Surroundings } from './decide.ts';
import {
  activeVersion,
  hasEverSigned,
  isPropagated,
  isRollbackOver,
  isWithdrawable,
  needsHigherExpCeiling,
  propagatedStandbys,
  standbysOf,
  unservedMs,
  withdrawalDueMs,
} from './rules.ts';
import { expCeilingStepMs } from './policy.ts';

export type Step =
  /** Undo an intent that a crash or a failure left: nothing with its CKA_ID may stay in the token. */
  | { readonly kind: 'abandonIntent'; readonly version: number }
  | { readonly kind: 'raiseExpCeiling'; readonly version: number }
  | { readonly kind: 'makeVersion' }
  /** Rule 4: the first version and its standbys, all at once, into a key set that never had content. */
  | { readonly kind: 'publishFirstGeneration'; readonly versions: readonly number[] }
  | { readonly kind: 'publishVersions'; readonly versions: readonly number[] }
  | { readonly kind: 'notePropagated'; readonly version: number }
  | { readonly kind: 'activateFirst' }
  | { readonly kind: 'deactivate'; readonly version: number }
  | { readonly kind: 'destroyPrivateKey'; readonly version: number }
  | { readonly kind: 'withdraw'; readonly version: number };

export interface Plan {
  /** Due now, most urgent first. */
  readonly due: readonly Step[];
  /** Ms until the next step that time alone makes due; undefined when none waits for time. */
  readonly lookAgainMs: number | undefined;
}

export function plan(state: SigningKeyState, around: Surroundings): Plan {
  const due: Step[] = [];
  const waits: number[] = [];
  const active = activeVersion(state);
  if (active !== undefined) planExpCeiling(state, active, around, due, waits);
  for (const intent of state.intents) due.push({ kind: 'abandonIntent', version: intent.version });
  planStandbys(state, around, due, waits);
  for (const version of state.versions) planAfterlife(version, around, due, waits);
  return { due, lookAgainMs: waits.length === 0 ? undefined : Math.max(0, Math.min(...waits)) };
}

/** Versions that a signing key should have beside those that already signed: its standbys, and the first to sign. */
export function wantedStandbys(state: SigningKeyState): number {
  return state.policy.standbys + (hasEverSigned(state) ? 0 : 1);
}

function planExpCeiling(
  state: SigningKeyState,
  active: KeyVersion,
  around: Surroundings,
  due: Step[],
  waits: number[],
): void {
  if (needsHigherExpCeiling(active, state.policy, around.nowMs))
    due.push({ kind: 'raiseExpCeiling', version: active.number });
  else
    waits.push(
      (active.expCeilingMs ?? 0) - state.policy.maxJwtLifetimeMs - expCeilingStepMs(state.policy) / 2 - around.nowMs,
    );
}

function planStandbys(state: SigningKeyState, around: Surroundings, due: Step[], waits: number[]): void {
  const standbys = standbysOf(state);
  const isComplete = standbys.length >= wantedStandbys(state);
  const unpublished = standbys.filter((version) => !version.isPublished).map((version) => version.number);
  const isFirstGeneration = around.keySet.generation === 0;
  if (unpublished.length > 0 && !isFirstGeneration) due.push({ kind: 'publishVersions', versions: unpublished });
  if (unpublished.length > 0 && isFirstGeneration && isComplete)
    due.push({ kind: 'publishFirstGeneration', versions: unpublished });
  if (!hasEverSigned(state) && propagatedStandbys(state, around.keySet).length > 0) due.push({ kind: 'activateFirst' });
  if (!isComplete) due.push({ kind: 'makeVersion' });
  for (const version of standbys) {
    if (isPropagated(version, around.keySet)) {
      if (version.propagatedAtMs === undefined) due.push({ kind: 'notePropagated', version: version.number });
    } else if (version.isPublished) {
      waits.push(unservedMs(version, around.keySet));
    }
  }
}

function planAfterlife(version: KeyVersion, around: Surroundings, due: Step[], waits: number[]): void {
  const { nowMs, keySet, clockStepLimitMs } = around;
  if (version.state === 'SUSPENDED' && version.suspendedUntilMs !== undefined) {
    if (isRollbackOver(version, nowMs)) due.push({ kind: 'deactivate', version: version.number });
    else waits.push(Math.max(version.suspendedUntilMs - nowMs, (version.windowMs ?? 0) - version.quietMs));
  }
  if (version.state !== 'DEACTIVATED') return;
  if (version.privateKey !== 'destroyed') {
    due.push({ kind: 'destroyPrivateKey', version: version.number });
  } else if (isWithdrawable(version, keySet, clockStepLimitMs, nowMs)) {
    due.push({ kind: 'withdraw', version: version.number });
  } else {
    waits.push(
      Math.max(withdrawalDueMs(version, keySet, clockStepLimitMs) - nowMs, (version.keepMs ?? 0) - version.quietMs),
    );
  }
}
