/** Proto's times and durations as the client's. What the API promises and an answer lacks is the daemon's fault. */
import { KeyturnError } from '../base/errors.ts';
import type { Duration, Duration__Output } from '../gen/google/protobuf/Duration.ts';
import type { Timestamp, Timestamp__Output } from '../gen/google/protobuf/Timestamp.ts';

const SECOND_MS = 1_000;
const NANOS_PER_MS = 1_000_000;

export function requirePart<T>(value: T | null, field: string): T {
  if (value !== null) return value;
  throw new KeyturnError('INTERNAL', `the daemon's answer lacks ${field}; are client and daemon of the same version?`, {
    field,
  });
}

export function fromTime(time: Timestamp__Output | null): Date | undefined {
  return time === null ? undefined : new Date(time.seconds * SECOND_MS + time.nanos / NANOS_PER_MS);
}

export function requireTime(time: Timestamp__Output | null, field: string): Date {
  return new Date(requirePart(time, field).seconds * SECOND_MS + requirePart(time, field).nanos / NANOS_PER_MS);
}

export function fromDuration(duration: Duration__Output | null): number {
  return duration === null ? 0 : duration.seconds * SECOND_MS + duration.nanos / NANOS_PER_MS;
}

export function toDuration(durationMs: number): Duration {
  const seconds = Math.trunc(durationMs / SECOND_MS);
  return { seconds, nanos: Math.round((durationMs - seconds * SECOND_MS) * NANOS_PER_MS) };
}

export function toTime(time: Date): Timestamp {
  const seconds = Math.floor(time.getTime() / SECOND_MS);
  return { seconds, nanos: (time.getTime() - seconds * SECOND_MS) * NANOS_PER_MS };
}

/** proto3 has no absent strings. */
export function fromText(text: string): string | undefined {
  return text === '' ? undefined : text;
}

export function fromCount(count: number): number | undefined {
  return count === 0 ? undefined : count;
}
