import { beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from '../../src/app/ledger.ts';
import { Meters } from '../../src/app/meters.ts';
import { ServedTime } from '../../src/app/served-time.ts';
import type { Kid } from '../../src/base/ids.ts';
import { DEFAULT_PROMISE } from '../../src/lifecycle/policy.ts';
import { FakeClock, settle } from '../fakes/fake-clock.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { created, HOUR, KEY_SET, MINUTE, NAME, published, T0 } from '../fixtures/lifecycle.ts';
import { recordingLogger } from '../fixtures/recording-logger.ts';

/** The ceiling is an hour: two answers up to 21 minutes apart count. */
const LONGEST_GAP = 21 * MINUTE;
let clock: FakeClock;
let ledger: Ledger;
let meters: Meters;
let servedTime: ServedTime;
let asked: number;
let isListenerUp: boolean;

const publish = (version: number): Promise<void> =>
  ledger.transact(() => [{ to: 'signingKey', name: NAME, events: published(version) }]);
const servedMsOf = (number: number): number =>
  meters.observe(ledger.requireSigningKey(NAME)).state.versions.find((version) => version.number === number)
    ?.servedMs ?? -1;

beforeEach(async () => {
  clock = new FakeClock(T0);
  ledger = await Ledger.open(new MemoryStore(), clock, new Map([[KEY_SET, DEFAULT_PROMISE]]));
  await ledger.transact(() => [{ to: 'signingKey', name: NAME, events: [created(), ...published(1)] }]);
  meters = new Meters(clock);
  asked = 0;
  isListenerUp = true;
  servedTime = new ServedTime({
    ledger,
    clock,
    meters,
    log: recordingLogger([]),
    probe: {
      fetchKids: async () => {
        asked += 1;
        await Promise.resolve();
        if (!isListenerUp) throw new Error('connection refused');
        return new Set<Kid>(ledger.requireKeySet(KEY_SET).kids);
      },
    },
    onAnswer: () => undefined,
  });
  ledger.onChange(() => {
    for (const state of ledger.signingKeys.values()) meters.track(state);
    servedTime.wake();
  });
  servedTime.start();
  await settle();
});

describe('served time', () => {
  it('looks at a new generation at once, and once', async () => {
    expect(asked).toBe(1);
    await publish(2);
    await settle();
    expect(asked).toBe(2);
  });

  it('is not asked for because something else was committed', async () => {
    await ledger.transact(() => [
      {
        to: 'signingKey',
        name: NAME,
        events: [{ type: 'EXP_CEILING_RAISED', atMs: T0, version: 1, expCeilingMs: T0 }],
      },
    ]);
    await settle();
    expect(asked).toBe(1);
  });

  it('is asked for at one pace, however many generations came in between', async () => {
    for (let version = 2; version <= 6; version += 1) {
      await publish(version);
      await settle();
    }
    const before = asked;
    await clock.advanceAsync(MINUTE);
    expect(asked - before, 'every five seconds').toBe(12);
  });

  it('counts on when a busy process asks late', async () => {
    clock.advance(LONGEST_GAP);
    await settle();
    expect(servedMsOf(1)).toBe(LONGEST_GAP);
  });

  it('counts no pause so long that two answers prove nothing about it', async () => {
    clock.advance(LONGEST_GAP + 1);
    await settle();
    expect(servedMsOf(1)).toBe(0);
  });

  it('counts nothing across a failure, however short', async () => {
    isListenerUp = false;
    await clock.advanceAsync(5_000);
    isListenerUp = true;
    await clock.advanceAsync(5_000);
    expect(servedMsOf(1)).toBe(0);
    await clock.advanceAsync(HOUR, 5_000);
    expect(servedMsOf(1)).toBe(HOUR);
  });

  it('ends while it sleeps, and asks no more', async () => {
    await servedTime.stop();
    await clock.advanceAsync(MINUTE);
    expect(asked).toBe(1);
  });
});
