/** Retire, unretire and a rotation at a time on a real daemon and token: what callers, verifiers and the token then see. */
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeyturnError, SigningKey } from '../../src/client/client.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { startJwksWatch, type JwksWatch } from '../fixtures/jwks-watch.ts';
import { objectsInToken } from '../fixtures/token-objects.ts';

const ROLLBACK_WINDOW_MS = 2_000;
const JWT_LIFETIME_MS = 2_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const signingKey = 'access-tokens';
const claims = { iss: ISSUER, aud: AUDIENCE };

let deployment: Deployment;
let daemon: DaemonProcess;
let watch: JwksWatch;

beforeAll(async () => {
  deployment = await makeDeployment({
    config: {
      keySets: { default: { jwksMaxAge: '1s', verifierCacheCeiling: '1s', verifierSkew: '0s', sharedCaches: 'none' } },
      clock: { stepLimit: '1s' },
    },
  });
  daemon = await startDaemonProcess(deployment);
  const lifecyclePolicy = {
    // A twentieth of it is how far the ceilings of JWTs are raised at once, which the key set waits for at the end.
    signingPeriodMs: 2 * MINUTE_MS,
    maxJwtLifetimeMs: JWT_LIFETIME_MS,
    rollbackWindowMs: ROLLBACK_WINDOW_MS,
  };
  await daemon.admin.applySigningKey({ name: signingKey, algorithm: 'ES256', lifecyclePolicy });
  watch = startJwksWatch(`${daemon.httpUrl}/.well-known/jwks.json`);
});

afterAll(async () => {
  await watch.stop();
  await daemon.stop();
  await deployment.dispose();
});

const sign = () => daemon.clientOf('auth-service').signJwt({ signingKey, claims });
const find = async (): Promise<SigningKey> => (await daemon.admin.getSigningKey({ name: signingKey })).signingKey;

async function refusalOf(promise: Promise<unknown>): Promise<KeyturnError> {
  try {
    await promise;
  } catch (thrown) {
    return thrown as KeyturnError;
  }
  throw new Error('nothing was refused');
}

/** A verifier that has fetched nothing yet. */
const verify = (jwt: string) =>
  jwtVerify(jwt, createRemoteJWKSet(new URL(`${daemon.httpUrl}/.well-known/jwks.json`)), {
    issuer: ISSUER,
    audience: AUDIENCE,
  });

describe('a rotation at a time', () => {
  it('comes when it was said, by itself', async () => {
    const { activeVersion = 0 } = await find();
    const rotateTime = new Date(Date.now() + 1_000);
    const scheduled = (await daemon.admin.scheduleRotation({ signingKey, rotateTime })).signingKey;
    expect(scheduled).toMatchObject({ scheduledRotationTime: rotateTime, rotationDueTime: rotateTime });
    await waitFor('the rotation', async () => (await find()).activeVersion === activeVersion + 1);
    const { keyVersions } = await daemon.admin.listKeyVersions({ signingKey });
    const activated = keyVersions.find(({ version }) => version === activeVersion + 1)?.activateTime;
    expect(activated?.getTime(), 'not before').toBeGreaterThanOrEqual(rotateTime.getTime());
    expect((await find()).scheduledRotationTime).toBeUndefined();
  });

  it('is refused in the past, and beyond the longest signing period', async () => {
    const refusals = await Promise.all(
      [Date.now() - 1_000, Date.now() + HOUR_MS].map((timeMs) =>
        refusalOf(daemon.admin.scheduleRotation({ signingKey, rotateTime: new Date(timeMs) })),
      ),
    );
    expect(refusals.map(({ reason }) => reason)).toEqual(['FIELD_INVALID', 'FIELD_INVALID']);
    expect(refusals[1]?.message).toContain('4 min at most (max_signing_period)');
  });
});

describe('a retired signing key', () => {
  it('signs again with the same kid when it comes back within its window', async () => {
    const { kid } = await sign();
    await daemon.admin.retire({ signingKey, reason: 'a mistake' });
    expect((await refusalOf(sign())).reason).toBe('SIGNING_KEY_RETIRED');
    await daemon.admin.unretire({ signingKey, reason: 'it was one' });
    expect((await sign()).kid).toBe(kid);
  });

  it('signs nothing, while its JWTs verify to their end; then its key set empties, and it never comes back', async () => {
    const { jwt, expireTime } = await sign();
    const published = new Set(watch.latest().keys.map(({ kid }) => kid));
    const { unretireUntilTime } = (await daemon.admin.retire({ signingKey, reason: 'done with' })).signingKey;
    expect(unretireUntilTime?.getTime()).toBeGreaterThan(Date.now());

    let verified = 0;
    for (; Date.now() < expireTime.getTime() - 100; verified += 1) {
      await verify(jwt);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(verified).toBeGreaterThan(3);
    expect((await refusalOf(sign())).reason).toBe('SIGNING_KEY_RETIRED');

    await waitFor('every private key to be destroyed', async () => {
      const { keyVersions } = await daemon.admin.listKeyVersions({ signingKey });
      return keyVersions.every(({ privateKeyPresent }) => !privateKeyPresent);
    });
    expect((await objectsInToken(deployment)).filter(({ kind }) => kind === 'private')).toEqual([]);
    expect(new Set(watch.latest().keys.map(({ kid }) => kid)), 'all of it is published still').toEqual(published);

    await waitFor('the key set to be empty', () => Promise.resolve(watch.latest().keys.length === 0), 30_000);
    const response = await fetch(`${daemon.httpUrl}/.well-known/jwks.json`);
    expect([response.status, await response.text()]).toEqual([200, '{"keys":[]}']);
    expect((await refusalOf(daemon.admin.unretire({ signingKey }))).reason).toBe('COMMAND_NOT_POSSIBLE');
    const again = daemon.admin.applySigningKey({ name: signingKey, algorithm: 'ES256' });
    expect((await refusalOf(again)).reason).toBe('SIGNING_KEY_RETIRED');
    const { signingKeys } = await daemon.admin.listSigningKeys();
    expect(signingKeys).toMatchObject([{ name: signingKey, activeVersion: undefined, unretireUntilTime: undefined }]);
  });
});
