/**
 * What is due on a signing key, and when to look again: `plan(state, around) → {due, lookAgainMs}`. Pure; the rotator
 * (app/rotator.ts) does one due step at a time and plans anew.
 */
import type { Surroundings } from './activation.ts';
import type { KeyVersion, Retirement, SigningKeyState } from './signing-key-state.ts';
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
import { expCeilingReserveMs, expCeilingStepMs } from './policy.ts';

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
  /** A rotation is due, and waits for its standbys: `describeWaitingRotation` says it in words. */
  readonly isRotationWaiting: boolean;
}

/** A plan in the making, and what several of its parts ask for. */
interface Draft {
  readonly state: SigningKeyState;
  readonly around: Surroundings;
  readonly active: KeyVersion | undefined;
  /** Propagated standbys, oldest first. */
  readonly ready: readonly KeyVersion[];
  readonly due: Step[];
  waitMs: number;
  isRotationWaiting: boolean;
}

export function plan(state: SigningKeyState, around: Surroundings): Plan {
  const active = activeVersion(state);
  const ready = propagatedStandbys(state, around.keySet);
  const draft: Draft = {
    state,
    around,
    active,
    ready,
    due: [],
    waitMs: Number.POSITIVE_INFINITY,
    isRotationWaiting: false,
  };
  const { retirement } = state;
  if (retirement === undefined) planExpCeilings(draft);
  for (const intent of state.intents) draft.due.push({ kind: 'abandonIntent', version: intent.version });
  if (active !== undefined) planRotation(draft, active);
  if (retirement === undefined) planStandbys(draft);
  else planRetirement(draft, retirement);
  for (const version of state.versions) planAfterlife(draft, version);
  const due = around.isClockTrusted ? draft.due : draft.due.filter((step) => !isHeldBack(step, state, around));
  const lookAgainMs = draft.waitMs === Number.POSITIVE_INFINITY ? undefined : Math.max(0, draft.waitMs);
  return { due, lookAgainMs, isRotationWaiting: draft.isRotationWaiting };
}

function waitFor(draft: Draft, ms: number): void {
  draft.waitMs = Math.min(draft.waitMs, ms);
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
function planExpCeilings(draft: Draft): void {
  const { active, ready, due } = draft;
  const { policy } = draft.state;
  const { nowMs } = draft.around;
  const versions = [active, ready[0]].filter((version) => version !== undefined);
  const reserveMs = expCeilingReserveMs(policy);
  const low = versions.filter((version) => needsHigherExpCeiling(version, policy, nowMs));
  if (low.length > 0) {
    // When one is raised, so is the other: one commit serves both. Then nothing is due of them until the reserve is reached.
    for (const { number } of new Set([...low, ...versions])) due.push({ kind: 'raiseExpCeiling', version: number });
    return waitFor(draft, expCeilingStepMs(policy) - reserveMs);
  }
  for (const { expCeilingMs = 0 } of versions)
    waitFor(draft, expCeilingMs - policy.maxJwtLifetimeMs - reserveMs - nowMs);
}

/**
 * Rule 5: rotation waits for two propagated standbys; at `maxSigningPeriod` it takes the last, and without any it waits
 * on, while the version has stopped signing.
 */
function planRotation(draft: Draft, active: KeyVersion): void {
  const { state, due } = draft;
  const { nowMs, keySet } = draft.around;
  const dueMs = rotationDueMs(state, active, keySet);
  if (nowMs < dueMs) return waitFor(draft, dueMs - nowMs);
  const ready = draft.ready.length;
  if (ready >= state.policy.standbys) due.push({ kind: 'rotate', useLastStandby: false });
  else if (ready > 0 && nowMs >= signingEndsMs(state, active)) due.push({ kind: 'rotate', useLastStandby: true });
  else {
    draft.isRotationWaiting = true;
    if (nowMs < signingEndsMs(state, active)) waitFor(draft, signingEndsMs(state, active) - nowMs);
  }
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

function planStandbys(draft: Draft): void {
  const { state, around, active, ready, due } = draft;
  const standbys = standbysOf(state);
  const isComplete = standbys.length >= wantedStandbys(state);
  const unpublished = standbys.filter((version) => !version.isPublished).map((version) => version.number);
  const isFirstGeneration = around.keySet.generation === 0;
  if (unpublished.length > 0 && !isFirstGeneration) due.push({ kind: 'publishVersions', versions: unpublished });
  if (unpublished.length > 0 && isFirstGeneration && isComplete)
    due.push({ kind: 'publishFirstGeneration', versions: unpublished });
  if (active === undefined && !state.isHalted && ready.length > 0) due.push({ kind: 'activateStandby' });
  if (!isComplete) due.push({ kind: 'makeVersion' });
  for (const version of standbys) {
    if (isPropagated(version, around.keySet)) {
      if (version.propagatedAtMs === undefined) due.push({ kind: 'notePropagated', version: version.number });
    } else if (version.isPublished) {
      waitFor(draft, unservedMs(version, around.keySet));
    }
  }
}

function planRetirement(draft: Draft, retirement: Retirement): void {
  const { nowMs } = draft.around;
  const { isFinal, window, retiredMs } = retirement;
  if (isFinal) return;
  if (isRetirementOver(retirement, nowMs)) draft.due.push({ kind: 'endRetirement' });
  else waitFor(draft, Math.max(window.untilMs - nowMs, window.windowMs - retiredMs));
}

function planAfterlife(draft: Draft, version: KeyVersion): void {
  const { due } = draft;
  const { nowMs, keySet, clockStepLimitMs } = draft.around;
  const { number, state, window, privateKey, quietMs, keepMs = 0 } = version;
  // A DESTROYED one only when a token that was restored has its private key again.
  const mustDestroy =
    state === 'DEACTIVATED' || state === 'DESTROYED' || (state === 'COMPROMISED' && version.isRetained !== true);
  if (mustDestroy && privateKey !== 'destroyed') {
    due.push({ kind: 'destroyPrivateKey', version: number });
  } else if (state === 'SUSPENDED' && window !== undefined) {
    if (isWindowOver(version, nowMs)) due.push({ kind: 'deactivate', version: number });
    else waitFor(draft, Math.max(window.untilMs - nowMs, window.windowMs - quietMs));
  } else if (state === 'DEACTIVATED') {
    if (isWithdrawable(version, keySet, clockStepLimitMs, nowMs)) due.push({ kind: 'withdraw', version: number });
    else waitFor(draft, Math.max(withdrawalDueMs(version, keySet, clockStepLimitMs) - nowMs, keepMs - quietMs));
  }
}
