/** The access policy's rate limits, kept: one bucket for each caller that has one, over all listeners. */
import type { RateLimit } from '../../access/policy.ts';
import { fullBucket, takeToken, type TokenBucket } from '../../access/rate-limit.ts';
import type { Clock } from '../../base/clock.ts';
import { KeyturnError } from '../../base/errors.ts';
import type { CallerName } from '../../base/ids.ts';

export class RateLimiter {
  readonly #clock: Clock;
  readonly #onLimited: ((caller: CallerName) => void) | undefined;
  /** By the limit itself, which belongs to one caller of one document: with that they go. */
  readonly #buckets = new WeakMap<RateLimit, TokenBucket>();

  constructor(clock: Clock, onLimited?: (caller: CallerName) => void) {
    this.#clock = clock;
    this.#onLimited = onLimited;
  }

  /** Counts one call. Errors: RATE_LIMITED, with the time after which one is let through. */
  requireRoom(caller: CallerName, limit: RateLimit): void {
    const nowMs = this.#clock.monotonicMs();
    const { bucket, waitMs } = takeToken(this.#buckets.get(limit) ?? fullBucket(limit, nowMs), limit, nowMs);
    this.#buckets.set(limit, bucket);
    if (waitMs === 0) return;
    this.#onLimited?.(caller);
    throw new KeyturnError(
      'RATE_LIMITED',
      `caller ${caller} may make ${limit.maxRequestsPerSecond} requests a second, ${limit.burst} at once; slow down, or raise its rateLimit in the access policy`,
      { subject: caller, retryAfterMs: waitMs },
    );
  }
}
