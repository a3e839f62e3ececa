/**
 * How one version begins to sign and another stops, in one decision: whatever the command, the same events.
 */
import { KeyturnError } from '../base/errors.ts';
import type { CallerName, SigningKeyName } from '../base/ids.ts';
import type { ActivationCause, SigningKeyEvent, SuspensionCause, Window } from './events.ts';
import type { KeyVersion, Retirement, SigningKeyState } from './signing-key-state.ts';
import type { KeySetState } from './fold-key-set.ts';
import { activeVersion, isPropagated, keepMs, nextExpCeilingMs } from './rules.ts';

/** What every decision needs beside the signing key itself. */
export interface Surroundings {
  readonly keySet: KeySetState;
  readonly clockStepLimitMs: number;
  /** Unix time in ms. */
  readonly nowMs: number;
  /** Rule 8: whether `nowMs` may be believed. */
  readonly isClockTrusted: boolean;
}

/** Rule 8: what widens is refused while the wall clock is off. Errors: CLOCK_UNTRUSTED. */
export function requireTrustedClock(around: Surroundings): void {
  if (around.isClockTrusted) return;
  throw new KeyturnError(
    'CLOCK_UNTRUSTED',
    'the wall clock stepped; set it right, or confirm it with keyturn clock confirm and a time from elsewhere',
    { rule: 'clock-guard' },
  );
}

/** A retired signing key signs nothing and doesn't change. Errors: SIGNING_KEY_RETIRED. */
export function requireInService({ name, retirement }: SigningKeyState): void {
  if (retirement === undefined) return;
  const details = { subject: name, rule: 'retirement' };
  throw new KeyturnError('SIGNING_KEY_RETIRED', describeRetirement(name, retirement), details);
}

export function describeRetirement(name: SigningKeyName, { isFinal, window }: Retirement): string {
  const until = new Date(window.untilMs).toISOString();
  return isFinal
    ? `signing key ${name} is retired for good since ${until}: it signs nothing more and never comes back; make a signing key of another name`
    : `signing key ${name} is retired and signs nothing; until ${until} keyturn key unretire ${name} brings it back`;
}

export interface Command {
  readonly caller: CallerName;
  readonly reason: string;
}

export interface Activation extends Command {
  readonly cause: ActivationCause;
}

/** What becomes of the version that signed until now: how it is suspended by each kind of activation. */
const SUSPENDED_BY: Readonly<Record<ActivationCause, SuspensionCause>> = {
  first: 'operator',
  takeover: 'operator',
  rotation: 'rotation',
  reactivation: 'reactivation',
  rollback: 'rollback',
  unretirement: 'operator',
};

/** `successor` becomes ACTIVE; the ACTIVE version, if any, SUSPENDED, with a window only where a rotation decided. */
export function toActivation(
  state: SigningKeyState,
  successor: KeyVersion,
  around: Surroundings,
  { caller, reason, cause }: Activation,
): readonly SigningKeyEvent[] {
  const { nowMs } = around;
  const active = activeVersion(state);
  const windowMs = state.policy.rollbackWindowMs;
  const window = cause === 'rotation' ? { untilMs: nowMs + windowMs, windowMs } : undefined;
  const events: SigningKeyEvent[] = [];
  if (active !== undefined) events.push(toSuspension(active, SUSPENDED_BY[cause], window, around));
  if (successor.propagatedAtMs === undefined && isPropagated(successor, around.keySet)) {
    events.push({ type: 'VERSION_PROPAGATED', atMs: nowMs, version: successor.number, basis: 'served' });
  }
  const expCeilingMs = nextExpCeilingMs(state.policy, nowMs);
  const { number: version } = successor;
  events.push({ type: 'VERSION_ACTIVATED', atMs: nowMs, version, expCeilingMs, cause, caller, reason });
  return events;
}

export function toSuspension(
  version: KeyVersion,
  cause: SuspensionCause,
  window: Window | undefined,
  { keySet, clockStepLimitMs, nowMs }: Surroundings,
): SigningKeyEvent {
  return {
    type: 'VERSION_SUSPENDED',
    atMs: nowMs,
    version: version.number,
    cause,
    keepMs: keepMs(version, keySet, clockStepLimitMs, nowMs),
    ...(window === undefined ? {} : { window }),
  };
}
