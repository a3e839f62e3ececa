import { describe, expect, it } from 'vitest';
import { fullBucket, takeToken, type TokenBucket } from '../../src/access/rate-limit.ts';

const LIMIT = { maxRequestsPerSecond: 10, burst: 3 };

/** When the calls at these times were let through. */
function passing(timesMs: readonly number[], limit = LIMIT): readonly number[] {
  let bucket: TokenBucket = fullBucket(limit, timesMs[0] ?? 0);
  return timesMs.filter((nowMs) => {
    const taken = takeToken(bucket, limit, nowMs);
    bucket = taken.bucket;
    return taken.waitMs === 0;
  });
}

describe('a token bucket', () => {
  it('lets a burst through at once, and no more', () => {
    expect(passing([0, 0, 0, 0, 0])).toEqual([0, 0, 0]);
  });

  it('lets the rate through in the long run, however often a caller asks', () => {
    const everyMs = Array.from({ length: 10_001 }, (_, nowMs) => nowMs);
    expect(passing(everyMs)).toHaveLength(LIMIT.burst + 100);
  });

  it('saves up no more than the burst', () => {
    expect(passing([0, 0, 0, 3_600_000, 3_600_000, 3_600_000, 3_600_000])).toHaveLength(6);
  });

  it('says how long to wait, and lets a call through that waited so long', () => {
    const empty = { tokens: 0, atMs: 1_000 };
    expect(takeToken(empty, LIMIT, 1_000).waitMs).toBe(100);
    expect(takeToken(empty, LIMIT, 1_040).waitMs).toBe(60);
    expect(takeToken(empty, LIMIT, 1_100).waitMs).toBe(0);
  });

  it('obeys a limit that was lowered, whatever it has saved up', () => {
    expect(takeToken({ tokens: 500, atMs: 0 }, LIMIT, 0).bucket.tokens).toBe(2);
  });
});
