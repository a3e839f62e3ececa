import { beforeEach, describe, expect, it } from 'vitest';
import { Meters } from '../../src/app/meters.ts';
import type { Kid } from '../../src/base/ids.ts';
import type { SigningKeyState } from '../../src/lifecycle/signing-key-state.ts';
import { evolveKeySet } from '../../src/lifecycle/fold-key-set.ts';
import { decideRetire } from '../../src/lifecycle/retire.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import {
  aroundAt,
  CALLER,
  created,
  firstGeneration,
  fold,
  HOUR,
  KEY_SET,
  kidOf,
  published,
  served,
  servedKeySet,
  T0,
} from '../fixtures/lifecycle.ts';

const GAP_MS = 300;
let clock: FakeClock;
let meters: Meters;
let state: SigningKeyState;

beforeEach(() => {
  clock = new FakeClock(T0);
  meters = new Meters(clock);
  state = fold([...firstGeneration(), ...published(4)]);
  meters.track(state);
});

const answer = (...kids: Kid[]): void => {
  meters.noteAnswer(KEY_SET, new Set(kids), GAP_MS);
};
const servedMsOf = (number: number): number =>
  meters.observe(state).state.versions.find((version) => version.number === number)?.servedMs ?? -1;

describe('served time', () => {
  it('grows from one answer with the version to the next', () => {
    answer(kidOf(4));
    clock.advance(100);
    expect(servedMsOf(4), 'one answer proves nothing yet').toBe(0);
    answer(kidOf(4));
    expect(servedMsOf(4)).toBe(100);
  });

  it('counts no stretch that is too long to be proven by its two ends', () => {
    answer(kidOf(4));
    clock.advance(GAP_MS + 1);
    answer(kidOf(4));
    expect(servedMsOf(4)).toBe(0);
    clock.advance(GAP_MS);
    answer(kidOf(4));
    expect(servedMsOf(4)).toBe(GAP_MS);
  });

  it('counts nothing across a failed answer or an answer without the version', () => {
    answer(kidOf(4));
    clock.advance(100);
    meters.noteFailure(KEY_SET);
    answer(kidOf(4));
    clock.advance(100);
    answer();
    clock.advance(100);
    answer(kidOf(4));
    expect(servedMsOf(4)).toBe(0);
  });

  it('does not care for the wall clock', () => {
    answer(kidOf(4));
    clock.stepWall(365 * 24 * HOUR);
    clock.advance(100);
    answer(kidOf(4));
    expect(servedMsOf(4)).toBe(100);
  });

  it('goes on from what was recorded before a restart', () => {
    state = fold([served(4, 5_000)], state);
    const restarted = new Meters(clock);
    restarted.track(state);
    restarted.noteAnswer(KEY_SET, new Set([kidOf(4)]), GAP_MS);
    clock.advance(200);
    restarted.noteAnswer(KEY_SET, new Set([kidOf(4)]), GAP_MS);
    expect(restarted.observe(state).event).toMatchObject({ type: 'METERS_RECORDED', servedMs: { 4: 5_200 } });
  });

  it('is not counted twice once it is recorded', () => {
    answer(kidOf(4));
    clock.advance(100);
    answer(kidOf(4));
    const { event } = meters.observe(state);
    if (event === undefined) throw new Error('nothing observed');
    state = fold([event], state);
    meters.track(state);
    expect(meters.observe(state).event).toBeUndefined();
    expect(servedMsOf(4)).toBe(100);
  });

  it('says whether this run has served a version at all', () => {
    expect(meters.hasBeenServed(kidOf(4))).toBe(false);
    answer(kidOf(4));
    expect(meters.hasBeenServed(kidOf(4))).toBe(true);
    meters.noteFailure(KEY_SET);
    expect(meters.hasBeenServed(kidOf(4)), 'a failure later takes nothing back').toBe(true);
    expect(meters.hasBeenServed(kidOf(1))).toBe(false);
  });
});

describe('quiet time', () => {
  const suspend = (): void => {
    state = fold(
      [
        {
          type: 'VERSION_SUSPENDED',
          atMs: T0,
          version: 1,
          cause: 'rotation',
          window: { untilMs: T0 + HOUR, windowMs: HOUR },
          keepMs: 2 * HOUR,
        },
      ],
      state,
    );
    meters.track(state);
  };
  const quietMs = (): number => meters.observe(state).state.versions[0]?.quietMs ?? -1;

  it('is up-time since the version stopped signing, and not wall-clock time', () => {
    clock.advance(HOUR);
    suspend();
    clock.advance(60_000);
    clock.stepWall(9 * HOUR);
    expect(quietMs()).toBe(60_000);
  });

  it('stops at what decisions need', () => {
    suspend();
    clock.advance(9 * HOUR);
    expect(quietMs()).toBe(2 * HOUR);
  });
});

describe('the key set', () => {
  it('has its served time recorded only while an older ceiling lingers', () => {
    const plain = servedKeySet();
    answer();
    clock.advance(GAP_MS);
    answer();
    expect(meters.observeKeySet(plain)).toBeUndefined();
    const lowered = evolveKeySet(plain, {
      type: 'PROMISE_CHANGED',
      atMs: T0,
      promise: { ...plain.promise, verifierCacheCeilingMs: 1 },
    });
    for (let servedMs = GAP_MS; servedMs < HOUR / 4; servedMs += GAP_MS) {
      expect(meters.observeKeySet(lowered)).toBeUndefined();
      clock.advance(GAP_MS);
      answer();
    }
    expect(meters.observeKeySet(lowered)).toMatchObject({ type: 'KEY_SET_SERVED', servedMs: HOUR / 4 });
  });
});

describe('retired time', () => {
  /** Nothing of it ever signed, so that no quiet time is recorded beside it. */
  const waiting = fold([created(), ...published(1)]);
  const retired = fold(decideRetire(waiting, { caller: CALLER, reason: '' }, aroundAt(T0)), waiting);
  const retiredMs = (): number | undefined => meters.observe(retired).state.retirement?.retiredMs;

  it('is up-time since the signing key was retired, up to its window, recorded in steps of a quarter', () => {
    meters.track(retired);
    clock.stepWall(HOUR);
    clock.advance(HOUR / 4 - 1);
    expect(retiredMs()).toBe(HOUR / 4 - 1);
    const isDue = (): boolean => meters.recordDueInMs(retired, meters.observe(retired).state, servedKeySet()) <= 0;
    expect(isDue()).toBe(false);
    clock.advance(1);
    expect(isDue()).toBe(true);
    clock.advance(2 * HOUR);
    expect(retiredMs()).toBe(HOUR);
  });

  it('goes on from what was recorded, and begins anew when it is retired again', () => {
    const restarted = fold(
      [{ type: 'METERS_RECORDED', atMs: T0, servedMs: {}, quietMs: {}, retiredMs: 7_000 }],
      retired,
    );
    meters.track(restarted);
    clock.advance(1_000);
    expect(meters.observe(restarted).state.retirement?.retiredMs).toBe(8_000);
    meters.track(waiting);
    meters.track(retired);
    clock.advance(1_000);
    expect(retiredMs()).toBe(1_000);
  });
});
