/**
 * A token that can make no keys, for an hour: signing goes on, the alarm is raised, a rotation that lacks its standbys
 * waits and says so, and what was missed is caught up with. The alarms are read as Prometheus would.
 */
import { describe, expect, it } from 'vitest';
import type { KeyturnError } from '../../src/base/errors.ts';
import { DEFAULT_PROMISE } from '../../src/lifecycle/policy.ts';
import { Telemetry } from '../../src/server/telemetry/telemetry.ts';
import { type AppHarness, OPERATOR, startApp } from '../fixtures/app-harness.ts';
import { DAY, HOUR, KEY_SET, MINUTE } from '../fixtures/lifecycle.ts';
import { LIMITS } from '../fixtures/test-servers.ts';
import { readAll } from '../fixtures/read-all.ts';

const NAME = 'access-tokens';
/** The ceiling is an hour: a standby made at the end of an outage of an hour is not known when the next rotation is due. */
const POLICY = {
  signingPeriodMs: 90 * MINUTE,
  maxSigningPeriodMs: 6 * HOUR,
  rollbackWindowMs: 10 * MINUTE,
  maxJwtLifetimeMs: 30 * MINUTE,
};
const OUTAGE_MS = HOUR;
const STEP_MS = 5_000;

interface World {
  readonly harness: AppHarness;
  /** Kids that signed, in order, one look a minute. */
  readonly signers: string[];
  /** Lets time pass; a caller signs every minute. */
  readonly pass: (durationMs: number) => Promise<void>;
  readonly gauge: (series: string) => Promise<number | undefined>;
}

async function makeWorld(policy = POLICY): Promise<World> {
  const harness = await startApp();
  await harness.apply(NAME, policy);
  const telemetry = new Telemetry(
    { host: '127.0.0.1', port: 0 },
    { keySets: new Map([[KEY_SET, DEFAULT_PROMISE]]), limits: LIMITS },
    harness.clock,
  );
  telemetry.watch(harness.app, undefined);
  const signers: string[] = [];
  return {
    harness,
    signers,
    async pass(durationMs) {
      for (let leftMs = durationMs; leftMs > 0; leftMs -= MINUTE) {
        await harness.clock.advanceAsync(Math.min(MINUTE, leftMs), STEP_MS);
        const { kid } = await harness.sign();
        if (signers.at(-1) !== kid) signers.push(kid);
      }
    },
    async gauge(series) {
      const line = (await telemetry.toText()).split('\n').find((text) => text.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
  };
}

const problemOf = ({ harness }: World): string => harness.app.getSigningKey(NAME).lastProblem;
const STEP_LATE = `keyturn_step_late_seconds{signing_key="${NAME}",step="makeVersion",reason="TOKEN_OPERATION_FAILED"}`;
const STANDBYS = `keyturn_propagated_standbys{signing_key="${NAME}"}`;
const ROTATION_DUE = `keyturn_rotation_due_seconds{signing_key="${NAME}"}`;
const READY = `keyturn_signing_key_ready{signing_key="${NAME}"}`;

describe('a token that can make no keys for an hour', () => {
  it('goes on signing, raises the alarm, and catches up with the rotation afterwards', async () => {
    const world = await makeWorld();
    const { harness, pass, gauge, signers } = world;
    const [first = '', second = '', third = ''] = harness.published();
    await pass(80 * MINUTE);

    harness.hsm.canGenerate = false;
    await pass(OUTAGE_MS);
    // The rotation that was due meanwhile took one of the two standbys; a third could not be made.
    expect(signers).toEqual([first, second]);
    expect(await gauge(READY)).toBe(1);
    expect(await gauge(STANDBYS)).toBe(1);
    expect(await gauge(STEP_LATE), 'KeyturnStepLate').toBeGreaterThan(600);
    expect(problemOf(world)).toContain('makeVersion: TOKEN_OPERATION_FAILED');

    harness.hsm.canGenerate = true;
    await pass(MINUTE);
    expect(await gauge(STEP_LATE)).toBeUndefined();
    expect(problemOf(world)).toBe('');
    // Due at 180 min; the new standby is known to every verifier at about 200 min.
    await pass(49 * MINUTE);
    expect(signers, 'the last standby is kept for an emergency').toEqual([first, second]);
    expect(await gauge(ROTATION_DUE), 'KeyturnRotationLate').toBeLessThan(-0.1 * (POLICY.signingPeriodMs / 1_000));
    expect(problemOf(world)).toBe('the rotation is due and waits: of 2 standbys that verifiers must know, they know 1');
    await pass(15 * MINUTE);
    expect(signers, 'the rotation has caught up').toEqual([first, second, third]);
    expect(await gauge(ROTATION_DUE)).toBeGreaterThan(0);
    expect(problemOf(world)).toBe('');
    await pass(2 * HOUR);
    expect(signers, 'and goes on as before').toHaveLength(4);
    expect(await gauge(STANDBYS)).toBeGreaterThanOrEqual(1);
  });

  it('with no propagated standby left: the scheduled rotation waits, says so, and the refusal of one by hand says until when', async () => {
    const world = await makeWorld();
    const { harness, pass, gauge, signers } = world;
    harness.hsm.canGenerate = false;
    await pass(10 * MINUTE);
    for (const version of [1, 2]) {
      const scope = { kind: 'version', signingKey: NAME, version } as const;
      await harness.app.declareCompromised(OPERATOR, {
        scope,
        retain: false,
        validateOnly: false,
        reason: 'drill',
        requestId: '',
      });
    }
    const [last = ''] = harness.published();
    await pass(100 * MINUTE);
    expect(signers.at(-1)).toBe(last);
    expect(await gauge(STANDBYS), 'KeyturnNoPropagatedStandby').toBe(0);
    expect(await gauge(ROTATION_DUE)).toBeLessThan(0);
    expect(await gauge(READY)).toBe(1);
    expect(problemOf(world)).toContain(
      'the rotation is due and waits: of 2 standbys that verifiers must know, they know 0; makeVersion: TOKEN_OPERATION_FAILED',
    );
    const refusal = await harness.rotate().then(
      () => undefined,
      (thrown: unknown) => thrown as KeyturnError,
    );
    expect(refusal?.reason).toBe('NOT_PROPAGATED');
    expect(refusal?.details.allowedAtMs).toBe(harness.clock.wallMs() + HOUR);

    harness.hsm.canGenerate = true;
    await pass(HOUR + 3 * MINUTE);
    expect(signers.at(-1), 'with both standbys known the rotation is done').not.toBe(last);
    expect(problemOf(world)).toBe('');
  });
});

describe('attempts at a key that can not be made', () => {
  const LONG = { ...POLICY, signingPeriodMs: 30 * DAY, maxSigningPeriodMs: 60 * DAY };
  const attempts = async ({ harness }: World): Promise<number> =>
    (await readAll(harness.store)).flatMap(({ events }) => events).filter(({ type }) => type === 'INTENT_ABANDONED')
      .length;
  const compromiseStandby = ({ harness }: World): Promise<unknown> =>
    harness.app.declareCompromised(OPERATOR, {
      scope: { kind: 'version', signingKey: NAME, version: 2 },
      retain: false,
      validateOnly: false,
      reason: 'drill',
      requestId: '',
    });

  it('are made less and less often, since each stays in the event log; the alarm is raised all the same', async () => {
    const world = await makeWorld(LONG);
    world.harness.hsm.canGenerate = false;
    await compromiseStandby(world);
    await world.pass(5 * MINUTE);
    const first = await attempts(world);
    expect(first).toBeGreaterThan(5);
    await world.pass(HOUR);
    expect((await attempts(world)) - first).toBeLessThanOrEqual(8);
    expect(await world.gauge(STEP_LATE), 'KeyturnStepLate').toBeGreaterThan(3_600);
    world.harness.hsm.canGenerate = true;
    await world.pass(10 * MINUTE);
    expect(problemOf(world)).toBe('');
  });

  it('begin anew when an operator has put it right and says so', async () => {
    const world = await makeWorld(LONG);
    world.harness.hsm.canGenerate = false;
    await compromiseStandby(world);
    await world.pass(HOUR);
    world.harness.hsm.canGenerate = true;
    await world.harness.app.reconcile();
    await world.harness.clock.advanceAsync(STEP_MS, STEP_MS);
    expect(problemOf(world)).toBe('');
  });
});
