import { describe, expect, it } from 'vitest';
import { LatestValue } from '../../src/base/latest-value.ts';

const FAILURE = new Error('over (planted)');

/** Reads one value, and says so when there is no more. */
const next = async (reader: AsyncIterator<number>): Promise<number | 'end'> => {
  const { done, value } = await reader.next();
  return done === true ? 'end' : value;
};

describe('the latest value', () => {
  it('takes the place of one that nobody has read, so that a slow reader skips to it', async () => {
    const latest = new LatestValue<number>();
    const reader = latest[Symbol.asyncIterator]();
    latest.set(1);
    expect(await next(reader)).toBe(1);
    for (const value of [2, 3, 4]) latest.set(value);
    expect(await next(reader)).toBe(4);
    const waiting = next(reader);
    latest.set(5);
    latest.set(6);
    expect(await waiting, 'one that waits gets the latest of the same moment').toBe(6);
  });

  it('is still read when the end comes, unless that cuts it off', async () => {
    const ended = new LatestValue<number>();
    ended.set(1);
    ended.end(FAILURE);
    const reader = ended[Symbol.asyncIterator]();
    expect(await next(reader)).toBe(1);
    await expect(reader.next()).rejects.toBe(FAILURE);

    const cut = new LatestValue<number>();
    cut.set(1);
    cut.cut(FAILURE);
    await expect(cut[Symbol.asyncIterator]().next()).rejects.toBe(FAILURE);
  });

  it('wakes a reader that waits for the end, and the first end counts', async () => {
    for (const end of ['end', 'cut'] as const) {
      const latest = new LatestValue<number>();
      const waiting = next(latest[Symbol.asyncIterator]());
      latest[end]();
      latest.end(FAILURE);
      latest.cut(FAILURE);
      latest.set(7);
      expect(await waiting).toBe('end');
    }
  });
});
