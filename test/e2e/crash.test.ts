/**
 * kill -9 of the daemon at every step of apply and of rotate. The steps are the daemon's own calls to store and token,
 * counted in a first run that nobody kills; each is then a run that ends there, followed by a restart and a look.
 */
import { fileURLToPath } from 'node:url';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { describe, expect, type ExpectStatic, it } from 'vitest';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { objectsInToken } from '../fixtures/token-objects.ts';

const STEPPING_DAEMON = fileURLToPath(new URL('./stepping-daemon.ts', import.meta.url));
const SIGNING_KEY = 'access-tokens';

/** The work whose steps are cut: create, rotate, and all that a rotation brings with it until the old version is destroyed. */
const DEPLOYMENT = {
  config: {
    keySets: { default: { jwksMaxAge: '1s', verifierCacheCeiling: '1s', verifierSkew: '0s', sharedCaches: 'none' } },
    clock: { stepLimit: '1s' },
  },
  maxLifetime: '2s',
};
const POLICY = { signingPeriodMs: 3_600_000, maxJwtLifetimeMs: 1_000, rollbackWindowMs: 0 };

const startStepping = (deployment: Deployment, haltAt: number) =>
  startDaemonProcess(deployment, [STEPPING_DAEMON, deployment.configFile, String(haltAt)]);

function stepsOf(log: string): string[] {
  return log.split('\n').filter((line) => line.startsWith('STEP '));
}

/** Apply, then rotate; waits until the rotation's aftermath is over. Rejects when the daemon dies. */
async function work(daemon: DaemonProcess): Promise<void> {
  await daemon.admin.applySigningKey({ name: SIGNING_KEY, algorithm: 'ES256', lifecyclePolicy: POLICY });
  await daemon.admin.rotate({ signingKey: SIGNING_KEY });
  await waitFor('the private key of the first version to be destroyed', async () => {
    const { keyVersions } = await daemon.admin.listKeyVersions({ signingKey: SIGNING_KEY });
    const first = keyVersions.at(-1);
    return (
      first !== undefined &&
      !first.privateKeyPresent &&
      keyVersions.filter((version) => version.state === 'PRE_ACTIVE' && version.propagated).length === 2
    );
  });
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
  const published = versions.filter((version) => version.published).map((version) => version.kid);
  if (published.length === 0) {
    expect(response.status).toBe(404);
    return;
  }
  const jwks = (await response.json()) as JSONWebKeySet;
  expect(jwks.keys.map((key) => String(key.kid)).toSorted(), 'the JWKS holds exactly the published versions').toEqual(
    published.toSorted(),
  );
  const active = versions.filter((version) => version.state === 'ACTIVE');
  expect(active).toHaveLength(1);
  const { jwt, kid } = await daemon.admin.signJwt({ signingKey: SIGNING_KEY, claims: { iss: ISSUER, aud: AUDIENCE } });
  expect(kid).toBe(active[0]?.kid);
  await jwtVerify(jwt, createLocalJWKSet(jwks), { issuer: ISSUER, audience: AUDIENCE });
}

async function settle(daemon: DaemonProcess): Promise<void> {
  await waitFor('the daemon to have settled', async () => {
    if ((await daemon.admin.getTokenStatus()).state !== 'READY') return false;
    const { signingKeys } = await daemon.admin.listSigningKeys();
    return signingKeys.every((key) => !key.reconciling && key.publishedStandbys === 2);
  });
}

/** One run: to the step, SIGKILL, restart, look. */
async function crashAt(haltAt: number, expect: ExpectStatic): Promise<void> {
  const deployment = await makeDeployment(DEPLOYMENT);
  try {
    const doomed = await startStepping(deployment, haltAt);
    const working = work(doomed).catch(() => undefined);
    await waitFor(`step ${haltAt}`, () => stepsOf(doomed.log()).length >= haltAt);
    await doomed.kill();
    await working;
    const restarted = await startDaemonProcess(deployment);
    try {
      await settle(restarted);
      await expectConsistent(restarted, deployment, expect);
    } finally {
      await restarted.stop();
    }
  } finally {
    await deployment.dispose();
  }
}

const counted = await (async () => {
  const deployment = await makeDeployment(DEPLOYMENT);
  try {
    const daemon = await startStepping(deployment, 0);
    await work(daemon);
    const steps = stepsOf(daemon.log());
    await daemon.stop();
    // What comes before is the start of an empty daemon.
    return steps.slice(steps.findIndex((line) => line.includes('SIGNING_KEY_CREATED')));
  } finally {
    await deployment.dispose();
  }
})();

describe('kill -9 of the daemon at each step of apply and rotate', () => {
  it('has steps to cut: commits before and after each call to the token', () => {
    expect(counted.length).toBeGreaterThan(30);
    expect(counted.join('\n')).toMatch(
      /VERSION_INTENDED[\s\S]*generateKeyPair[\s\S]*tryKey[\s\S]*VERSION_MADE[\s\S]*VERSION_ACTIVATED[\s\S]*DESTRUCTION_INTENDED[\s\S]*destroyKeyPair/,
    );
  });

  it.concurrent.for(counted)(
    'leaves everything listed, published and working after %s',
    async (line, { expect: expectHere }) => {
      await crashAt(Number(line.split(' ')[1]), expectHere);
    },
  );
});
