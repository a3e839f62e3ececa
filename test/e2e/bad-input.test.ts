/** Bad input of every kind over the wire: the documented reason, and nothing changed. */
import { compressionAlgorithms, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import type { Reason } from '../../src/base/reasons.ts';
import { type DaemonProcess, startDaemonProcess } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { residentMiB } from '../fixtures/proc.ts';
import { RawSigner } from '../fixtures/raw-signing.ts';
import { signJwtMessage } from '../fixtures/wire-message.ts';

/** Some 50 KiB on the wire. */
const BOMB_MIB = 48;

let deployment: Deployment;
let daemon: DaemonProcess;

beforeAll(async () => {
  deployment = await makeDeployment();
  daemon = await startDaemonProcess(deployment);
  await daemon.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
});

afterAll(async () => {
  await daemon.stop();
  await deployment.dispose();
});

/** All that a command could change, as the API shows it. */
async function everything(): Promise<string> {
  const { signingKeys } = await daemon.admin.listSigningKeys();
  const jwks = await (await fetch(`${daemon.httpUrl}/.well-known/jwks.json`)).text();
  return JSON.stringify([signingKeys.map((key) => [key.name, key.etag, key.activeKid]), jwks]);
}

async function expectRefusal(promise: Promise<unknown>, reason: Reason, field?: string): Promise<void> {
  const error: unknown = await promise.then(
    () => new Error('it was accepted'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof KeyturnError)) throw error;
  expect({ reason: error.reason, message: error.message }).toMatchObject({ reason });
  if (field !== undefined) expect(error.details.field).toBe(field);
  expect(error.message, 'says what to do or what is allowed').not.toBe('');
}

const good = { iss: ISSUER, aud: AUDIENCE };
const text = (json: string): Uint8Array => new TextEncoder().encode(json);
const start = `{"iss":"${ISSUER}","aud":"${AUDIENCE}"`;
const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

describe('SignJwt refuses', () => {
  it.each<[string, Uint8Array, Reason]>([
    ['an empty message', text(''), 'CLAIMS_NOT_JSON'],
    ['something that is not JSON', text('{iss:1}'), 'CLAIMS_NOT_JSON'],
    ['text after the object', text(`${start}} x`), 'CLAIMS_NOT_JSON'],
    ['an array', text('[]'), 'CLAIMS_NOT_OBJECT'],
    ['a string', text('"claims"'), 'CLAIMS_NOT_OBJECT'],
    ['null', text('null'), 'CLAIMS_NOT_OBJECT'],
    ['a duplicate name', text(`${start},"sub":"a","sub":"b"}`), 'CLAIMS_DUPLICATE_NAME'],
    ['a duplicate name in an escape', text(`${start},"aud":"x","\\u0061ud":"y"}`), 'CLAIMS_DUPLICATE_NAME'],
    ['a duplicate name deep inside', text(`${start},"x":[{"y":1,"y":2}]}`), 'CLAIMS_DUPLICATE_NAME'],
    ['__proto__', text(`${start},"__proto__":{"admin":true}}`), 'CLAIMS_FORBIDDEN_NAME'],
    ['__proto__ in an escape, deep inside', text(`${start},"x":{"\\u005f_proto__":1}}`), 'CLAIMS_FORBIDDEN_NAME'],
    ['a lone surrogate', text(`${start},"sub":"\\ud800"}`), 'CLAIMS_LONE_SURROGATE'],
    ['bytes that are not UTF-8', bytes(start, ',"sub":"', [0xff, 0xfe], '"}'), 'CLAIMS_NOT_UTF8'],
    ['an overlong encoding', bytes(start, ',"sub":"', [0xc0, 0xaf], '"}'), 'CLAIMS_NOT_UTF8'],
    ['deep nesting', text(`${start},"x":${'['.repeat(200)}${']'.repeat(200)}}`), 'CLAIMS_TOO_DEEP'],
    ['20 KiB of claims', text(`${start},"x":"${'a'.repeat(20_480)}"}`), 'CLAIMS_TOO_LARGE'],
    ['its own exp', text(`${start},"exp":9999999999}`), 'CLAIM_RESERVED'],
    ['its own iat in an escape', text(`${start},"\\u0069at":1}`), 'CLAIM_RESERVED'],
    ['a missing audience', text(`{"iss":"${ISSUER}"}`), 'CLAIM_INVALID'],
    ['another audience', text(`{"iss":"${ISSUER}","aud":"https://other.example"}`), 'CLAIM_NOT_PERMITTED'],
    [
      'one more audience',
      text(`{"iss":"${ISSUER}","aud":["${AUDIENCE}","https://other.example"]}`),
      'CLAIM_NOT_PERMITTED',
    ],
    ['another issuer', text(`{"iss":"https://other.example","aud":"${AUDIENCE}"}`), 'CLAIM_NOT_PERMITTED'],
    ['an issuer that is not a string', text(`{"iss":["${ISSUER}"],"aud":"${AUDIENCE}"}`), 'CLAIM_INVALID'],
  ])('%s', async (_what, claims, reason) => {
    const before = await everything();
    await expectRefusal(daemon.clientOf('auth-service').signJwt({ signingKey: 'access-tokens', claims }), reason);
    expect(await everything()).toBe(before);
  });

  it('1 MiB of claims, before it reads them', async () => {
    const claims = text(`${start},"x":"${'a'.repeat(1_048_576)}"}`);
    const before = await everything();
    await expectRefusal(
      daemon.clientOf('auth-service').signJwt({ signingKey: 'access-tokens', claims }),
      'REQUEST_TOO_LARGE',
    );
    expect(await everything()).toBe(before);
  });

  it('a message that grows beyond the limit when it is decompressed, and takes no memory for it', async () => {
    const gzip = { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip };
    const signer = new RawSigner(`unix:${deployment.adminSocket}`, credentials.createInsecure(), gzip);
    const bomb = signJwtMessage({ signingKey: 'access-tokens', claims: Buffer.alloc(BOMB_MIB * 1_048_576, ' ') });
    const before = residentMiB(daemon.pid);
    expect(await signer.signAll([bomb, bomb, bomb], 3)).toMatchObject(
      ['REQUEST_TOO_LARGE', 'REQUEST_TOO_LARGE', 'REQUEST_TOO_LARGE'].map((reason) => ({ reason })),
    );
    expect(residentMiB(daemon.pid) - before).toBeLessThan(BOMB_MIB);
    const small = signJwtMessage({ signingKey: 'access-tokens', claims: JSON.stringify(good) });
    expect(await signer.sign(small)).toHaveProperty('jwt');
    signer.close();
  });

  it('a signing key that is not there or not granted, in the same words', async () => {
    const client = daemon.clientOf('auth-service');
    await expectRefusal(client.signJwt({ signingKey: 'no-such-key', claims: good }), 'SIGNING_KEY_NOT_PERMITTED');
    await expectRefusal(
      daemon.clientOf('other-service').signJwt({ signingKey: 'access-tokens', claims: good }),
      'SIGNING_KEY_NOT_PERMITTED',
    );
    await expectRefusal(
      daemon.clientOf('other-service').signJwt({ signingKey: 'other-tokens', claims: good }),
      'SIGNING_KEY_NOT_FOUND',
    );
    await expectRefusal(client.signJwt({ signingKey: '../etc', claims: good }), 'FIELD_INVALID', 'signing_key');
  });

  it('a lifetime that is not granted, a broken one, and a typ that is not granted', async () => {
    const client = daemon.clientOf('auth-service');
    await expectRefusal(
      client.signJwt({ signingKey: 'access-tokens', claims: good, lifetimeSeconds: 3_601 }),
      'LIFETIME_NOT_PERMITTED',
      'lifetime',
    );
    await expectRefusal(
      client.signJwt({ signingKey: 'access-tokens', claims: good, lifetimeSeconds: 0 }),
      'FIELD_INVALID',
      'lifetime',
    );
    await expectRefusal(
      client.signJwt({ signingKey: 'access-tokens', claims: good, lifetimeSeconds: -1 }),
      'FIELD_INVALID',
      'lifetime',
    );
    await expectRefusal(
      client.signJwt({ signingKey: 'access-tokens', claims: good, lifetimeSeconds: 1.5 }),
      'FIELD_INVALID',
      'lifetime',
    );
    await expectRefusal(
      client.signJwt({ signingKey: 'access-tokens', claims: good, typ: 'dpop+jwt' }),
      'TYP_NOT_PERMITTED',
      'typ',
    );
  });
});

describe('KeyAdminService refuses', () => {
  it.each<[string, object, Reason]>([
    ['a name that is no DNS label', { name: 'Access_Tokens', algorithm: 'ES256' }, 'FIELD_INVALID'],
    ['no algorithm', { name: 'new-key', algorithm: '' }, 'FIELD_INVALID'],
    ['an algorithm that it does not sign with', { name: 'new-key', algorithm: 'HS256' }, 'FIELD_INVALID'],
    ['none', { name: 'new-key', algorithm: 'none' }, 'FIELD_INVALID'],
    ['a weak RSA key', { name: 'new-key', algorithm: 'RS256', rsaBits: 1_024 }, 'FIELD_INVALID'],
    ['RSA bits for an elliptic curve', { name: 'new-key', algorithm: 'ES256', rsaBits: 2_048 }, 'FIELD_INVALID'],
    ['an unknown key set', { name: 'new-key', algorithm: 'ES256', keySet: 'nowhere' }, 'KEY_SET_NOT_FOUND'],
    [
      'another algorithm for an existing signing key',
      { name: 'access-tokens', algorithm: 'ES384' },
      'SIGNING_KEY_IMMUTABLE',
    ],
    [
      'a signing period shorter than the ceiling',
      { name: 'new-key', algorithm: 'ES256', lifecyclePolicy: { signingPeriodMs: 1_000, rollbackWindowMs: 0 } },
      'POLICY_UNSAFE',
    ],
    ['three standbys', { name: 'new-key', algorithm: 'ES256', lifecyclePolicy: { standbys: 3 } }, 'FIELD_INVALID'],
    [
      'a policy that outgrows the key set',
      {
        name: 'new-key',
        algorithm: 'ES256',
        lifecyclePolicy: { signingPeriodMs: 60_000, maxJwtLifetimeMs: 86_400_000, rollbackWindowMs: 0 },
      },
      'KEY_SET_FULL',
    ],
    ['an old etag', { name: 'access-tokens', algorithm: 'ES256', etag: 'stale' }, 'ETAG_MISMATCH'],
  ])('%s', async (_what, request, reason) => {
    const before = await everything();
    await expectRefusal(
      daemon.admin.applySigningKey(request as Parameters<typeof daemon.admin.applySigningKey>[0]),
      reason,
    );
    expect(await everything()).toBe(before);
  });

  it('to rotate, show or list what is not there', async () => {
    const before = await everything();
    await expectRefusal(daemon.admin.rotate({ signingKey: 'no-such-key' }), 'SIGNING_KEY_NOT_FOUND');
    await expectRefusal(daemon.admin.getSigningKey({ name: 'no-such-key' }), 'SIGNING_KEY_NOT_FOUND');
    await expectRefusal(daemon.admin.listKeyVersions({ signingKey: 'no-such-key' }), 'SIGNING_KEY_NOT_FOUND');
    await expectRefusal(daemon.admin.listSigningKeys({ pageToken: 'x' }), 'PAGE_TOKEN_INVALID');
    await expectRefusal(
      daemon.admin.rotate({ signingKey: 'access-tokens', requestId: 'not-a-uuid' }),
      'FIELD_INVALID',
      'request_id',
    );
    await expectRefusal(daemon.admin.getKeySet({ keySet: 'nowhere' }), 'KEY_SET_NOT_FOUND');
    expect(await everything()).toBe(before);
  });
});
