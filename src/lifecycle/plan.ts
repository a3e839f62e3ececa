/**
 * What is due on a signing key, and when to look again: `plan(state, around) → {due, lookAgainMs}`. Pure; the rotator
 * (app/rotator.ts) does one due step at a time and plans anew.
 */
import type { Surroundings } from './activation.ts';
import type { KeyVersion, Retirement, SigningKeyState } from './fold.ts';
import {
  activeVersion,
  isPropagated,
  isRetirementOver,
  isWindowOver,
  isWithdrawable,
  needsHigherExpCeiling,
  propagatedStandbys,
  rotationDueMs,
  signingEndsMs,
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
  /** Nothing is ACTIVE and a standby is propagated: the first activation, or a takeover. */
  | { readonly kind: 'activateStandby' }
  /** Rule 5: the signing period is over. */
  | { readonly kind: 'rotate'; readonly useLastStandby: boolean }
  | { readonly kind: 'deactivate'; readonly version: number }
  /** The window of a retirement is over: nothing of the signing key comes back. */
  | { readonly kind: 'endRetirement' }
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
  const { retirement } = state;
  if (retirement === undefined) planExpCeilings(state, around, due, waits);
  for (const intent of state.intents) due.push({ kind: 'abandonIntent', version: intent.version });
  if (active !== undefined) planRotation(state, active, around, due, waits);
  if (retirement === undefined) planStandbys(state, around, due, waits);
  else planRetirement(retirement, around, due, waits);
  for (const version of state.versions) planAfterlife(version, around, due, waits);
  return toPlan(
    due.filter((step) => !isHeldBack(step, state, around)),
    waits,
  );
}

function toPlan(due: readonly Step[], waits: readonly number[]): Plan {
  return { due, lookAgainMs: waits.length === 0 ? undefined : Math.max(0, Math.min(...waits)) };
}

/** Rule 8: what the wall clock decides, or what is final, waits for a clock that is trusted; a compromise waits for nothing. */
const NEEDS_CLOCK: ReadonlySet<Step['kind']> = new Set([
  'raiseExpCeiling',
  'publishFirstGeneration',
  'activateStandby',
  'rotate',
  'deactivate',
  'endRetirement',
  'withdraw',
]);

/** Asked again when a step is decided: the clock may have stepped since it was planned. */
export function isHeldBack(step: Step, state: SigningKeyState, { isClockTrusted }: Surroundings): boolean {
  if (isClockTrusted) return false;
  if (step.kind !== 'destroyPrivateKey') return NEEDS_CLOCK.has(step.kind);
  return state.versions.find(({ number }) => number === step.version)?.state !== 'COMPROMISED';
}

/** Versions that a signing key should have waiting: its standbys, and one that begins to sign where none does. */
export function wantedStandbys(state: SigningKeyState): number {
  return state.policy.standbys + (activeVersion(state) === undefined && !state.isHalted ? 1 : 0);
}

/** The ACTIVE version's ceiling, and that of the standby which an emergency would let sign before its commit (rule 6). */
function planExpCeilings(state: SigningKeyState, around: Surroundings, due: Step[], waits: number[]): void {
  const [next] = propagatedStandbys(state, around.keySet);
  const versions = [activeVersion(state), next].filter((version) => version !== undefined);
  const low = versions.filter((version) => needsHigherExpCeiling(version, state.policy, around.nowMs));
  if (low.length > 0) {
    // When one is raised, so is the other: one commit serves both.
    for (const { number } of new Set([...low, ...versions])) due.push({ kind: 'raiseExpCeiling', version: number });
    return;
  }
  const halfStepMs = expCeilingStepMs(state.policy) / 2;
  for (const { expCeilingMs = 0 } of versions)
    waits.push(expCeilingMs - state.policy.maxJwtLifetimeMs - halfStepMs - around.nowMs);
}

/**
 * Rule 5: rotation waits for two propagated standbys; at `maxSigningPeriod` it takes the last, and without any it waits
 * on, while the version has stopped signing.
 */
function planRotation(
  state: SigningKeyState,
  active: KeyVersion,
  around: Surroundings,
  due: Step[],
  waits: number[],
): void {
  const { nowMs, keySet } = around;
  const dueMs = rotationDueMs(state, active, keySet);
  if (nowMs < dueMs) {
    waits.push(dueMs - nowMs);
    return;
  }
  const ready = propagatedStandbys(state, keySet).length;
  if (ready >= state.policy.standbys) due.push({ kind: 'rotate', useLastStandby: false });
  else if (ready > 0 && nowMs >= signingEndsMs(state, active)) due.push({ kind: 'rotate', useLastStandby: true });
  else if (nowMs < signingEndsMs(state, active)) waits.push(signingEndsMs(state, active) - nowMs);
}

/** Rules 2 and 5: a rotation that is due and waits for its standbys, in words; empty when none does. */
export function describeWaitingRotation(
  state: SigningKeyState,
  { nowMs, keySet, isClockTrusted }: Surroundings,
): string {
  const active = activeVersion(state);
  if (!isClockTrusted || active === undefined || nowMs < rotationDueMs(state, active, keySet)) return '';
  const ready = propagatedStandbys(state, keySet).length;
  if (ready >= state.policy.standbys || (ready > 0 && nowMs >= signingEndsMs(state, active))) return '';
  return `the rotation is due and waits: of ${state.policy.standbys} standbys that verifiers must know, they know ${ready}`;
}

function planStandbys(state: SigningKeyState, around: Surroundings, due: Step[], waits: number[]): void {
  const standbys = standbysOf(state);
  const isComplete = standbys.length >= wantedStandbys(state);
  const unpublished = standbys.filter((version) => !version.isPublished).map((version) => version.number);
  const isFirstGeneration = around.keySet.generation === 0;
  if (unpublished.length > 0 && !isFirstGeneration) due.push({ kind: 'publishVersions', versions: unpublished });
  if (unpublished.length > 0 && isFirstGeneration && isComplete)
    due.push({ kind: 'publishFirstGeneration', versions: unpublished });
  const hasSuccessor = propagatedStandbys(state, around.keySet).length > 0;
  if (activeVersion(state) === undefined && !state.isHalted && hasSuccessor) due.push({ kind: 'activateStandby' });
  if (!isComplete) due.push({ kind: 'makeVersion' });
  for (const version of standbys) {
    if (isPropagated(version, around.keySet)) {
      if (version.propagatedAtMs === undefined) due.push({ kind: 'notePropagated', version: version.number });
    } else if (version.isPublished) {
      waits.push(unservedMs(version, around.keySet));
    }
  }
}

function planRetirement(retirement: Retirement, { nowMs }: Surroundings, due: Step[], waits: number[]): void {
  const { isFinal, window, retiredMs } = retirement;
  if (isFinal) return;
  if (isRetirementOver(retirement, nowMs)) due.push({ kind: 'endRetirement' });
  else waits.push(Math.max(window.untilMs - nowMs, window.windowMs - retiredMs));
}

function planAfterlife(version: KeyVersion, around: Surroundings, due: Step[], waits: number[]): void {
  const { nowMs, keySet, clockStepLimitMs } = around;
  const { number, state, window, privateKey, quietMs, keepMs = 0 } = version;
  // A DESTROYED one only when a token that was restored has its private key again.
  const mustDestroy =
    state === 'DEACTIVATED' || state === 'DESTROYED' || (state === 'COMPROMISED' && version.isRetained !== true);
  if (mustDestroy && privateKey !== 'destroyed') {
    due.push({ kind: 'destroyPrivateKey', version: number });
  } else if (state === 'SUSPENDED' && window !== undefined) {
    if (isWindowOver(version, nowMs)) due.push({ kind: 'deactivate', version: number });
    else waits.push(Math.max(window.untilMs - nowMs, window.windowMs - quietMs));
  } else if (state === 'DEACTIVATED') {
    if (isWithdrawable(version, keySet, clockStepLimitMs, nowMs)) due.push({ kind: 'withdraw', version: number });
    else waits.push(Math.max(withdrawalDueMs(version, keySet, clockStepLimitMs) - nowMs, keepMs - quietMs));
  }
}
