import { describe, expect, it } from 'vitest';
import { FAULT_ROWS } from '../../src/hsm/faults.ts';
import {
  type Footing,
  GROUND,
  judgeLogin,
  keepsHandles,
  type MetFault,
  restartDelayMs,
  retryDelayMs,
  type Step,
  stepAfterFailedRepair,
  stepAfterFailedTrial,
  stepAfterFault,
  stepAfterMissingKey,
  youngDeathsAfter,
} from '../../src/hsm/ladder.ts';

const DEVICE_ERROR = 0x30;
const GENERAL_ERROR = 0x05;
const VENDOR_CODE = 0x8000_0001;

/** By a caller's request. */
function met(ckr: number): MetFault {
  return { ckr, isSessionUsable: true, isOfCanary: false };
}

/** Climbs until a rung is reached; what each step was, and how long it all waited. */
function climbUntil(
  rung: string,
  next: (footing: Footing) => Step,
): { readonly taken: string[]; readonly waitMs: number } {
  const taken: string[] = [];
  let footing = GROUND;
  let waitMs = 0;
  for (;;) {
    const step = next(footing);
    if (step.kind !== 'climb') throw new Error(`${step.kind} is no climb`);
    taken.push(step.rung);
    if (step.rung === rung) return { taken, waitMs };
    footing = step.footing;
    waitMs += step.delayMs;
  }
}

describe('a fault', () => {
  it.each([
    [0x21, 'none'],
    [0x200, 'none'],
    [0xa0, 'none'],
    [0x201, 'none'],
    [GENERAL_ERROR, 'trial'],
    [VENDOR_CODE, 'trial'],
    [0xb3, 'trial'],
    [0x82, 'trial'],
  ] as const)('of code 0x%s that may be the request’s leads to: %s', (ckr, kind) => {
    expect(stepAfterFault(GROUND, met(ckr)).kind).toBe(kind);
  });

  it.each([
    [0x101, 'login'],
    [DEVICE_ERROR, 'reinitialise'],
    [0x03, 'reinitialise'],
    [0x02, 'restartWorker'],
  ] as const)('of code 0x%s that says what is lost takes %s at once', (ckr, rung) => {
    expect(stepAfterFault(GROUND, met(ckr))).toMatchObject({ kind: 'climb', rung, delayMs: 0 });
  });

  it('after which the session could not be opened again is the module’s, whatever its code', () => {
    for (const { ckr } of FAULT_ROWS)
      expect(stepAfterFault(GROUND, { ...met(ckr), isSessionUsable: false }).kind).toBe('climb');
  });

  it('of a canary is never the request’s alone: the token granted it before', () => {
    for (const { ckr, faultClass } of FAULT_ROWS.filter((row) => row.faultClass === 'requestFault'))
      expect(stepAfterFault(GROUND, { ...met(ckr), isOfCanary: true }).kind, faultClass).toBe('trial');
    expect(stepAfterFault(GROUND, { ...met(0x201), isOfCanary: true }).kind).toBe('none');
  });

  it('never skips the trial because of where the worker stands', () => {
    expect(stepAfterFault({ rung: 'reinitialise', tries: 7 }, met(GENERAL_ERROR)).kind).toBe('trial');
  });
});

describe('a worker that no rung helps', () => {
  it('is logged in once, then re-initialised for about 14 s, then replaced', () => {
    const { taken, waitMs } = climbUntil('restartWorker', (footing) => stepAfterFault(footing, met(0x101)));
    expect(taken).toEqual(['login', ...Array.from({ length: 60 }, () => 'reinitialise'), 'restartWorker']);
    expect(waitMs).toBeGreaterThan(12_000);
    expect(waitMs).toBeLessThan(15_000);
  });

  it('never waits longer than a quarter of a second, so that a token is found soon after its return', () => {
    let footing = GROUND;
    for (let climbs = 0; climbs < 100; climbs += 1) {
      const step = stepAfterFailedRepair(footing, DEVICE_ERROR);
      if (step.kind !== 'climb') throw new Error('expected a climb');
      expect(step.delayMs).toBeLessThanOrEqual(500);
      footing = step.footing;
    }
  });

  it('goes up by what its trial signature says', () => {
    expect(stepAfterFailedTrial(GROUND, undefined)).toMatchObject({ rung: 'reinitialise' });
    expect(stepAfterFailedTrial(GROUND, GENERAL_ERROR)).toMatchObject({ rung: 'reinitialise' });
    expect(stepAfterFailedTrial(GROUND, 0x101)).toMatchObject({ rung: 'login' });
    expect(stepAfterFailedTrial({ rung: 'login', tries: 1 }, 0x101)).toMatchObject({ rung: 'reinitialise' });
    expect(stepAfterFailedTrial(GROUND, 0x02)).toMatchObject({ rung: 'restartWorker' });
    expect(stepAfterMissingKey(GROUND)).toMatchObject({ rung: 'login' });
  });

  it('is replaced at once when it could not be opened again for want of memory', () => {
    expect(stepAfterFailedRepair(GROUND, 0x02)).toMatchObject({ rung: 'restartWorker' });
    expect(stepAfterFailedRepair(GROUND, undefined)).toMatchObject({ rung: 'reinitialise' });
  });
});

describe('workers that die young', () => {
  it('are replaced at once three times, each second thirty times, and then less and less often', () => {
    expect([1, 3, 4, 20, 33, 34, 35, 37, 38, 1_000].map(restartDelayMs)).toEqual([
      0, 0, 1_000, 1_000, 1_000, 2_000, 4_000, 16_000, 30_000, 30_000,
    ]);
  });
});

describe('a worker that ends', () => {
  it('died young when it was used for less than a second; each second of use forgives one such death, ten forgive all', () => {
    const lives = [0, 999, 1_000, 1_999, 2_000, 9_999];
    expect(lives.map((livedMs) => youngDeathsAfter(20, livedMs))).toEqual([21, 21, 20, 20, 19, 12]);
    expect([youngDeathsAfter(0, 5_000), youngDeathsAfter(20, 10_000)]).toEqual([0, 0]);
  });
});

describe('handles', () => {
  it('outlive a fault only when it was the request’s alone', () => {
    expect(FAULT_ROWS.filter(({ ckr }) => keepsHandles(ckr)).map(({ faultClass }) => faultClass)).not.toContain(
      'login',
    );
    expect(keepsHandles(0x21)).toBe(true);
    for (const ckr of [GENERAL_ERROR, VENDOR_CODE, 0xb3, 0x82, 0x101, DEVICE_ERROR])
      expect(keepsHandles(ckr)).toBe(false);
  });
});

describe('a passing fault', () => {
  it('is waited for a little longer each time, at most a quarter of a second', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 1_000].map(retryDelayMs)).toEqual([10, 20, 40, 80, 160, 250, 250, 250]);
  });
});

describe('a failed login', () => {
  it.each([
    [0xa0, 'refused'],
    [0xa1, 'refused'],
    [0xa3, 'refused'],
    [0xa4, 'locked'],
    [DEVICE_ERROR, 'passing'],
    [0xe0, 'passing'],
    [0x102, 'passing'],
    [0xb3, 'passing'],
    [0x31, 'passing'],
    [GENERAL_ERROR, 'doubtful'],
    [0x06, 'doubtful'],
    [0x07, 'doubtful'],
    [VENDOR_CODE, 'doubtful'],
    [0x1b9, 'doubtful'],
  ] as const)('with code 0x%s is %s', (ckr, failure) => {
    expect(judgeLogin(ckr)).toBe(failure);
  });
});
