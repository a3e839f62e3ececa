/** The figures of a signing key that only metrics show: what is due, what fails and since when. */
import { describe, expect, it } from 'vitest';
import { startApp } from '../fixtures/app-harness.ts';
import { HOUR, MINUTE, T0 } from '../fixtures/lifecycle.ts';

const NAME = 'access-tokens';
const POLICY = { signingPeriodMs: 4 * HOUR, maxJwtLifetimeMs: HOUR, rollbackWindowMs: 0 };

describe('a signing key', () => {
  it('tells since when its ACTIVE version signs, and how late a JWT of it may expire', async () => {
    const harness = await startApp();
    const { app, clock } = harness;
    await harness.apply(NAME, POLICY);
    const nowMs = clock.wallMs();
    await clock.advanceAsync(MINUTE);
    const { active } = app.getSigningKey(NAME);
    expect(active?.activatedAtMs).toBeGreaterThanOrEqual(T0);
    expect(active?.activatedAtMs).toBeLessThanOrEqual(nowMs);
    expect(active?.expCeilingMs).toBeGreaterThanOrEqual(T0 + POLICY.maxJwtLifetimeMs);
  });

  it('tells how long nothing is due', async () => {
    const harness = await startApp();
    const { app, clock } = harness;
    await harness.apply(NAME, POLICY);
    await clock.advanceAsync(MINUTE);
    const before = app.getSigningKey(NAME).nextStepInMs ?? 0;
    expect(before).toBeGreaterThan(MINUTE);
    await clock.advanceAsync(MINUTE);
    expect(app.getSigningKey(NAME).nextStepInMs).toBe(before - MINUTE);
  });

  it('tells how long a step has been failing in a row, with the latest reason, and nothing once it is done', async () => {
    const harness = await startApp();
    const { app, hsm, clock } = harness;
    await harness.apply(NAME, POLICY);
    await clock.advanceAsync(MINUTE);
    expect(app.getSigningKey(NAME).failingSteps).toEqual([]);
    hsm.failNext('generate');
    await harness.rotate();
    await clock.advanceAsync(100);
    for (let failures = 0; failures < 5; failures += 1) hsm.failNext('generate');
    await clock.advanceAsync(10_000);
    const [failing, ...others] = app.getSigningKey(NAME).failingSteps;
    expect(failing?.step).toBe('makeVersion');
    expect(failing?.failingForMs).toBeGreaterThanOrEqual(10_000);
    expect(failing?.failingForMs).toBeLessThan(11_000);
    expect(others).toEqual([]);
    await clock.advanceAsync(MINUTE);
    expect(app.getSigningKey(NAME)).toMatchObject({ failingSteps: [], publishedStandbys: 2 });
  });
});
