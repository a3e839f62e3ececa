import { describe, expect, it } from 'vitest';
import type { SigningKeyEvent } from '../../src/lifecycle/events.ts';
import { explain } from '../../src/lifecycle/explain.ts';
import { forecast } from '../../src/lifecycle/forecast.ts';
import { decideRotate } from '../../src/lifecycle/decide.ts';
import { DEFAULT_PROMISE } from '../../src/lifecycle/policy.ts';
import { rotationDueMs } from '../../src/lifecycle/rules.ts';
import {
  aroundAt,
  CALLER,
  created,
  DAY,
  firstGeneration,
  fold,
  HOUR,
  keySetOf,
  MINUTE,
  policyOf,
  published,
  served,
  servedKeySet,
  T0,
} from '../fixtures/lifecycle.ts';

const WEEKLY = policyOf({ signingPeriodMs: 7 * DAY });
/** The first version signed from T0 on. */
const dueMs = (policy = WEEKLY): number => {
  const state = fold(firstGeneration(policy));
  const [first] = state.versions;
  if (first === undefined) throw new Error('fixture');
  return rotationDueMs(state, first, keySetOf());
};
const lines = ({ moments }: ReturnType<typeof forecast>) =>
  moments.map(({ atMs, version, from = '', to = '', content }) => [
    (atMs - T0) / HOUR,
    `${version} ${from} ${to}`,
    content.length,
  ]);

describe('forecast', () => {
  it('tells the first rotation of a new signing key, step by step', () => {
    const course = forecast([fold([created(WEEKLY)])], aroundAt(T0, keySetOf()), 8 * DAY);
    const due = (dueMs() - T0) / HOUR;
    expect(lines(course)).toEqual([
      [0, '1  ACTIVE', 3],
      [0, '2  PRE_ACTIVE', 3],
      [0, '3  PRE_ACTIVE', 3],
      [due, '1 ACTIVE SUSPENDED', 3],
      [due, '2 PRE_ACTIVE ACTIVE', 3],
      [due, '4  PRE_ACTIVE', 4],
      [due + 1, '4 PRE_ACTIVE PRE_ACTIVE', 4],
      [due + 1, '1 SUSPENDED DEACTIVATED', 4],
      // exp_ceiling (raised every 45 min, to 2 h ahead), skew and clock step limit.
      [expect.closeTo(due + 2.1, 6), '1 DEACTIVATED DESTROYED', 3],
    ]);
    expect(course).toMatchObject({ isComplete: true, peak: { publishedVersions: 4 }, endMs: T0 + 8 * DAY });
  });

  it('keeps a version for the longest life of a JWT from the rotation on, whatever is left of its exp_ceiling', () => {
    const policy = policyOf({ signingPeriodMs: 7 * DAY + 7 * MINUTE });
    const { moments } = forecast([fold([created(policy)])], aroundAt(T0, keySetOf()), 8 * DAY);
    expect(moments.find(({ to }) => to === 'DESTROYED')?.atMs).toBe(dueMs(policy) + 126 * MINUTE);
  });

  it('lets a signing key of a served key set wait for the ceiling', () => {
    const { moments } = forecast([fold([created(WEEKLY)])], aroundAt(T0), DAY);
    expect(moments.find(({ to }) => to === 'ACTIVE')).toMatchObject({ atMs: T0 + HOUR, version: 1 });
  });

  it('counts what was served already', () => {
    const state = fold([created(WEEKLY), ...published(1), served(1, 40 * MINUTE)]);
    const { moments } = forecast([state], aroundAt(T0), DAY);
    expect(moments.find(({ to }) => to === 'ACTIVE')?.atMs).toBe(T0 + 20 * MINUTE);
  });

  it('ends the wait for an older, longer ceiling when no copy can live by it any more', () => {
    const promise = { ...DEFAULT_PROMISE, verifierCacheCeilingMs: 10 * MINUTE };
    const keySet = keySetOf({ verifierCacheCeilingMs: HOUR }, [
      { type: 'GENERATION_COMMITTED', atMs: T0, generation: 1, kids: [] },
      { type: 'PROMISE_CHANGED', atMs: T0, promise },
      { type: 'KEY_SET_SERVED', atMs: T0, servedMs: 30 * MINUTE },
    ]);
    const { moments } = forecast([fold([created(WEEKLY)])], aroundAt(T0, keySet), DAY);
    expect(moments.find(({ to }) => to === 'ACTIVE')?.atMs).toBe(T0 + 30 * MINUTE);
  });

  it('sums the versions of all signing keys of the key set', () => {
    const other = { ...fold([created(WEEKLY)]), name: 'id-tokens' } as ReturnType<typeof fold>;
    const { peak, moments } = forecast([fold([created(WEEKLY)]), other], aroundAt(T0, servedKeySet()), 9 * DAY);
    expect(peak.publishedVersions).toBe(8);
    expect(new Set(moments.map(({ signingKey }) => signingKey))).toEqual(new Set(['access-tokens', 'id-tokens']));
  });

  it('says when a full key set holds up a standby, and a rotation', () => {
    const policy = policyOf({ signingPeriodMs: 2 * HOUR, maxJwtLifetimeMs: 12 * HOUR });
    const { moments } = forecast([fold([created(policy)])], aroundAt(T0, keySetOf({ maxPublishedVersions: 4 })), DAY);
    const told = moments.filter(({ from, to }) => from === to).map(({ description }) => description);
    expect(told).toContain("can't be made yet: the key set holds 4 versions, its maximum");
    expect(told.some((description) => description.startsWith('is due to be replaced'))).toBe(true);
    expect(Math.max(...moments.map(({ content }) => content.length))).toBe(4);
  });

  it('ends early, and says so, rather than grow without bound', () => {
    const policy = policyOf({ signingPeriodMs: 61 * MINUTE, maxJwtLifetimeMs: MINUTE });
    const course = forecast([fold([created(policy)])], aroundAt(T0, keySetOf()), 3_653 * DAY);
    expect(course.isComplete).toBe(false);
    expect(course.endMs).toBe(course.moments.at(-1)?.atMs);
  });

  it('touches nothing that a halted signing key leaves to an operator', () => {
    const halted: SigningKeyEvent = { type: 'SIGNING_HALTED', atMs: T0, caller: CALLER, reason: '' };
    const suspended: SigningKeyEvent = {
      type: 'VERSION_SUSPENDED',
      atMs: T0,
      version: 1,
      cause: 'operator',
      keepMs: 0,
    };
    const { moments } = forecast([fold([...firstGeneration(), suspended, halted])], aroundAt(T0), 90 * DAY);
    expect(moments).toEqual([]);
  });
});

describe('explain', () => {
  const around = aroundAt(T0);

  it('says of each version why it is as it is, and what comes next by time or by command', () => {
    const state = fold(firstGeneration(WEEKLY));
    const { versions } = explain(state, around, forecast([state], around, 9 * DAY).moments);
    expect(versions.map(({ version, state: is, why }) => [version, is, why])).toEqual([
      [1, 'ACTIVE', 'it signs, since 2026-01-01T00:00:00Z'],
      [2, 'PRE_ACTIVE', expect.stringContaining('first generation')],
      [3, 'PRE_ACTIVE', expect.stringContaining('first generation')],
    ]);
    expect(versions[0]?.next).toEqual([
      { by: 'time', to: 'SUSPENDED', atMs: dueMs() },
      { by: 'command', command: 'rotate', to: 'SUSPENDED' },
      { by: 'command', command: 'suspend', to: 'SUSPENDED' },
      { by: 'command', command: 'retire', to: 'SUSPENDED' },
      { by: 'command', command: 'declare-compromised', to: 'COMPROMISED' },
    ]);
    expect(versions[1]?.next).toContainEqual({ by: 'command', command: 'rotate', to: 'ACTIVE' });
  });

  it('tells of a refused command the rule and when it would be allowed', () => {
    const rotation = { caller: CALLER, reason: '', useLastStandby: false };
    const rotated = fold(decideRotate(fold(firstGeneration(WEEKLY)), rotation, around), fold(firstGeneration(WEEKLY)));
    const state = fold(published(4), rotated);
    const { commands, versions } = explain(state, around, []);
    expect(commands.map(({ command, isAllowed, refusal }) => [command, isAllowed, refusal?.reason])).toEqual([
      ['rotate', false, 'LAST_STANDBY'],
      ['rollback', true, undefined],
      ['suspend', true, undefined],
      ['reactivate 1', true, undefined],
      ['retire', true, undefined],
      ['declare-compromised', true, undefined],
    ]);
    expect(commands[0]?.refusal?.allowedAtMs).toBe(T0 + HOUR);
    expect(versions.find(({ version }) => version === 1)?.why).toBe(
      'a rotation replaced it at 2026-01-01T00:00:00Z; it is published and may come back',
    );
    expect(versions.find(({ version }) => version === 4)?.why).toContain('served for 0 s of the 1 h');
  });
});
