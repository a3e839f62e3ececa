/** The store is lost, or an old copy of it is put in its place: on a real token nothing signs until an operator decides. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { objectsInToken, plantKeyPair } from '../fixtures/token-objects.ts';
import { type CliResult, runCli } from '../cli/run-cli.ts';

const SIGNING_KEY = 'access-tokens';
const PLANTED_ID = 'f'.repeat(32);

let deployment: Deployment;
let daemon: DaemonProcess;

beforeEach(async () => {
  deployment = await makeDeployment({ maxLifetime: '10s' });
  daemon = await startDaemonProcess(deployment);
  const lifecyclePolicy = { signingPeriodMs: 3_600_000, maxJwtLifetimeMs: 3_000, rollbackWindowMs: 0 };
  await daemon.admin.applySigningKey({ name: SIGNING_KEY, algorithm: 'ES256', lifecyclePolicy });
});
afterEach(async () => {
  await daemon.stop();
  await deployment.dispose();
});

const keyturn = (...words: string[]): Promise<CliResult> =>
  runCli([...words, '--config', deployment.configFile], { cwd: deployment.dir });

async function done(...words: string[]): Promise<CliResult> {
  const result = await keyturn(...words);
  expect(result.code, result.stderr).toBe(0);
  return result;
}

const sign = () => daemon.admin.signJwt({ signingKey: SIGNING_KEY, claims: { iss: ISSUER, aud: AUDIENCE } });

async function reasonOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'OK',
    (thrown: unknown) => (thrown instanceof Error && 'reason' in thrown ? String(thrown.reason) : String(thrown)),
  );
}

async function keySet(): Promise<{ readonly status: number; readonly jwks: JSONWebKeySet; readonly kids: string[] }> {
  const response = await fetch(`${daemon.httpUrl}/.well-known/jwks.json`);
  const jwks = (await response.json()) as JSONWebKeySet;
  const kids = response.status === 200 ? jwks.keys.map(({ kid }) => String(kid)) : [];
  return { status: response.status, jwks, kids };
}

async function verify(jwt: string): Promise<void> {
  const { jwks } = await keySet();
  // Seconds are the JWT's whole life, and this is about keys.
  const options = { issuer: ISSUER, audience: AUDIENCE, clockTolerance: 60 };
  await jwtVerify(jwt, createLocalJWKSet(jwks), options);
}

async function privateKeys(): Promise<string[]> {
  return (await objectsInToken(deployment)).filter(({ kind }) => kind === 'private').map(({ id }) => id);
}

async function restart(): Promise<void> {
  daemon = await startDaemonProcess(deployment);
  await waitFor('store and token to be compared', async () => !hasNotCompared(await reasonOf(sign())));
}

const hasNotCompared = (reason: string): boolean => reason === 'TOKEN_UNAVAILABLE';

describe('a store that was deleted', () => {
  it('leaves everything fenced; recover publishes what verifiers need, and fresh versions sign', async () => {
    const before = await sign();
    const { kids } = await keySet();
    await daemon.stop();
    for (const file of readdirSync(deployment.dir).filter((name) => name.startsWith('keyturn.db')))
      rmSync(join(deployment.dir, file));
    // The audit log would know that there was another store.
    rmSync(join(deployment.dir, 'audit'), { recursive: true });
    await plantKeyPair(deployment, PLANTED_ID, `keyturn/${SIGNING_KEY}/9`);
    const inToken = await privateKeys();
    expect(inToken).toHaveLength(4);
    await restart();

    expect(await reasonOf(daemon.admin.applySigningKey({ name: SIGNING_KEY, algorithm: 'ES256' }))).toBe(
      'SIGNING_KEY_FENCED',
    );
    expect(await reasonOf(daemon.admin.applySigningKey({ name: 'other', algorithm: 'ES256' }))).toBe(
      'SIGNING_KEY_FENCED',
    );
    expect(await reasonOf(sign())).toBe('SIGNING_KEY_NOT_FOUND');
    expect((await keySet()).status).toBe(503);
    expect(await privateKeys()).toEqual(inToken);
    expect((await keyturn('doctor')).stdout).toMatch(/fail\s+store and token\s+4 ORPHAN/);

    const policy = join(deployment.dir, 'keys.yaml');
    const signingKeys = {
      [SIGNING_KEY]: { algorithm: 'ES256', lifecyclePolicy: { maxJwtLifetime: '3s', rollbackWindow: '0s' } },
    };
    writeFileSync(policy, JSON.stringify({ version: 1, signingKeys }));
    expect((await keyturn('recover', '--dry-run')).stderr).toContain('--policy');
    const dryRun = await done('recover', '--policy', policy, '--dry-run');
    for (const kid of kids) expect(dryRun.stdout).toContain(kid);
    expect(dryRun.stdout).toMatch(new RegExp(`object ${PLANTED_ID} .*ignored.*CKA_NEVER_EXTRACTABLE is false`));
    expect((await keySet()).status, 'a dry run decides nothing').toBe(503);

    await done('recover', '--policy', policy, '--yes', '--reason', 'the disk died');
    expect((await keySet()).kids.filter((kid) => kids.includes(kid))).toEqual(kids);
    await verify(before.jwt);
    expect(await reasonOf(sign()), 'nobody knows the fresh versions yet').toBe('NO_ACTIVE_VERSION');
    await waitFor('a fresh version to be propagated', async () => (await reasonOf(sign())) === 'OK');
    const { jwt, kid } = await sign();
    expect(kids).not.toContain(kid);
    await verify(jwt);
    const left = await privateKeys();
    expect(
      left.filter((id) => inToken.includes(id)),
      'private keys without history are destroyed, and what is not ours is left alone',
    ).toEqual([PLANTED_ID]);
    await waitFor('old versions to leave', async () => (await keySet()).kids.every((each) => !kids.includes(each)));
    expect((await keyturn('doctor')).stdout, 'what is not ours fences nothing').toMatch(
      /warn\s+store and token\s+1 ORPHAN\n/,
    );
  });
});

describe('a store restored from a copy of the time before a version was declared compromised', () => {
  it('signs nothing with it; recover leads out, and the right kids sign and are published', async () => {
    await waitFor('two standbys', async () => {
      return (await daemon.admin.getSigningKey({ name: SIGNING_KEY })).signingKey.publishedStandbys === 2;
    });
    const { stdout } = await done('backup', '--output', 'backup.db');
    expect(stdout).toMatch(/backup\.db is a whole backup of the daemon's store\nevents/);
    const fallen = await sign();
    const [, successor = ''] = (await keySet()).kids;
    await daemon.admin.declareCompromised({
      scope: { version: { signingKey: SIGNING_KEY, version: 1 } },
      retain: true,
      reason: 'its private key was seen outside',
    });
    expect((await keySet()).kids).not.toContain(fallen.kid);
    await waitFor('the successor to sign, and a new standby', async () => {
      const { kids } = await keySet();
      return kids.length === 3 && (await sign()).kid === successor;
    });
    const present = (await keySet()).kids;
    await daemon.stop();

    await done('restore', '--input', 'backup.db', '--yes');
    await restart();
    expect(await reasonOf(sign())).toBe('SIGNING_KEY_FENCED');
    expect((await keySet()).status).toBe(503);
    const examined = await keyturn('doctor');
    expect(examined.code).toBe(1);
    expect(examined.stdout).toMatch(/fail\s+restored store\s/);

    const plan = await done('recover', '--dry-run', '--json');
    expect(JSON.parse(plan.stdout)).toMatchObject({
      dryRun: true,
      versions: [
        { version: 1, kid: fallen.kid, fate: 'STAYS', recordedState: 'ACTIVE' },
        { version: 2, kid: successor, fate: 'STAYS' },
        { version: 3, fate: 'STAYS' },
        { version: 4, kid: present[2], fate: 'DEACTIVATED' },
      ],
    });
    await done('recover', '--compromised', fallen.kid, '--yes', '--reason', 'restored; incident 17');
    await waitFor('signing', async () => (await reasonOf(sign())) === 'OK');
    const { jwt, kid } = await sign();
    expect(kid, 'the standby that verifiers know goes on').toBe(successor);
    await verify(jwt);
    const { kids } = await keySet();
    expect(kids).toEqual(expect.arrayContaining(present));
    expect(kids).not.toContain(fallen.kid);
    const { keyVersions } = await daemon.admin.listKeyVersions({ signingKey: SIGNING_KEY });
    const first = keyVersions.find(({ version }) => version === 1);
    expect(first?.state).toBe('COMPROMISED');
    await waitFor('its private key to be destroyed', async () => !(await privateKeys()).includes(first?.ckaId ?? ''));
    expect((await done('recover', '--yes', '--reason', 'again')).stderr).toContain('nothing to recover');
  });
});
