/**
 * A token bucket: `burst` calls at once, `maxRequestsPerSecond` in the long run. Each call takes one token; a refused one
 * takes none. The bucket is two numbers, and time is passed in.
 */
import type { RateLimit } from './policy.ts';

export interface TokenBucket {
  readonly tokens: number;
  /** Monotonic ms at which it held so many. */
  readonly atMs: number;
}

const SECOND_MS = 1_000;

export function fullBucket({ burst }: RateLimit, nowMs: number): TokenBucket {
  return { tokens: burst, atMs: nowMs };
}

/** The bucket afterwards, and how long to wait before a call is let through: 0 when this one is. */
export function takeToken(
  { tokens, atMs }: TokenBucket,
  { maxRequestsPerSecond, burst }: RateLimit,
  nowMs: number,
): { readonly bucket: TokenBucket; readonly waitMs: number } {
  const refilled = Math.min(burst, tokens + ((nowMs - atMs) * maxRequestsPerSecond) / SECOND_MS);
  if (refilled >= 1) return { bucket: { tokens: refilled - 1, atMs: nowMs }, waitMs: 0 };
  // As it was, so that a caller who asks again and again loses nothing to rounding.
  const waitMs = Math.max(1, Math.ceil(((1 - refilled) * SECOND_MS) / maxRequestsPerSecond));
  return { bucket: { tokens: refilled, atMs: nowMs }, waitMs };
}
