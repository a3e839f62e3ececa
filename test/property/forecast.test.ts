/** The forecast of a new signing key against what the application then does, over the clock that tests turn. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forecast } from '../../src/lifecycle/forecast.ts';
import { expCeilingStepMs, parsePolicy, type PolicyInput } from '../../src/lifecycle/policy.ts';
import { startApp } from '../fixtures/app-harness.ts';
import { aroundAt, created, fold, keySetOf, T0 } from '../fixtures/lifecycle.ts';

const SECOND = 1_000;
const CEILING_MS = 20 * SECOND;
const PROMISE = { jwksMaxAgeMs: 10 * SECOND, verifierCacheCeilingMs: CEILING_MS, verifierSkewMs: SECOND };
/** The rotator looks every 5 s at the latest; the probe counts served time in steps of its interval. */
const NOTICE_MS = 6 * SECOND;
const STEP_MS = 500;
/** What is late adds up, a notice at each rotation. */
const ROTATIONS = 3;

const policies: fc.Arbitrary<PolicyInput> = fc
  .record({
    signingPeriod: fc.integer({ min: 60, max: 200 }),
    lifetime: fc.integer({ min: 1, max: 300 }),
    window: fc.integer({ min: 0, max: 60 }),
    standbys: fc.constantFrom(1, 2),
  })
  .map(({ signingPeriod, lifetime, window, standbys }) => ({
    signingPeriodMs: signingPeriod * SECOND,
    maxJwtLifetimeMs: lifetime * SECOND,
    rollbackWindowMs: window * SECOND,
    standbys,
  }));

type Story = ReadonlyMap<string, number>;

function foretold(policy: PolicyInput, horizonMs: number): Story {
  const { moments } = forecast([fold([created(parsePolicy(policy))])], aroundAt(T0, keySetOf(PROMISE)), horizonMs);
  return new Map(
    moments.flatMap(({ atMs, version, from, to }) => (from === to ? [] : [[`${version} ${to ?? ''}`, atMs - T0]])),
  );
}

async function lived(policy: PolicyInput, horizonMs: number): Promise<Story> {
  const harness = await startApp({ promise: PROMISE });
  await harness.apply('access-tokens', policy);
  const story = new Map<string, number>();
  while (harness.clock.wallMs() < T0 + horizonMs) {
    for (const { version, state } of harness.app.listKeyVersions('access-tokens', 100, '').items) {
      const key = `${version} ${state}`;
      if (!story.has(key)) story.set(key, harness.clock.wallMs() - T0);
    }
    await harness.clock.advanceAsync(STEP_MS, STEP_MS);
  }
  void harness.app.stop();
  return story;
}

describe('the forecast of a new signing key', () => {
  it('is what the application does, later by its notice at each rotation at most', async () => {
    await fc.assert(
      fc.asyncProperty(policies, async (policy) => {
        const horizonMs = (policy.signingPeriodMs ?? 0) * ROTATIONS + CEILING_MS;
        const forecasted = foretold(policy, horizonMs);
        const real = await lived(policy, horizonMs + ROTATIONS * NOTICE_MS);
        expect(forecasted.size).toBeGreaterThan(ROTATIONS);
        for (const [change, atMs] of forecasted) {
          const realMs = real.get(change);
          // States that last a moment only are between two looks.
          if (realMs === undefined) {
            expect(change, 'was never seen').toMatch(/DEACTIVATED|SUSPENDED|PRE_ACTIVE/);
            continue;
          }
          // When ceilings rise shifts with every late rotation, by what lies between two: so does what waits for them.
          const slackMs = change.endsWith('DESTROYED') ? expCeilingStepMs(parsePolicy(policy)) : 0;
          const rotations = Math.floor(atMs / (policy.signingPeriodMs ?? 1));
          expect(realMs, change).toBeGreaterThanOrEqual(atMs - slackMs);
          expect(realMs - atMs, `${change} at ${atMs}`).toBeLessThanOrEqual(slackMs + NOTICE_MS * (1 + rotations));
        }
      }),
      { numRuns: 8 },
    );
  });
});
