/**
 * Whatever happened before and after a copy was made: with that copy in the store's place, or none, and an operator who
 * answers truthfully, recover publishes nothing compromised, keeps every JWT verifiable that store or token still know
 * the key of, and lets nothing sign that a verifier may not know.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecoverStoreCommand } from '../../src/app/application.ts';
import { toKeyturnError } from '../../src/base/errors.ts';
import { type AppHarness, OPERATOR, startApp } from '../fixtures/app-harness.ts';
import { markRestored, NOTICE_MS, withStore } from '../fixtures/doubtful-store.ts';
import { HOUR, MINUTE } from '../fixtures/lifecycle.ts';
import { MemoryStore } from '../fakes/memory-store.ts';

const RUNS = 20;
const STEP_MS = 5_000;
const CEILING_MS = HOUR;
const SIGNING_KEY = 'access-tokens';
const POLICY = { maxJwtLifetimeMs: HOUR, rollbackWindowMs: 10 * MINUTE };
const POLICY_FILE = [{ name: SIGNING_KEY, keySet: '', algorithm: 'ES256', rsaBits: 0, lifecyclePolicy: POLICY }];

const happening = fc.oneof(
  fc.record({ kind: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 80 }) }),
  fc.record({ kind: fc.constant('compromise' as const), retain: fc.boolean() }),
  fc.constantFrom({ kind: 'rotate' as const }, { kind: 'suspend' as const }, { kind: 'rollback' as const }),
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** Never left to chance: versions that the copy believes in and whose private keys are gone, for each reason. */
const EXAMPLES: [Happening[], Happening[]][] = [
  [[], [{ kind: 'rotate' }, { kind: 'wait', minutes: 20 }]],
  [[{ kind: 'rotate' }], [{ kind: 'compromise', retain: false }]],
  [
    [],
    [
      { kind: 'compromise', retain: true },
      { kind: 'compromise', retain: false },
    ],
  ],
];

/** What is true, whatever a store says. */
class History {
  readonly compromised = new Set<string>();
  readonly jwts: { readonly kid: string; readonly expMs: number }[] = [];
  /** Since when each kid has been published without a pause, in monotonic time. */
  readonly publishedSinceMs = new Map<string, number>();

  look(harness: AppHarness): void {
    const published = harness.published();
    for (const kid of this.publishedSinceMs.keys()) if (!published.includes(kid)) this.publishedSinceMs.delete(kid);
    for (const kid of published)
      if (!this.publishedSinceMs.has(kid)) this.publishedSinceMs.set(kid, harness.clock.monotonicMs());
  }

  async sign(harness: AppHarness): Promise<string | undefined> {
    try {
      const { kid } = await harness.sign();
      this.jwts.push({ kid, expMs: harness.clock.wallMs() + POLICY.maxJwtLifetimeMs });
      return kid;
    } catch (thrown) {
      expect(toKeyturnError(thrown).reason).not.toBe('INTERNAL');
      return undefined;
    }
  }
}

async function happen(harness: AppHarness, history: History, what: Happening): Promise<void> {
  const { app, clock } = harness;
  const command = { signingKey: SIGNING_KEY, validateOnly: false, etag: '', requestId: '', reason: 'test' };
  try {
    if (what.kind === 'wait') await clock.advanceAsync(what.minutes * MINUTE, STEP_MS);
    else if (what.kind === 'rotate') await harness.rotate();
    else if (what.kind === 'suspend') await app.suspend(OPERATOR, { ...command, halt: false });
    else if (what.kind === 'rollback') await app.rollback(OPERATOR, command);
    else {
      const { active } = app.getSigningKey(SIGNING_KEY);
      if (active === undefined) return;
      history.compromised.add(active.kid);
      const scope = { kind: 'version', signingKey: SIGNING_KEY, version: active.version } as const;
      await app.declareCompromised(OPERATOR, { ...command, scope, retain: what.retain });
    }
  } catch (thrown) {
    // A refusal is an answer like any other.
    expect(toKeyturnError(thrown).reason).not.toBe('INTERNAL');
  }
  await clock.advanceAsync(NOTICE_MS, STEP_MS);
}

/** What an operator answers who knows everything but what store and token know. */
async function recoverTruthfully(harness: AppHarness, history: History, isLost: boolean): Promise<void> {
  const command: RecoverStoreCommand = {
    signingKeys: isLost ? POLICY_FILE : [],
    compromisedKids: [],
    keptKids: [],
    longestJwtLifetimeMs: undefined,
    isTokenRestored: false,
    validateOnly: true,
    etag: '',
    reason: 'test',
  };
  const { versions } = await harness.app.recover(OPERATOR, command);
  const kids = versions.flatMap(({ kid }) => kid ?? []);
  const gone = versions.filter(({ fate }) => fate === 'withdrawn').flatMap(({ kid }) => kid ?? []);
  const answers = {
    compromisedKids: kids.filter((kid) => history.compromised.has(kid)),
    keptKids: gone.filter((kid) => !history.compromised.has(kid)),
  };
  const { etag } = await harness.app.recover(OPERATOR, { ...command, ...answers });
  await harness.app.recover(OPERATOR, { ...command, ...answers, validateOnly: false, etag });
}

async function play(before: readonly Happening[], after: readonly Happening[], isLost: boolean): Promise<void> {
  const history = new History();
  const first = await startApp();
  await first.apply(SIGNING_KEY, POLICY);
  const go = async (happenings: readonly Happening[]): Promise<void> => {
    for (const what of happenings) {
      history.look(first);
      await history.sign(first);
      await happen(first, history, what);
    }
    history.look(first);
    await history.sign(first);
  };
  await go(before);
  const copy = first.store.reopened();
  const copiedAtMs = first.clock.wallMs();
  await go(after);
  const lastPublished = first.published();

  const store = isLost ? new MemoryStore() : await markRestored(copy, copiedAtMs);
  const harness = await withStore(first, store);
  expect(harness.published(), 'nothing doubtful is published').toEqual([]);
  expect(await history.sign(harness)).toBeUndefined();
  await recoverTruthfully(harness, history, isLost);
  await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
  // A key pair that was made and destroyed after the copy is known to nobody any more.
  const knownKids = new Set<string>(harness.app.listKeyVersions(SIGNING_KEY, 100, '').items.map(({ kid }) => kid));
  const servedAgainSinceMs = new Map(harness.published().map((kid) => [kid, harness.clock.monotonicMs()]));
  let hasSigned = false;
  for (let passedMs = 0; passedMs <= 2 * CEILING_MS; passedMs += 5 * MINUTE) {
    const published = harness.published();
    for (const kid of published) expect(history.compromised.has(kid), `${kid} is compromised`).toBe(false);
    const alive = history.jwts.filter(({ expMs }) => expMs > harness.clock.wallMs());
    for (const { kid } of alive) {
      if (history.compromised.has(kid) || !knownKids.has(kid)) continue;
      expect(published, 'a JWT that is alive verifies').toContain(kid);
    }
    for (const kid of published)
      if (!servedAgainSinceMs.has(kid)) servedAgainSinceMs.set(kid, harness.clock.monotonicMs());
    const kid = await history.sign(harness);
    if (kid !== undefined) {
      hasSigned = true;
      knownKids.add(kid);
      const servedMs = harness.clock.monotonicMs() - (servedAgainSinceMs.get(kid) ?? harness.clock.monotonicMs());
      const wasKnown = lastPublished.includes(kid) && history.publishedSinceMs.has(kid);
      expect(wasKnown || servedMs >= CEILING_MS - 5 * MINUTE, `${kid} may be unknown to verifiers`).toBe(true);
    }
    await harness.clock.advanceAsync(5 * MINUTE, STEP_MS);
  }
  expect(hasSigned || harness.app.getSigningKey(SIGNING_KEY).isHalted, 'it signs in the end').toBe(true);
  void harness.app.stop();
}

describe('recover, after any history', () => {
  it.each([
    ['with an old copy', false],
    ['without a store', true],
  ])('%s, keeps its promises', { timeout: 120_000 }, async (_what, isLost) => {
    const happenings = fc.array(happening, { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(happenings, happenings, (before, after) => play(before, after, isLost)),
      { numRuns: RUNS, examples: EXAMPLES },
    );
  });
});
