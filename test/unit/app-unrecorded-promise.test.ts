/** A key set promise that the configuration changed while the store's disk is full: served on, and nothing gets looser. */
import { describe, expect, it } from 'vitest';
import type { KeySetPromise } from '../../src/lifecycle/model.ts';
import { type AppHarness, startApp } from '../fixtures/app-harness.ts';
import { HOUR, KEY_SET, MINUTE } from '../fixtures/lifecycle.ts';

const STEP_MS = 5_000;

async function restartFull(before: AppHarness, promise: Partial<KeySetPromise>): Promise<AppHarness> {
  before.isServing = false;
  void before.app.stop();
  before.store.fillDisk();
  const { clock, hsm, store } = before;
  const harness = await startApp({ promise, clock, hsm, store: store.reopened() });
  await clock.advanceAsync(10_000, STEP_MS);
  return harness;
}

async function started(): Promise<AppHarness> {
  const harness = await startApp();
  await harness.apply();
  // The standby that is made in its place is not of the first generation: it has to be served.
  await harness.rotate();
  await harness.clock.advanceAsync(10_000, STEP_MS);
  return harness;
}

const requiredMs = ({ app }: AppHarness) => app.listKeyVersions('access-tokens', 1, '').items[0]?.servedRequiredMs;

describe('a changed promise on a full disk', () => {
  it('lets the daemon start, publish and sign', async () => {
    const before = await started();
    const kids = before.published();
    const harness = await restartFull(before, { verifierCacheCeilingMs: 2 * HOUR });
    expect(harness.published()).toEqual(kids);
    await harness.sign();
  });

  it.each([
    ['longer', 2 * HOUR, 2 * HOUR],
    ['shorter', 30 * MINUTE, HOUR],
  ])('binds with the recorded one when its ceiling is %s', async (_how, verifierCacheCeilingMs, binding) => {
    const harness = await restartFull(await started(), { verifierCacheCeilingMs });
    expect(requiredMs(harness)).toBe(binding);
  });

  it.each([
    ['longer', 10 * MINUTE, 300],
    ['shorter', MINUTE, 60],
  ])('sends the shorter max-age of both when its own is %s', async (_how, jwksMaxAgeMs, maxAgeSeconds) => {
    const harness = await restartFull(await started(), { jwksMaxAgeMs });
    expect(harness.app.findKeySet(KEY_SET)?.maxAgeSeconds).toBe(maxAgeSeconds);
  });

  it('is recorded when there is room, and copies under the old ceiling are still waited for', async () => {
    const harness = await restartFull(await started(), { verifierCacheCeilingMs: 30 * MINUTE });
    harness.store.freeDisk();
    await harness.clock.advanceAsync(10_000, STEP_MS);
    expect(requiredMs(harness)).toBe(HOUR);
    await harness.clock.advanceAsync(HOUR + MINUTE, STEP_MS);
    expect(requiredMs(harness)).toBe(30 * MINUTE);
  });
});
