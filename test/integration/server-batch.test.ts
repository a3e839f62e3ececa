/** BatchSignJwt over real connections, with the typed client at the other end. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import type { SignedJwt, SignJwtRequest } from '../../src/client/client.ts';
import { parseAccessPolicy } from '../../src/config/access-policy-document.ts';
import { startTestServers, type TestServers } from '../fixtures/test-servers.ts';

const MAX_BATCH = 256;

let test: TestServers;
beforeAll(async () => {
  test = await startTestServers();
  await test.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
});
afterAll(() => test.dispose());
afterEach(() => {
  test.app.failure = undefined;
});

const request = (sub: string, signingKey = 'access-tokens'): SignJwtRequest => ({
  signingKey,
  claims: { iss: 'https://issuer.example', aud: 'https://api.example', sub },
});
const batchOf = (count: number): SignJwtRequest[] => Array.from({ length: count }, (_, index) => request(`s${index}`));

function subjectOf(result: SignedJwt | KeyturnError | undefined): unknown {
  if (result === undefined || result instanceof KeyturnError) return result?.reason;
  const [, payload = ''] = result.jwt.split('.');
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: unknown }).sub;
}

describe('BatchSignJwt', () => {
  it('signs as many as it may in one call, in the order of the requests, each with its own deadline and caller', async () => {
    const results = await test.signer.batchSignJwt(batchOf(MAX_BATCH), { deadlineMs: 8_000 });
    expect(results.map(subjectOf)).toEqual(batchOf(MAX_BATCH).map((_, index) => `s${index}`));
    const asked = test.app.asked.slice(-MAX_BATCH);
    expect(new Set(asked.map(({ caller }) => caller))).toEqual(new Set(['auth-service']));
    for (const { command } of asked) {
      const { deadlineMs = 0 } = command as { deadlineMs?: number };
      expect(deadlineMs).toBeGreaterThan(performance.now());
    }
  });

  it('lets one that fails fail alone, with the details that it would have had by itself', async () => {
    const long = { ...request('long'), lifetimeSeconds: -1 };
    const results = await test.signer.batchSignJwt([request('a'), request('b', 'unknown'), long, request('c')]);
    expect(results.map(subjectOf)).toEqual(['a', 'SIGNING_KEY_NOT_FOUND', 'FIELD_INVALID', 'c']);
    expect(results[1]).toMatchObject({ code: 'NOT_FOUND', details: { subject: 'unknown' } });
    expect(results[2]).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field: 'lifetime' } });
  });

  it('says of what went wrong in the daemon nothing but a number, under which its log has the rest', async () => {
    test.app.failure = new Error('a secret of the daemon');
    const results = await test.signer.batchSignJwt(batchOf(2));
    const ids = results.map((result) => {
      expect(result).toBeInstanceOf(KeyturnError);
      const { reason, message } = result as KeyturnError;
      expect(reason).toBe('INTERNAL');
      expect(message).not.toContain('secret');
      return /correlation id ([\w-]+)/.exec(message)?.[1];
    });
    expect(new Set(ids).size).toBe(2);
    const logged = test.lines.filter(({ message }) => message === 'request failed');
    expect(logged.map(({ fields }) => (fields as { correlationId?: unknown }).correlationId)).toEqual(
      expect.arrayContaining(ids),
    );
  });

  it.each([0, MAX_BATCH + 1])('refuses %d requests as a whole, and signs none', async (count) => {
    const before = test.app.asked.length;
    await expect(test.signer.batchSignJwt(batchOf(count))).rejects.toMatchObject({
      reason: 'FIELD_INVALID',
      details: { field: 'requests' },
      message: expect.stringContaining('1 to 256') as string,
    });
    expect(test.app.asked).toHaveLength(before);
  });

  it('refuses a call beyond the size limit as a whole', async () => {
    const claims = Buffer.alloc(4_096, 0x20);
    await expect(
      test.signer.batchSignJwt(Array.from({ length: 100 }, () => ({ signingKey: 'access-tokens', claims }))),
    ).rejects.toMatchObject({ reason: 'REQUEST_TOO_LARGE' });
  });

  it('is open to signers alone', async () => {
    const auditor = test.connect(await test.authority.issueClient('auditor', { dnsNames: ['auditor.example'] }));
    await expect(auditor.batchSignJwt(batchOf(1))).rejects.toMatchObject({ reason: 'METHOD_NOT_PERMITTED' });
  });

  it('counts each request in the rate limit, so that a batch is no way around it', async () => {
    const identities = ['dns:auth-service.example'];
    const rateLimit = { maxRequestsPerSecond: 1, burst: 3 };
    const grants = [{ role: 'signer', callers: ['auth-service'], signingKeys: ['access-tokens'], claims: CLAIMS }];
    test.replaceAccessPolicy(
      parseAccessPolicy(JSON.stringify({ version: 1, callers: { 'auth-service': { identities, rateLimit } }, grants })),
    );
    const results = await test.signer.batchSignJwt(batchOf(20));
    const refused = results.filter((result) => result instanceof KeyturnError);
    expect(results.slice(0, 3).map(subjectOf)).toEqual(['s0', 's1', 's2']);
    expect(refused.length).toBeGreaterThanOrEqual(15);
    for (const refusal of refused)
      expect(refusal).toMatchObject({
        reason: 'RATE_LIMITED',
        details: { retryAfterMs: expect.toSatisfy((ms: number) => ms > 0 && ms <= 1_000) as number },
      });
  });
});

const CLAIMS = { iss: ['https://issuer.example'], aud: ['https://api.example'], typ: ['JWT'], maxLifetime: '1h' };
