/**
 * kill -9 of the daemon at every step of every command. The steps are the daemon's own calls to store and token,
 * counted in a first run that nobody kills; each is then a run that ends there, followed by a restart and a look.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { describe, expect, type ExpectStatic, it } from 'vitest';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { makeOldSigner } from '../fixtures/old-signer.ts';
import { objectsInToken } from '../fixtures/token-objects.ts';

const STEPPING_DAEMON = fileURLToPath(new URL('./stepping-daemon.ts', import.meta.url));
const SIGNING_KEY = 'access-tokens';
/** A minute more: KEYTURN_TEST_ALL_CUTS=1. */
const IS_EVERY_STEP_CUT = process.env['KEYTURN_TEST_ALL_CUTS'] === '1';

/** The work whose steps are cut: create, rotate, and all that a rotation brings with it until the old version is destroyed. */
const DEPLOYMENT = {
  config: {
    keySets: { default: { jwksMaxAge: '1s', verifierCacheCeiling: '1s', verifierSkew: '0s', sharedCaches: 'none' } },
    clock: { stepLimit: '1s' },
    // Two daemons are started for each step; one worker each is quicker.
    token: { workers: 1 },
    // Its key is made beside the steps that are cut here, at a time of its own.
    audit: { enabled: false },
  },
  maxLifetime: '2s',
};
const POLICY = { signingPeriodMs: 3_600_000, maxJwtLifetimeMs: 1_000, rollbackWindowMs: 0 };

const startStepping = (deployment: Deployment, haltAt: number) =>
  startDaemonProcess(deployment, [STEPPING_DAEMON, deployment.configFile, String(haltAt)]);

function stepsOf(log: string): string[] {
  return log.split('\n').filter((line) => line.startsWith('STEP '));
}

interface Scenario {
  readonly name: string;
  /** What comes before the daemon is started. */
  readonly arrange?: (deployment: Deployment) => Promise<void>;
  /** Only the first step of each sort is cut, as the others are cut in another scenario; absent: every step is. */
  readonly cuts?: readonly string[];
  /** What the operator does after the restart, before the daemon settles. */
  readonly resume?: (daemon: DaemonProcess) => Promise<void>;
  /** What comes before the steps that are cut. */
  readonly prepare: (daemon: DaemonProcess) => Promise<void>;
  /** Rejects when the daemon dies. */
  readonly work: (daemon: DaemonProcess) => Promise<void>;
  /** Events and calls that must be among the steps, in this order. */
  readonly milestones: readonly string[];
  /** What must come about by itself after the restart, wherever the work was cut. */
  readonly finish?: (daemon: DaemonProcess) => Promise<void>;
  /** The first commit of this is the last step; what comes then is cut in another scenario. */
  readonly until?: string;
}

const apply = (daemon: DaemonProcess, lifecyclePolicy: object) =>
  daemon.admin.applySigningKey({ name: SIGNING_KEY, algorithm: 'ES256', lifecyclePolicy });

async function untilTwoStandbys(daemon: DaemonProcess): Promise<void> {
  await waitFor('two propagated standbys', async () => {
    const { signingKey } = await daemon.admin.getSigningKey({ name: SIGNING_KEY });
    return signingKey.propagatedStandbys === 2 && !signingKey.reconciling;
  });
}

async function untilDestroyed(daemon: DaemonProcess, version: number): Promise<void> {
  await waitFor(`the private key of version ${version} to be destroyed`, async () => {
    const { keyVersions } = await daemon.admin.listKeyVersions({ signingKey: SIGNING_KEY });
    return keyVersions.find((candidate) => candidate.version === version)?.privateKeyPresent === false;
  });
  await untilTwoStandbys(daemon);
}

async function importKey(daemon: DaemonProcess, kid: string, lifetimeMs: number): Promise<void> {
  const { jwk, proof } = await makeOldSigner({ kid });
  const expireTime = new Date(Date.now() + lifetimeMs);
  await daemon.admin.importPublicKey({ jwk, proof: await proof(), expireTime, reason: 'a test' });
}

async function importedKids(daemon: DaemonProcess): Promise<string[]> {
  const { importedKeys } = await daemon.admin.listPublicKeys();
  return importedKeys.filter(({ published }) => published).map(({ kid }) => kid);
}

async function untilExpired(daemon: DaemonProcess, kid: string): Promise<void> {
  await waitFor(`the time of ${kid} to be over`, async () => !(await importedKids(daemon)).includes(kid));
}

async function activeVersion(daemon: DaemonProcess): Promise<number> {
  return (await daemon.admin.getSigningKey({ name: SIGNING_KEY })).signingKey.activeVersion ?? 0;
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'apply and rotate',
    prepare: () => Promise.resolve(),
    async work(daemon) {
      await apply(daemon, POLICY);
      const { suspended } = await daemon.admin.rotate({ signingKey: SIGNING_KEY });
      await untilDestroyed(daemon, suspended?.version ?? 0);
    },
    milestones: [
      'SIGNING_KEY_CREATED',
      'VERSION_INTENDED',
      'generateKeyPair',
      'tryKey',
      'VERSION_MADE',
      'VERSION_ACTIVATED',
      'VERSION_SUSPENDED',
      'VERSION_DEACTIVATED+DESTRUCTION_INTENDED',
      'destroyKeyPair',
      'PRIVATE_KEY_DESTROYED',
    ],
  },
  {
    name: 'suspend, reactivate, rotate, rollback and declare-compromised',
    async prepare(daemon) {
      await apply(daemon, { ...POLICY, rollbackWindowMs: 60_000 });
      await untilTwoStandbys(daemon);
    },
    async work(daemon) {
      const signingKey = SIGNING_KEY;
      const version = await activeVersion(daemon);
      await daemon.admin.suspend({ signingKey });
      await daemon.admin.reactivate({ signingKey, version });
      await untilTwoStandbys(daemon);
      await daemon.admin.rotate({ signingKey });
      await daemon.admin.rollback({ signingKey });
      await untilTwoStandbys(daemon);
      const fallen = await activeVersion(daemon);
      await daemon.admin.declareCompromised({ scope: { version: { signingKey, version: fallen } }, reason: 'a test' });
      await untilDestroyed(daemon, fallen);
    },
    milestones: [
      'VERSION_SUSPENDED+VERSION_ACTIVATED',
      'tryKey',
      'VERSION_SUSPENDED+VERSION_ACTIVATED',
      'VERSION_MADE',
      'VERSION_SUSPENDED+VERSION_ACTIVATED',
      'VERSION_COMPROMISED+VERSION_ACTIVATED',
      'DESTRUCTION_INTENDED',
      'destroyKeyPair',
      'PRIVATE_KEY_DESTROYED',
    ],
  },
  {
    name: 'import, expiry and removal of public keys',
    async prepare(daemon) {
      // A key set without content takes imports once store and token have been compared.
      await daemon.admin.reconcile();
      await importKey(daemon, 'steady', 3_600_000);
      await importKey(daemon, 'doomed', 3_600_000);
    },
    async work(daemon) {
      await importKey(daemon, 'brief', 1_000);
      await untilExpired(daemon, 'brief');
      await daemon.admin.removePublicKey({ kid: 'doomed', reason: 'a test' });
    },
    milestones: ['PUBLIC_KEY_IMPORTED', 'PUBLIC_KEY_EXPIRED', 'PUBLIC_KEY_REMOVED'],
    finish: (daemon) => untilExpired(daemon, 'brief'),
  },
  {
    name: 'retire, unretire and a rotation at a time',
    async prepare(daemon) {
      await apply(daemon, { ...POLICY, rollbackWindowMs: 60_000 });
      await untilTwoStandbys(daemon);
    },
    async work(daemon) {
      const signingKey = SIGNING_KEY;
      await daemon.admin.retire({ signingKey });
      await daemon.admin.unretire({ signingKey });
      const version = await activeVersion(daemon);
      await daemon.admin.scheduleRotation({ signingKey, rotateTime: new Date(Date.now() + 300) });
      await waitFor('the rotation', async () => (await activeVersion(daemon)) !== version);
      await untilTwoStandbys(daemon);
    },
    milestones: [
      'SIGNING_KEY_RETIRED',
      'tryKey',
      'SIGNING_KEY_UNRETIRED+VERSION_ACTIVATED',
      'ROTATION_SCHEDULED',
      'tryKey',
      'VERSION_SUSPENDED+VERSION_ACTIVATED',
    ],
    until: 'VERSION_SUSPENDED+VERSION_ACTIVATED',
  },
  {
    name: 'a retirement without a way back',
    async prepare(daemon) {
      await apply(daemon, { ...POLICY, standbys: 1 });
      await waitFor('a propagated standby', async () => {
        const { signingKey } = await daemon.admin.getSigningKey({ name: SIGNING_KEY });
        return signingKey.propagatedStandbys === 1 && !signingKey.reconciling;
      });
    },
    async work(daemon) {
      await daemon.admin.retire({ signingKey: SIGNING_KEY });
      await waitFor('every private key to be destroyed', async () => {
        const { keyVersions } = await daemon.admin.listKeyVersions({ signingKey: SIGNING_KEY });
        return keyVersions.every(({ privateKeyPresent }) => !privateKeyPresent);
      });
    },
    milestones: [
      'SIGNING_KEY_RETIRED',
      'RETIREMENT_ENDED',
      'DESTRUCTION_INTENDED',
      'destroyKeyPair',
      'PRIVATE_KEY_DESTROYED',
    ],
    until: 'PRIVATE_KEY_DESTROYED',
  },
  {
    name: 'another policy, and decisions about clock, login and unknown objects',
    arrange: loseStore,
    prepare: () => Promise.resolve(),
    async work(daemon) {
      await resolveOrphans(daemon);
      await daemon.admin.confirmClock({ time: new Date(), reason: 'a test' });
      await daemon.admin.retryLogin({ reason: 'a test' });
      await apply(daemon, { ...POLICY, standbys: 1 });
      await apply(daemon, { ...POLICY, standbys: 1, maxJwtLifetimeMs: 1_500 });
    },
    milestones: [
      'destroyKeyPair',
      'OBJECT_DESTROYED',
      'destroyKeyPair',
      'OBJECT_DESTROYED',
      'CLOCK_CONFIRMED',
      'LOGIN_ALLOWED',
      'SIGNING_KEY_CREATED',
      'POLICY_CHANGED',
    ],
    cuts: ['destroyKeyPair', 'OBJECT_DESTROYED', 'CLOCK_CONFIRMED', 'LOGIN_ALLOWED', 'POLICY_CHANGED'].flatMap(
      (what) => [
        `before ${what.includes('_') ? `commit ${what}` : what}`,
        `after ${what.includes('_') ? `commit ${what}` : what}`,
      ],
    ),
    resume: resolveOrphans,
  },
  {
    name: 'recover, without a store',
    arrange: loseStore,
    prepare: () => Promise.resolve(),
    async work(daemon) {
      await recover(daemon);
      await untilEndedAreGone(daemon);
    },
    milestones: ['tryKey', 'SIGNING_KEY_CREATED+VERSION_RECOVERED', 'DESTRUCTION_INTENDED', 'destroyKeyPair'],
    // What recover makes due are steps as everywhere.
    cuts: [
      'before tryKey',
      'before commit SIGNING_KEY_CREATED',
      'after commit SIGNING_KEY_CREATED',
      'after destroyKeyPair',
    ],
    async resume(daemon) {
      const { findings } = await daemon.admin.reconcile();
      if (findings.some(({ kind }) => kind === 'ORPHAN')) await recover(daemon);
      await untilEndedAreGone(daemon);
    },
  },
];

/** A token with keys of a store that is gone. */
async function loseStore(deployment: Deployment): Promise<void> {
  const daemon = await startDaemonProcess(deployment);
  await apply(daemon, POLICY);
  await daemon.stop();
  for (const file of readdirSync(deployment.dir).filter((name) => name.startsWith('keyturn.db')))
    rmSync(join(deployment.dir, file));
}

async function resolveOrphans(daemon: DaemonProcess): Promise<void> {
  const { findings } = await daemon.admin.reconcile();
  for (const { kind, ckaId } of findings)
    if (kind === 'ORPHAN') await daemon.admin.resolveObject({ ckaId, action: 'destroy', reason: 'a test' });
}

async function recover(daemon: DaemonProcess): Promise<void> {
  const signingKeys = [{ name: SIGNING_KEY, algorithm: 'ES256', lifecyclePolicy: POLICY }];
  await daemon.admin.recover({ signingKeys, reason: 'a test' });
}

/** Every version without history has left the key set, and a fresh one signs. */
async function untilEndedAreGone(daemon: DaemonProcess): Promise<void> {
  await waitFor('versions without history to be gone', async () => {
    const { keyVersions } = await daemon.admin.listKeyVersions({ signingKey: SIGNING_KEY });
    return keyVersions.every(({ state }) => state !== 'DEACTIVATED');
  });
  await untilTwoStandbys(daemon);
}

async function expectConsistent(daemon: DaemonProcess, deployment: Deployment, expect: ExpectStatic): Promise<void> {
  const { signingKeys } = await daemon.admin.listSigningKeys();
  const versions = [];
  for (const { name } of signingKeys)
    versions.push(...(await daemon.admin.listKeyVersions({ signingKey: name })).keyVersions);
  const present = versions.filter((version) => version.privateKeyPresent).map((version) => version.ckaId);
  const inToken = (await objectsInToken(deployment))
    .filter((object) => object.kind === 'private')
    .map((object) => object.id);
  expect(inToken.toSorted(), 'private keys in the token are exactly those listed').toEqual(present.toSorted());

  const response = await fetch(`${daemon.httpUrl}/.well-known/jwks.json`);
  const published = [
    ...versions.filter((version) => version.published).map((version) => version.kid),
    ...(await importedKids(daemon)),
  ];
  // A key set that never had content is not there; one that was in doubt is there and empty.
  if (response.status === 404) {
    expect(published).toEqual([]);
    return;
  }
  const jwks = (await response.json()) as JSONWebKeySet;
  expect(
    jwks.keys.map((key) => String(key.kid)).toSorted(),
    'the JWKS holds exactly what is listed as published',
  ).toEqual(published.toSorted());
  if (versions.length === 0) return;
  const active = versions.filter((version) => version.state === 'ACTIVE');
  const signing = daemon.admin.signJwt({ signingKey: SIGNING_KEY, claims: { iss: ISSUER, aud: AUDIENCE } });
  if (signingKeys.some(({ retireTime }) => retireTime !== undefined)) {
    await expect(signing).rejects.toMatchObject({ reason: 'SIGNING_KEY_RETIRED' });
    expect(active).toEqual([]);
    return;
  }
  const { jwt, kid } = await signing;
  expect(active).toHaveLength(1);
  expect(kid).toBe(active[0]?.kid);
  // One second is the JWT's whole life, and this is about keys.
  const options = { issuer: ISSUER, audience: AUDIENCE, clockTolerance: 30 };
  await jwtVerify(jwt, createLocalJWKSet(jwks), options);
}

async function settle(daemon: DaemonProcess): Promise<void> {
  await waitFor('the daemon to have settled', async () => {
    if ((await daemon.admin.getTokenStatus()).state !== 'READY') return false;
    const { signingKeys } = await daemon.admin.listSigningKeys();
    return signingKeys.every(
      ({ reconciling, retireTime, publishedStandbys, lifecyclePolicy }) =>
        !reconciling && (retireTime !== undefined || publishedStandbys === lifecyclePolicy.standbys),
    );
  });
}

async function untilReady(daemon: DaemonProcess): Promise<void> {
  await waitFor('the token to be ready', async () => (await daemon.admin.getTokenStatus()).state === 'READY');
}

/** One run: to the step, SIGKILL, restart, look. */
async function crashAt(scenario: Scenario, haltAt: number, expect: ExpectStatic): Promise<void> {
  const { arrange, prepare, work, resume, finish } = scenario;
  const deployment = await makeDeployment(DEPLOYMENT);
  try {
    await arrange?.(deployment);
    const doomed = await startStepping(deployment, haltAt);
    const working = prepare(doomed).then(() => work(doomed));
    const reached = waitFor(`step ${haltAt}`, () => stepsOf(doomed.log()).length >= haltAt);
    // What came in two commits when the steps were counted may have come in one: then it dies after its work.
    await Promise.race([reached, working]);
    await doomed.kill();
    await Promise.allSettled([reached, working]);
    const restarted = await startDaemonProcess(deployment);
    try {
      await untilReady(restarted);
      await resume?.(restarted);
      await settle(restarted);
      await expectConsistent(restarted, deployment, expect);
      await finish?.(restarted);
    } finally {
      await restarted.stop();
    }
  } finally {
    await deployment.dispose();
  }
}

/** The steps of a run that nobody kills, without those of the start and the preparation. */
async function countSteps(scenario: Scenario): Promise<string[]> {
  const deployment = await makeDeployment(DEPLOYMENT);
  try {
    await scenario.arrange?.(deployment);
    const daemon = await startStepping(deployment, 0);
    await untilReady(daemon);
    await scenario.prepare(daemon);
    const before = stepsOf(daemon.log()).length;
    await scenario.work(daemon);
    const steps = stepsOf(daemon.log()).slice(before);
    await daemon.stop();
    const { until } = scenario;
    if (until === undefined) return steps;
    return steps.slice(0, steps.findIndex((step) => step.includes(' after commit ') && step.includes(until)) + 1);
  } finally {
    await deployment.dispose();
  }
}

for (const scenario of SCENARIOS) {
  const counted = await countSteps(scenario);
  describe(`kill -9 of the daemon at each step of ${scenario.name}`, () => {
    it('has steps to cut: commits before and after each call to the token', () => {
      let at = 0;
      for (const milestone of scenario.milestones) {
        const found = counted.findIndex((line, index) => index >= at && line.includes(milestone));
        expect(found, `${milestone} after ${counted[at]}`).toBeGreaterThanOrEqual(0);
        at = found;
      }
    });

    const first = scenario.cuts?.flatMap((sort) => counted.find((line) => line.includes(sort)) ?? []);
    const cut = IS_EVERY_STEP_CUT ? counted : (first ?? counted);
    it.concurrent.for(cut)(
      'leaves everything listed, published and working after %s',
      async (line, { expect: expectHere }) => {
        await crashAt(scenario, Number(line.split(' ')[1]), expectHere);
      },
    );
  });
}
