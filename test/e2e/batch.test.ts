/** BatchSignJwt on a real daemon and token: order, evidence, a rotation and a compromise under load. */
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeyturnError, type SignedJwt, type SignJwtRequest } from '../../src/client/client.ts';
import { readAuditFiles } from '../fixtures/audit-files.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { afterArrivals } from '../fixtures/signing-load.ts';

const SIGNING_KEY = 'access-tokens';
const LARGEST = 256;
const CALLERS = 4;
const LOADED_BATCH = 32;

let deployment: Deployment;
let daemon: DaemonProcess;

beforeAll(async () => {
  deployment = await makeDeployment();
  daemon = await startDaemonProcess(deployment);
  await daemon.admin.applySigningKey({ name: SIGNING_KEY, algorithm: 'ES256' });
  await healed();
});

afterAll(async () => {
  await daemon.stop();
  await deployment.dispose();
});

function healed(): Promise<void> {
  return waitFor('two propagated standbys', async () => {
    const { signingKey } = await daemon.admin.getSigningKey({ name: SIGNING_KEY });
    return signingKey.activeVersion !== undefined && signingKey.propagatedStandbys === 2;
  });
}

function request(sub: string, claims: object = {}): SignJwtRequest {
  return { signingKey: SIGNING_KEY, claims: { iss: ISSUER, aud: AUDIENCE, sub, ...claims } };
}

function isSigned(result: SignedJwt | KeyturnError | undefined): result is SignedJwt {
  return result !== undefined && !(result instanceof KeyturnError);
}

it('signs 256 JWTs in one call: each verifies, is in its place, and has an audit entry of its own', async () => {
  const requests = Array.from({ length: LARGEST }, (_, index) => request(`subject ${index}`));
  const signed = (await daemon.clientOf('auth-service').batchSignJwt(requests)).filter(isSigned);
  const keySet = createRemoteJWKSet(new URL(`${daemon.httpUrl}/.well-known/jwks.json`));
  const subjects = [];
  for (const { jwt, kid } of signed) {
    const { payload, protectedHeader } = await jwtVerify(jwt, keySet, { issuer: ISSUER, audience: AUDIENCE });
    subjects.push(payload.sub);
    expect(protectedHeader.kid).toBe(kid);
  }
  expect(subjects).toEqual(requests.map((_, index) => `subject ${index}`));
  const { entries } = readAuditFiles(join(deployment.dir, 'audit'));
  const entered = entries.flatMap((entry) => (entry.kind === 'JWT_DISPATCHED' ? [entry.sha256] : []));
  const inputs = signed.map(({ jwt }) => hash('sha256', jwt.slice(0, jwt.lastIndexOf('.')), 'base64url'));
  expect(new Set(entered)).toEqual(new Set(inputs));
  expect(entered).toHaveLength(LARGEST);
});

it('refuses what a grant does not allow, and signs the rest', async () => {
  const results = await daemon
    .clientOf('auth-service')
    .batchSignJwt([
      request('a'),
      request('b', { iss: 'https://evil.example' }),
      { ...request('c'), signingKey: 'refresh-tokens' },
      request('d'),
    ]);
  expect(results.map((result) => (result instanceof KeyturnError ? result.reason : 'signed'))).toEqual([
    'signed',
    'CLAIM_NOT_PERMITTED',
    'SIGNING_KEY_NOT_PERMITTED',
    'signed',
  ]);
});

describe('under load in batches', () => {
  interface Answer {
    readonly results: readonly (SignedJwt | KeyturnError)[];
    readonly askedAtMs: number;
    readonly answeredAtMs: number;
  }
  const answers: Answer[] = [];
  const failures: unknown[] = [];
  const stopping = new AbortController();
  let running: readonly Promise<void>[] = [];

  beforeAll(() => {
    const requests = Array.from({ length: LOADED_BATCH }, (_, index) => request(`subject ${index}`));
    running = Array.from({ length: CALLERS }, async () => {
      const client = daemon.clientOf('auth-service');
      while (!stopping.signal.aborted) {
        const askedAtMs = performance.now();
        try {
          const results = await client.batchSignJwt(requests);
          answers.push({ results, askedAtMs, answeredAtMs: performance.now() });
        } catch (failure) {
          failures.push(failure);
        }
      }
    });
  });
  afterAll(async () => {
    stopping.abort();
    await Promise.all(running);
  });

  const more = (): Promise<void> => {
    const { length } = answers;
    return waitFor('callers to go on', () => answers.length >= length + 4 * CALLERS);
  };
  const refused = (): readonly unknown[] => [
    ...failures,
    ...answers.flatMap(({ results }) => results.filter((result) => !isSigned(result))),
  ];

  it('a rotation fails no request, and every JWT verifies', async () => {
    await more();
    const { activated } = await daemon.admin.rotate({ signingKey: SIGNING_KEY, reason: 'drill' });
    await more();
    const keySet = createRemoteJWKSet(new URL(`${daemon.httpUrl}/.well-known/jwks.json`));
    const kids = new Set<string>();
    for (const { jwt, kid } of answers.flatMap(({ results }) => results.filter(isSigned))) {
      await jwtVerify(jwt, keySet, { issuer: ISSUER, audience: AUDIENCE });
      kids.add(kid);
    }
    expect(kids.size).toBe(2);
    expect(kids).toContain(activated.kid);
    expect(refused()).toEqual([]);
  });

  it('nothing of a compromised version leaves once the command is answered, though it was signed before', async () => {
    await healed();
    await more();
    const { signingKey } = await daemon.admin.getSigningKey({ name: SIGNING_KEY });
    const { activeVersion: version = 0, activeKid } = signingKey;
    await daemon.admin.declareCompromised({
      scope: { version: { signingKey: SIGNING_KEY, version } },
      reason: 'drill',
    });
    const answeredMs = await afterArrivals();
    await more();
    const last = answers.findLast(({ results }) =>
      results.some((result) => isSigned(result) && result.kid === activeKid),
    );
    expect(last?.answeredAtMs).toBeLessThanOrEqual(answeredMs);
    const spanning = answers.filter(
      ({ askedAtMs, answeredAtMs }) => askedAtMs < answeredMs && answeredAtMs > answeredMs,
    );
    expect(spanning.length, 'batches were in flight when it was answered').toBeGreaterThan(0);
    expect(refused()).toEqual([]);
  });
});
