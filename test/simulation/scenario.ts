/**
 * What a simulated world is made of, drawn from its seed: the key set's promise, signing keys with safe policies,
 * verifiers, and the happenings (commands and faults) with their times. A scenario is a value: shrinking leaves
 * happenings out and runs the rest again.
 */
import type { KeySetPromise, LifecyclePolicy } from '../../src/lifecycle/model.ts';
import { drawOf, Prng } from './prng.ts';
import type { SourceModules } from './sources.ts';
import { VERIFIER_KINDS, type VerifierPlan } from './verifiers.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const YEAR = 365 * DAY;

/** The mix: how many of 100 worlds have signing periods of which size. Fixed, and printed with every run. */
export const MIX = [
  { name: 'minutes', worlds: 15, leastMs: 10 * MINUTE, mostMs: HOUR },
  { name: 'hours', worlds: 29, leastMs: HOUR, mostMs: DAY },
  { name: 'days', worlds: 25, leastMs: DAY, mostMs: WEEK },
  { name: 'weeks', worlds: 19, leastMs: WEEK, mostMs: 6 * WEEK },
  { name: 'a quarter', worlds: 12, leastMs: 6 * WEEK, mostMs: 13 * WEEK },
] as const;

/** A world lasts so many of its shortest signing periods. */
const PERIODS_PER_WORLD = 20;
/** One world in so many has timers that fire on time; in the others they are late, as on a busy machine. */
const EXACT_ONE_IN = 64;
const MAX_KEYS = 10;
const EXTRA_VERIFIERS = 2;

export interface KeyPlan {
  readonly name: string;
  readonly policy: LifecyclePolicy;
}

export type Happening = { readonly atMs: number; readonly id: number } & (
  | { readonly kind: 'rotate'; readonly key: number; readonly useLastStandby: boolean }
  | { readonly kind: 'policy'; readonly key: number; readonly policy: LifecyclePolicy }
  | { readonly kind: 'suspend'; readonly key: number; readonly halt: boolean; readonly reactivateAfterMs: number }
  | { readonly kind: 'rollback'; readonly key: number }
  /** `unretireAfterMs` undefined: for good. */
  | { readonly kind: 'retire'; readonly key: number; readonly unretireAfterMs: number | undefined }
  /** `afterMs` undefined: what was scheduled is taken back. */
  | { readonly kind: 'schedule'; readonly key: number; readonly afterMs: number | undefined }
  | {
      readonly kind: 'compromise';
      readonly key: number;
      readonly what: 'active' | 'standby' | 'old' | 'signing-key' | 'token';
      readonly retain: boolean;
    }
  | { readonly kind: 'crash'; readonly afterPoints: number; readonly downMs: number }
  | { readonly kind: 'reboot'; readonly downMs: number; readonly toOffsetMs: number; readonly untilRightMs: number }
  | { readonly kind: 'stop'; readonly downMs: number; readonly promise: KeySetPromise | undefined }
  | { readonly kind: 'token-outage'; readonly forMs: number }
  | { readonly kind: 'no-new-keys'; readonly forMs: number }
  | { readonly kind: 'disk-full'; readonly forMs: number; readonly isReserveGone: boolean }
  | { readonly kind: 'http-outage'; readonly forMs: number }
  /** The daemon is ended, and an old copy of its store put in the place of the present one. The last that happens. */
  | { readonly kind: 'old-store'; readonly copiedBeforeMs: number; readonly downMs: number }
  /** Small ones stay; big ones are set right after a time. */
  | { readonly kind: 'clock-step'; readonly toOffsetMs: number; readonly untilRightMs: number | undefined }
);

export interface Scenario {
  readonly seed: number;
  readonly mix: (typeof MIX)[number]['name'];
  readonly startMs: number;
  readonly durationMs: number;
  readonly clockStepLimitMs: number;
  readonly promise: KeySetPromise;
  readonly keys: readonly KeyPlan[];
  readonly verifiers: readonly VerifierPlan[];
  readonly happenings: readonly Happening[];
  /** Timers fire on time. Otherwise they are late: little while served time is counted, most while nothing is under way. */
  readonly isExact: boolean;
  /** How long the token takes for a key; 0: no time at all. */
  readonly tokenDelayMs: number;
  readonly shortestPeriodMs: number;
}

const wholeSeconds = (ms: number): number => Math.max(SECOND, Math.floor(ms / SECOND) * SECOND);

/** A promise that keyturn accepts; most are as bold as it may be. */
function drawPromise(prng: Prng, sources: SourceModules, shortestPeriodMs: number): KeySetPromise {
  const verifierCacheCeilingMs = wholeSeconds(
    prng.logarithmic(Math.max(10 * SECOND, shortestPeriodMs / 2_000), Math.min(shortestPeriodMs / 3, 2 * DAY)),
  );
  const sharedCaches = prng.chance(0.8) ? 'assumed' : 'none';
  const verifierSkewMs = wholeSeconds(prng.logarithmic(SECOND, Math.min(5 * MINUTE, shortestPeriodMs / 20)));
  const agesMs = [1, 1 / 2, 1 / (2 + 10 * prng.fraction())].map((share) =>
    wholeSeconds(verifierCacheCeilingMs * share),
  );
  const promises = agesMs.map(
    (jwksMaxAgeMs): KeySetPromise => ({
      verifierCacheCeilingMs,
      sharedCaches,
      jwksMaxAgeMs,
      verifierSkewMs,
      maxPublishedVersions: 64,
    }),
  );
  const accepted = promises.filter((promise) => isAccepted(sources, promise));
  const chosen = prng.chance(0.6) ? accepted[0] : accepted.at(-1);
  if (chosen === undefined) throw new Error('no promise was accepted');
  return chosen;
}

function isAccepted({ keySetSchema }: SourceModules, promise: KeySetPromise): boolean {
  const text = (ms: number): string => `${ms / SECOND}s`;
  return keySetSchema.safeParse({
    jwksMaxAge: text(promise.jwksMaxAgeMs),
    verifierCacheCeiling: text(promise.verifierCacheCeilingMs),
    verifierSkew: text(promise.verifierSkewMs),
    sharedCaches: promise.sharedCaches,
    maxPublishedVersions: promise.maxPublishedVersions,
  }).success;
}

function drawPolicy(prng: Prng, sources: SourceModules, shortestPeriodMs: number): LifecyclePolicy {
  const signingPeriodMs = wholeSeconds(prng.chance(0.5) ? shortestPeriodMs : prng.logarithmic(1, 3) * shortestPeriodMs);
  return sources.policy.parsePolicy({
    signingPeriodMs,
    maxSigningPeriodMs: wholeSeconds(signingPeriodMs * prng.logarithmic(1.2, 4)),
    maxJwtLifetimeMs: wholeSeconds(
      prng.logarithmic(Math.max(30 * SECOND, signingPeriodMs / 200), Math.min(2 * signingPeriodMs, YEAR)),
    ),
    rollbackWindowMs: prng.chance(0.2) ? 0 : wholeSeconds(prng.fraction() * Math.min(signingPeriodMs, 7 * DAY)),
    standbys: prng.chance(0.85) ? 2 : 1,
    addJti: false,
  });
}

function drawVerifiers(prng: Prng, promise: KeySetPromise): readonly VerifierPlan[] {
  const extra = Array.from({ length: EXTRA_VERIFIERS }, () => VERIFIER_KINDS[prng.whole(0, VERIFIER_KINDS.length - 1)]);
  return [...VERIFIER_KINDS, ...extra]
    .filter((kind) => kind !== undefined)
    .filter((kind) => kind !== 'shared-cache' || promise.sharedCaches === 'assumed')
    .map((kind) => {
      // The extremes are where rules break; a slow clock with full leeway accepts longest.
      const offsetShare = prng.weighted([
        [4, -1],
        [2, 1],
        [1, 0],
        [2, 2 * prng.fraction() - 1],
      ]);
      const clockOffsetMs = Math.round(offsetShare * promise.verifierSkewMs);
      return {
        kind,
        clockOffsetMs,
        leewayMs: promise.verifierSkewMs - Math.abs(clockOffsetMs),
        cooldownMs: Math.round(promise.verifierCacheCeilingMs * prng.logarithmic(0.01, 1)),
      };
    });
}

/** How often each kind happens, in times per shortest signing period. */
const RATES = [
  [0.4, 'rotate'],
  [0.1, 'policy'],
  [0.06, 'suspend'],
  [0.08, 'rollback'],
  [0.02, 'retire'],
  [0.06, 'schedule'],
  [0.12, 'compromise'],
  [0.15, 'crash'],
  [0.04, 'reboot'],
  [0.12, 'stop'],
  [0.1, 'token-outage'],
  [0.08, 'no-new-keys'],
  [0.06, 'disk-full'],
  [0.1, 'http-outage'],
  [0.1, 'clock-step'],
] as const satisfies readonly (readonly [number, Happening['kind']])[];

interface DrawContext {
  readonly sources: SourceModules;
  readonly shortestPeriodMs: number;
  readonly keyCount: number;
  readonly clockStepLimitMs: number;
  readonly promise: KeySetPromise;
}

function drawHappening(
  prng: Prng,
  { id, atMs, key }: { readonly id: number; readonly atMs: number; readonly key: number },
  context: DrawContext,
): Happening {
  const { sources, shortestPeriodMs, clockStepLimitMs, promise } = context;
  const forMs = Math.round(prng.logarithmic(SECOND, 1.5 * shortestPeriodMs));
  // One in ten downtimes is a long one.
  const downMs = Math.round(
    prng.chance(0.1) ? prng.logarithmic(1, 4) * shortestPeriodMs : prng.logarithmic(SECOND, shortestPeriodMs / 4),
  );
  const kind = prng.weighted(RATES);
  switch (kind) {
    case 'rotate':
      return { id, atMs, kind, key, useLastStandby: prng.chance(0.3) };
    case 'policy':
      return { id, atMs, kind, key, policy: drawPolicy(prng, sources, shortestPeriodMs) };
    case 'suspend':
      return { id, atMs, kind, key, halt: prng.chance(0.3), reactivateAfterMs: forMs };
    case 'rollback':
      return { id, atMs, kind, key };
    case 'retire':
      return { id, atMs, kind, key, unretireAfterMs: prng.chance(0.1) ? undefined : Math.round(forMs / 4) };
    case 'schedule':
      return { id, atMs, kind, key, afterMs: prng.chance(0.15) ? undefined : forMs };
    case 'compromise': {
      const what = prng.weighted([
        [6, 'active'],
        [2, 'standby'],
        [2, 'old'],
        [1, 'signing-key'],
        [0.5, 'token'],
      ] as const);
      return { id, atMs, kind, key, what, retain: prng.chance(0.3) };
    }
    case 'reboot': {
      // Up to the limit in either direction, or far off: a dead battery, a wrong time server.
      const farMs = prng.logarithmic(3 * clockStepLimitMs, YEAR);
      const smallMs = (2 * prng.fraction() - 1) * clockStepLimitMs;
      const toOffsetMs = Math.round(
        prng.weighted([
          [6, smallMs],
          [2, -farMs],
          [2, farMs],
        ]),
      );
      return { id, atMs, kind, downMs, toOffsetMs, untilRightMs: forMs };
    }
    case 'crash':
      return { id, atMs, kind, afterPoints: prng.whole(1, 8), downMs };
    case 'stop': {
      if (!prng.chance(0.6)) return { id, atMs, kind, downMs, promise: undefined };
      // What is promised about caches and clocks stays: the world has the verifiers that it has.
      const { sharedCaches, verifierSkewMs } = promise;
      const changed = { ...drawPromise(prng, sources, shortestPeriodMs), sharedCaches, verifierSkewMs };
      if (!isAccepted(sources, changed)) return { id, atMs, kind, downMs, promise: undefined };
      return { id, atMs, kind, downMs, promise: changed };
    }
    case 'clock-step': {
      const sign = prng.chance(0.5) ? 1 : -1;
      if (prng.chance(0.4)) {
        const toOffsetMs = Math.round(sign * prng.logarithmic(3 * clockStepLimitMs, YEAR));
        return { id, atMs, kind, toOffsetMs, untilRightMs: forMs };
      }
      // The extremes are where rules break.
      const share = prng.chance(0.5) ? 1 : prng.fraction();
      return { id, atMs, kind, toOffsetMs: Math.round(sign * share * clockStepLimitMs), untilRightMs: undefined };
    }
    case 'disk-full':
      return { id, atMs, kind, forMs, isReserveGone: prng.chance(0.4) };
    case 'token-outage':
    case 'no-new-keys':
    case 'http-outage':
      return { id, atMs, kind, forMs };
  }
}

/** One world in so many ends with an old store, a signing period before its time is up. */
const OLD_STORE_ONE_IN = 8;

/** By a chance of its own: worlds without one are as they are. */
function drawOldStore(seed: number, id: number, durationMs: number, shortestPeriodMs: number): readonly Happening[] {
  const prng = new Prng(drawOf(seed, OLD_STORE_ONE_IN));
  if (prng.whole(1, OLD_STORE_ONE_IN) !== 1) return [];
  const copiedBeforeMs = Math.round(prng.logarithmic(SECOND, (PERIODS_PER_WORLD / 2) * shortestPeriodMs));
  const atMs = durationMs - shortestPeriodMs;
  return [{ id, atMs, kind: 'old-store', copiedBeforeMs, downMs: Math.round(prng.logarithmic(SECOND, MINUTE)) }];
}

/** Troubles come in company: so many follow the one before within a ceiling or two, and mostly on the same signing key. */
const COMPANY_SHARE = 0.35;
const SAME_KEY_SHARE = 0.7;

function drawHappenings(prng: Prng, durationMs: number, context: DrawContext): readonly Happening[] {
  const { shortestPeriodMs, keyCount, promise } = context;
  const perPeriod = RATES.reduce((sum, [rate]) => sum + rate, 0) * (1 - COMPANY_SHARE);
  const happenings: Happening[] = [];
  // The first comes while signing keys are young: their first versions wait until they are propagated.
  let atMs = prng.logarithmic(SECOND, 2 * promise.verifierCacheCeilingMs);
  let key = 0;
  while (atMs < durationMs) {
    if (!prng.chance(SAME_KEY_SHARE)) key = prng.whole(0, keyCount - 1);
    happenings.push(drawHappening(prng, { id: happenings.length + 1, atMs: Math.round(atMs), key }, context));
    atMs += prng.chance(COMPANY_SHARE)
      ? prng.logarithmic(SECOND, 2 * promise.verifierCacheCeilingMs)
      : (-Math.log(1 - prng.fraction()) * shortestPeriodMs) / perPeriod;
  }
  return happenings;
}

export function drawScenario(seed: number, sources: SourceModules): Scenario {
  const prng = new Prng(seed);
  const { name, leastMs, mostMs } = prng.weighted(MIX.map((size) => [size.worlds, size] as const));
  const shortestPeriodMs = wholeSeconds(prng.logarithmic(leastMs, mostMs));
  const clockStepLimitMs = wholeSeconds(prng.logarithmic(SECOND, Math.min(5 * MINUTE, shortestPeriodMs / 20)));
  const promise = drawPromise(prng, sources, shortestPeriodMs);
  const keys = Array.from({ length: prng.whole(1, MAX_KEYS) }, (_, index) => ({
    name: `key-${index + 1}`,
    policy: drawPolicy(prng, sources, shortestPeriodMs),
  }));
  const durationMs = PERIODS_PER_WORLD * shortestPeriodMs;
  const verifiers = drawVerifiers(prng, promise);
  const happenings = drawHappenings(prng, durationMs, {
    sources,
    shortestPeriodMs,
    keyCount: keys.length,
    clockStepLimitMs,
    promise,
  });
  const isExact = prng.whole(1, EXACT_ONE_IN) === 1 && name === 'minutes';
  return {
    seed,
    mix: name,
    startMs: Date.UTC(2026, 0, 1),
    durationMs,
    clockStepLimitMs,
    promise,
    keys,
    verifiers,
    happenings: [...happenings, ...drawOldStore(seed, happenings.length + 1, durationMs, shortestPeriodMs)],
    isExact,
    tokenDelayMs: prng.chance(0.3) ? Math.round(prng.logarithmic(1, 2_000)) : 0,
    shortestPeriodMs,
  };
}
