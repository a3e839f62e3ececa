/**
 * Durations as people write and read them: `90s`, `15m`, `1h`, `30d`, `1h30m`; in code always whole milliseconds.
 */
import { KeyturnError } from './errors.ts';

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof UNIT_MS;

const DURATION = /^(?:\d+(?:ms|s|m|h|d))+$/;
const PART = /(\d+)(ms|s|m|h|d)/g;

/** Durations longer than this are mistakes: ten years. */
const MAX_DURATION_MS = 3_653 * UNIT_MS.d;

export function parseDuration(value: unknown, field: string): number {
  if (typeof value !== 'string' || !DURATION.test(value)) {
    throw new KeyturnError('FIELD_INVALID', `${field} must be a duration such as 90s, 15m, 1h or 30d`, { field });
  }
  let totalMs = 0;
  for (const [, digits, unit] of value.matchAll(PART)) totalMs += Number(digits) * UNIT_MS[unit as Unit];
  if (totalMs > MAX_DURATION_MS) {
    throw new KeyturnError('FIELD_INVALID', `${field} must be at most ten years`, { field });
  }
  return totalMs;
}

/** The two largest units that say something: `3 d 4 h`, `15 min`, `2.5 s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 0 && formatDuration(-durationMs) !== '0 s') return `−${formatDuration(-durationMs)}`;
  const seconds = Math.abs(durationMs) / 1_000;
  if (seconds < 60) return `${Number(seconds.toFixed(seconds < 10 ? 1 : 0))} s`;
  const units: readonly (readonly [string, number])[] = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ];
  let rest = Math.round(seconds);
  const first = units.findIndex(([, size]) => rest >= size);
  const parts: string[] = [];
  for (const [name, size] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.join(' ');
}
