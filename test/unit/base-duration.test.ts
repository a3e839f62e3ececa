import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/base/duration.ts';

describe('durations', () => {
  it.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['1h30m', 5_400_000],
    ['30d', 2_592_000_000],
    ['250ms', 250],
    ['0s', 0],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text, 'field')).toBe(ms);
  });

  it.each(['', '5', 'm', '-5m', '5 m', '1.5h', '5w', '4000d', 5])('refuses %j', (text) => {
    expect(() => parseDuration(text, 'field')).toThrow(/field must be/);
  });

  it.each([
    [0, '0 s'],
    [2_500, '2.5 s'],
    [59_400, '59 s'],
    [60_000, '1 min'],
    [3_599_800, '1 h'],
    [3_660_000, '1 h 1 min'],
    [273_600_000, '3 d 4 h'],
    [-5_000, '−5 s'],
    [-30, '0 s'],
  ])('shows %i ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
