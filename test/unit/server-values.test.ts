import { describe, expect, it } from 'vitest';
import { parseDurationMs, toDuration, toTimestamp } from '../../src/server/grpc/values.ts';

describe('durations', () => {
  it.each([
    [{ seconds: 0, nanos: 0 }, 0],
    [{ seconds: 90, nanos: 500_000_000 }, 90_500],
    [{ seconds: 315_619_200, nanos: 0 }, 315_619_200_000],
  ])('%o are %d ms', (duration, ms) => {
    expect(parseDurationMs(duration, 'f')).toBe(ms);
    expect(toDuration(ms)).toEqual(duration);
  });

  it('that are absent stay absent', () => {
    expect(parseDurationMs(null, 'f')).toBeUndefined();
  });

  it.each([
    [{ seconds: -1, nanos: 0 }, 'must not be negative'],
    [{ seconds: 1, nanos: -1_000_000 }, 'must not be negative'],
    [{ seconds: 0, nanos: 1 }, 'whole number of milliseconds'],
    [{ seconds: 0, nanos: 1_000_000_000 }, 'nanos below'],
    [{ seconds: 315_619_201, nanos: 0 }, 'ten years'],
    [{ seconds: 9.2e18, nanos: 0 }, 'ten years'],
  ])('%o are refused', (duration, problem) => {
    expect(() => parseDurationMs(duration, 'lifetime')).toThrow(
      expect.objectContaining({
        reason: 'FIELD_INVALID',
        message: expect.stringContaining(problem) as string,
      }) as Error,
    );
  });
});

it('timestamps keep their milliseconds', () => {
  expect(toTimestamp(1_700_000_000_123)).toEqual({ seconds: 1_700_000_000, nanos: 123_000_000 });
  expect(toTimestamp(-1)).toEqual({ seconds: -1, nanos: 999_000_000 });
});
