import { describe, expect, it } from 'vitest';
import { toPublicMembers } from '../../src/hsm/public-members.ts';

const NONE = { ecPoint: undefined, modulus: undefined, publicExponent: undefined, value: undefined };
const F4 = Buffer.from('010001', 'hex');

function point(coordinateBytes: number): Buffer {
  return Buffer.concat([Buffer.from([4]), Buffer.alloc(coordinateBytes, 1), Buffer.alloc(coordinateBytes, 2)]);
}

describe('CKA_EC_POINT', () => {
  it.each([
    ['ES256', 32, '0441'],
    ['ES384', 48, '0461'],
    ['ES512', 66, '048185'],
    ['ES256K', 32, '0441'],
  ] as const)('is understood bare and as a DER OCTET STRING: %s', (algorithm, bytes, derHead) => {
    const bare = toPublicMembers({ algorithm }, { ...NONE, ecPoint: point(bytes) });
    const wrapped = toPublicMembers(
      { algorithm },
      { ...NONE, ecPoint: Buffer.concat([Buffer.from(derHead, 'hex'), point(bytes)]) },
    );
    expect(bare).toEqual(wrapped);
    expect(bare).toMatchObject({
      kty: 'EC',
      x: Buffer.alloc(bytes, 1).toString('base64url'),
      y: Buffer.alloc(bytes, 2).toString('base64url'),
    });
  });

  it('is told apart by length alone for Ed25519, whose bare key may begin with 0x04 0x20', () => {
    const key = Buffer.concat([Buffer.from('0420', 'hex'), Buffer.alloc(30, 7)]);
    const x = key.toString('base64url');
    expect(toPublicMembers({ algorithm: 'Ed25519' }, { ...NONE, ecPoint: key })).toEqual({
      kty: 'OKP',
      crv: 'Ed25519',
      x,
    });
    expect(
      toPublicMembers({ algorithm: 'Ed25519' }, { ...NONE, ecPoint: Buffer.concat([Buffer.from('0420', 'hex'), key]) }),
    ).toMatchObject({ x });
  });

  it.each([
    ['a byte short', point(32).subarray(1)],
    ['a byte long', Buffer.concat([point(32), Buffer.from([0])])],
    ['wrapped with a wrong length', Buffer.concat([Buffer.from('0442', 'hex'), point(32)])],
    ['compressed', Buffer.concat([Buffer.from([2]), point(32).subarray(1)])],
    ['empty', Buffer.alloc(0)],
    ['absent', undefined],
  ])('is refused when it is %s', (_, ecPoint) => {
    expect(() => toPublicMembers({ algorithm: 'ES256' }, { ...NONE, ecPoint })).toThrow(
      expect.objectContaining({ reason: 'KEY_NOT_PROVEN' }),
    );
  });
});

describe('CKA_MODULUS', () => {
  const modulus = Buffer.concat([Buffer.from([0x80]), Buffer.alloc(254, 3), Buffer.from([1])]);

  it('loses its leading zeros', () => {
    const padded = {
      ...NONE,
      modulus: Buffer.concat([Buffer.alloc(1), modulus]),
      publicExponent: Buffer.concat([Buffer.alloc(1), F4]),
    };
    expect(toPublicMembers({ algorithm: 'RS256', rsaBits: 2048 }, padded)).toEqual({
      kty: 'RSA',
      n: modulus.toString('base64url'),
      e: 'AQAB',
    });
  });

  it.each([
    ['a modulus of another size', { modulus: modulus.subarray(1), publicExponent: F4 }],
    [
      'a modulus one bit short',
      { modulus: Buffer.concat([Buffer.from([0x7f]), modulus.subarray(1)]), publicExponent: F4 },
    ],
    ['an exponent of 3', { modulus, publicExponent: Buffer.from([3]) }],
    ['an even exponent', { modulus, publicExponent: Buffer.from('010000', 'hex') }],
    ['no exponent', { modulus, publicExponent: undefined }],
  ])('is refused with %s', (_, attributes) => {
    expect(() => toPublicMembers({ algorithm: 'RS256', rsaBits: 2048 }, { ...NONE, ...attributes })).toThrow(
      expect.objectContaining({ reason: 'KEY_NOT_PROVEN' }),
    );
  });
});
