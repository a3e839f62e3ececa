/**
 * Commands on a signing key: `decide…(state, …, now) → events`, or a KeyturnError that names the rule and, where time
 * heals it, when it would be allowed. Pure; the caller commits the events before anyone sees them.
 */
import { formatDuration } from '../base/duration.ts';
import { KeyturnError } from '../base/errors.ts';
import type { KeySetName, SigningKeyName } from '../base/ids.ts';
import type { KeySpec } from '../jose/algorithms.ts';
import { type Command, requireInService, requireTrustedClock, type Surroundings, toActivation } from './activation.ts';
import type { SigningKeyEvent } from './events.ts';
import type { KeyVersion, SigningKeyState } from './signing-key-state.ts';
import { publishedImports } from './imports.ts';
import type { LifecyclePolicy } from './model.ts';
import { checkPolicyAgainstPromise, impliedVersions } from './policy.ts';
import {
  activeVersion,
  nextExpCeilingMs,
  propagatedStandbys,
  requiredServedMs,
  standbysOf,
  unservedMs,
} from './rules.ts';

export interface ApplyCommand extends Command {
  readonly name: SigningKeyName;
  readonly keySet: KeySetName;
  readonly spec: KeySpec;
  readonly policy: LifecyclePolicy;
}

/**
 * Creates a signing key or changes its policy; no events when nothing differs.
 * `impliedByOthers`: published versions that the key set's other signing keys imply (rule 11).
 */
export function decideApply(
  state: SigningKeyState | undefined,
  command: ApplyCommand,
  around: Surroundings,
  impliedByOthers: number,
): readonly SigningKeyEvent[] {
  const { name, keySet, spec, policy, caller, reason } = command;
  const { nowMs } = around;
  checkPolicyAgainstPromise(policy, around.keySet.promise);
  checkKeySetRoom(policy, around, impliedByOthers);
  if (state === undefined)
    return [{ type: 'SIGNING_KEY_CREATED', atMs: nowMs, name, keySet, spec, policy, caller, reason }];
  requireInService(state);
  requireSame(state, 'key_set', state.keySet, keySet);
  requireSame(state, 'algorithm', state.spec.algorithm, spec.algorithm);
  requireSame(state, 'rsa_bits', state.spec.rsaBits ?? 0, spec.rsaBits ?? 0);
  if (isSamePolicy(state.policy, policy)) return [];
  const changed: SigningKeyEvent = { type: 'POLICY_CHANGED', atMs: nowMs, policy, caller, reason };
  const active = activeVersion(state);
  const expCeilingMs = nextExpCeilingMs(policy, nowMs);
  // A longer JWT lifetime needs the higher ceiling in the same commit, or SignJwt would refuse until the next raise.
  return active !== undefined && expCeilingMs > (active.expCeilingMs ?? 0)
    ? [changed, { type: 'EXP_CEILING_RAISED', atMs: nowMs, version: active.number, expCeilingMs }]
    : [changed];
}

function checkKeySetRoom(policy: LifecyclePolicy, around: Surroundings, impliedByOthers: number): void {
  const { promise, name } = around.keySet;
  const own = impliedVersions(policy, promise, around.clockStepLimitMs);
  const imported = publishedImports(around.keySet).length;
  if (own + impliedByOthers + imported <= promise.maxPublishedVersions) return;
  throw new KeyturnError(
    'KEY_SET_FULL',
    `key set ${name} may publish ${promise.maxPublishedVersions} versions at once, and this policy implies ${own} beside ${impliedByOthers} of other signing keys and ${imported} imported keys; lengthen signing_period, shorten max_jwt_lifetime or rollback_window, or raise maxPublishedVersions`,
    { field: 'lifecycle_policy', rule: 'bounded-key-set', subject: name },
  );
}

function requireSame(state: SigningKeyState, field: string, is: unknown, wanted: unknown): void {
  if (is === wanted) return;
  throw new KeyturnError(
    'SIGNING_KEY_IMMUTABLE',
    `${field} of signing key ${state.name} is ${String(is)} and never changes; create a new signing key in the same key set instead`,
    { field, subject: state.name },
  );
}

function isSamePolicy(left: LifecyclePolicy, right: LifecyclePolicy): boolean {
  return (
    left.signingPeriodMs === right.signingPeriodMs &&
    left.maxSigningPeriodMs === right.maxSigningPeriodMs &&
    left.maxJwtLifetimeMs === right.maxJwtLifetimeMs &&
    left.rollbackWindowMs === right.rollbackWindowMs &&
    left.standbys === right.standbys &&
    left.addJti === right.addJti &&
    (left.addNbf === true) === (right.addNbf === true)
  );
}

/** A rotation decides about versions that an operator suspended: they don't come back once its window is over. */
function limitSuspensions(state: SigningKeyState, around: Surroundings): readonly SigningKeyEvent[] {
  const windowMs = state.policy.rollbackWindowMs;
  const window = { untilMs: around.nowMs + windowMs, windowMs };
  return state.versions
    .filter((version) => version.state === 'SUSPENDED' && version.window === undefined)
    .map(({ number }) => ({ type: 'SUSPENSION_LIMITED', atMs: around.nowMs, version: number, window }));
}

export interface RotateOptions extends Command {
  readonly useLastStandby: boolean;
}

/** The standby that a rotation would activate now. Errors: SIGNING_KEY_RETIRED, NOT_PROPAGATED, LAST_STANDBY, NO_ACTIVE_VERSION. */
export function requireSuccessor(state: SigningKeyState, around: Surroundings, useLastStandby: boolean): KeyVersion {
  requireInService(state);
  if (activeVersion(state) === undefined && !state.isHalted) {
    throw new KeyturnError(
      'NO_ACTIVE_VERSION',
      `signing key ${state.name} has no ACTIVE version to rotate; the next propagated standby becomes ACTIVE by itself`,
      {
        subject: state.name,
        ...whenPropagated(state, around, 1),
      },
    );
  }
  const ready = propagatedStandbys(state, around.keySet);
  const [successor] = ready;
  if (successor === undefined) {
    const when = whenPropagated(state, around, 1);
    throw new KeyturnError(
      'NOT_PROPAGATED',
      `no standby of signing key ${state.name} is propagated: verifiers may still use a key set without it; ${describeWhen(when)}`,
      {
        subject: state.name,
        rule: 'announce-before-use',
        ...when,
      },
    );
  }
  if (ready.length < state.policy.standbys && !useLastStandby) {
    const when = whenPropagated(state, around, state.policy.standbys);
    throw new KeyturnError(
      'LAST_STANDBY',
      `a rotation would take the last propagated standby of signing key ${state.name}, and a compromise after it would stop signing; ${describeWhen(when)}, or override with use_last_standby`,
      {
        subject: state.name,
        rule: 'two-standbys',
        ...when,
      },
    );
  }
  return successor;
}

/**
 * When `count` standbys are propagated, as far as can be known now: if serving goes on without a pause, and with a
 * standby that is still to be made counted as published now.
 */
export function whenPropagated(state: SigningKeyState, around: Surroundings, count: number): When {
  const waits = standbysOf(state)
    .map((version) => unservedMs(version, around.keySet))
    .toSorted((left, right) => left - right);
  const waitMs = waits[count - 1] ?? requiredServedMs(around.keySet);
  return { allowedAtMs: around.nowMs + waitMs, retryAfterMs: waitMs };
}

interface When {
  readonly allowedAtMs: number;
  readonly retryAfterMs: number;
}

function describeWhen(when: When): string {
  return `allowed in ${formatDuration(when.retryAfterMs)} (${new Date(when.allowedAtMs).toISOString()})`;
}

/** Rotation: the old version becomes SUSPENDED for the rollback window, the oldest propagated standby ACTIVE, in one commit. */
export function decideRotate(
  state: SigningKeyState,
  options: RotateOptions,
  around: Surroundings,
): readonly SigningKeyEvent[] {
  requireTrustedClock(around);
  const successor = requireSuccessor(state, around, options.useLastStandby);
  return [
    ...toActivation(state, successor, around, { ...options, cause: 'rotation' }),
    ...limitSuspensions(state, around),
  ];
}

/** Nothing is ACTIVE and a standby is propagated: it becomes ACTIVE (rules 1, 2 and 4). No events when that isn't so. */
export function decideActivateStandby(
  state: SigningKeyState,
  command: Command,
  around: Surroundings,
): readonly SigningKeyEvent[] {
  const [standby] = propagatedStandbys(state, around.keySet);
  const isWanted = activeVersion(state) === undefined && !state.isHalted && state.retirement === undefined;
  if (standby === undefined || !isWanted) return [];
  return toActivation(state, standby, around, { ...command, cause: state.hasEverSigned ? 'takeover' : 'first' });
}
