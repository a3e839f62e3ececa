/** The gRPC services over real connections, with the typed client at the other end. */
import { parseCkaId } from '../../src/base/ids.ts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import { startTestServers, type TestServers } from '../fixtures/test-servers.ts';

let test: TestServers;
beforeAll(async () => {
  test = await startTestServers();
  await test.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
});
afterAll(() => test.dispose());
afterEach(() => {
  test.app.failure = undefined;
  test.app.gate = undefined;
});

async function refusalOf(call: Promise<unknown>): Promise<KeyturnError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof KeyturnError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

const claims = { iss: 'https://issuer.example', aud: 'https://api.example' };

describe('SignJwt', () => {
  it('signs over mTLS for the caller that the certificate names', async () => {
    const before = performance.now();
    const { jwt, kid, expireTime } = await test.signer.signJwt(
      { signingKey: 'access-tokens', claims, typ: 'at+jwt', lifetimeSeconds: 90 },
      { deadlineMs: 4_000 },
    );
    expect(jwt.split('.')).toHaveLength(3);
    expect(kid).toHaveLength(43);
    expect(expireTime.getTime() - Date.now()).toBeLessThanOrEqual(90_000);
    const { caller, command } = test.app.asked.at(-1) ?? {};
    expect(caller).toBe('auth-service');
    expect(command).toMatchObject({
      signingKey: 'access-tokens',
      typ: 'at+jwt',
      lifetimeMs: 90_000,
      claims: Buffer.from(JSON.stringify(claims)),
    });
    const { deadlineMs = 0 } = command as { deadlineMs?: number };
    expect(deadlineMs).toBeGreaterThan(before + 3_000);
    expect(deadlineMs).toBeLessThanOrEqual(performance.now() + 4_000);
  });

  it('leaves an absent lifetime absent and passes bytes on as they are', async () => {
    const bytes = Buffer.from('{"iss":"x",  "n":1.0}');
    await test.signer.signJwt({ signingKey: 'access-tokens', claims: bytes });
    expect(test.app.asked.at(-1)?.command).toMatchObject({ lifetimeMs: undefined, typ: '', claims: bytes });
  });

  it.each([
    [-1, 'negative'],
    [0.000_5, 'whole number of milliseconds'],
    [1e12, 'ten years'],
  ])('refuses a lifetime of %d s and names the field', async (lifetimeSeconds, problem) => {
    const error = await refusalOf(test.signer.signJwt({ signingKey: 'access-tokens', claims, lifetimeSeconds }));
    expect(error).toMatchObject({ reason: 'FIELD_INVALID', details: { field: 'lifetime' } });
    expect(error.message).toContain(problem);
  });

  it('refuses a request beyond the size limit with a reason', async () => {
    const error = await refusalOf(
      test.signer.signJwt({ signingKey: 'access-tokens', claims: Buffer.alloc(1_048_576, 0x20) }),
    );
    expect(error).toMatchObject({ reason: 'REQUEST_TOO_LARGE', code: 'INVALID_ARGUMENT' });
  });

  it('answers DEADLINE_EXCEEDED when the use case takes too long', async () => {
    test.app.gate = new Promise(() => undefined);
    const error = await refusalOf(test.signer.signJwt({ signingKey: 'access-tokens', claims }, { deadlineMs: 100 }));
    expect(error.reason).toBe('DEADLINE_EXCEEDED');
  });
});

describe('KeyAdminService', () => {
  it('applies: durations arrive in ms, absent ones stay absent', async () => {
    const { signingKey, changed } = await test.admin.applySigningKey({
      name: 'refresh-tokens',
      algorithm: 'RS256',
      rsaBits: 2_048,
      lifecyclePolicy: { signingPeriodMs: 86_400_500, addJti: false, addNbf: true, standbys: 1 },
      etag: 'e',
      reason: 'because',
    });
    expect(changed).toBe(true);
    expect(signingKey).toMatchObject({
      name: 'refresh-tokens',
      algorithm: 'RS256',
      rsaBits: 2_048,
      keySet: 'default',
      activeVersion: 1,
      lastProblem: undefined,
      rotateAllowedTime: undefined,
    });
    expect(signingKey.createTime.getTime()).toBe(1_700_000_000_123);
    expect(signingKey.lifecyclePolicy).toMatchObject({ signingPeriodMs: 2_592_000_000, addJti: true, addNbf: false });
    expect(test.app.asked.at(-1)).toMatchObject({
      caller: 'admin',
      command: {
        lifecyclePolicy: {
          signingPeriodMs: 86_400_500,
          maxSigningPeriodMs: undefined,
          addJti: false,
          addNbf: true,
          standbys: 1,
        },
        etag: 'e',
        reason: 'because',
        validateOnly: false,
      },
    });
  });

  it('keeps an unset add_jti apart from false', async () => {
    await test.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
    expect(test.app.asked.at(-1)).toMatchObject({
      command: { lifecyclePolicy: { addJti: undefined, addNbf: undefined, standbys: undefined } },
    });
  });

  it('names the path of a bad duration', async () => {
    const error = await refusalOf(
      test.admin.applySigningKey({ name: 'x', algorithm: 'ES256', lifecyclePolicy: { rollbackWindowMs: -5 } }),
    );
    expect(error).toMatchObject({
      reason: 'FIELD_INVALID',
      details: { field: 'signing_key.lifecycle_policy.rollback_window' },
    });
  });

  it('gets, lists page by page and shows versions', async () => {
    expect((await test.admin.getSigningKey({ name: 'access-tokens' })).signingKey.name).toBe('access-tokens');
    const first = await test.admin.listSigningKeys({ pageSize: 1 });
    const second = await test.admin.listSigningKeys({ pageSize: 1, pageToken: first.nextPageToken });
    expect([...first.signingKeys, ...second.signingKeys].map(({ name }) => name)).toEqual([
      'access-tokens',
      'refresh-tokens',
    ]);
    const { keyVersions } = await test.admin.listKeyVersions({ signingKey: 'access-tokens' });
    expect(keyVersions).toHaveLength(1);
    expect(keyVersions[0]).toMatchObject({
      state: 'ACTIVE',
      servedMs: 90_061_001,
      suspendTime: undefined,
      birthRecord: { attributes: { CKA_SENSITIVE: 'true', CKA_MODULUS_BITS: '2048', CKA_LOCAL: 'unreadable' } },
    });
  });

  it('rotates with a request id of its own, or the given one', async () => {
    const { activated, suspended } = await test.admin.rotate({ signingKey: 'access-tokens' });
    expect([activated.version, suspended?.version]).toEqual([2, 1]);
    expect(test.app.asked.at(-1)).toMatchObject({
      command: { requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string, useLastStandby: false },
    });
    expect(
      (await test.admin.rotate({ signingKey: 'access-tokens', requestId: 'r-1', validateOnly: true })).suspended,
    ).toBeUndefined();
    expect(test.app.asked.at(-1)).toMatchObject({ command: { requestId: 'r-1', validateOnly: true } });
  });
});

describe('KeySetService and TokenService', () => {
  it('gives the key set byte for byte as over HTTP', async () => {
    const { jwks, etag, maxAgeMs } = await test.signer.getKeySet();
    const response = await fetch(`${test.servers.httpUrl}/.well-known/jwks.json`);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(jwks));
    expect(response.headers.get('etag')).toBe(etag);
    expect(maxAgeMs).toBe(300_000);
    expect((await refusalOf(test.signer.getKeySet({ keySet: 'empty' }))).reason).toBe('KEY_SET_NOT_FOUND');
    expect((await refusalOf(test.signer.getKeySet({ keySet: '../x' }))).reason).toBe('FIELD_INVALID');
  });

  it('gives the clock status, signs and all, and passes a confirmed time on', async () => {
    expect(await test.admin.getClockStatus()).toEqual({
      trusted: true,
      stepMs: -1_500,
      stepLimitMs: 60_000,
      time: new Date(1_700_000_000_000),
    });
    const time = new Date('2026-01-31T12:34:56.789Z');
    await test.admin.confirmClock({ time, reason: 'from my watch' });
    const command = { typedMs: time.getTime(), reason: 'from my watch' };
    expect(test.app.asked.at(-1)).toEqual({ caller: 'admin', command });
  });

  it('gives the findings of a reconciliation and passes a decision on', async () => {
    const ckaId = parseCkaId('ab'.repeat(16));
    test.app.findings = [
      { kind: 'orphan', ckaId, ckaLabel: 'keyturn/lost/7', signingKey: 'lost', version: 7 },
      { kind: 'challengeFailed', ckaId, ckaLabel: 'x', signingKey: undefined, version: undefined },
    ];
    expect((await test.admin.reconcile()).findings).toEqual([
      { kind: 'ORPHAN', ckaId, ckaLabel: 'keyturn/lost/7', signingKey: 'lost', version: 7 },
      { kind: 'CHALLENGE_FAILED', ckaId, ckaLabel: 'x', signingKey: undefined, version: undefined },
    ]);
    await test.admin.resolveObject({ ckaId, action: 'ignore', reason: 'known' });
    const command = { ckaId, action: 'ignore', reason: 'known' };
    expect(test.app.asked.at(-1)).toEqual({ caller: 'admin', command });
  });

  it('gives the token status and passes a login retry on', async () => {
    expect(await test.admin.getTokenStatus()).toMatchObject({
      state: 'READY',
      label: 'fake',
      reason: undefined,
      workerRestarts: 3,
      queueDepth: 4,
      workers: [{ pid: 7, inFlight: 1 }],
    });
    await test.admin.retryLogin({ reason: 'new PIN' });
    expect(test.app.asked.at(-1)).toEqual({ caller: 'admin', command: 'new PIN' });
  });
});

describe('errors', () => {
  it('carry field, rule, subject and times through the status details', async () => {
    const allowedAtMs = 1_800_000_000_000;
    test.app.failure = new KeyturnError('NOT_PROPAGATED', 'no standby is propagated', {
      rule: 'announce-before-use',
      subject: 'access-tokens',
      allowedAtMs,
      field: 'signing_key',
      retryAfterMs: 1_500,
    });
    const error = await refusalOf(test.admin.rotate({ signingKey: 'access-tokens' }));
    expect(error).toMatchObject({
      reason: 'NOT_PROPAGATED',
      code: 'FAILED_PRECONDITION',
      message: 'no standby is propagated',
      details: {
        rule: 'announce-before-use',
        subject: 'access-tokens',
        allowedAtMs,
        field: 'signing_key',
        retryAfterMs: 1_500,
      },
    });
  });

  it('that nobody foresaw become INTERNAL with fixed text, and the log has the cause under the same id', async () => {
    test.app.failure = new TypeError('secret detail');
    const error = await refusalOf(test.signer.signJwt({ signingKey: 'access-tokens', claims }));
    expect(error.reason).toBe('INTERNAL');
    expect(error.message).not.toContain('secret detail');
    const line = test.lines.find(({ level }) => level === 'error');
    const { correlationId, err } = (line?.fields ?? {}) as { correlationId: string; err: Error };
    expect(error.message).toContain(correlationId);
    expect((err.cause as Error).message).toBe('secret detail');
  });

  it('hold even what no header could carry', async () => {
    test.app.failure = new KeyturnError('CLAIM_INVALID', `bad \ud800 claim\n${'x'.repeat(20_000)}`, {
      field: '\udfff',
    });
    const error = await refusalOf(test.signer.signJwt({ signingKey: 'access-tokens', claims }));
    expect(error.reason).toBe('CLAIM_INVALID');
    expect(error.message.length).toBeLessThanOrEqual(1_024);
  });

  it('UNAVAILABLE is tried again by the client, and only that', async () => {
    const { length: before } = test.app.asked;
    test.app.failure = new KeyturnError('TOKEN_UNAVAILABLE', 'no token');
    expect((await refusalOf(test.signer.signJwt({ signingKey: 'access-tokens', claims }))).reason).toBe(
      'TOKEN_UNAVAILABLE',
    );
    expect(test.app.asked.length - before).toBe(4);
    test.app.failure = new KeyturnError('QUEUE_FULL', 'busy', { retryAfterMs: 10 });
    expect((await refusalOf(test.signer.signJwt({ signingKey: 'access-tokens', claims }))).reason).toBe('QUEUE_FULL');
    expect(test.app.asked.length - before).toBe(5);
    test.app.failure = new KeyturnError('TOKEN_UNAVAILABLE', 'no token');
    expect((await refusalOf(test.admin.retryLogin())).reason).toBe('TOKEN_UNAVAILABLE');
    expect(test.app.asked.length - before).toBe(6);
  });
});
