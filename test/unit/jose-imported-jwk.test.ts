import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { isSmallOrder } from '../../src/jose/ed25519-order.ts';
import { parseImportedJwk } from '../../src/jose/imported-jwk.ts';
import { makeOldSigner, type OldSigner } from '../fixtures/old-signer.ts';

const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const parse = (value: unknown) => parseImportedJwk(bytesOf(value));

const withZero = (text = ''): string =>
  Buffer.concat([Buffer.alloc(1), Buffer.from(text, 'base64url')]).toString('base64url');

let ec: OldSigner;
let rsa: OldSigner;
let okp: OldSigner;
beforeAll(async () => {
  ec = await makeOldSigner({ alg: 'ES256' });
  rsa = await makeOldSigner({ alg: 'RS256' });
  okp = await makeOldSigner({ alg: 'Ed25519' });
});

describe('the JWK of an old signer', () => {
  it.each(['RS256', 'PS384', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'ML-DSA-44'])(
    'is taken with %s',
    async (alg) => {
      const signer = await makeOldSigner({ alg, kid: `old ${alg}` });
      const { kid, thumbprint, algorithm } = parse({ ...signer.jwk, use: 'sig', key_ops: ['verify'] });
      expect({ kid, thumbprint, algorithm }).toEqual({
        kid: `old ${alg}`,
        thumbprint: signer.thumbprint,
        algorithm: alg,
      });
    },
  );

  it('is taken apart: nothing but the members of the key goes on', () => {
    expect(parse({ ...ec.jwk, use: 'sig' }).publicKey).toEqual({ kty: 'EC', crv: 'P-256', x: ec.jwk.x, y: ec.jwk.y });
  });

  it.each([
    ['d', () => ec.privateJwk],
    ['d', () => ({ ...rsa.jwk, d: 'AQ' })],
    ['p', () => ({ ...rsa.jwk, p: 'AQ' })],
    ['oth', () => ({ ...rsa.jwk, oth: [] })],
    ['k', () => ({ ...ec.jwk, k: 'AQ' })],
  ])('is refused with the private member %s, which counts as known from then on', (member, jwk) => {
    expect(() => parse(jwk())).toThrow(
      expect.objectContaining({
        reason: 'PUBLIC_KEY_INVALID',
        message: expect.stringContaining(`jwk.${member} is private`) as string,
      }),
    );
  });

  it.each<[string, () => unknown, string]>([
    ['a key set', () => ({ keys: [ec.jwk] }), 'this is a key set'],
    ['a list', () => [ec.jwk], 'must be one JSON object'],
    ['a shared secret', () => ({ ...ec.jwk, kty: 'oct' }), 'shared secret'],
    ['an unknown key type', () => ({ ...ec.jwk, kty: 'XYZ' }), 'jwk.kty must be RSA, EC, OKP or AKP'],
    ['a certificate chain', () => ({ ...ec.jwk, x5c: [] }), 'jwk.x5c must not be there: a EC key has kty, kid'],
    ['a member of another key type', () => ({ ...ec.jwk, n: 'AQ' }), 'jwk.n must not be there'],
    ['use for encryption', () => ({ ...ec.jwk, use: 'enc' }), 'jwk.use must be sig'],
    ['a use of null', () => ({ ...ec.jwk, use: null }), 'jwk.use must be sig'],
    ['key_ops that sign', () => ({ ...ec.jwk, key_ops: ['verify', 'sign'] }), 'jwk.key_ops must be'],
    ['no kid', () => ({ ...ec.jwk, kid: undefined }), 'jwk.kid is required'],
    ['a kid that is a number', () => ({ ...ec.jwk, kid: 7 }), 'jwk.kid must be 1 to 256'],
    ['an empty kid', () => ({ ...ec.jwk, kid: '' }), 'jwk.kid must be 1 to 256'],
    ['a kid with a line break', () => ({ ...ec.jwk, kid: 'a\nb' }), 'jwk.kid must be 1 to 256'],
    ['no alg', () => ({ ...ec.jwk, alg: undefined }), 'jwk.alg is required'],
    ['an alg that nobody signs with', () => ({ ...ec.jwk, alg: 'HS256' }), 'jwk.alg must be one of'],
    ["another key type's alg", () => ({ ...ec.jwk, alg: 'RS256' }), 'jwk.kty must be RSA for RS256'],
    ["another curve's alg", () => ({ ...ec.jwk, alg: 'ES384' }), 'jwk.crv must be P-384 for ES384'],
    ['no y', () => ({ ...ec.jwk, y: undefined }), 'jwk.y is required'],
    ['a point that is not on its curve', () => ({ ...ec.jwk, y: ec.jwk.x }), 'OpenSSL refuses it'],
    ['base64url with padding', () => ({ ...ec.jwk, x: `${ec.jwk.x}=` }), 'not canonical base64url'],
    [
      'a modulus that begins with zero',
      () => ({ ...rsa.jwk, n: withZero(rsa.jwk.n) }),
      'n must not begin with a zero byte',
    ],
    ['an even exponent', () => ({ ...rsa.jwk, e: 'BA' }), 'no usable exponent'],
    ['a point of small order', () => ({ ...okp.jwk, x: `AQ${'A'.repeat(41)}` }), 'small order'],
  ])('is refused with %s', (_, jwk, message) => {
    expect(() => parse(jwk())).toThrow(
      expect.objectContaining({
        reason: 'PUBLIC_KEY_INVALID',
        message: expect.stringMatching(message) as string,
      }),
    );
  });

  it('is refused with RSA keys of fewer than 2048 bits', () => {
    const weak = (bits: number) => {
      const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
      return { ...publicKey.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256' };
    };
    expect(() => parse(weak(1_024))).toThrow('n has a wrong length');
    expect(() => parse(weak(2_047))).toThrow('jwk.n must have at least 2048 bits, not 2047');
  });

  it.each([
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'jwk must be UTF-8'],
    ['what is no JSON', Buffer.from('{"kty":'), 'jwk must be JSON'],
    ['a member twice', Buffer.from('{"kty":"EC","kty":"RSA"}'), 'jwk must not use the name "kty" twice'],
    ['a prototype', Buffer.from('{"__proto__":{"kty":"EC"}}'), 'jwk must not use the name __proto__'],
    ['too much', Buffer.alloc(9_000, 0x20), 'at most 8192 bytes'],
  ])('is refused for %s', (_, bytes, message) => {
    expect(() => parseImportedJwk(bytes)).toThrow(expect.objectContaining({ reason: 'PUBLIC_KEY_INVALID' }));
    expect(() => parseImportedJwk(bytes)).toThrow(message);
  });
});

describe('Ed25519 points', () => {
  /** The y coordinate of the points of order 8 (RFC 7748's curve in Edwards form): for its square s, d·s² + 2·s − 1 = 0. */
  const ORDER_8 = '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05';
  const Y_ORDER_8 = BigInt(`0x${Buffer.from(Buffer.from(ORDER_8, 'hex').toReversed()).toString('hex')}`);
  const P = 2n ** 255n - 19n;
  const encode = (y: bigint, sign = 0): Buffer => {
    const bytes = Buffer.from(Buffer.from(y.toString(16).padStart(64, '0'), 'hex').toReversed());
    bytes[31] = (bytes[31] ?? 0) | (sign << 7);
    return bytes;
  };

  it.each([
    ['the neutral element', encode(1n)],
    ['the neutral element with a sign', encode(1n, 1)],
    ['order 2', encode(P - 1n)],
    ['order 4', encode(0n)],
    ['order 4, the other one', encode(0n, 1)],
    ['order 8', Buffer.from(ORDER_8, 'hex')],
    ['order 8, the negative', encode(P - Y_ORDER_8)],
    ['zero, not canonical', encode(P)],
    ['one, not canonical', encode(P + 1n)],
  ])('of %s are none to verify with', (_, point) => {
    expect(isSmallOrder(point)).toBe(true);
  });

  it('that keys have are', () => {
    expect(isSmallOrder(Buffer.from(okp.jwk.x ?? '', 'base64url'))).toBe(false);
    expect(isSmallOrder(encode(2n))).toBe(false);
  });
});
