import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseClaims, withTimes } from '../../src/jose/claims.ts';
import { toCompactJwt, toProtectedHeader, toSigningInput } from '../../src/jose/compact.ts';
import type { PublicKeyMembers } from '../../src/jose/jwk.ts';
import { toKeySetDocument } from '../../src/jose/key-set.ts';
import { toPublicJwk } from '../../src/jose/public-key.ts';
import { toKid } from '../../src/jose/thumbprint.ts';
import { verifyJwt } from '../../src/jose/verify-jwt.ts';
import { makeSoftwareKey, signInSoftware } from '../fixtures/software-keys.ts';

const NOW_SECONDS = 1_700_000_000;
const NOW_MS = NOW_SECONDS * 1_000;

/** A software key stands in for the token; everything else is keyturn's own code. */
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const members = publicKey.export({ format: 'jwk' }) as PublicKeyMembers;
const kid = toKid(members);
const jwks: unknown = JSON.parse(toKeySetDocument([toPublicJwk(members, kid, 'ES256')]).toString());

function makeJwt(header = toProtectedHeader('ES256', kid, 'JWT')): string {
  const claims = parseClaims(Buffer.from('{"iss":"https://issuer.example","aud":["https://api.example"],"sub":"ü"}'), {
    maxBytes: 8_192,
    maxDepth: 8,
  });
  const signingInput = toSigningInput(
    header,
    withTimes(claims, { iatSeconds: NOW_SECONDS, expSeconds: NOW_SECONDS + 60, jti: 'x' }),
  );
  return toCompactJwt(signingInput, sign('sha256', signingInput, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
}

const refusal = (problem: string) => ({ reason: 'JWT_NOT_VERIFIED', message: expect.stringContaining(problem) });

describe('verifyJwt', () => {
  it('accepts what keyturn makes and gives header and claims', async () => {
    const verified = await verifyJwt(makeJwt(), jwks, {
      nowMs: NOW_MS,
      issuer: 'https://issuer.example',
      audience: 'https://api.example',
    });
    expect(verified.protectedHeader).toEqual({ alg: 'ES256', kid, typ: 'JWT' });
    expect(verified.payload).toEqual({
      iss: 'https://issuer.example',
      aud: ['https://api.example'],
      sub: 'ü',
      iat: NOW_SECONDS,
      exp: NOW_SECONDS + 60,
      jti: 'x',
    });
  });

  it('judges exp by the time given, with the leeway given', async () => {
    await expect(verifyJwt(makeJwt(), jwks, { nowMs: NOW_MS + 60_000 })).rejects.toMatchObject(refusal('expired'));
    await expect(verifyJwt(makeJwt(), jwks, { nowMs: NOW_MS + 60_000, leewaySeconds: 1 })).resolves.toBeDefined();
  });

  it('says what failed', async () => {
    const jwt = makeJwt();
    const changed = jwt.replace(/\.[^.]+\./, `.${Buffer.from('{"exp":9999999999}').toString('base64url')}.`);
    await expect(verifyJwt(changed, jwks, { nowMs: NOW_MS })).rejects.toMatchObject(refusal('signature is wrong'));
    await expect(verifyJwt(jwt, { keys: [] }, { nowMs: NOW_MS })).rejects.toMatchObject(refusal('no key'));
    await expect(verifyJwt(jwt, { keys: {} }, { nowMs: NOW_MS })).rejects.toMatchObject(refusal('no JWKS'));
    await expect(verifyJwt(jwt, null, { nowMs: NOW_MS })).rejects.toMatchObject(refusal('no JWKS'));
    await expect(verifyJwt('x.y', jwks, { nowMs: NOW_MS })).rejects.toMatchObject(refusal('compact form'));
    await expect(verifyJwt(jwt, jwks, { nowMs: NOW_MS, issuer: 'https://other.example' })).rejects.toMatchObject(
      refusal('iss'),
    );
    await expect(verifyJwt(jwt, jwks, { nowMs: NOW_MS, audience: 'https://other.example' })).rejects.toMatchObject(
      refusal('aud'),
    );
  });

  it.each([
    ['white space', (jwt: string) => `${jwt} `],
    ['a line break in the signature', (jwt: string) => `${jwt.slice(0, -4)}\n${jwt.slice(-4)}`],
    ['padding', (jwt: string) => `${jwt}==`],
    ['the alphabet of plain base64', (jwt: string) => `${jwt.slice(0, jwt.lastIndexOf('.'))}.+/${'A'.repeat(84)}`],
    [
      'JSON around it',
      (jwt: string) => `{"protected":"${jwt.replace('.', '","payload":"').replace('.', '","signature":"')}"}`,
    ],
    ['no signature', (jwt: string) => jwt.slice(0, jwt.lastIndexOf('.') + 1)],
  ])('refuses a JWT in any form but the compact one: %s', async (_what, write) => {
    await expect(verifyJwt(write(makeJwt()), jwks, { nowMs: NOW_MS })).rejects.toMatchObject(refusal('compact form'));
  });

  it('refuses alg none', async () => {
    const header = Buffer.from('{"alg":"none"}').toString('base64url');
    await expect(verifyJwt(makeJwt(header), jwks, { nowMs: NOW_MS })).rejects.toMatchObject({
      reason: 'JWT_NOT_VERIFIED',
    });
  });
});

describe('verifyJwt, of the algorithms that few know', () => {
  it.each(['ES256K', 'ML-DSA-44'] as const)(
    'verifies %s like any other, and refuses like any other',
    async (algorithm) => {
      const pair = makeSoftwareKey({ algorithm });
      const own = pair.publicKey.export({ format: 'jwk' }) as PublicKeyMembers;
      const ownKid = toKid(own);
      const ownJwks: unknown = JSON.parse(toKeySetDocument([toPublicJwk(own, ownKid, algorithm)]).toString());
      const claims = Buffer.from(JSON.stringify({ iss: 'https://issuer.example', exp: NOW_SECONDS + 60 }));
      const input = toSigningInput(toProtectedHeader(algorithm, ownKid, 'JWT'), claims);
      const jwt = toCompactJwt(input, signInSoftware(algorithm, pair.privateKey, input));
      const verified = await verifyJwt(jwt, ownJwks, { nowMs: NOW_MS, issuer: 'https://issuer.example' });
      expect(verified).toEqual({
        payload: JSON.parse(claims.toString()) as unknown,
        protectedHeader: { alg: algorithm, kid: ownKid, typ: 'JWT' },
      });
      const forged = toCompactJwt(input, signInSoftware(algorithm, makeSoftwareKey({ algorithm }).privateKey, input));
      const at = { nowMs: NOW_MS };
      await expect(verifyJwt(forged, ownJwks, at)).rejects.toMatchObject(refusal('its signature is wrong'));
      await expect(verifyJwt(jwt, ownJwks, { nowMs: NOW_MS + 61_000 })).rejects.toMatchObject(refusal('expired'));
      await expect(verifyJwt(jwt, ownJwks, { ...at, issuer: 'x' })).rejects.toMatchObject(refusal('its claim iss'));
      await expect(verifyJwt(jwt, jwks, at)).rejects.toMatchObject(refusal('no key with its kid and alg'));
      await expect(verifyJwt(`${jwt}=`, ownJwks, at)).rejects.toMatchObject(refusal('no JWT in compact form'));
      await expect(verifyJwt(`${jwt}.x`, ownJwks, at)).rejects.toMatchObject(refusal('no JWT in compact form'));
    },
  );
});
