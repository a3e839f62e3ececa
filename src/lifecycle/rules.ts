/**
 * The rules of rotation as small predicates over state and time. Each cites its number in the design; docs/reference/
 * lifecycle.md explains them. No clock: `nowMs` is a value, and served and quiet times are in the state.
 */
import type { KeyVersion, Retirement, SigningKeyState } from './signing-key-state.ts';
import type { KeySetState } from './fold-key-set.ts';
import type { LifecyclePolicy } from './model.ts';
import { expCeilingReserveMs, expCeilingStepMs, SPREAD_SHARE } from './policy.ts';

/** Rule 1: how long a version must have been served: by the ceiling now, and by older ceilings that copies still live by. */
export function requiredServedMs(keySet: KeySetState): number {
  let longestMs = keySet.promise.verifierCacheCeilingMs;
  for (const { ceilingMs } of keySet.lingering) longestMs = Math.max(longestMs, ceilingMs);
  return longestMs;
}

/** Rule 1, judged at each use; rule 4 for the first generation. */
export function isPropagated(version: KeyVersion, keySet: KeySetState): boolean {
  return version.isPublished && (version.isFirstGeneration || version.servedMs >= requiredServedMs(keySet));
}

/** How much longer it must be served; 0 when propagated. */
export function unservedMs(version: KeyVersion, keySet: KeySetState): number {
  return isPropagated(version, keySet) ? 0 : Math.max(0, requiredServedMs(keySet) - version.servedMs);
}

export function activeVersion(state: SigningKeyState): KeyVersion | undefined {
  return state.versions.findLast((version) => version.state === 'ACTIVE');
}

/** PRE_ACTIVE versions, oldest first, published or about to be. */
export function standbysOf(state: SigningKeyState): readonly KeyVersion[] {
  return state.versions.filter((version) => version.state === 'PRE_ACTIVE');
}

export function propagatedStandbys(state: SigningKeyState, keySet: KeySetState): readonly KeyVersion[] {
  return state.versions.filter((version) => version.state === 'PRE_ACTIVE' && isPropagated(version, keySet));
}

/** Rule 3: a version that starts or goes on signing at `nowMs` gets this ceiling. */
export function nextExpCeilingMs(policy: LifecyclePolicy, nowMs: number): number {
  return nowMs + policy.maxJwtLifetimeMs + expCeilingStepMs(policy);
}

/** Rule 3: the ceiling is raised when little of its step is left above the longest JWT signed now. */
export function needsHigherExpCeiling(version: KeyVersion, policy: LifecyclePolicy, nowMs: number): boolean {
  return (version.expCeilingMs ?? 0) < nowMs + policy.maxJwtLifetimeMs + expCeilingReserveMs(policy);
}

/**
 * Rule 3: what up-time since its last signature a version needs that stops signing at `nowMs`. Its last JWT may live as
 * long as a ceiling ever lay ahead: the wall clock, which says how much of that is left, may have stepped with a reboot.
 */
export function keepMs(version: KeyVersion, keySet: KeySetState, clockStepLimitMs: number, nowMs: number): number {
  const aheadMs = (version.expCeilingMs ?? nowMs) - nowMs;
  return Math.max(version.longestMs, aheadMs) + keySet.promise.verifierSkewMs + clockStepLimitMs;
}

/** Rule 3: the earliest wall-clock time of withdrawal. Up-time must allow it too (`isWithdrawable`). */
export function withdrawalDueMs(version: KeyVersion, keySet: KeySetState, clockStepLimitMs: number): number {
  return (version.expCeilingMs ?? 0) + keySet.promise.verifierSkewMs + clockStepLimitMs;
}

/** Rule 3: both clocks must agree before a version may leave the key set. */
export function isWithdrawable(
  version: KeyVersion,
  keySet: KeySetState,
  clockStepLimitMs: number,
  nowMs: number,
): boolean {
  return nowMs >= withdrawalDueMs(version, keySet, clockStepLimitMs) && version.quietMs >= (version.keepMs ?? 0);
}

/** The window of a suspension is over, by the wall clock and by up-time: deactivation is final. */
export function isWindowOver(version: KeyVersion, nowMs: number): boolean {
  const { state, window } = version;
  return state === 'SUSPENDED' && window !== undefined && nowMs >= window.untilMs && version.quietMs >= window.windowMs;
}

/** The window of a retirement is over, by the wall clock and by up-time: what follows is final. */
export function isRetirementOver({ isFinal, window, retiredMs }: Retirement, nowMs: number): boolean {
  return isFinal || (nowMs >= window.untilMs && retiredMs >= window.windowMs);
}

/**
 * Rule 5: when the ACTIVE version's signing period ends, less what spreads rotations; at `maxSigningPeriod` while a
 * rollback holds rotation; or when an operator has scheduled it, never later than that.
 */
export function rotationDueMs(state: SigningKeyState, active: KeyVersion, keySet: KeySetState): number {
  const { maxSigningPeriodMs } = state.policy;
  const signingPeriodMs = state.policy.signingPeriodMs - earlinessMs(state, active, keySet);
  if (state.scheduledRotation !== undefined)
    return Math.min(state.scheduledRotation.dueMs, signingEndsMs(state, active));
  return (active.activatedAtMs ?? 0) + (state.isRotationHeld ? maxSigningPeriodMs : signingPeriodMs);
}

/**
 * Earlier, so that no limit is passed; the same whenever it is asked, and another for each signing key and version. At
 * most half of what the period has beyond the time in which a successor is propagated.
 */
function earlinessMs({ name, policy }: SigningKeyState, { number }: KeyVersion, keySet: KeySetState): number {
  const spareMs = Math.max(0, policy.signingPeriodMs - requiredServedMs(keySet));
  const mostMs = Math.min(policy.signingPeriodMs * SPREAD_SHARE, spareMs / 2);
  return Math.floor(mostMs * fractionOf(`${name}/${number}`));
}

/** In [0, 1), even over like texts: FNV-1a, and a final mix so that the last character moves every bit. */
function fractionOf(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01_00_01_93);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Rule 5: from here on the version signs nothing more, whatever else there is. */
export function signingEndsMs(state: SigningKeyState, active: KeyVersion): number {
  return (active.activatedAtMs ?? 0) + state.policy.maxSigningPeriodMs;
}

/**
 * Rule 2 in an emergency: who signs when the ACTIVE version must not. The oldest propagated standby, be it the last;
 * else the latest version that a rotation suspended and whose window is open. `isExcluded`: versions that fell as well.
 */
export function findEmergencySuccessor(
  state: SigningKeyState,
  keySet: KeySetState,
  nowMs: number,
  isExcluded: (version: KeyVersion) => boolean = () => false,
): KeyVersion | undefined {
  const [standby] = propagatedStandbys(state, keySet).filter((version) => !isExcluded(version));
  if (standby !== undefined) return standby;
  return state.versions.findLast(
    (version) =>
      version.state === 'SUSPENDED' &&
      version.suspensionCause === 'rotation' &&
      version.privateKey === 'present' &&
      !isExcluded(version) &&
      !isWindowOver(version, nowMs),
  );
}
