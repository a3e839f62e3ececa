/** Suspend, Reactivate, Rollback and DeclareCompromised over real connections, with the typed client at the other end. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Client, credentials, type MethodDefinition, type ServiceError, status } from '@grpc/grpc-js';
import { KeyturnError } from '../../src/base/errors.ts';
import { keyAdminMethods } from '../../src/client/protos.ts';
import { startTestServers, type TestServers } from '../fixtures/test-servers.ts';

let test: TestServers;
beforeAll(async () => {
  test = await startTestServers();
  await test.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
  await test.admin.applySigningKey({ name: 'refresh-tokens', algorithm: 'ES256' });
});
afterAll(() => test.dispose());
afterEach(() => {
  test.app.failure = undefined;
});

const signingKey = 'access-tokens';
const HOUR_MS = 3_600_000;
const CREATED_AT_MS = 1_700_000_000_123;

describe('Suspend, Reactivate and Rollback', () => {
  it('pass on what was sent, and the defaults of what was not', async () => {
    const whole = { signingKey, validateOnly: true, etag: 'e', reason: 'drill' };
    const bare = { signingKey, validateOnly: false, etag: '', reason: '' };

    await test.admin.suspend({ ...whole, halt: true });
    expect(test.app.asked.at(-1)).toMatchObject({ caller: 'admin', command: { ...whole, halt: true } });
    await test.admin.suspend({ signingKey });
    expect(test.app.asked.at(-1)).toMatchObject({ command: { ...bare, halt: false } });

    await test.admin.reactivate({ ...whole, version: 7 });
    expect(test.app.asked.at(-1)).toMatchObject({ caller: 'admin', command: { ...whole, version: 7 } });

    await test.admin.rollback({ signingKey });
    expect(test.app.asked.at(-1)).toMatchObject({ caller: 'admin', command: bare });
  });

  it('answer with the signing key as it is then', async () => {
    const suspended = (await test.admin.suspend({ signingKey })).signingKey;
    expect(suspended).toMatchObject({ activeVersion: 2, halted: false });
    const halted = (await test.admin.suspend({ signingKey, halt: true })).signingKey;
    expect(halted).toMatchObject({ activeVersion: undefined, activeKid: undefined, halted: true });
    const back = (await test.admin.reactivate({ signingKey, version: 5 })).signingKey;
    expect(back).toMatchObject({
      activeVersion: 5,
      halted: false,
      rotationDueTime: new Date(CREATED_AT_MS + 720 * HOUR_MS),
    });
    expect((await test.admin.rollback({ signingKey })).signingKey.name).toBe(signingKey);
  });

  it('are tried again by the client with the same request id, so that they are done once', async () => {
    const calls = [
      () => test.admin.suspend({ signingKey }),
      () => test.admin.reactivate({ signingKey, version: 1 }),
      () => test.admin.rollback({ signingKey }),
    ];
    for (const call of calls) {
      const { length } = test.app.asked;
      test.app.failure = new KeyturnError('STORE_UNAVAILABLE', 'the disk is full');
      await expect(call()).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
      const asked = test.app.asked.slice(length).map(({ command }) => (command as { requestId: string }).requestId);
      expect(asked.length).toBeGreaterThan(1);
      expect(new Set(asked).size).toBe(1);
      expect(asked[0]).toMatch(/^[0-9a-f-]{36}$/);
    }
  });
});

describe('Retire, Unretire and ScheduleRotation', () => {
  const whole = {
    signingKey,
    validateOnly: true,
    etag: 'e',
    reason: 'drill',
    requestId: '3f2d1c0b-0000-4000-8000-00000000002a',
  };
  const rotateTime = new Date(CREATED_AT_MS + HOUR_MS);

  it('pass on what was sent', async () => {
    await test.admin.retire(whole);
    expect(test.app.asked.at(-1)).toMatchObject({ caller: 'admin', command: whole });
    await test.admin.unretire(whole);
    expect(test.app.asked.at(-1)).toMatchObject({ caller: 'admin', command: whole });
    await test.admin.scheduleRotation({ ...whole, rotateTime });
    expect(test.app.asked.at(-1)).toMatchObject({
      caller: 'admin',
      command: { ...whole, dueMs: rotateTime.getTime() },
    });
    await test.admin.scheduleRotation({ signingKey, rotateTime: undefined });
    expect(test.app.asked.at(-1)).toMatchObject({ command: { signingKey, dueMs: undefined } });
  });

  it('answer with the signing key as it is then', async () => {
    expect((await test.admin.retire({ signingKey })).signingKey).toMatchObject({
      activeVersion: undefined,
      retireTime: new Date(CREATED_AT_MS),
      unretireUntilTime: new Date(CREATED_AT_MS + HOUR_MS),
    });
    expect((await test.admin.unretire({ signingKey })).signingKey).toMatchObject({
      activeVersion: 1,
      retireTime: undefined,
      unretireUntilTime: undefined,
    });
    const scheduled = await test.admin.scheduleRotation({ signingKey, rotateTime });
    expect(scheduled.signingKey.scheduledRotationTime).toEqual(rotateTime);
  });

  it.each([
    ['neither a time nor a cancellation', {}],
    ['a cancellation that is false', { cancel: false }],
  ])('ScheduleRotation refuses %s, and asks for nothing', async (_, message) => {
    const { length } = test.app.asked;
    await expect(callRaw(keyAdminMethods.ScheduleRotation, { signingKey, ...message })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching('^schedule must ') as string,
    });
    expect(test.app.asked).toHaveLength(length);
  });
});

describe('DeclareCompromised', () => {
  const reason = 'found in a repository';

  it.each([
    [
      'a version',
      { version: { signingKey, version: 3 } },
      { kind: 'version', signingKey, version: 3 },
      [{ signingKey, withdrawnVersions: [3], activeVersion: 4, readyTime: undefined }],
    ],
    [
      'a signing key',
      { signingKey },
      { kind: 'signingKey', signingKey },
      [
        {
          signingKey,
          withdrawnVersions: [1, 2, 3],
          activeVersion: undefined,
          readyTime: new Date(CREATED_AT_MS + HOUR_MS),
          lastJwtExpireTime: new Date(CREATED_AT_MS + 2 * HOUR_MS),
        },
      ],
    ],
    ['the whole token', { wholeToken: true }, { kind: 'token' }, [{ signingKey }, { signingKey: 'refresh-tokens' }]],
  ] as const)('withdraws %s and tells the effect on each signing key', async (_, scope, passedOn, effects) => {
    const answer = await test.admin.declareCompromised({ scope, reason, retain: true });
    expect(answer.effects).toMatchObject(effects);
    const { command } = test.app.asked.at(-1) ?? {};
    expect(command).toEqual({
      scope: passedOn,
      retain: true,
      validateOnly: false,
      reason,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
  });

  it.each([
    ['no scope', {}, 'scope'],
    ['a whole_token that is false', { wholeToken: false }, 'scope'],
    ['no reason', { signingKey, reason: '' }, 'reason'],
    ['a reason of blanks', { signingKey, reason: ' \n' }, 'reason'],
  ])('refuses %s, names the field, and asks for nothing', async (_, message, field) => {
    const { length } = test.app.asked;
    await expect(callRaw(keyAdminMethods.DeclareCompromised, { reason, ...message })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(`^${field} must `) as string,
    });
    expect(test.app.asked).toHaveLength(length);
  });

  it('is tried again by the client: a repetition withdraws nothing more', async () => {
    test.app.failure = new KeyturnError('STORE_UNAVAILABLE', 'the disk is full');
    const { length } = test.app.asked;
    await expect(test.admin.declareCompromised({ scope: { signingKey }, reason })).rejects.toMatchObject({
      reason: 'STORE_UNAVAILABLE',
    });
    expect(test.app.asked.length - length).toBe(4);
  });

  it('is not for auditors', async () => {
    const auditor = test.connect(await test.authority.issueClient('auditor', { dnsNames: ['auditor.example'] }));
    await expect(auditor.declareCompromised({ scope: { wholeToken: true }, reason })).rejects.toMatchObject({
      reason: 'METHOD_NOT_PERMITTED',
      message: expect.stringContaining('securityOfficer') as string,
    });
  });
});

/** What the typed client can't say. */
function callRaw<Request, Response>(method: MethodDefinition<Request, Response>, message: Request): Promise<unknown> {
  const client = new Client(`unix:${test.adminSocket}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = method;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      (error: ServiceError | null, answer) => {
        client.close();
        if (error === null) resolve(answer);
        else reject(error);
      },
    );
  });
}
