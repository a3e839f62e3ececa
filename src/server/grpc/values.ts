/** Durations and timestamps between proto (seconds and nanoseconds) and keyturn (whole milliseconds), range-checked. */
import { KeyturnError } from '../../base/errors.ts';
import type { Duration, Duration__Output } from '../../gen/google/protobuf/Duration.ts';
import type { Timestamp, Timestamp__Output } from '../../gen/google/protobuf/Timestamp.ts';

const SECOND_MS = 1_000;
const NANOS_PER_MS = 1_000_000;
const NANOS_PER_SECOND = 1_000_000_000;
/** Longer than any duration of the API has a use for: ten years. */
const MAX_DURATION_SECONDS = 3_653 * 86_400;

/** Undefined when absent. `field`: the proto field's path. Errors: FIELD_INVALID when negative, finer than 1 ms or over ten years. */
export function parseDurationMs(value: Duration__Output | null, field: string): number | undefined {
  if (value === null) return undefined;
  const { seconds, nanos } = value;
  if (seconds < 0 || nanos < 0) throw invalid(field, 'must not be negative');
  if (nanos >= NANOS_PER_SECOND) throw invalid(field, 'must have nanos below 1,000,000,000');
  if (nanos % NANOS_PER_MS !== 0) throw invalid(field, 'must be a whole number of milliseconds');
  if (seconds > MAX_DURATION_SECONDS) throw invalid(field, 'must be at most ten years');
  return seconds * SECOND_MS + nanos / NANOS_PER_MS;
}

export function toDuration(durationMs: number): Duration {
  const wholeMs = Math.max(0, Math.round(durationMs));
  return { seconds: Math.floor(wholeMs / SECOND_MS), nanos: (wholeMs % SECOND_MS) * NANOS_PER_MS };
}

/** As a proto duration has it: both parts with the sign. */
export function toSignedDuration(durationMs: number): Duration {
  const wholeMs = Math.round(durationMs);
  const seconds = Math.trunc(wholeMs / SECOND_MS);
  return { seconds, nanos: (wholeMs - seconds * SECOND_MS) * NANOS_PER_MS };
}

/** Required. Errors: FIELD_INVALID. */
export function parseTimestampMs(value: Timestamp__Output | null, field: string): number {
  if (value === null) throw invalid(field, 'is required');
  if (value.nanos < 0 || value.nanos >= NANOS_PER_SECOND) throw invalid(field, 'must have nanos below 1,000,000,000');
  return value.seconds * SECOND_MS + Math.floor(value.nanos / NANOS_PER_MS);
}

export function toTimestamp(timeMs: number): Timestamp {
  const wholeMs = Math.round(timeMs);
  const seconds = Math.floor(wholeMs / SECOND_MS);
  return { seconds, nanos: (wholeMs - seconds * SECOND_MS) * NANOS_PER_MS };
}

/** Absent stays absent. */
export function toOptionalTimestamp(timeMs: number | undefined): Timestamp | null {
  return timeMs === undefined ? null : toTimestamp(timeMs);
}

function invalid(field: string, problem: string): KeyturnError {
  return new KeyturnError('FIELD_INVALID', `${field} ${problem}`, { field });
}
