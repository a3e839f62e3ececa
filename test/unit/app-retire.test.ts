/** Retire, unretire and a scheduled rotation, as the application does them: over restarts, clocks that step, and a full disk. */
import { describe, expect, it } from 'vitest';
import type { KeyturnError } from '../../src/base/errors.ts';
import { type AppHarness, OPERATOR, startApp } from '../fixtures/app-harness.ts';
import { DAY, HOUR, MINUTE, T0 } from '../fixtures/lifecycle.ts';

const STEP_MS = 5_000;
const NAME = 'access-tokens';
const COMMAND = { signingKey: NAME, validateOnly: false, etag: '', reason: 'test', requestId: '' };

async function refusalOf(promise: Promise<unknown>): Promise<KeyturnError> {
  return promise.then(
    () => {
      throw new Error('nothing was refused');
    },
    (thrown: unknown) => thrown as KeyturnError,
  );
}

const retire = ({ app }: AppHarness) => app.retire(OPERATOR, COMMAND);
const unretire = ({ app }: AppHarness) => app.unretire(OPERATOR, COMMAND);
const schedule = ({ app }: AppHarness, dueMs: number | undefined) =>
  app.scheduleRotation(OPERATOR, { ...COMMAND, dueMs });
const validateApply = ({ app }: AppHarness) =>
  app.applySigningKey(OPERATOR, {
    name: NAME,
    keySet: '',
    algorithm: 'ES256',
    rsaBits: 0,
    lifecyclePolicy: {},
    etag: '',
    validateOnly: true,
    reason: '',
    deadlineMs: undefined,
  });
const wait = ({ clock }: AppHarness, forMs: number) => clock.advanceAsync(forMs, STEP_MS);
const statesOf = ({ app }: AppHarness) => app.listKeyVersions(NAME, 100, '').items.map(({ state }) => state);

describe('retire', () => {
  it('stops signing at once, says until when it can be undone, and leaves every version published', async () => {
    const harness = await startApp();
    await harness.apply();
    const kids = harness.published();
    const view = await retire(harness);
    expect(view.active).toBeUndefined();
    expect(view.retirement?.untilMs).toBe(view.retirement === undefined ? 0 : view.retirement.atMs + HOUR);
    expect(view.isReconciling).toBe(false);
    const refusal = await refusalOf(harness.sign());
    expect(refusal.reason).toBe('SIGNING_KEY_RETIRED');
    expect(refusal.message).toContain('unretire access-tokens');
    await wait(harness, 30 * MINUTE);
    expect(harness.published()).toEqual(kids);
    expect(statesOf(harness)).toEqual(['PRE_ACTIVE', 'PRE_ACTIVE', 'SUSPENDED']);
  });

  it('refuses every other change of the signing key, but a compromise', async () => {
    const harness = await startApp();
    await harness.apply();
    await retire(harness);
    const { app } = harness;
    const changes = [
      () => harness.rotate(),
      () => app.suspend(OPERATOR, { ...COMMAND, halt: false }),
      () => app.reactivate(OPERATOR, { ...COMMAND, version: 1 }),
      () => app.rollback(OPERATOR, COMMAND),
      () => validateApply(harness),
      () => schedule(harness, harness.clock.wallMs() + DAY),
    ];
    for (const change of changes) expect((await refusalOf(change())).reason).toBe('SIGNING_KEY_RETIRED');
    await app.declareCompromised(OPERATOR, {
      scope: { kind: 'version', signingKey: NAME, version: 1 },
      retain: false,
      validateOnly: false,
      reason: 'found in a log',
      requestId: '',
    });
    expect(harness.stateOf(1)).toBe('COMPROMISED');
    expect((await refusalOf(harness.sign())).reason, 'no standby takes over').toBe('SIGNING_KEY_RETIRED');
    await unretire(harness);
    await wait(harness, MINUTE);
    await harness.sign();
    expect(harness.stateOf(2), 'after it came back, a standby does').toBe('ACTIVE');
  });

  it('ends everything when the window is over: private keys first, then the key set, when the last JWT has expired', async () => {
    const harness = await startApp();
    await harness.apply();
    await retire(harness);
    await wait(harness, HOUR + MINUTE);
    expect(statesOf(harness)).toEqual(['DEACTIVATED', 'DEACTIVATED', 'DEACTIVATED']);
    expect(harness.hsm.keys.size).toBe(0);
    expect(harness.published(), 'JWTs that are out go on verifying').toHaveLength(3);
    await wait(harness, 4 * HOUR);
    expect(harness.published()).toEqual([]);
    expect(statesOf(harness)).toEqual(['DESTROYED', 'DESTROYED', 'DESTROYED']);
    const view = harness.app.getSigningKey(NAME);
    expect(view.retirement).toEqual({ atMs: view.retirement?.atMs, untilMs: undefined });
    expect(view.nextStepInMs, 'nothing is left to do').toBeUndefined();
    const again = await refusalOf(unretire(harness));
    expect(again.reason).toBe('COMMAND_NOT_POSSIBLE');
    expect(again.message).toContain('1 h (rollback_window)');
    expect((await refusalOf(validateApply(harness))).message).toContain('another name');
    expect((await refusalOf(harness.sign())).message).toContain('for good');
    expect(harness.app.listSigningKeys(10, '').items.map(({ name }) => name)).toEqual([NAME]);
  });

  it('counts its window in up-time, too: a clock that leapt ahead over a reboot ends nothing', async () => {
    let harness = await startApp();
    await harness.apply();
    await retire(harness);
    await wait(harness, 20 * MINUTE);
    harness.clock.reboot();
    harness.clock.stepWall(DAY);
    harness = await harness.restart();
    await wait(harness, 30 * MINUTE);
    expect(harness.stateOf(1)).toBe('SUSPENDED');
    await wait(harness, 15 * MINUTE);
    expect(harness.stateOf(1)).toBe('DEACTIVATED');
  });

  it('takes effect before it is durable, and is tried again until it is', async () => {
    const harness = await startApp();
    await harness.apply();
    harness.store.failNextCommits(1_000);
    expect((await refusalOf(retire(harness))).reason).toBe('STORE_UNAVAILABLE');
    await refusalOf(harness.sign());
    expect((await refusalOf(retire(harness))).reason, 'a repetition joins it').toBe('STORE_UNAVAILABLE');
    harness.store.failNextCommits(0);
    await wait(harness, MINUTE);
    expect(harness.app.getSigningKey(NAME).retirement).toBeDefined();
    expect(statesOf(harness)).toEqual(['PRE_ACTIVE', 'PRE_ACTIVE', 'SUSPENDED']);
  });

  it('undoes a version that is being made meanwhile', async () => {
    const harness = await startApp();
    await harness.apply();
    const isMade = harness.hsm.holdGeneration();
    await harness.rotate();
    await harness.clock.advanceAsync(10, 10);
    await retire(harness);
    isMade();
    await wait(harness, MINUTE);
    expect(statesOf(harness)).toHaveLength(3);
    expect(harness.hsm.keys.size).toBe(3);
    await unretire(harness);
    await wait(harness, MINUTE);
    expect(statesOf(harness), 'it is made anew when the signing key is back').toHaveLength(4);
  });
});

describe('unretire', () => {
  it('lets the version that signed before sign again, with its standbys as propagated as they were', async () => {
    const harness = await startApp();
    await harness.apply();
    const { kid } = await harness.sign();
    await retire(harness);
    const restarted = await harness.restart();
    await wait(restarted, 50 * MINUTE);
    const view = await unretire(restarted);
    expect(view).toMatchObject({ active: { kid }, propagatedStandbys: 2, retirement: undefined });
    expect((await restarted.sign()).kid).toBe(kid);
    await restarted.rotate();
  });

  it('is refused for a signing key that is not retired', async () => {
    const harness = await startApp();
    await harness.apply();
    expect((await refusalOf(unretire(harness))).message).toContain('not retired');
  });

  it('leaves a halted signing key halted', async () => {
    const harness = await startApp();
    await harness.apply();
    await harness.app.suspend(OPERATOR, { ...COMMAND, halt: true });
    await retire(harness);
    expect(await unretire(harness)).toMatchObject({ isHalted: true, active: undefined });
  });

  it('changes nothing when it is only validated', async () => {
    const harness = await startApp();
    await harness.apply();
    expect((await harness.app.retire(OPERATOR, { ...COMMAND, validateOnly: true })).retirement).toBeDefined();
    await harness.sign();
    await retire(harness);
    expect((await harness.app.unretire(OPERATOR, { ...COMMAND, validateOnly: true })).active?.version).toBe(1);
    await refusalOf(harness.sign());
  });
});

describe('a scheduled rotation', () => {
  it('comes at its time instead of at the end of the signing period, and over a restart', async () => {
    let harness = await startApp();
    await harness.apply();
    const dueMs = T0 + 3 * HOUR;
    expect(await schedule(harness, dueMs)).toMatchObject({ scheduledRotationAtMs: dueMs, rotationDueAtMs: dueMs });
    harness = await harness.restart();
    await harness.clock.advanceAsync(dueMs - harness.clock.wallMs() - STEP_MS, STEP_MS);
    expect(harness.app.getSigningKey(NAME).active?.version).toBe(1);
    await wait(harness, 3 * STEP_MS);
    const view = harness.app.getSigningKey(NAME);
    expect(view).toMatchObject({ active: { version: 2 }, scheduledRotationAtMs: undefined });
  });

  it('waits for its standbys like any other, and shows how late it is', async () => {
    const harness = await startApp();
    await harness.apply();
    await harness.rotate();
    const dueMs = harness.clock.wallMs() + 10 * MINUTE;
    await schedule(harness, dueMs);
    await wait(harness, 20 * MINUTE);
    expect(harness.app.getSigningKey(NAME)).toMatchObject({ active: { version: 2 }, rotationDueAtMs: dueMs });
    await wait(harness, 50 * MINUTE);
    expect(harness.app.getSigningKey(NAME).active?.version).toBe(3);
  });

  it('does not come when it is postponed while its successor is being tried', async () => {
    const harness = await startApp();
    await harness.apply();
    const dueMs = harness.clock.wallMs() + HOUR;
    await schedule(harness, dueMs);
    const tryKey = harness.hsm.tryKey.bind(harness.hsm);
    let isPostponed = false;
    harness.hsm.tryKey = async (key) => {
      if (!isPostponed) await schedule(harness, dueMs + HOUR);
      isPostponed = true;
      return tryKey(key);
    };
    await wait(harness, HOUR + MINUTE);
    expect(isPostponed).toBe(true);
    expect(harness.app.getSigningKey(NAME).active?.version).toBe(1);
    await wait(harness, HOUR);
    expect(harness.app.getSigningKey(NAME).active?.version).toBe(2);
  });

  it('can be postponed, and taken back', async () => {
    const harness = await startApp();
    await harness.apply();
    const periodEndMs = harness.app.getSigningKey(NAME).rotationDueAtMs;
    const nowMs = harness.clock.wallMs();
    await schedule(harness, nowMs + HOUR);
    await schedule(harness, nowMs + 2 * HOUR);
    await wait(harness, 90 * MINUTE);
    expect(harness.app.getSigningKey(NAME).active?.version).toBe(1);
    expect(await schedule(harness, undefined)).toMatchObject({
      scheduledRotationAtMs: undefined,
      rotationDueAtMs: periodEndMs,
    });
    await wait(harness, HOUR);
    expect(harness.app.getSigningKey(NAME).active?.version).toBe(1);
  });

  it('comes when the wall clock says so, though that was set forward meanwhile', async () => {
    const harness = await startApp();
    await harness.apply(NAME);
    await schedule(harness, harness.clock.wallMs() + 60_000);
    await wait(harness, 30_000);
    // Within the limit, so the clock is still believed.
    harness.clock.stepWall(25_000);
    await wait(harness, 11_000);
    expect(harness.stateOf(2, NAME)).toBe('ACTIVE');
  });
});
