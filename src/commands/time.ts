/** Times as people say them, beside the ISO form: `2026-11-24T12:00:00Z (in 3 d 4 h)`. */
import { formatDuration } from '../base/duration.ts';

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
