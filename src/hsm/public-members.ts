/**
 * The public half as the token tells it (CKA_EC_POINT; CKA_MODULUS and CKA_PUBLIC_EXPONENT; CKA_VALUE) turned into JWK members.
 * Pure, and strict about lengths: the token isn't trusted to be right. CKA_EC_POINT is a DER OCTET STRING on most tokens
 * and the bare point on others; only the exact length tells which, since 0x04 begins both.
 */
import { KeyturnError } from '../base/errors.ts';
import { type AkpSpec, type EcSpec, type KeySpec, type OkpSpec, specOf } from '../jose/algorithms.ts';
import type { PublicKeyMembers } from '../jose/jwk.ts';

/** Public attributes as read; undefined where the key has none or the token told none. */
export interface PublicAttributes {
  readonly ecPoint: Buffer | undefined;
  readonly modulus: Buffer | undefined;
  readonly publicExponent: Buffer | undefined;
  /** CKA_VALUE of an ML-DSA public key; never asked of any other object. */
  readonly value: Buffer | undefined;
}

const OCTET_STRING = 0x04;
const UNCOMPRESSED = 0x04;
const DER_LONG_FORM_ONE_BYTE = 0x81;

export function toPublicMembers(spec: KeySpec, attributes: PublicAttributes): PublicKeyMembers {
  const algorithm = specOf(spec.algorithm);
  switch (algorithm.keyType) {
    case 'RSA':
      return rsaMembers(attributes, spec.rsaBits ?? 0);
    case 'EC':
      return ecMembers(attributes, algorithm);
    case 'OKP':
      return okpMembers(attributes, algorithm);
    case 'AKP':
      return akpMembers(attributes, algorithm);
  }
}

function rsaMembers({ modulus, publicExponent }: PublicAttributes, bits: number): PublicKeyMembers {
  if (modulus === undefined || publicExponent === undefined)
    throw malformed('gave no CKA_MODULUS or CKA_PUBLIC_EXPONENT');
  const n = withoutLeadingZeros(modulus);
  const e = withoutLeadingZeros(publicExponent);
  const firstByte = n[0] ?? 0;
  if (n.length * 8 !== bits || firstByte < 0x80) throw malformed(`made a modulus that isn't ${bits} bits long`);
  // NIST SP 800-56B: 2^16 < e < 2^256, odd.
  if (e.length < 3 || e.length > 32 || ((e.at(-1) ?? 0) & 1) === 0) throw malformed('made an unsafe public exponent');
  return { kty: 'RSA', n: n.toString('base64url'), e: e.toString('base64url') };
}

function ecMembers({ ecPoint }: PublicAttributes, { curve, coordinateBytes }: EcSpec): PublicKeyMembers {
  const point = unwrapPoint(ecPoint, 1 + 2 * coordinateBytes);
  if (point[0] !== UNCOMPRESSED) throw malformed('gave a CKA_EC_POINT that is not an uncompressed point');
  return {
    kty: 'EC',
    crv: curve,
    x: point.subarray(1, 1 + coordinateBytes).toString('base64url'),
    y: point.subarray(1 + coordinateBytes).toString('base64url'),
  };
}

function okpMembers({ ecPoint }: PublicAttributes, { curve, publicKeyBytes }: OkpSpec): PublicKeyMembers {
  return { kty: 'OKP', crv: curve, x: unwrapPoint(ecPoint, publicKeyBytes).toString('base64url') };
}

function akpMembers({ value }: PublicAttributes, { akp, publicKeyBytes }: AkpSpec): PublicKeyMembers {
  if (value?.length !== publicKeyBytes)
    throw malformed(`gave a CKA_VALUE of ${value?.length ?? 0} bytes where ${publicKeyBytes} are due`);
  return { kty: 'AKP', alg: akp, pub: value.toString('base64url') };
}

function unwrapPoint(value: Buffer | undefined, pointBytes: number): Buffer {
  if (value === undefined) throw malformed('gave no CKA_EC_POINT');
  if (value.length === pointBytes) return value;
  const head = pointBytes < 0x80 ? [OCTET_STRING, pointBytes] : [OCTET_STRING, DER_LONG_FORM_ONE_BYTE, pointBytes];
  const isWrapped = value.length === head.length + pointBytes && head.every((byte, at) => value[at] === byte);
  if (isWrapped) return value.subarray(head.length);
  throw malformed(`gave a CKA_EC_POINT of ${value.length} bytes where ${pointBytes} are due`);
}

function withoutLeadingZeros(value: Buffer): Buffer {
  let start = 0;
  while (start < value.length && value[start] === 0) start += 1;
  return value.subarray(start);
}

function malformed(what: string): KeyturnError {
  return new KeyturnError('KEY_NOT_PROVEN', `the token ${what}; the key pair was refused`);
}
