/** The examples of RFC 7515, RFC 7518, RFC 7638, RFC 8037 and RFC 9964: facts of the standards, held against our functions. */
import { describe, expect, it } from 'vitest';
import { hasReason } from '../../src/base/errors.ts';
import { parseKid } from '../../src/base/ids.ts';
import { toPublicMembers } from '../../src/hsm/public-members.ts';
import type { Algorithm } from '../../src/jose/algorithms.ts';
import { toCompactJwt, toProtectedHeader, toSigningInput } from '../../src/jose/compact.ts';
import type { PublicKeyMembers } from '../../src/jose/jwk.ts';
import { toKeySetDocument } from '../../src/jose/key-set.ts';
import { toPublicJwk, toPublicKey } from '../../src/jose/public-key.ts';
import { verifySignature } from '../../src/jose/signature.ts';
import { toKid } from '../../src/jose/thumbprint.ts';
import { ML_DSA_VECTORS } from '../fixtures/ml-dsa-vectors.ts';

/** RFC 7638, section 3.1. */
const RFC7638_RSA: PublicKeyMembers = {
  kty: 'RSA',
  n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
  e: 'AQAB',
};
/** RFC 8037, appendix A.2. */
const RFC8037_OKP: PublicKeyMembers = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
/** RFC 7515, appendix A.3. */
const RFC7515_EC: PublicKeyMembers = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};
/** RFC 7515, appendix A.4. */
const RFC7515_P521: PublicKeyMembers = {
  kty: 'EC',
  crv: 'P-521',
  x: 'AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk',
  y: 'ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2',
};

function verifyCompact(algorithm: Algorithm, members: PublicKeyMembers, jws: string): boolean {
  const end = jws.lastIndexOf('.');
  return verifySignature(
    algorithm,
    toPublicKey(members),
    Buffer.from(jws.slice(0, end)),
    Buffer.from(jws.slice(end + 1), 'base64url'),
  );
}

describe('thumbprints', () => {
  it('gives the RSA key of RFC 7638 its thumbprint', () => {
    expect(toKid(RFC7638_RSA)).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
  });

  it('gives the Ed25519 key of RFC 8037 its thumbprint', () => {
    expect(toKid(RFC8037_OKP)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  it('does not depend on the order of members or on further members', () => {
    const shuffled = { y: RFC7515_EC.y, kid: 'other', x: RFC7515_EC.x, kty: 'EC', crv: 'P-256' } as const;
    expect(toKid(shuffled)).toBe(toKid(RFC7515_EC));
  });
});

describe('signatures', () => {
  it('verifies the ES256 example of RFC 7515', () => {
    const jws =
      'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q';
    expect(verifyCompact('ES256', RFC7515_EC, jws)).toBe(true);
  });

  it('verifies the ES512 example of RFC 7515', () => {
    const jws =
      'eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn';
    expect(verifyCompact('ES512', RFC7515_P521, jws)).toBe(true);
  });

  it('verifies the EdDSA example of RFC 8037', () => {
    const jws =
      'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg';
    expect(verifyCompact('EdDSA', RFC8037_OKP, jws)).toBe(true);
  });
});

describe.each(ML_DSA_VECTORS)('the $alg example of RFC 9964', ({ alg, kid, pub, jws }) => {
  const members: PublicKeyMembers = { kty: 'AKP', alg, pub };
  const value = Buffer.from(pub, 'base64url');

  it('has its thumbprint, and verifies', () => {
    expect(toKid(members)).toBe(kid);
    expect(verifyCompact(alg, members, jws)).toBe(true);
    expect(verifyCompact(alg, members, `${jws.slice(0, -4)}AAAA`)).toBe(false);
  });

  it('is published with kty, alg, pub, kid and use, and under no other algorithm', () => {
    const jwk = toPublicJwk(members, toKid(members), alg);
    expect(jwk).toEqual({ kty: 'AKP', alg, pub, kid, use: 'sig' });
    expect(JSON.parse(toKeySetDocument([jwk]).toString())).toEqual({ keys: [jwk] });
    for (const other of ML_DSA_VECTORS.filter((vector) => vector.alg !== alg)) {
      expect(() => toPublicJwk(members, toKid(members), other.alg)).toThrow(other.alg);
      expect(verifyCompact(other.alg, members, jws)).toBe(false);
    }
    expect(() => toPublicKey({ ...members, pub: value.subarray(1).toString('base64url') })).toThrow('bytes');
  });

  it('is understood as a token gives it: CKA_VALUE, of exactly that length', () => {
    const none = { ecPoint: undefined, modulus: undefined, publicExponent: undefined };
    expect(toPublicMembers({ algorithm: alg }, { ...none, value })).toEqual(members);
    for (const wrong of [value.subarray(1), Buffer.concat([value, Buffer.alloc(1)]), undefined])
      expect(() => toPublicMembers({ algorithm: alg }, { ...none, value: wrong })).toThrow('CKA_VALUE');
  });
});

describe('compact serialization', () => {
  const kid = toKid(RFC7515_EC);

  it('makes a header of alg, kid and typ, in this order', () => {
    const header = toProtectedHeader('ES256', kid, 'at+jwt');
    expect(Buffer.from(header, 'base64url').toString()).toBe(`{"alg":"ES256","kid":"${kid}","typ":"at+jwt"}`);
  });

  it('joins header, claims and signature with dots, byte for byte', () => {
    // A view into a larger buffer: the bytes around it must not leak into the JWT.
    const payload = new TextEncoder().encode('xx{"sub":"ü"}xx').subarray(2, -2);
    const input = toSigningInput(toProtectedHeader('ES256', kid, 'JWT'), payload);
    const [header, claims, signature, ...rest] = toCompactJwt(input, new Uint8Array([251, 255, 0])).split('.');
    expect(rest).toEqual([]);
    expect(header).toBe(toProtectedHeader('ES256', kid, 'JWT'));
    expect(Buffer.from(claims ?? '', 'base64url').toString()).toBe('{"sub":"ü"}');
    expect(signature).toBe('-_8A');
  });
});

describe('public keys', () => {
  it('publishes exactly the allow-listed members, whatever else the object holds', () => {
    const withPrivate = { ...RFC7515_EC, d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI', ext: null };
    const jwk = toPublicJwk(withPrivate, toKid(RFC7515_EC), 'ES256');
    expect(Object.keys(jwk)).toEqual(['kty', 'crv', 'x', 'y', 'kid', 'alg', 'use']);
    const document = toKeySetDocument([{ ...jwk, ...withPrivate }]).toString();
    expect(JSON.parse(document)).toEqual({ keys: [jwk] });
    expect(document).not.toMatch(/null|jpsQ/);
  });

  it('writes an empty key set as an empty list', () => {
    expect(toKeySetDocument([]).toString()).toBe('{"keys":[]}');
  });

  it('refuses to publish a key under an algorithm of another type or curve', () => {
    const kid = parseKid('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
    expect(() => toPublicJwk(RFC7515_EC, kid, 'ES384')).toThrow('ES384');
    expect(() => toPublicJwk(RFC7638_RSA, kid, 'ES256')).toThrow('ES256');
    expect(toPublicJwk(RFC7638_RSA, kid, 'PS512')).toMatchObject({ alg: 'PS512', use: 'sig', e: 'AQAB' });
  });

  it.each<[string, PublicKeyMembers]>([
    [
      'a coordinate that is one byte short',
      { ...RFC7515_EC, x: Buffer.from(RFC7515_EC.x, 'base64url').subarray(1).toString('base64url') },
    ],
    ['a point that is not on the curve', { ...RFC7515_EC, x: RFC7515_EC.y, y: RFC7515_EC.y }],
    ['padded base64url', { ...RFC8037_OKP, x: `${RFC8037_OKP.x}=` }],
    [
      'a modulus with a leading zero',
      {
        ...RFC7638_RSA,
        n: Buffer.concat([Buffer.alloc(1), Buffer.from(RFC7638_RSA.n, 'base64url')]).toString('base64url'),
      },
    ],
    ['a modulus of 1024 bits', { ...RFC7638_RSA, n: Buffer.alloc(128, 0xff).toString('base64url') }],
    ['an exponent of one', { ...RFC7638_RSA, e: 'AQ' }],
    ['an even exponent', { ...RFC7638_RSA, e: 'Ag' }],
    ['an empty exponent', { ...RFC7638_RSA, e: '' }],
  ])('refuses %s', (_name, members) => {
    expect(() => toPublicKey(members)).toThrow(expect.toSatisfy((error) => hasReason(error, 'KEY_NOT_PROVEN')));
  });
});
