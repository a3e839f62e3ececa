import { describe, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import type { SigningKeyName } from '../../src/base/ids.ts';
import type { LifecyclePolicy } from '../../src/lifecycle/model.ts';
import { decideApply, decideActivateStandby, decideRotate, requireSuccessor } from '../../src/lifecycle/decide.ts';
import type { SigningKeyState } from '../../src/lifecycle/signing-key-state.ts';
import { evolveKeySet } from '../../src/lifecycle/fold-key-set.ts';
import { findVersion } from '../../src/lifecycle/versions.ts';
import type { SigningKeyEvent } from '../../src/lifecycle/events.ts';
import { expCeilingStepMs, parsePolicy } from '../../src/lifecycle/policy.ts';
import {
  isPropagated,
  isWindowOver,
  isWithdrawable,
  needsHigherExpCeiling,
  requiredServedMs,
  rotationDueMs,
} from '../../src/lifecycle/rules.ts';
import {
  aroundAt,
  CALLER,
  created,
  DAY,
  firstGeneration,
  fold,
  HOUR,
  KEY_SET,
  keySetOf,
  MINUTE,
  NAME,
  policyOf,
  published,
  quiet,
  served,
  servedKeySet,
  T0,
} from '../fixtures/lifecycle.ts';

function refusalOf(run: () => unknown): KeyturnError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof KeyturnError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
}

function versionOf(state: SigningKeyState, number: number) {
  const version = findVersion(state, number);
  if (version === undefined) throw new Error(`no version ${number}`);
  return version;
}

const ROTATE = { caller: CALLER, reason: 'test', useLastStandby: false };

describe('rule 1: announce before use', () => {
  const keySet = servedKeySet();

  it('takes a version for propagated exactly when it was served as long as the ceiling', () => {
    const state = fold([...firstGeneration(), ...published(4), served(4, HOUR - 1)]);
    expect(isPropagated(versionOf(state, 4), keySet)).toBe(false);
    expect(isPropagated(versionOf(fold([served(4, HOUR)], state), 4), keySet)).toBe(true);
  });

  it('never counts a version that is not in the key set', () => {
    const [intended, madeEvent] = published(4);
    if (intended === undefined || madeEvent === undefined) throw new Error('fixture');
    const state = fold([...firstGeneration(), intended, madeEvent, served(4, 9 * HOUR)]);
    expect(isPropagated(versionOf(state, 4), keySet)).toBe(false);
  });

  it('binds standbys at once by a raised ceiling', () => {
    const state = fold([...firstGeneration(), ...published(4), served(4, HOUR)]);
    const raised = evolveKeySet(keySet, {
      type: 'PROMISE_CHANGED',
      atMs: T0,
      promise: { ...keySet.promise, verifierCacheCeilingMs: 2 * HOUR },
    });
    expect(isPropagated(versionOf(state, 4), raised)).toBe(false);
  });

  it('keeps a lowered ceiling in force until copies answered under it are gone', () => {
    const lowered = evolveKeySet(keySet, {
      type: 'PROMISE_CHANGED',
      atMs: T0,
      promise: { ...keySet.promise, verifierCacheCeilingMs: 10 * MINUTE },
    });
    expect(requiredServedMs(lowered)).toBe(HOUR);
    const almost = evolveKeySet(lowered, { type: 'KEY_SET_SERVED', atMs: T0, servedMs: HOUR - 1 });
    expect(requiredServedMs(almost)).toBe(HOUR);
    expect(requiredServedMs(evolveKeySet(lowered, { type: 'KEY_SET_SERVED', atMs: T0, servedMs: HOUR }))).toBe(
      10 * MINUTE,
    );
  });

  it('carries what is left of an old ceiling over a second change', () => {
    const change = (state: typeof keySet, minutes: number) =>
      evolveKeySet(state, {
        type: 'PROMISE_CHANGED',
        atMs: T0,
        promise: { ...state.promise, verifierCacheCeilingMs: minutes * MINUTE },
      });
    const once = evolveKeySet(change(keySet, 30), { type: 'KEY_SET_SERVED', atMs: T0, servedMs: 40 * MINUTE });
    const twice = change(once, 10);
    expect(requiredServedMs(twice)).toBe(HOUR);
    expect(requiredServedMs(evolveKeySet(twice, { type: 'KEY_SET_SERVED', atMs: T0, servedMs: 20 * MINUTE }))).toBe(
      30 * MINUTE,
    );
    expect(requiredServedMs(evolveKeySet(twice, { type: 'KEY_SET_SERVED', atMs: T0, servedMs: 30 * MINUTE }))).toBe(
      10 * MINUTE,
    );
  });

  it('never lets served time go back', () => {
    const state = fold([...firstGeneration(), ...published(4), served(4, HOUR), served(4, 5)]);
    expect(versionOf(state, 4).servedMs).toBe(HOUR);
  });
});

describe('rule 2: two standbys, always', () => {
  it('activates the oldest propagated standby and suspends the old version in one decision', () => {
    const state = fold(firstGeneration());
    const events = decideRotate(state, ROTATE, aroundAt(T0 + MINUTE));
    expect(events.map((event) => event.type)).toEqual(['VERSION_SUSPENDED', 'VERSION_ACTIVATED']);
    const after = fold(events, state);
    expect(after.versions.map((version) => version.state)).toEqual(['SUSPENDED', 'ACTIVE', 'PRE_ACTIVE']);
  });

  it('refuses a second quick rotation, and says when it may', () => {
    const once = fold(decideRotate(fold(firstGeneration()), ROTATE, aroundAt(T0)), fold(firstGeneration()));
    const refusal = refusalOf(() => decideRotate(once, ROTATE, aroundAt(T0 + 1_000)));
    expect(refusal.reason).toBe('LAST_STANDBY');
    expect(refusal.details).toMatchObject({ rule: 'two-standbys', allowedAtMs: T0 + 1_000 + HOUR });
  });

  it('takes the last propagated standby only when told to, and never an unpropagated one', () => {
    const once = fold(decideRotate(fold(firstGeneration()), ROTATE, aroundAt(T0)), fold(firstGeneration()));
    const options = { ...ROTATE, useLastStandby: true };
    const twice = fold([...decideRotate(once, options, aroundAt(T0)), ...published(4), served(4, HOUR - 1)], once);
    expect(refusalOf(() => decideRotate(twice, options, aroundAt(T0))).reason).toBe('NOT_PROPAGATED');
  });

  it('asks for one standby only where the policy says so', () => {
    const state = fold(firstGeneration(policyOf({ standbys: 1 })));
    const once = fold(decideRotate(state, ROTATE, aroundAt(T0)), state);
    expect(requireSuccessor(once, aroundAt(T0), false).number).toBe(3);
  });
});

describe('rule 3: keep until the last JWT has expired', () => {
  const rotated = (): SigningKeyState =>
    fold(decideRotate(fold(firstGeneration()), ROTATE, aroundAt(T0)), fold(firstGeneration()));
  // expCeiling T0 + 2 h, skew 5 min, clock step limit 1 min
  const due = T0 + 2 * HOUR + 6 * MINUTE;

  it('withdraws no earlier than expCeiling + skew + clock step limit by the wall clock', () => {
    const state = fold([{ type: 'VERSION_DEACTIVATED', atMs: T0 + HOUR, version: 1 }, quiet(1, 9 * DAY)], rotated());
    expect(isWithdrawable(versionOf(state, 1), servedKeySet(), MINUTE, due - 1)).toBe(false);
    expect(isWithdrawable(versionOf(state, 1), servedKeySet(), MINUTE, due)).toBe(true);
  });

  it('withdraws no earlier than as much up-time, whatever the wall clock says', () => {
    const state = fold(
      [{ type: 'VERSION_DEACTIVATED', atMs: T0 + HOUR, version: 1 }, quiet(1, 2 * HOUR + 6 * MINUTE - 1)],
      rotated(),
    );
    expect(isWithdrawable(versionOf(state, 1), servedKeySet(), MINUTE, due + 365 * DAY)).toBe(false);
    expect(
      isWithdrawable(versionOf(fold([quiet(1, 2 * HOUR + 6 * MINUTE)], state), 1), servedKeySet(), MINUTE, due),
    ).toBe(true);
  });

  it('keeps as long as its longest JWT could live, though the clock leapt ahead and the lifetime was shortened', () => {
    // Activated with a ceiling of 2 h ahead; a reboot brings a clock 3 h ahead, and the policy now says 1 min.
    const leapt = T0 + 3 * HOUR;
    const short: SigningKeyEvent = {
      type: 'EXP_CEILING_RAISED',
      atMs: leapt,
      version: 1,
      expCeilingMs: leapt + MINUTE,
    };
    const before = fold([short], fold(firstGeneration()));
    const after = fold(decideRotate(before, ROTATE, aroundAt(leapt)), before);
    expect(versionOf(after, 1).keepMs).toBe(2 * HOUR + 6 * MINUTE);
  });

  it('ends the rollback window only when both clocks agree', () => {
    const state = rotated();
    expect(isWindowOver(versionOf(fold([quiet(1, HOUR)], state), 1), T0 + HOUR - 1)).toBe(false);
    expect(isWindowOver(versionOf(fold([quiet(1, HOUR - 1)], state), 1), T0 + 9 * HOUR)).toBe(false);
    expect(isWindowOver(versionOf(fold([quiet(1, HOUR)], state), 1), T0 + HOUR)).toBe(true);
  });

  it('raises the ceiling before a longest JWT could reach it', () => {
    const state = fold(firstGeneration());
    const active = versionOf(state, 1);
    // lifetime 1 h, step 30 min: T0 + 2 h is enough until T0 + 45 min
    expect(needsHigherExpCeiling(active, state.policy, T0 + 45 * MINUTE)).toBe(false);
    expect(needsHigherExpCeiling(active, state.policy, T0 + 45 * MINUTE + 1)).toBe(true);
  });
});

describe('the step of a ceiling', () => {
  it.each([
    ['half of the longest lifetime', { signingPeriodMs: 4 * HOUR, maxJwtLifetimeMs: HOUR }, 30 * MINUTE],
    ['a twentieth of the period for short JWTs', { signingPeriodMs: 10 * HOUR, maxJwtLifetimeMs: MINUTE }, 30 * MINUTE],
    ['an hour at most', { signingPeriodMs: 720 * HOUR, maxJwtLifetimeMs: MINUTE }, HOUR],
    ['an eighth of a long lifetime', { signingPeriodMs: 720 * HOUR, maxJwtLifetimeMs: 24 * HOUR }, 3 * HOUR],
  ])('is %s', (_, policy, stepMs) => {
    expect(expCeilingStepMs(parsePolicy({ ...policy, rollbackWindowMs: 0 }))).toBe(stepMs);
  });
});

describe('rule 4: the first generation', () => {
  it('is propagated at birth', () => {
    const state = fold(firstGeneration());
    expect(state.versions.every((version) => isPropagated(version, servedKeySet()))).toBe(true);
  });

  it('lets a new signing key in a served key set wait like any other version', () => {
    const state = fold([created(), ...published(1), served(1, HOUR - 1)]);
    const command = { caller: CALLER, reason: '' };
    expect(decideActivateStandby(state, command, aroundAt(T0))).toEqual([]);
    const events = decideActivateStandby(fold([served(1, HOUR)], state), command, aroundAt(T0));
    expect(events.map((event) => event.type)).toEqual(['VERSION_PROPAGATED', 'VERSION_ACTIVATED']);
  });

  it('never activates a second first version', () => {
    const command = { caller: CALLER, reason: '' };
    expect(decideActivateStandby(fold(firstGeneration()), command, aroundAt(T0))).toEqual([]);
  });
});

describe('apply', () => {
  const wanted = {
    name: NAME,
    keySet: KEY_SET,
    spec: { algorithm: 'ES256' },
    policy: policyOf(),
    caller: CALLER,
    reason: '',
  } as const;

  it('changes nothing when nothing differs', () => {
    expect(decideApply(fold(firstGeneration()), wanted, aroundAt(T0), 0)).toEqual([]);
  });

  it('refuses another algorithm, RSA size or key set for an existing signing key', () => {
    const state = fold(firstGeneration());
    for (const other of [{ spec: { algorithm: 'ES384' } as const }, { keySet: 'other' as typeof KEY_SET }]) {
      expect(refusalOf(() => decideApply(state, { ...wanted, ...other }, aroundAt(T0), 0)).reason).toBe(
        'SIGNING_KEY_IMMUTABLE',
      );
    }
  });

  it('refuses a signing period within which no successor can be propagated, with the numbers', () => {
    const policy = policyOf({ signingPeriodMs: HOUR, rollbackWindowMs: 0 });
    const refusal = refusalOf(() => decideApply(undefined, { ...wanted, policy }, aroundAt(T0), 0));
    expect(refusal.reason).toBe('POLICY_UNSAFE');
    expect(refusal.message).toContain('1 h');
    expect(() =>
      decideApply(
        undefined,
        { ...wanted, policy: policyOf({ signingPeriodMs: HOUR + 1_000, rollbackWindowMs: 0 }) },
        aroundAt(T0),
        0,
      ),
    ).not.toThrow();
  });

  it('refuses what would outgrow the key set, with the sum', () => {
    const around = aroundAt(T0, keySetOf({ maxPublishedVersions: 6 }));
    expect(() => decideApply(undefined, wanted, around, 2)).not.toThrow();
    const refusal = refusalOf(() => decideApply(undefined, wanted, around, 3));
    expect(refusal.reason).toBe('KEY_SET_FULL');
    expect(refusal.message).toContain('implies 4 beside 3');
  });

  it('takes a policy that was recorded before there was an addNbf for one without nbf', () => {
    const { addNbf: _addNbf, ...recorded } = policyOf({});
    const state = fold(firstGeneration(recorded));
    expect(decideApply(state, { ...wanted, policy: policyOf({}) }, aroundAt(T0), 0)).toEqual([]);
    const asked = decideApply(state, { ...wanted, policy: policyOf({ addNbf: true }) }, aroundAt(T0), 0);
    expect(asked.map((event) => event.type)).toContain('POLICY_CHANGED');
  });

  it('raises the ceiling in the same commit as a longer JWT lifetime', () => {
    const events = decideApply(
      fold(firstGeneration()),
      { ...wanted, policy: policyOf({ maxJwtLifetimeMs: 8 * HOUR }) },
      aroundAt(T0),
      0,
    );
    expect(events.map((event) => event.type)).toEqual(['POLICY_CHANGED', 'EXP_CEILING_RAISED']);
  });
});

describe('lifecycle policies', () => {
  it('fill in the documented defaults', () => {
    expect(parsePolicy({})).toEqual({
      signingPeriodMs: 30 * DAY,
      maxSigningPeriodMs: 60 * DAY,
      maxJwtLifetimeMs: HOUR,
      rollbackWindowMs: HOUR,
      standbys: 2,
      addJti: true,
      addNbf: false,
    });
  });

  it.each([
    [{ signingPeriodMs: 999 }, 'FIELD_INVALID'],
    [{ standbys: 3 }, 'FIELD_INVALID'],
    [{ standbys: 0 }, 'FIELD_INVALID'],
    [{ maxJwtLifetimeMs: 0 }, 'FIELD_INVALID'],
    [{ signingPeriodMs: 2 * HOUR, maxSigningPeriodMs: HOUR }, 'POLICY_UNSAFE'],
    [{ signingPeriodMs: 2 * HOUR, rollbackWindowMs: 3 * HOUR }, 'POLICY_UNSAFE'],
  ])('refuse %j', (input, reason) => {
    expect(refusalOf(() => parsePolicy(input)).reason).toBe(reason);
  });
});

describe('rotations of many signing keys', () => {
  const names = Array.from({ length: 400 }, (_, index) => `tenant-${index}`);
  const dueOf = (name: string, policy: LifecyclePolicy, version = 1, keySet = servedKeySet()): number => {
    const state = { ...fold(firstGeneration(policy)), name: name as SigningKeyName };
    const active = state.versions[0];
    if (active === undefined) throw new Error('fixture');
    return rotationDueMs(state, { ...active, number: version }, keySet) - T0;
  };

  it('are spread over the last twentieth of the signing period, evenly, and never later', () => {
    const policy = policyOf({ signingPeriodMs: 10 * DAY });
    const early = names.map((name) => 10 * DAY - dueOf(name, policy));
    expect(Math.min(...early)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...early)).toBeLessThan(DAY / 2);
    const tenths = Array.from(
      { length: 10 },
      (_, tenth) => early.filter((each) => Math.floor((each / (DAY / 2)) * 10) === tenth).length,
    );
    expect(Math.min(...tenths)).toBeGreaterThan(20);
    expect(Math.max(...tenths)).toBeLessThan(65);
  });

  it('come at another point of the period for each version, and at the same one whenever it is asked', () => {
    const policy = policyOf({ signingPeriodMs: 10 * DAY });
    const versions = Array.from({ length: 20 }, (_, index) => dueOf('one', policy, index + 1));
    expect(new Set(versions).size).toBe(20);
    expect(Array.from({ length: 20 }, (_, index) => dueOf('one', policy, index + 1))).toEqual(versions);
  });

  it('leave a successor the time in which it is propagated', () => {
    const policy = policyOf({ signingPeriodMs: HOUR + MINUTE });
    for (const name of names) expect(dueOf(name, policy)).toBeGreaterThanOrEqual(HOUR + MINUTE / 2);
    // A ceiling that was raised beyond the period leaves nothing to spare.
    expect(dueOf('one', policy, 1, servedKeySet({ verifierCacheCeilingMs: 2 * HOUR }))).toBe(HOUR + MINUTE);
  });
});
