/** Times as people say them, beside the ISO form: `2026-11-24T12:00:00Z (in 3 d 4 h)`. */
import { formatDuration } from '../base/duration.ts';
import { KeyturnError } from '../base/errors.ts';

/** Closer than this is "now": clocks of two machines differ more. */
const NOW_MS = 500;

/** ISO 8601 in UTC, in whole seconds, rounded up: who waits until then doesn't come too early. */
export function formatIso(timeMs: number): string {
  return new Date(Math.ceil(timeMs / 1_000) * 1_000).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

export function formatRelative(timeMs: number, nowMs: number): string {
  const distanceMs = timeMs - nowMs;
  if (Math.abs(distanceMs) < NOW_MS) return 'now';
  return distanceMs > 0 ? `in ${formatDuration(distanceMs)}` : `${formatDuration(-distanceMs)} ago`;
}

export function formatTime(timeMs: number, nowMs: number): string {
  return `${formatIso(timeMs)} (${formatRelative(timeMs, nowMs)})`;
}

/** With its offset: a local time without one could be any of two dozen. */
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** `what`: the argument or option that it was typed for. Errors: FIELD_INVALID. */
export function parseTime(text: string, what: string): Date {
  const time = new Date(text);
  if (ISO_TIME.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new KeyturnError(
    'FIELD_INVALID',
    `${what} must be an ISO 8601 time with its offset, such as 2026-01-31T12:34:56Z`,
    { field: what },
  );
}
