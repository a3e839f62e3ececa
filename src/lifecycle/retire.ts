/**
 * Retiring a whole signing key: nothing of it signs or is made any more, and when its window is over nothing comes back.
 * Its versions stay as they are until then, so that undoing it is one activation. Pure, as decide.ts.
 */
import { formatDuration } from '../base/duration.ts';
import { type Command, requireTrustedClock, type Surroundings, toActivation, toSuspension } from './activation.ts';
import type { SigningKeyEvent } from './events.ts';
import type { KeyVersion, SigningKeyState } from './signing-key-state.ts';
import { refuse } from './interrupt.ts';
import { activeVersion, isRetirementOver, keepMs } from './rules.ts';

/** The ACTIVE version stops signing and nothing takes over. Retiring what is retired already changes nothing. */
export function decideRetire(
  state: SigningKeyState,
  { caller, reason }: Command,
  around: Surroundings,
): readonly SigningKeyEvent[] {
  if (state.retirement !== undefined) return [];
  const { nowMs } = around;
  const active = activeVersion(state);
  const windowMs = state.policy.rollbackWindowMs;
  const window = { untilMs: nowMs + windowMs, windowMs };
  return [
    ...(active === undefined ? [] : [toSuspension(active, 'retirement', undefined, around)]),
    { type: 'SIGNING_KEY_RETIRED', atMs: nowMs, window, caller, reason },
  ];
}

/** The version that signed when the signing key was retired, unless it was declared compromised since. */
export function findRetiredSigner(state: SigningKeyState): KeyVersion | undefined {
  return state.versions.findLast(
    (version) => version.state === 'SUSPENDED' && version.suspensionCause === 'retirement',
  );
}

/** What signed before signs again. Its time in the key set went on meanwhile, as did that of the standbys. */
export function decideUnretire(
  state: SigningKeyState,
  command: Command,
  around: Surroundings,
): readonly SigningKeyEvent[] {
  requireTrustedClock(around);
  const { retirement } = state;
  const { nowMs } = around;
  if (retirement === undefined) throw refuse(state, 'it is not retired');
  if (isRetirementOver(retirement, nowMs)) {
    const { untilMs, windowMs } = retirement.window;
    throw refuse(
      state,
      `it could come back for ${formatDuration(windowMs)} (rollback_window), until ${new Date(untilMs).toISOString()}; make a signing key of another name`,
    );
  }
  const { caller, reason } = command;
  const unretired: SigningKeyEvent = { type: 'SIGNING_KEY_UNRETIRED', atMs: nowMs, caller, reason };
  const signer = findRetiredSigner(state);
  return signer === undefined
    ? [unretired]
    : [unretired, ...toActivation(state, signer, around, { caller, reason, cause: 'unretirement' })];
}

/** The window is over. A standby may have signed in an emergency that no commit tells of: it is kept like the others. */
export function toRetirementEnd(state: SigningKeyState, around: Surroundings): readonly SigningKeyEvent[] {
  const { nowMs: atMs, keySet, clockStepLimitMs } = around;
  const deactivated = state.versions.flatMap((version): SigningKeyEvent[] => {
    const event = { type: 'VERSION_DEACTIVATED', atMs, version: version.number } as const;
    if (version.state === 'SUSPENDED') return [event];
    if (version.state !== 'PRE_ACTIVE') return [];
    const standbyKeepMs = version.isPublished ? keepMs(version, keySet, clockStepLimitMs, atMs) : 0;
    return [{ ...event, keepMs: standbyKeepMs }];
  });
  return [...deactivated, { type: 'RETIREMENT_ENDED', atMs }];
}
