/**
 * The wall clock of a real daemon is stepped: by a year ahead or a day back, in one step or in many small ones, while it
 * runs or across a restart (DESIGN: rule 8). Nothing with a wrong time is signed, nothing is withdrawn or destroyed, the
 * alarm is raised, and both ways out lead out.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { decodeJwt } from 'jose';
import { type CliResult, runCli } from '../cli/run-cli.ts';
import { builtFile } from '../fixtures/built.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { type LoadedJwt, type SigningLoad, startSigningLoad } from '../fixtures/signing-load.ts';
import { objectsInToken, type TokenObject } from '../fixtures/token-objects.ts';
import { makeTurnedClock, NO_TURNED_CLOCK, type TurnedClock } from '../fixtures/turned-clock.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;
const STEP_LIMIT_MS = MINUTE_MS;
/** Two of them are beyond the limit. */
const SMALL_STEP_MS = 59 * SECOND_MS;
const LIFETIME_MS = 5 * MINUTE_MS;
const NAME = 'access-tokens';
const claims = { iss: ISSUER, aud: AUDIENCE };

/** What happens, by how much, and how it is shown. */
const STEPS = [
  ['a year ahead', YEAR_MS, '365 d'],
  ['a day back', -DAY_MS, '−1 d'],
] as const;

/** What must stay as it is while the clock isn't trusted. */
interface Content {
  readonly keySet: string;
  readonly versions: readonly string[];
  readonly objects: readonly TokenObject[];
}

interface World {
  readonly deployment: Deployment;
  readonly clock: TurnedClock;
  daemon: DaemonProcess;
  before: Content;
  load?: SigningLoad;
}

const worlds: World[] = [];

afterEach(async () => {
  for (const { daemon, deployment, clock, load } of worlds.splice(0)) {
    await load?.stop();
    await daemon.kill();
    await deployment.dispose();
    clock.dispose();
  }
});

const start = (deployment: Deployment, clock: TurnedClock): Promise<DaemonProcess> =>
  startDaemonProcess(deployment, [builtFile('cli.js'), 'serve', '--config', deployment.configFile], clock.environment);

async function contentOf({ daemon, deployment }: Pick<World, 'daemon' | 'deployment'>): Promise<Content> {
  const { keyVersions } = await daemon.admin.listKeyVersions({ signingKey: NAME });
  return {
    keySet: await (await fetch(`${daemon.httpUrl}/.well-known/jwks.json`)).text(),
    versions: keyVersions.map(({ version, state }) => `${version} ${state}`),
    objects: await objectsInToken(deployment),
  };
}

/** With a version of each kind that a clock which leaps could end: one that signs, one in its rollback window. */
async function makeWorld(): Promise<World> {
  const clock = makeTurnedClock();
  const deployment = await makeDeployment({
    config: {
      clock: { stepLimit: `${STEP_LIMIT_MS / SECOND_MS}s` },
      metrics: { address: '127.0.0.1:0' },
      keySets: { default: { jwksMaxAge: '1s', verifierCacheCeiling: '1s', verifierSkew: '0s', sharedCaches: 'none' } },
    },
  });
  const daemon = await start(deployment, clock);
  const world: World = { deployment, clock, daemon, before: { keySet: '', versions: [], objects: [] } };
  worlds.push(world);
  await daemon.admin.applySigningKey({
    name: NAME,
    algorithm: 'ES256',
    lifecyclePolicy: {
      signingPeriodMs: HOUR_MS,
      maxSigningPeriodMs: 2 * HOUR_MS,
      rollbackWindowMs: 10 * MINUTE_MS,
      maxJwtLifetimeMs: LIFETIME_MS,
    },
  });
  await daemon.admin.rotate({ signingKey: NAME });
  await waitFor('two propagated standbys', async () => {
    const { signingKey } = await daemon.admin.getSigningKey({ name: NAME });
    return signingKey.propagatedStandbys === 2 && !signingKey.reconciling;
  });
  return Object.assign(world, { before: await contentOf(world) });
}

function startLoad(world: World): SigningLoad {
  world.load = startSigningLoad([world.daemon.admin, world.daemon.admin], NAME);
  return world.load;
}

const sign = ({ daemon }: World): Promise<{ readonly jwt: string }> =>
  daemon.admin.signJwt({ signingKey: NAME, claims });

/** Times are right, as a clock may be off by the limit; `offsetMs`: what a confirmed clock is off by. */
function expectRightTimes({ jwt, askedAtMs, answeredAtMs }: Omit<LoadedJwt, 'kid'>, offsetMs = 0): void {
  const { iat = 0, exp = 0 } = decodeJwt(jwt);
  const iatMs = iat * SECOND_MS - performance.timeOrigin - offsetMs;
  expect(iatMs, 'iat').toBeGreaterThan(askedAtMs - STEP_LIMIT_MS - SECOND_MS);
  expect(iatMs, 'iat').toBeLessThan(answeredAtMs + STEP_LIMIT_MS);
  expect(exp - iat, 'exp').toBe(LIFETIME_MS / SECOND_MS);
}

async function expectSigning(world: World, offsetMs: number): Promise<void> {
  const askedAtMs = performance.now();
  const { jwt } = await sign(world);
  expectRightTimes({ jwt, askedAtMs, answeredAtMs: performance.now() }, offsetMs);
}

const runClock = ({ deployment }: World, ...words: string[]): Promise<CliResult> =>
  runCli(['clock', ...words, '--socket', deployment.adminSocket], { cwd: deployment.dir });

async function scrape({ daemon }: World): Promise<string> {
  const url = /"metricsUrl":"([^"]+)"/.exec(daemon.log())?.[1] ?? '';
  return (await fetch(`${url}/metrics`)).text();
}

const ALARM = /^keyturn_wall_clock_trusted 0$/m;
const NOT_READY = /^keyturn_signing_key_ready\{signing_key="access-tokens"\} 0$/m;

/** Nothing is signed, activated, withdrawn or destroyed; the alarm is raised; the daemon says what is the matter. */
async function expectStopped(world: World, offsetMs: number): Promise<void> {
  const { daemon, before } = world;
  await expect(sign(world)).rejects.toMatchObject({ reason: 'CLOCK_UNTRUSTED' });
  // Said in the round that plans what is due.
  await waitFor('the log', () => daemon.log().includes('the wall clock stepped'));
  await waitFor('the alarm', async () => ALARM.test(await scrape(world)));
  expect(await scrape(world)).toMatch(NOT_READY);
  await expect(daemon.admin.rotate({ signingKey: NAME })).rejects.toMatchObject({ reason: 'CLOCK_UNTRUSTED' });
  const { trusted, stepMs } = await daemon.admin.getClockStatus();
  expect(trusted).toBe(false);
  expect(Math.abs(stepMs - offsetMs)).toBeLessThan(SECOND_MS);
  expect(await contentOf(world)).toEqual(before);
  await expect(sign(world)).rejects.toMatchObject({ reason: 'CLOCK_UNTRUSTED' });
}

/** As an operator sees it. */
async function expectStoppedInWords(world: World, shown: string): Promise<void> {
  const { code, stdout } = await runClock(world, 'status');
  expect(code).toBe(1);
  expect(stdout).toMatch(/^trusted: +no: nothing is signed, nothing final is done$/m);
  expect(stdout).toMatch(new RegExp(`^off by: +${shown}$`, 'm'));
}

async function confirmByCommand(world: World, offsetMs: number): Promise<void> {
  const time = new Date(Date.now() + offsetMs).toISOString();
  const { code, stdout, stderr } = await runClock(world, 'confirm', time, '--reason', 'radio clock');
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^trusted: +yes$/m);
}

async function confirm({ daemon }: World, offsetMs: number): Promise<void> {
  const time = new Date(Date.now() + offsetMs);
  expect((await daemon.admin.confirmClock({ time, reason: 'radio clock' })).trusted).toBe(true);
}

/** The documented way out when the machine's clock is right now, and was wrong before. */
async function expectWayOut(world: World, offsetMs: number, byOperator = confirm): Promise<void> {
  const disagreeing = world.daemon.admin.confirmClock({ time: new Date(), reason: 'a clock that disagrees' });
  await expect(disagreeing).rejects.toMatchObject({ reason: 'FIELD_INVALID' });
  await byOperator(world, offsetMs);
  // A year later the signing period is over: the next version takes its place first.
  await waitFor('signing to go on', () =>
    sign(world).then(
      () => true,
      () => false,
    ),
  );
  await expectSigning(world, offsetMs);
  await waitFor('the end of the alarm', async () => !ALARM.test(await scrape(world)));
  const { keySet, objects } = await contentOf(world);
  for (const kid of world.before.keySet.match(/"kid":"[^"]+"/g) ?? []) expect(keySet).toContain(kid);
  for (const object of world.before.objects) expect(objects).toContainEqual(object);
}

/** Small steps all the way, each of them written; the daemon looks when it likes. */
function walk({ clock }: World, fromMs: number, toMs: number): void {
  const step = Math.sign(toMs - fromMs) * SMALL_STEP_MS;
  for (let offsetMs = fromMs; Math.abs(toMs - offsetMs) > SMALL_STEP_MS; offsetMs += step) clock.turnTo(offsetMs);
  clock.turnTo(toMs);
}

describe.skipIf(NO_TURNED_CLOCK !== undefined)('a wall clock that steps under a real daemon', () => {
  it.each(STEPS)('%s in one step while it runs: not one JWT is signed by it', async (_step, offsetMs, shown) => {
    const world = await makeWorld();
    const load = startLoad(world);
    await waitFor('callers to be served', () => load.jwts.length > 50);
    world.clock.turnTo(offsetMs);
    const steppedAtMs = performance.now();
    await waitFor('callers to be refused', () => load.failures.length > 0);
    await load.stop();
    await expectStopped(world, offsetMs);
    await expectStoppedInWords(world, shown);
    for (const jwt of load.jwts) expectRightTimes(jwt);
    expect(load.jwts.filter(({ askedAtMs }) => askedAtMs > steppedAtMs)).toEqual([]);
    for (const failure of load.failures) expect(failure).toMatchObject({ reason: 'CLOCK_UNTRUSTED' });

    // The other way out: the machine is set right, and no command is needed.
    world.clock.turnTo(0);
    await expectSigning(world, 0);
    world.clock.turnTo(offsetMs);
    await expect(sign(world)).rejects.toMatchObject({ reason: 'CLOCK_UNTRUSTED' });
    await expectWayOut(world, offsetMs, confirmByCommand);
  });

  it.each(STEPS)('%s in many small steps while it runs: they add up', async (_step, offsetMs) => {
    const world = await makeWorld();
    const load = startLoad(world);
    let beyondLimitAtMs = Number.POSITIVE_INFINITY;
    for (let step = 0; step <= 2; step += 1) {
      world.clock.turnTo(Math.sign(offsetMs) * step * SMALL_STEP_MS);
      if (step * SMALL_STEP_MS > STEP_LIMIT_MS) beyondLimitAtMs = Math.min(beyondLimitAtMs, performance.now());
      const answers = load.jwts.length + load.failures.length;
      await waitFor('callers to be answered', () => load.jwts.length + load.failures.length > answers + 20);
    }
    walk(world, Math.sign(offsetMs) * 2 * SMALL_STEP_MS, offsetMs);
    await load.stop();
    await expectStopped(world, offsetMs);
    expect(load.jwts.length).toBeGreaterThan(40);
    for (const jwt of load.jwts) expectRightTimes(jwt);
    expect(load.jwts.filter(({ askedAtMs }) => askedAtMs > beyondLimitAtMs)).toEqual([]);
    await expectWayOut(world, offsetMs);
  });

  it.each(STEPS)('%s in one step while it is down', async (_step, offsetMs) => {
    const world = await makeWorld();
    await world.daemon.stop();
    world.clock.turnTo(offsetMs);
    world.daemon = await start(world.deployment, world.clock);
    await expectStopped(world, offsetMs);
    await expectWayOut(world, offsetMs);
  });

  it.each(STEPS)('%s in small steps, one at each restart: they add up', async (_step, offsetMs) => {
    const world = await makeWorld();
    const restartAt = async (at: number): Promise<void> => {
      await world.daemon.kill();
      world.clock.turnTo(at);
      world.daemon = await start(world.deployment, world.clock);
    };
    await restartAt(Math.sign(offsetMs) * SMALL_STEP_MS);
    await expectSigning(world, 0);
    await restartAt(Math.sign(offsetMs) * 2 * SMALL_STEP_MS);
    await expect(sign(world)).rejects.toMatchObject({ reason: 'CLOCK_UNTRUSTED' });
    // While nobody looks, small steps and one step are the same.
    await restartAt(offsetMs);
    await expectStopped(world, offsetMs);
    await expectWayOut(world, offsetMs);
  });
});
