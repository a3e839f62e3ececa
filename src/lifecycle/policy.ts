/**
 * Lifecycle policies and key set promises: defaults, and the checks that refuse what cannot be safe, with the numbers.
 */
import { formatDuration } from '../base/duration.ts';
import { KeyturnError } from '../base/errors.ts';
import type { SigningKeyState } from './signing-key-state.ts';
import type { KeySetPromise, LifecyclePolicy } from './model.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const DEFAULT_SIGNING_PERIOD_MS = 30 * DAY_MS;
const DEFAULT_MAX_JWT_LIFETIME_MS = HOUR_MS;
const DEFAULT_ROLLBACK_WINDOW_MS = HOUR_MS;

/** Longest accepted values: beyond them a duration is a mistake. */
const MAX_SIGNING_PERIOD_MS = 3_653 * DAY_MS;
const MAX_JWT_LIFETIME_MS = 366 * DAY_MS;

export const DEFAULT_PROMISE: KeySetPromise = {
  jwksMaxAgeMs: 5 * MINUTE_MS,
  verifierCacheCeilingMs: HOUR_MS,
  verifierSkewMs: 5 * MINUTE_MS,
  sharedCaches: 'assumed',
  maxPublishedVersions: 16,
};

/** A lifecycle policy as asked for; what is absent gets its default. */
export interface PolicyInput {
  readonly signingPeriodMs?: number | undefined;
  readonly maxSigningPeriodMs?: number | undefined;
  readonly maxJwtLifetimeMs?: number | undefined;
  readonly rollbackWindowMs?: number | undefined;
  readonly standbys?: number | undefined;
  readonly addJti?: boolean | undefined;
  readonly addNbf?: boolean | undefined;
}

function unsafe(field: string, rule: string, message: string): KeyturnError {
  return new KeyturnError('POLICY_UNSAFE', message, { field: `lifecycle_policy.${field}`, rule });
}

/** Fills in defaults and refuses what no key set could make safe. Errors: FIELD_INVALID, POLICY_UNSAFE. */
export function parsePolicy(input: PolicyInput): LifecyclePolicy {
  const signingPeriodMs = input.signingPeriodMs ?? DEFAULT_SIGNING_PERIOD_MS;
  const policy = {
    signingPeriodMs,
    maxSigningPeriodMs: input.maxSigningPeriodMs ?? 2 * signingPeriodMs,
    maxJwtLifetimeMs: input.maxJwtLifetimeMs ?? DEFAULT_MAX_JWT_LIFETIME_MS,
    rollbackWindowMs: input.rollbackWindowMs ?? Math.min(DEFAULT_ROLLBACK_WINDOW_MS, signingPeriodMs),
    addJti: input.addJti ?? true,
    addNbf: input.addNbf ?? false,
  };
  const within = (value: number, field: string, minMs: number, maxMs: number): void => {
    if (value >= minMs && value <= maxMs) return;
    const message = `lifecycle_policy.${field} must be between ${formatDuration(minMs)} and ${formatDuration(maxMs)}`;
    throw new KeyturnError('FIELD_INVALID', message, { field: `lifecycle_policy.${field}` });
  };
  within(policy.signingPeriodMs, 'signing_period', 1_000, MAX_SIGNING_PERIOD_MS);
  within(policy.maxSigningPeriodMs, 'max_signing_period', 1_000, 2 * MAX_SIGNING_PERIOD_MS);
  within(policy.maxJwtLifetimeMs, 'max_jwt_lifetime', 1_000, MAX_JWT_LIFETIME_MS);
  within(policy.rollbackWindowMs, 'rollback_window', 0, MAX_SIGNING_PERIOD_MS);
  const standbys = input.standbys ?? 2;
  if (standbys !== 1 && standbys !== 2) {
    throw new KeyturnError(
      'FIELD_INVALID',
      'lifecycle_policy.standbys must be 2, or 1 at the price that one compromise can stop signing',
      {
        field: 'lifecycle_policy.standbys',
      },
    );
  }
  if (policy.maxSigningPeriodMs < policy.signingPeriodMs) {
    throw unsafe(
      'max_signing_period',
      'rotation',
      `max_signing_period ${formatDuration(policy.maxSigningPeriodMs)} must not be shorter than signing_period ${formatDuration(policy.signingPeriodMs)}`,
    );
  }
  if (policy.rollbackWindowMs > policy.signingPeriodMs) {
    throw unsafe(
      'rollback_window',
      'rotation',
      `rollback_window ${formatDuration(policy.rollbackWindowMs)} must not be longer than signing_period ${formatDuration(policy.signingPeriodMs)}`,
    );
  }
  return { ...policy, standbys };
}

export function isSamePromise(left: KeySetPromise, right: KeySetPromise): boolean {
  return (
    left.jwksMaxAgeMs === right.jwksMaxAgeMs &&
    left.verifierCacheCeilingMs === right.verifierCacheCeilingMs &&
    left.verifierSkewMs === right.verifierSkewMs &&
    left.sharedCaches === right.sharedCaches &&
    left.maxPublishedVersions === right.maxPublishedVersions
  );
}

/** What binds while a changed promise could not be recorded: both. The bound on the key set stays as it is recorded. */
export function stricterPromise(recorded: KeySetPromise, wanted: KeySetPromise): KeySetPromise {
  return {
    ...recorded,
    jwksMaxAgeMs: Math.min(recorded.jwksMaxAgeMs, wanted.jwksMaxAgeMs),
    verifierCacheCeilingMs: Math.max(recorded.verifierCacheCeilingMs, wanted.verifierCacheCeilingMs),
    verifierSkewMs: Math.max(recorded.verifierSkewMs, wanted.verifierSkewMs),
  };
}

/** How long a version stays published after it stopped signing, at most: window, last JWT, its ceiling's step, skew, clock. */
function afterlifeMs(policy: LifecyclePolicy, promise: KeySetPromise, clockStepLimitMs: number): number {
  const keepMs = policy.maxJwtLifetimeMs + expCeilingStepMs(policy) + promise.verifierSkewMs + clockStepLimitMs;
  return Math.max(policy.rollbackWindowMs, keepMs);
}

/** Signing keys that were made at once don't rotate at once: each version ends up to this share of its period early. */
export const SPREAD_SHARE = 1 / 20;

/** Versions of one signing key that are published at once when each rotation comes as early as it may. */
export function impliedVersions(policy: LifecyclePolicy, promise: KeySetPromise, clockStepLimitMs: number): number {
  const shortestPeriodMs = policy.signingPeriodMs * (1 - SPREAD_SHARE);
  return 1 + policy.standbys + Math.ceil(afterlifeMs(policy, promise, clockStepLimitMs) / shortestPeriodMs);
}

/** The same of several signing keys of one key set; what is retired for good implies nothing but what it still publishes. */
export function impliedTogether(
  signingKeys: readonly SigningKeyState[],
  promise: KeySetPromise,
  clockStepLimitMs: number,
): number {
  return signingKeys.reduce((sum, { policy, retirement, versions }) => {
    const published = versions.filter(({ isPublished }) => isPublished).length;
    return sum + (retirement?.isFinal === true ? published : impliedVersions(policy, promise, clockStepLimitMs));
  }, 0);
}

/** Refuses a policy that the key set's promise makes unsafe: a successor must be propagated within one signing period. */
export function checkPolicyAgainstPromise(policy: LifecyclePolicy, promise: KeySetPromise): void {
  if (policy.signingPeriodMs <= promise.verifierCacheCeilingMs) {
    throw unsafe(
      'signing_period',
      'announce-before-use',
      `signing_period ${formatDuration(policy.signingPeriodMs)} must be longer than the key set's verifierCacheCeiling ${formatDuration(promise.verifierCacheCeilingMs)}: a new version may sign only when no verifier can still use a copy of the key set without it`,
    );
  }
}

/**
 * The coarse step in which an `expCeiling` rises, off the hot path: versions are kept that much longer than their JWTs.
 * Short JWTs alone would ask for a commit every minute, so a twentieth of the signing period is enough, up to an hour.
 */
export function expCeilingStepMs({ maxJwtLifetimeMs, signingPeriodMs }: LifecyclePolicy): number {
  const wantedMs = Math.max(maxJwtLifetimeMs / 2, signingPeriodMs / 20, 10_000);
  return Math.min(wantedMs, Math.max(HOUR_MS, maxJwtLifetimeMs / 8));
}

/** What is left of the step, above the longest JWT, when the ceiling is raised: so long the store may fail unnoticed. */
export function expCeilingReserveMs(policy: LifecyclePolicy): number {
  return expCeilingStepMs(policy) / 4;
}
