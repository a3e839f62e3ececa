/** The pure decisions about retiring a signing key, and about a rotation at a time. */
import { describe, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import { decideActivateStandby, decideRotate } from '../../src/lifecycle/decide.ts';
import type { SigningKeyEvent } from '../../src/lifecycle/events.ts';
import { explain } from '../../src/lifecycle/explain.ts';
import type { SigningKeyState } from '../../src/lifecycle/signing-key-state.ts';
import { forecast } from '../../src/lifecycle/forecast.ts';
import { decideCompromise, decideRollback, decideSuspend } from '../../src/lifecycle/interrupt.ts';
import { plan } from '../../src/lifecycle/plan.ts';
import { decideRetire, decideUnretire, toRetirementEnd } from '../../src/lifecycle/retire.ts';
import { rotationDueMs } from '../../src/lifecycle/rules.ts';
import { decideSchedule } from '../../src/lifecycle/schedule.ts';
import { rotationCommand } from '../../src/lifecycle/step-events.ts';
import {
  aroundAt,
  CALLER,
  created,
  DAY,
  firstGeneration,
  fold,
  HOUR,
  keySetOf,
  made,
  MINUTE,
  policyOf,
  T0,
} from '../fixtures/lifecycle.ts';

const by = { caller: CALLER, reason: 'test' };
const around = aroundAt(T0);
const inService = fold(firstGeneration());
const retired = fold(decideRetire(inService, by, around), inService);
const active = (state: SigningKeyState) => state.versions.find((version) => version.state === 'ACTIVE');
const retiredFor = (retiredMs: number): SigningKeyEvent => ({
  type: 'METERS_RECORDED',
  atMs: T0,
  servedMs: {},
  quietMs: {},
  retiredMs,
});

function refusalOf(decide: () => unknown): KeyturnError {
  try {
    decide();
  } catch (thrown) {
    if (thrown instanceof KeyturnError) return thrown;
  }
  throw new Error('nothing was refused');
}

describe('a retired signing key', () => {
  it('has nothing due within its window, by either clock, and ends a moment later', () => {
    const kinds = (nowMs: number, retiredMs: number) =>
      plan(fold([retiredFor(retiredMs)], retired), aroundAt(nowMs)).due.map(({ kind }) => kind);
    expect(kinds(T0 + HOUR - 1, HOUR)).toEqual([]);
    expect(kinds(T0 + HOUR, HOUR - 1)).toEqual([]);
    expect(kinds(T0 + HOUR, HOUR)).toEqual(['endRetirement']);
    expect(plan(retired, aroundAt(T0 + 20 * MINUTE)).lookAgainMs, 'up-time has not been recorded').toBe(HOUR);
  });

  it('ends nothing while the wall clock is not believed', () => {
    const over = fold([retiredFor(HOUR)], retired);
    expect(plan(over, { ...aroundAt(T0 + HOUR), isClockTrusted: false }).due).toEqual([]);
  });

  it('finishes what was intended, and makes, publishes and activates nothing', () => {
    const [intended] = made(4);
    if (intended === undefined) throw new Error('fixture');
    expect(plan(fold([intended], retired), around).due).toEqual([{ kind: 'abandonIntent', version: 4 }]);
    const unpublished = fold([created(), ...made(1), ...made(2), ...made(3)]);
    const early = fold(decideRetire(unpublished, by, around), unpublished);
    const empty = aroundAt(T0, keySetOf());
    expect(plan(early, empty).due).toEqual([]);
    expect(decideActivateStandby(retired, by, around)).toEqual([]);
  });

  it('has no successor in an emergency', () => {
    const events = decideCompromise(retired, { ...by, version: undefined, retain: false }, around);
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['VERSION_COMPROMISED']));
  });

  it('keeps a standby as long as it may have signed in an emergency, by both clocks', () => {
    const over = fold([retiredFor(HOUR)], retired);
    const events = toRetirementEnd(over, aroundAt(T0 + HOUR));
    expect(events.map(({ type }) => type)).toEqual([
      'VERSION_DEACTIVATED',
      'VERSION_DEACTIVATED',
      'VERSION_DEACTIVATED',
      'RETIREMENT_ENDED',
    ]);
    const { versions } = fold(events, over);
    // Skew and step limit beside the longest that its ceiling ever lay ahead.
    expect(versions[1]).toMatchObject({ state: 'DEACTIVATED', keepMs: 2 * HOUR + 6 * MINUTE, quietMs: 0 });
    expect(versions[0]?.keepMs, 'counted from when it was retired').toBe(2 * HOUR + 6 * MINUTE);
  });

  it('comes back until the last moment of its window, and never once it is final', () => {
    const late = fold([retiredFor(HOUR - 1)], retired);
    expect(active(fold(decideUnretire(late, by, aroundAt(T0 + 2 * HOUR)), late))?.number).toBe(1);
    const over = fold([retiredFor(HOUR)], retired);
    const final = fold(toRetirementEnd(over, aroundAt(T0 + HOUR)), over);
    for (const state of [over, final]) {
      expect(refusalOf(() => decideUnretire(state, by, aroundAt(T0 + HOUR))).reason).toBe('COMMAND_NOT_POSSIBLE');
    }
    // A clock that was set back within its limit opens nothing.
    expect(refusalOf(() => decideUnretire(final, by, around)).reason).toBe('COMMAND_NOT_POSSIBLE');
  });

  it('goes on with the signing period that it had begun, and a rollback holds rotation still', () => {
    const rotated = fold(decideRotate(inService, { ...by, useLastStandby: true }, around), inService);
    const held = fold(decideRollback(rotated, by, around), rotated);
    const away = fold(decideRetire(held, by, around), held);
    const back = fold(decideUnretire(away, by, aroundAt(T0 + MINUTE)), away);
    expect(back.isRotationHeld).toBe(true);
    expect(active(back)?.activatedAtMs).toBe(T0);
  });

  it('stays halted when it was before', () => {
    const halted = fold(decideSuspend(inService, { ...by, halt: true }, around), inService);
    const away = fold(decideRetire(halted, by, around), halted);
    const back = fold(decideUnretire(away, by, around), away);
    expect(back).toMatchObject({ isHalted: true, retirement: undefined });
    expect(active(back)).toBeUndefined();
  });

  it('is brought back only by a clock that is believed', () => {
    const refusal = refusalOf(() => decideUnretire(retired, by, { ...around, isClockTrusted: false }));
    expect(refusal.reason).toBe('CLOCK_UNTRUSTED');
  });

  it('is explained and foreseen to its end', () => {
    const { moments } = forecast([retired], around, 90 * DAY);
    expect(moments.map(({ version, to, atMs }) => [version, to, atMs - T0])).toEqual(
      expect.arrayContaining([
        [1, 'DEACTIVATED', HOUR],
        [2, 'DEACTIVATED', HOUR],
        [3, 'DEACTIVATED', HOUR],
      ]),
    );
    expect(moments.filter(({ to }) => to === 'DESTROYED')).toHaveLength(3);
    const { commands, versions } = explain(retired, around, moments);
    expect(commands.filter(({ isAllowed }) => isAllowed).map(({ command }) => command)).toEqual([
      'unretire',
      'declare-compromised',
    ]);
    expect(versions[0]?.why).toContain('its signing key can come back until 2026-01-01T01:00:00Z');
  });
});

describe('a scheduled rotation', () => {
  const policy = policyOf({ signingPeriodMs: 10 * DAY, maxSigningPeriodMs: 20 * DAY });
  const state = fold(firstGeneration(policy));
  const schedule = (dueMs: number | undefined, nowMs = T0 + DAY, from = state) =>
    decideSchedule(from, { ...by, dueMs }, aroundAt(nowMs));

  it('is accepted from the next moment to the end of the longest signing period, and not beyond', () => {
    const nowMs = T0 + DAY;
    expect(refusalOf(() => schedule(nowMs)).message).toContain('in the future');
    expect(schedule(nowMs + 1)).toHaveLength(1);
    expect(schedule(T0 + 20 * DAY)).toHaveLength(1);
    const beyond = refusalOf(() => schedule(T0 + 20 * DAY + 1));
    expect(beyond.reason).toBe('FIELD_INVALID');
    expect(beyond.message).toBe(
      'rotate_time must not be later than 2026-01-21T00:00:00.000Z: version 1 signs for 20 d at most (max_signing_period)',
    );
  });

  it.each([
    ['earlier', 5],
    ['later', 15],
  ])('makes the rotation due %s than the signing period ends', (_, days) => {
    const scheduled = fold(schedule(T0 + days * DAY), state);
    const kinds = (nowMs: number) =>
      plan(scheduled, aroundAt(nowMs)).due.flatMap(({ kind }) => (kind === 'rotate' ? [kind] : []));
    expect(kinds(T0 + days * DAY - 1)).toEqual([]);
    expect(kinds(T0 + days * DAY)).toEqual(['rotate']);
  });

  it('never outlasts a signing period that was shortened afterwards', () => {
    const scheduled = fold(schedule(T0 + 15 * DAY), state);
    const shorter: SigningKeyEvent = {
      type: 'POLICY_CHANGED',
      atMs: T0,
      policy: policyOf({ signingPeriodMs: 4 * DAY, maxSigningPeriodMs: 8 * DAY }),
      ...by,
    };
    const changed = fold([shorter], scheduled);
    const signing = active(changed);
    expect(signing === undefined ? undefined : rotationDueMs(changed, signing, around.keySet)).toBe(T0 + 8 * DAY);
  });

  it('is in the name of whoever asked for it, but for the last standby, which nobody asked for', () => {
    const scheduled = fold(schedule(T0 + 5 * DAY), state);
    expect(rotationCommand(scheduled, false)).toEqual(by);
    expect(rotationCommand(scheduled, true).caller).toBe('keyturn');
    expect(rotationCommand(state, false).caller).toBe('keyturn');
  });

  it('ends when another version becomes ACTIVE, or is taken back, which changes nothing the second time', () => {
    const scheduled = fold(schedule(T0 + 5 * DAY), state);
    const suspended = fold(decideSuspend(scheduled, { ...by, halt: false }, around), scheduled);
    expect(suspended.scheduledRotation).toBeUndefined();
    const taken = fold(schedule(undefined, T0 + DAY, scheduled), scheduled);
    expect(taken.scheduledRotation).toBeUndefined();
    expect(schedule(undefined, T0 + DAY, taken)).toEqual([]);
  });

  it('needs an ACTIVE version, and a clock that is believed', () => {
    const halted = fold(decideSuspend(state, { ...by, halt: true }, around), state);
    expect(refusalOf(() => schedule(T0 + 5 * DAY, T0 + DAY, halted)).reason).toBe('NO_ACTIVE_VERSION');
    const untrusted = { ...aroundAt(T0 + DAY), isClockTrusted: false };
    const refusal = refusalOf(() => decideSchedule(state, { ...by, dueMs: T0 + 5 * DAY }, untrusted));
    expect(refusal.reason).toBe('CLOCK_UNTRUSTED');
  });

  it('is told by the plan, with who asked for it', () => {
    const scheduled = fold(schedule(T0 + 5 * DAY), state);
    const { moments } = forecast([scheduled], aroundAt(T0 + DAY), 8 * DAY);
    expect(moments.find(({ to }) => to === 'SUSPENDED')?.atMs).toBe(T0 + 5 * DAY);
    expect(explain(scheduled, aroundAt(T0 + DAY), moments).versions[0]?.why).toBe(
      'it signs, since 2026-01-01T00:00:00Z; operator has scheduled its rotation for 2026-01-06T00:00:00Z',
    );
  });
});
