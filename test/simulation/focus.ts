/**
 * Worlds in which one rule matters soon and often. Without the rule they fail within a few; with it they hold like all
 * others. Only for rules that the mix of all worlds tests too rarely for a quick check.
 */
import type { Happening, Scenario } from './scenario.ts';

export type Focus = (scenario: Scenario) => Scenario;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

type Unnumbered = Happening extends infer Each ? (Each extends Happening ? Omit<Each, 'id'> : never) : never;

function withHappenings(scenario: Scenario, happenings: readonly Unnumbered[]): Scenario {
  return {
    ...scenario,
    keys: scenario.keys.slice(0, 1),
    happenings: happenings.map((happening, index): Happening => ({ ...happening, id: index + 1 })),
  };
}

/** No rollback target, and time and again two rotations in a row with a compromise right after them. */
export const quickRotations: Focus = (scenario) => {
  const { shortestPeriodMs, durationMs, keys } = scenario;
  const happenings: Unnumbered[] = [];
  for (let atMs = shortestPeriodMs / 3; atMs < durationMs; atMs += shortestPeriodMs) {
    happenings.push(
      { kind: 'rotate', atMs, key: 0, useLastStandby: false },
      { kind: 'rotate', atMs: atMs + 2 * SECOND, key: 0, useLastStandby: false },
      { kind: 'compromise', atMs: atMs + 4 * SECOND, key: 0, what: 'active', retain: false },
    );
  }
  const focused = withHappenings(scenario, happenings);
  const policyOf = (key: Scenario['keys'][number]): Scenario['keys'][number] => ({
    ...key,
    policy: { ...key.policy, standbys: 2, rollbackWindowMs: 0 },
  });
  return { ...focused, keys: keys.slice(0, 1).map(policyOf), tokenDelayMs: 0 };
};

/** One standby, and the ceiling is raised when it has just been propagated under the old one. */
export const raisedCeilings: Focus = (scenario) => {
  const { shortestPeriodMs, promise, keys } = scenario;
  const ceilingMs = Math.ceil(promise.verifierCacheCeilingMs / SECOND) * SECOND;
  const raised = { ...promise, verifierCacheCeilingMs: Math.min(3 * ceilingMs, shortestPeriodMs) };
  const atMs = shortestPeriodMs / 4 + 2 * ceilingMs;
  const focused = withHappenings(scenario, [
    { kind: 'rotate', atMs, key: 0, useLastStandby: false },
    { kind: 'stop', atMs: atMs + 1.3 * ceilingMs, downMs: SECOND, promise: raised },
    { kind: 'rotate', atMs: atMs + 1.3 * ceilingMs + 5 * SECOND, key: 0, useLastStandby: false },
  ]);
  return {
    ...focused,
    keys: keys.slice(0, 1).map((key) => ({ ...key, policy: { ...key.policy, standbys: 1 } })),
    durationMs: 3 * shortestPeriodMs,
  };
};

/**
 * Verifiers are off by more than an expCeiling lies ahead of the longest JWT: JWTs are short, and no window keeps a
 * version after it was rotated.
 */
export const slowVerifiers: Focus = (scenario) => {
  const { shortestPeriodMs, promise, verifiers, keys } = scenario;
  const verifierSkewMs = Math.floor(shortestPeriodMs / 4 / SECOND) * SECOND;
  const focused = withHappenings(scenario, []);
  return {
    ...focused,
    promise: { ...promise, verifierSkewMs },
    verifiers: verifiers.map((plan) => ({ ...plan, clockOffsetMs: -verifierSkewMs, leewayMs: 0 })),
    keys: keys.slice(0, 1).map((key) => ({
      ...key,
      policy: { ...key.policy, signingPeriodMs: shortestPeriodMs, maxJwtLifetimeMs: 30 * SECOND, rollbackWindowMs: 0 },
    })),
    durationMs: 5 * shortestPeriodMs,
  };
};

/** HTTP doesn't answer when the signing key is made: its first generation signs when it has been served, and not before. */
export const silentBeginnings: Focus = (scenario) => ({
  ...withHappenings(scenario, [{ kind: 'http-outage', atMs: 0, forMs: MINUTE }]),
  durationMs: scenario.shortestPeriodMs,
});

/**
 * The version that signs is declared compromised and kept as evidence, a standby takes its place, and an old copy, in
 * which it still signs, replaces the store.
 */
export const oldStores: Focus = (scenario) => {
  const { shortestPeriodMs, promise } = scenario;
  const atMs = shortestPeriodMs / 4;
  const copiedBeforeMs = promise.verifierCacheCeilingMs + MINUTE;
  return {
    ...withHappenings(scenario, [
      { kind: 'compromise', atMs, key: 0, what: 'active', retain: true },
      { kind: 'old-store', atMs: atMs + copiedBeforeMs - SECOND, copiedBeforeMs, downMs: SECOND },
    ]),
    durationMs: 2 * shortestPeriodMs,
  };
};

/** An operator halts the signing, for which no key is made, and an old copy that knows nothing of it replaces the store. */
export const forgottenHalts: Focus = (scenario) => {
  const { shortestPeriodMs, promise } = scenario;
  const atMs = shortestPeriodMs / 4;
  const copiedBeforeMs = promise.verifierCacheCeilingMs + MINUTE;
  return {
    ...withHappenings(scenario, [
      { kind: 'suspend', atMs, key: 0, halt: true, reactivateAfterMs: 4 * shortestPeriodMs },
      { kind: 'old-store', atMs: atMs + copiedBeforeMs - SECOND, copiedBeforeMs, downMs: SECOND },
    ]),
    durationMs: 2 * shortestPeriodMs,
  };
};
