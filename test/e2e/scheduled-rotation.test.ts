/** Rotation on schedule: nobody gives a command, callers sign without a pause, and a verifier keeps key sets for as long as it may. */
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { type SigningLoad, startSigningLoad } from '../fixtures/signing-load.ts';

const SIGNING_KEY = 'access-tokens';
/** The ceiling of the deployment's key set. */
const CEILING_MS = 2_000;
const SIGNING_PERIOD_MS = 4_000;
/** Rotations are spread: each version ends up to a twentieth of its period early. */
const SHORTEST_PERIOD_MS = SIGNING_PERIOD_MS * 0.95;
const JWT_LIFETIME_MS = 3_000;
const CALLERS = 2;
const ROTATIONS = 3;
/** A JWT is verified again so long before its `exp`. */
const BEFORE_EXPIRY_MS = 300;
const LOOK_MS = 20;

let deployment: Deployment;
let daemon: DaemonProcess;
let load: SigningLoad;

beforeAll(async () => {
  deployment = await makeDeployment();
  daemon = await startDaemonProcess(deployment);
  await daemon.admin.applySigningKey({
    name: SIGNING_KEY,
    algorithm: 'ES256',
    lifecyclePolicy: { signingPeriodMs: SIGNING_PERIOD_MS, maxJwtLifetimeMs: JWT_LIFETIME_MS, rollbackWindowMs: 0 },
  });
  load = startSigningLoad(
    Array.from({ length: CALLERS }, () => daemon.clientOf('auth-service')),
    SIGNING_KEY,
  );
});

afterAll(async () => {
  await load.stop();
  await daemon.stop();
  await deployment.dispose();
});

/** Fetches only when its copy has reached the ceiling: the laziest verifier that the key set's promise covers. */
class LazyVerifier {
  #keySet: JSONWebKeySet = { keys: [] };
  #askedAtMs = Number.NEGATIVE_INFINITY;
  readonly failures: string[] = [];
  verifications = 0;

  async refresh(): Promise<void> {
    if (performance.now() - this.#askedAtMs < CEILING_MS) return;
    this.#askedAtMs = performance.now();
    this.#keySet = (await (await fetch(`${daemon.httpUrl}/.well-known/jwks.json`)).json()) as JSONWebKeySet;
  }

  async verify(jwt: string): Promise<void> {
    this.verifications += 1;
    try {
      await jwtVerify(jwt, createLocalJWKSet(this.#keySet), { issuer: ISSUER, audience: AUDIENCE });
    } catch (failure) {
      this.failures.push(String(failure));
    }
  }
}

function expiryOf(jwt: string): number {
  const claims = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8')) as { exp: number };
  return claims.exp * 1_000;
}

describe('a signing period of seconds', () => {
  it('turns by itself, again and again, and no verifier meets a JWT that it can’t verify', async () => {
    const verifier = new LazyVerifier();
    const waiting: { jwt: string; atMs: number }[] = [];
    let next = 0;
    const kids = new Set<string>();
    await waitFor(
      `${ROTATIONS} rotations`,
      async () => {
        await verifier.refresh();
        // One JWT of each look: verifying all of them would starve the daemon of its processor.
        const latest = load.jwts.at(-1);
        if (latest !== undefined && load.jwts.length > next) {
          next = load.jwts.length;
          kids.add(latest.kid);
          await verifier.verify(latest.jwt);
          waiting.push({ jwt: latest.jwt, atMs: expiryOf(latest.jwt) - BEFORE_EXPIRY_MS });
        }
        while ((waiting[0]?.atMs ?? Number.POSITIVE_INFINITY) <= Date.now())
          await verifier.verify(waiting.shift()?.jwt ?? '');
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        return kids.size > ROTATIONS;
      },
      60_000,
    );
    expect(verifier.failures).toEqual([]);
    expect(verifier.verifications).toBeGreaterThan(50);
    expect(load.failures).toEqual([]);
  });

  it('comes at the end of the period, at most a twentieth of it early, leaving a standby each time', async () => {
    // In this order: the versions listed include the one that the signing key named.
    const { signingKey } = await daemon.admin.getSigningKey({ name: SIGNING_KEY });
    const { keyVersions } = await daemon.admin.listKeyVersions({ signingKey: SIGNING_KEY });
    const activations = keyVersions
      .flatMap(({ activateTime }) => activateTime?.getTime() ?? [])
      .toSorted((left, right) => left - right);
    expect(activations.length).toBeGreaterThan(ROTATIONS);
    for (const [index, atMs] of activations.slice(1).entries())
      expect(atMs - (activations[index] ?? 0)).toBeGreaterThanOrEqual(SHORTEST_PERIOD_MS);
    expect(signingKey.propagatedStandbys).toBeGreaterThanOrEqual(1);
    const dueMs = signingKey.rotationDueTime?.getTime() ?? 0;
    const isDueOf = (atMs: number): boolean => dueMs >= atMs + SHORTEST_PERIOD_MS && dueMs <= atMs + SIGNING_PERIOD_MS;
    expect(activations.some(isDueOf)).toBe(true);
    expect(signingKey.lastProblem).toBeUndefined();
  });

  it('leaves no pile of keys behind', async () => {
    await waitFor('old versions to be withdrawn', async () => {
      const { keyVersions } = await daemon.admin.listKeyVersions({ signingKey: SIGNING_KEY });
      return keyVersions.some(({ state }) => state === 'DESTROYED');
    });
    const { keyVersions } = await daemon.admin.listKeyVersions({ signingKey: SIGNING_KEY });
    const inToken = keyVersions.filter(({ privateKeyPresent }) => privateKeyPresent);
    expect(inToken.length, 'the ACTIVE version, its standbys, and one on its way out').toBeLessThanOrEqual(4);
  });
});
