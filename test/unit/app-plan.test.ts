/** The use case behind `keyturn plan`, over fakes that behave. */
import { describe, expect, it } from 'vitest';
import type { PlanCommand, PlanView } from '../../src/app/application.ts';
import { DAY, HOUR } from '../fixtures/lifecycle.ts';
import { type AppHarness, OPERATOR, startApp } from '../fixtures/app-harness.ts';

const WEEKLY = { signingPeriodMs: 7 * DAY };

async function planOf({ app, clock }: AppHarness, command: Partial<PlanCommand>): Promise<PlanView> {
  const made = app.plan(OPERATOR, {
    signingKey: '',
    proposed: [],
    horizonMs: 9 * DAY,
    deadlineMs: undefined,
    ...command,
  });
  const answer = { isThere: false };
  const settled = made.finally(() => {
    answer.isThere = true;
  });
  settled.catch(() => undefined);
  while (!answer.isThere) await clock.advanceAsync(1);
  return settled;
}

const proposal = (name: string, lifecyclePolicy = {}) => ({
  name,
  keySet: '',
  algorithm: 'ES256',
  rsaBits: 0,
  lifecyclePolicy,
});

describe('a plan', () => {
  it('of a signing key goes on from its real state, and explains it', async () => {
    const harness = await startApp();
    await harness.apply('access-tokens', WEEKLY);
    const plan = await planOf(harness, { signingKey: 'access-tokens' });
    const rotation = plan.moments.find(({ version, to }) => version === 2 && to === 'ACTIVE');
    expect(rotation?.atMs).toBe(harness.app.getSigningKey('access-tokens').rotationDueAtMs);
    expect(plan.explanations.map(({ version, state }) => [version, state])).toEqual([
      [1, 'ACTIVE'],
      [2, 'PRE_ACTIVE'],
      [3, 'PRE_ACTIVE'],
    ]);
    expect(plan.keySets).toMatchObject([{ keySet: 'default', isComplete: true, peak: { publishedVersions: 4 } }]);
    expect(plan.remarks).toEqual([]);
  });

  it('of a proposal counts what is there already, tells its moments only, and changes nothing', async () => {
    const harness = await startApp();
    await harness.apply('access-tokens', WEEKLY);
    const before = harness.published();
    const plan = await planOf(harness, { proposed: [proposal('id-tokens', WEEKLY)] });
    expect(new Set(plan.moments.map(({ signingKey }) => signingKey))).toEqual(new Set(['id-tokens']));
    // The key set was served before: the first version waits for the ceiling, and the others' versions are in it.
    expect(plan.moments.find(({ to }) => to === 'ACTIVE')?.atMs).toBe(plan.startMs + HOUR);
    // Rotations of two signing keys with one policy don't come at once.
    expect(plan.keySets[0]?.peak.publishedVersions).toBe(7);
    expect(harness.published()).toEqual(before);
    expect(() => harness.app.getSigningKey('id-tokens')).toThrow('there is no signing key');
  });

  it('of a changed policy is refused as applying it would be', async () => {
    const harness = await startApp();
    await harness.apply('access-tokens', WEEKLY);
    await expect(
      planOf(harness, { proposed: [{ ...proposal('access-tokens'), algorithm: 'ES384' }] }),
    ).rejects.toMatchObject({ reason: 'SIGNING_KEY_IMMUTABLE' });
    await expect(planOf(harness, { proposed: [proposal('new', { signingPeriodMs: HOUR })] })).rejects.toMatchObject({
      reason: 'POLICY_UNSAFE',
    });
  });

  it('of several proposals holds each against those before it', async () => {
    const harness = await startApp({ promise: { maxPublishedVersions: 9 } });
    const proposed = ['one', 'two', 'three'].map((name) => proposal(name, WEEKLY));
    expect((await planOf(harness, { proposed: proposed.slice(0, 2) })).keySets).toHaveLength(1);
    await expect(planOf(harness, { proposed })).rejects.toMatchObject({ reason: 'KEY_SET_FULL' });
  });

  it('needs exactly one subject, one that exists, and is given up at its deadline', async () => {
    const harness = await startApp();
    await expect(planOf(harness, {})).rejects.toMatchObject({ reason: 'FIELD_INVALID' });
    await expect(planOf(harness, { signingKey: 'a', proposed: [proposal('a')] })).rejects.toMatchObject({
      reason: 'FIELD_INVALID',
    });
    await expect(planOf(harness, { signingKey: 'absent' })).rejects.toMatchObject({ reason: 'SIGNING_KEY_NOT_FOUND' });
    const long = { proposed: [proposal('a', { signingPeriodMs: 2 * HOUR })], horizonMs: 365 * DAY, deadlineMs: 0 };
    await expect(planOf(harness, long)).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
  });

  it('lets others work in between, and only so many are made at once', async () => {
    const harness = await startApp();
    const command = { signingKey: '', proposed: [proposal('a')], horizonMs: 365 * DAY, deadlineMs: undefined };
    const plans = Array.from({ length: 9 }, () => harness.app.plan(OPERATOR, command));
    const outcomes = Promise.allSettled(plans);
    await expect(plans[8]).rejects.toMatchObject({ reason: 'QUEUE_FULL' });
    const done = { count: 0 };
    void Promise.race(plans.slice(0, 8)).then(() => (done.count += 1));
    await new Promise((resolve) => setImmediate(resolve));
    expect(done.count, 'no plan is finished in one go').toBe(0);
    await harness.clock.advanceAsync(1_000, 1);
    expect((await outcomes).filter(({ status }) => status === 'fulfilled')).toHaveLength(8);
  });

  it('says what stands against it', async () => {
    const harness = await startApp();
    await harness.apply('access-tokens', WEEKLY);
    harness.clock.stepWall(365 * DAY);
    const { remarks, commands } = await planOf(harness, { signingKey: 'access-tokens' });
    expect(remarks).toContainEqual(expect.stringContaining('wall clock is not believed'));
    expect(commands.find(({ command }) => command === 'rotate')?.refusal?.reason).toBe('CLOCK_UNTRUSTED');
  });
});
