/** Rotation by hand, seen from outside: a watcher that only fetches the JWKS says what verifiers could have known. */
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeyturnError } from '../../src/base/errors.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';

const CEILING_MS = 2_000;
/** How stale the watcher's own knowledge of a kid's first appearance can be. */
const WATCH_INTERVAL_MS = 50;
const claims = { iss: ISSUER, aud: AUDIENCE };

let deployment: Deployment;
let daemon: DaemonProcess;
let watching: ReturnType<typeof setInterval>;
/** When each kid was first answered over HTTP, by this process's clock. */
const firstSeenMs = new Map<string, number>();
let latest: JSONWebKeySet = { keys: [] };

beforeAll(async () => {
  deployment = await makeDeployment({ signingKeys: ['access-tokens', 'late-tokens'] });
  daemon = await startDaemonProcess(deployment);
  watching = setInterval(() => void look(), WATCH_INTERVAL_MS);
});

afterAll(async () => {
  clearInterval(watching);
  await daemon.stop();
  await deployment.dispose();
});

async function look(): Promise<void> {
  const response = await fetch(`${daemon.httpUrl}/.well-known/jwks.json`).catch(() => undefined);
  if (response?.status !== 200) return;
  latest = (await response.json()) as JSONWebKeySet;
  for (const key of latest.keys)
    if (!firstSeenMs.has(String(key.kid))) firstSeenMs.set(String(key.kid), performance.now());
}

async function refusalOf(promise: Promise<unknown>): Promise<KeyturnError> {
  try {
    await promise;
  } catch (thrown) {
    return thrown as KeyturnError;
  }
  throw new Error('nothing was refused');
}

describe('rotation by hand', () => {
  let firstKids: string[] = [];
  const jwts: { jwt: string; kid: string; atMs: number }[] = [];

  async function sign(signingKey: string): Promise<string> {
    const { jwt, kid } = await daemon.clientOf('auth-service').signJwt({ signingKey, claims });
    jwts.push({ jwt, kid, atMs: performance.now() });
    return kid;
  }

  it('begins with a first generation of three published versions', async () => {
    const { signingKey } = await daemon.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
    await look();
    firstKids = latest.keys.map((key) => String(key.kid));
    expect(firstKids).toHaveLength(3);
    expect(signingKey.propagatedStandbys).toBe(2);
    expect(await sign('access-tokens')).toBe(firstKids[0]);
  });

  it('allows one rotation, refuses a second quick one with the time, and allows it then', async () => {
    const first = await daemon.admin.rotate({ signingKey: 'access-tokens' });
    expect(first.activated.kid).toBe(firstKids[1]);
    expect(await sign('access-tokens')).toBe(firstKids[1]);

    const refusal = await refusalOf(daemon.admin.rotate({ signingKey: 'access-tokens' }));
    expect(refusal.reason).toBe('LAST_STANDBY');
    expect(refusal.details.rule).toBe('two-standbys');
    const waitMs = (refusal.details.allowedAtMs ?? 0) - Date.now();
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(CEILING_MS + 100);
    expect(await sign('access-tokens'), 'a refused rotation changes nothing').toBe(firstKids[1]);

    await waitFor(
      'the new standby to be propagated',
      async () => (await daemon.admin.getSigningKey({ name: 'access-tokens' })).signingKey.propagatedStandbys === 2,
    );
    const second = await daemon.admin.rotate({ signingKey: 'access-tokens' });
    expect(second.activated.kid).toBe(firstKids[2]);
    expect(await sign('access-tokens')).toBe(firstKids[2]);
  });

  it('never takes a standby that is not propagated, even when told to take the last one', async () => {
    await waitFor(
      'a standby',
      async () => (await daemon.admin.getSigningKey({ name: 'access-tokens' })).signingKey.propagatedStandbys >= 1,
    );
    await daemon.admin.rotate({ signingKey: 'access-tokens', useLastStandby: true });
    const outcomes = await Promise.allSettled(
      [1, 2, 3].map(() => daemon.admin.rotate({ signingKey: 'access-tokens', useLastStandby: true })),
    );
    const reasons = outcomes.map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as KeyturnError).reason : 'rotated',
    );
    expect(reasons).toContain('NOT_PROPAGATED');
    await sign('access-tokens');
  });

  it('lets a new signing key in a served key set wait, and says until when', async () => {
    const { signingKey } = await daemon.admin.applySigningKey({ name: 'late-tokens', algorithm: 'ES256' });
    expect(signingKey.reconciling).toBe(true);
    expect(signingKey.activeKid).toBeUndefined();
    expect(signingKey.readyTime?.getTime()).toBeGreaterThan(Date.now());
    const refusal = await refusalOf(daemon.clientOf('auth-service').signJwt({ signingKey: 'late-tokens', claims }));
    expect(refusal.reason).toBe('NO_ACTIVE_VERSION');
    expect(refusal.details.allowedAtMs).toBeGreaterThan(Date.now());
    await waitFor(
      'the first version to sign',
      async () => (await daemon.admin.getSigningKey({ name: 'late-tokens' })).signingKey.activeKid !== undefined,
    );
    await sign('late-tokens');
  });

  it('answers a repeated request with the first answer', async () => {
    const requestId = '7f0c2f38-6a5e-4d5e-9a53-0f4f0c1d2e3a';
    await waitFor(
      'two standbys',
      async () => (await daemon.admin.getSigningKey({ name: 'access-tokens' })).signingKey.propagatedStandbys === 2,
    );
    const first = await daemon.admin.rotate({ signingKey: 'access-tokens', requestId });
    const again = await daemon.admin.rotate({ signingKey: 'access-tokens', requestId });
    expect(again.activated.kid).toBe(first.activated.kid);
    await sign('access-tokens');
  });

  it('signed nothing with a version that had not been served for the whole ceiling', () => {
    expect(jwts.length).toBeGreaterThan(6);
    for (const { kid, atMs } of jwts) {
      const seenMs = firstSeenMs.get(kid);
      expect(seenMs, `${kid} was published before it signed`).toBeDefined();
      if (firstKids.includes(kid)) continue;
      expect(atMs - (seenMs ?? 0) + WATCH_INTERVAL_MS).toBeGreaterThanOrEqual(CEILING_MS);
    }
  });

  it('keeps every JWT verifiable by the key set of now', async () => {
    await look();
    for (const { jwt } of jwts) await jwtVerify(jwt, createLocalJWKSet(latest), { issuer: ISSUER, audience: AUDIENCE });
  });
});
