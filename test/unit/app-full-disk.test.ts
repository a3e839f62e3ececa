/** The use cases while the store's disk is full: what takes power from a key is recorded, everything else waits. */
import { describe, expect, it } from 'vitest';
import { type AppHarness, OPERATOR, startApp } from '../fixtures/app-harness.ts';

const KEY = 'access-tokens';

function compromise({ app }: AppHarness, version: number): ReturnType<AppHarness['app']['declareCompromised']> {
  return app.declareCompromised(OPERATOR, {
    scope: { kind: 'version', signingKey: KEY, version },
    retain: false,
    validateOnly: false,
    reason: 'dump found',
    requestId: '',
  });
}

describe('an application whose disk is full', () => {
  it('declares a version compromised, durably, and signs on with a standby', async () => {
    const harness = await startApp();
    await harness.apply();
    harness.store.fillDisk();
    const [effect] = await compromise(harness, 1);
    expect(effect).toMatchObject({ withdrawnVersions: [1], activeVersion: 2 });
    expect(harness.published()).toHaveLength(2);
    await harness.sign();

    const restarted = await harness.restart();
    expect(restarted.stateOf(1)).toBe('COMPROMISED');
    expect(restarted.stateOf(2)).toBe('ACTIVE');
  });

  it('suspends a version, durably', async () => {
    const harness = await startApp();
    await harness.apply();
    harness.store.fillDisk();
    await harness.app.suspend(OPERATOR, {
      signingKey: KEY,
      halt: false,
      validateOnly: false,
      etag: '',
      reason: '',
      requestId: '',
    });
    expect((await harness.restart()).stateOf(1)).toBe('SUSPENDED');
  });

  it('refuses what is no narrowing, and leaves the reserve alone', async () => {
    const harness = await startApp();
    await harness.apply();
    harness.store.fillDisk();
    const before = harness.store.commitCount;
    await expect(harness.rotate()).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
    expect(harness.store.commitCount).toBe(before);
    expect(harness.stateOf(1)).toBe('ACTIVE');
  });

  it('destroys the private key when there is room again', async () => {
    const harness = await startApp();
    await harness.apply();
    harness.store.fillDisk();
    // The first that was made is the first version's.
    const [fallen] = harness.hsm.keys.values();
    const isThere = (): boolean => [...harness.hsm.keys.values()].some((key) => key === fallen);
    await compromise(harness, 1);
    await harness.clock.advanceAsync(1_000);
    expect(isThere()).toBe(true);
    harness.store.freeDisk();
    for (let waited = 0; waited < 120 && isThere(); waited += 1) await harness.clock.advanceAsync(1_000);
    expect(isThere()).toBe(false);
  });

  it('is asked again with growing pauses, and not in between', async () => {
    const harness = await startApp();
    await harness.apply();
    await harness.rotate();
    const { store, clock } = harness;
    let attempts = 0;
    const commit = store.commit.bind(store);
    store.commit = (...commits) => {
      attempts += 1;
      return commit(...commits);
    };
    store.fillDisk();
    await clock.advanceAsync(5 * 60_000, 100);
    expect(attempts).toBeGreaterThan(10);
    expect(attempts).toBeLessThan(100);
  });

  it('signs nothing after a reboot until the clock can be recorded, says why, still takes a compromise, and goes on', async () => {
    const harness = await startApp();
    await harness.apply();
    const published = harness.published();
    harness.store.fillDisk();
    harness.clock.reboot();
    const rebooted = await harness.restart();
    expect(rebooted.published()).toEqual(published);
    await expect(rebooted.sign()).rejects.toMatchObject({
      reason: 'CLOCK_UNTRUSTED',
      message: expect.stringContaining('make room on the disk'),
    });
    await compromise(rebooted, 1);
    expect(rebooted.published()).toEqual(published.slice(1));
    rebooted.store.freeDisk();
    await rebooted.clock.advanceAsync(60_000, 1_000);
    await rebooted.sign();
  });

  it('says how much is in the reserve, and what is not even there', async () => {
    const harness = await startApp();
    await harness.apply();
    const { app, store, clock } = harness;
    expect(app.storeStatus()).toEqual({ undurableNarrowings: 0, unrecordedPromises: 0, reservedEvents: 0 });
    store.fillDisk();
    await compromise(harness, 1);
    expect(app.storeStatus().reservedEvents).toBeGreaterThan(0);
    store.failNextCommits(1_000);
    await expect(compromise(harness, 2)).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
    expect(app.storeStatus().undurableNarrowings).toBe(1);
    store.failNextCommits(0);
    store.freeDisk();
    await clock.advanceAsync(60_000, 1_000);
    expect(app.storeStatus()).toMatchObject({ undurableNarrowings: 0, reservedEvents: 0 });
  });
});
