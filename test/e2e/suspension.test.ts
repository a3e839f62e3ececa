/** Suspend, reactivate and rollback on a real daemon, while a caller signs and every JWT is held against the key set. */
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeyturnError, KeyVersion, SigningKey } from '../../src/client/client.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { type JwksWatch, startJwksWatch } from '../fixtures/jwks-watch.ts';
import { afterArrivals, type SigningLoad, startSigningLoad } from '../fixtures/signing-load.ts';

const SIGNING_KEY = 'access-tokens';
const ROLLBACK_WINDOW_MS = 3_000;
const DAY_MS = 86_400_000;
const claims = { iss: ISSUER, aud: AUDIENCE };
const signingKey = SIGNING_KEY;

let deployment: Deployment;
let daemon: DaemonProcess;
let watch: JwksWatch;
let load: SigningLoad;

beforeAll(async () => {
  deployment = await makeDeployment();
  daemon = await startDaemonProcess(deployment);
  await daemon.admin.applySigningKey({
    name: SIGNING_KEY,
    algorithm: 'ES256',
    lifecyclePolicy: { signingPeriodMs: DAY_MS, rollbackWindowMs: ROLLBACK_WINDOW_MS },
  });
  watch = startJwksWatch(`${daemon.httpUrl}/.well-known/jwks.json`);
  load = startSigningLoad([daemon.clientOf('auth-service')], SIGNING_KEY);
});

afterAll(async () => {
  await load.stop();
  await watch.stop();
  await daemon.stop();
  await deployment.dispose();
});

async function find(): Promise<SigningKey> {
  return (await daemon.admin.getSigningKey({ name: SIGNING_KEY })).signingKey;
}

async function requireVersion(number: number | undefined): Promise<KeyVersion> {
  const { keyVersions } = await daemon.admin.listKeyVersions({ signingKey });
  const version = keyVersions.find((candidate) => candidate.version === number);
  if (version === undefined) throw new Error(`no version ${number}`);
  return version;
}

async function requireActive(): Promise<KeyVersion> {
  return requireVersion((await find()).activeVersion);
}

const twoStandbys = (): Promise<void> =>
  waitFor('two propagated standbys', async () => (await find()).propagatedStandbys === 2);

/** Whatever is asked from here on is signed by this version. */
async function expectSigner(kid: string): Promise<void> {
  const sinceMs = await afterArrivals();
  const { length } = load.jwts;
  await waitFor('the caller to go on', () => load.jwts.length > length + 5);
  expect(new Set(load.jwts.filter(({ askedAtMs }) => askedAtMs >= sinceMs).map((jwt) => jwt.kid))).toEqual(
    new Set([kid]),
  );
}

async function refusalOf(promise: Promise<unknown>): Promise<KeyturnError> {
  try {
    await promise;
  } catch (thrown) {
    return thrown as KeyturnError;
  }
  throw new Error('nothing was refused');
}

describe('suspend and reactivate', () => {
  it('let a standby take over at once, and the suspended version come back when an operator says so', async () => {
    const first = await requireActive();
    const after = (await daemon.admin.suspend({ signingKey })).signingKey;
    expect(after.activeVersion).toBe(first.version + 1);
    await expectSigner(after.activeKid ?? '');
    const suspended = await requireVersion(first.version);
    expect(suspended).toMatchObject({ state: 'SUSPENDED', published: true, privateKeyPresent: true });
    expect(suspended.suspensionEndTime, 'no window: an operator decides').toBeUndefined();

    const back = (await daemon.admin.reactivate({ signingKey, version: first.version })).signingKey;
    expect(back).toMatchObject({ activeVersion: first.version, activeKid: first.kid });
    await expectSigner(first.kid);
    expect(await requireVersion(after.activeVersion)).toMatchObject({ state: 'SUSPENDED', published: true });
    expect(load.failures).toEqual([]);
  });

  it('change nothing when they are only validated, or when the signing key has changed', async () => {
    const active = await requireActive();
    const preview = (await daemon.admin.suspend({ signingKey, halt: true, validateOnly: true })).signingKey;
    expect(preview).toMatchObject({ activeVersion: undefined, halted: true });
    expect(await find()).toMatchObject({ activeVersion: active.version, halted: false });
    const stale = await refusalOf(daemon.admin.suspend({ signingKey, etag: 'stale' }));
    expect(stale.reason).toBe('ETAG_MISMATCH');
    const other = await refusalOf(daemon.admin.reactivate({ signingKey, version: active.version }));
    expect(other.reason).toBe('COMMAND_NOT_POSSIBLE');
    expect((await refusalOf(daemon.admin.reactivate({ signingKey, version: 99 }))).reason).toBe(
      'KEY_VERSION_NOT_FOUND',
    );
    await expectSigner(active.kid);
  });

  it('stop signing with halt, though standbys are ready, until a command ends it', async () => {
    await twoStandbys();
    await load.stop();
    const active = await requireActive();
    const kidsBefore = new Set(watch.latest().keys.map(({ kid }) => kid));
    expect((await daemon.admin.suspend({ signingKey, halt: true })).signingKey).toMatchObject({
      activeVersion: undefined,
      halted: true,
      propagatedStandbys: 2,
    });
    const signer = daemon.clientOf('auth-service');
    const untilMs = performance.now() + 1_500;
    while (performance.now() < untilMs) {
      expect((await refusalOf(signer.signJwt({ signingKey, claims }))).reason).toBe('NO_ACTIVE_VERSION');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(new Set(watch.latest().keys.map(({ kid }) => kid)), 'what it signed stays verifiable').toEqual(kidsBefore);

    expect((await daemon.admin.reactivate({ signingKey, version: active.version })).signingKey).toMatchObject({
      activeVersion: active.version,
      halted: false,
    });
    expect((await signer.signJwt({ signingKey, claims })).kid).toBe(active.kid);
  });
});

describe('rollback', () => {
  it('brings the version before the latest rotation back within its window, and holds rotation on schedule', async () => {
    const again = startSigningLoad([daemon.clientOf('auth-service')], SIGNING_KEY);
    await twoStandbys();
    const old = await requireActive();
    const { activated, suspended } = await daemon.admin.rotate({ signingKey });
    expect(suspended?.suspensionEndTime?.getTime()).toBeGreaterThan(Date.now());
    const after = (await daemon.admin.rollback({ signingKey })).signingKey;
    expect(after).toMatchObject({ activeVersion: old.version, activeKid: old.kid });
    const heldForMs = (after.rotationDueTime?.getTime() ?? 0) - Date.now();
    expect(heldForMs, 'held until the longest signing period is over').toBeGreaterThan(1.5 * DAY_MS);
    expect(await requireVersion(activated.version)).toMatchObject({ state: 'SUSPENDED', published: true });
    expect((await refusalOf(daemon.admin.rollback({ signingKey }))).reason).toBe('COMMAND_NOT_POSSIBLE');
    await again.stop();
    expect(again.failures).toEqual([]);
    expect(again.jwts.at(-1)?.kid).toBe(old.kid);
  });

  it('is refused when the window is over: the private key is gone', async () => {
    await twoStandbys();
    const old = await requireActive();
    await daemon.admin.rotate({ signingKey });
    await waitFor('the window to end', async () => (await requireVersion(old.version)).state === 'DEACTIVATED');
    const refusal = await refusalOf(daemon.admin.rollback({ signingKey }));
    expect(refusal.reason).toBe('COMMAND_NOT_POSSIBLE');
    expect(refusal.message).toContain('rollback_window');
    const comeback = await refusalOf(daemon.admin.reactivate({ signingKey, version: old.version }));
    expect(comeback.message).toContain('DEACTIVATED');
    await waitFor('its private key to be destroyed', async () => {
      return !(await requireVersion(old.version)).privateKeyPresent;
    });
    expect((await requireVersion(old.version)).published, 'its JWTs live on').toBe(true);
  });
});

it('every JWT verifies with the key set of now', async () => {
  const { length } = watch.answers;
  await waitFor('a fresh key set', () => watch.answers.length > length + 1);
  const keySet = createLocalJWKSet(watch.latest());
  expect(new Set(load.jwts.map(({ kid }) => kid)).size).toBeGreaterThan(1);
  const ofEachKid = new Map(load.jwts.map(({ kid, jwt }) => [kid, jwt]));
  for (const jwt of ofEachKid.values()) await jwtVerify(jwt, keySet, { issuer: ISSUER, audience: AUDIENCE });
});
