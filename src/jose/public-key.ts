/**
 * From a public key's members, as a token gave them, to a key that verifies and to the JWK that is published.
 * Members are distrusted: their encoding must be the one canonical form, or the same key would have two kids.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { assertNever } from '../base/assert-never.ts';
import { KeyturnError } from '../base/errors.ts';
import type { Kid } from '../base/ids.ts';
import { type Algorithm, type AlgorithmSpec, specOf } from './algorithms.ts';
import type { PublicJwk, PublicKeyMembers } from './jwk.ts';

const COORDINATE_BYTES = { 'P-256': 32, 'P-384': 48, 'P-521': 66, secp256k1: 32 } as const;
const ML_DSA_BYTES = { 'ML-DSA-44': 1_312, 'ML-DSA-65': 1_952, 'ML-DSA-87': 2_592 } as const;
const ED25519_BYTES = 32;

/** RFC 7518, section 3.3, gives the floor; the ceiling is OpenSSL's for verifying. */
const MIN_MODULUS_BYTES = 256;
const MAX_MODULUS_BYTES = 2_048;
const MAX_EXPONENT_BYTES = 8;

/** Importing costs far more than verifying, and the members of a key version are one object for its whole life. */
const imported = new WeakMap<PublicKeyMembers, KeyObject>();

/** Errors: KEY_NOT_PROVEN when the members aren't a public key of their kind. */
export function toPublicKey(members: PublicKeyMembers): KeyObject {
  const known = imported.get(members);
  if (known !== undefined) return known;
  requireCanonical(members);
  try {
    const publicKey = createPublicKey({ key: bareMembers(members), format: 'jwk' });
    imported.set(members, publicKey);
    return publicKey;
  } catch (error) {
    throw notAKey(members, 'OpenSSL refuses it', error);
  }
}

/** Errors: KEY_NOT_PROVEN when the key isn't of the algorithm's type. */
export function toPublicJwk(members: PublicKeyMembers, kid: Kid, algorithm: Algorithm): PublicJwk {
  const spec = specOf(algorithm);
  if (!isOfAlgorithm(members, spec)) throw notAKey(members, `${algorithm} needs another key type or curve`);
  const bare = bareMembers(members);
  // An AKP key names its algorithm itself.
  return bare.kty === 'AKP' ? { ...bare, kid, use: 'sig' } : { ...bare, kid, alg: algorithm, use: 'sig' };
}

function isOfAlgorithm(members: PublicKeyMembers, spec: AlgorithmSpec): boolean {
  switch (members.kty) {
    case 'RSA':
      return spec.keyType === 'RSA';
    case 'EC':
    case 'OKP':
      return spec.keyType === members.kty && spec.curve === members.crv;
    case 'AKP':
      return spec.keyType === 'AKP' && spec.akp === members.alg;
    default:
      return assertNever(members);
  }
}

/** Exactly the key's own members, whatever else the object holds: nothing private can ride along. */
function bareMembers(members: PublicKeyMembers): PublicKeyMembers {
  switch (members.kty) {
    case 'RSA':
      return { kty: members.kty, n: members.n, e: members.e };
    case 'EC':
      return { kty: members.kty, crv: members.crv, x: members.x, y: members.y };
    case 'OKP':
      return { kty: members.kty, crv: members.crv, x: members.x };
    case 'AKP':
      return { kty: members.kty, alg: members.alg, pub: members.pub };
    default:
      return assertNever(members);
  }
}

function requireCanonical(members: PublicKeyMembers): void {
  switch (members.kty) {
    case 'RSA': {
      const modulus = requireUnsigned(members, 'n');
      if (modulus.length < MIN_MODULUS_BYTES || modulus.length > MAX_MODULUS_BYTES)
        throw notAKey(members, 'n has a wrong length');
      const exponent = requireUnsigned(members, 'e');
      const isOdd = ((exponent.at(-1) ?? 0) & 1) === 1;
      if (exponent.length > MAX_EXPONENT_BYTES || !isOdd || exponent.equals(Buffer.from([1])))
        throw notAKey(members, 'e is no usable exponent');
      return;
    }
    case 'EC':
      requireLength(members, members.x, COORDINATE_BYTES[members.crv]);
      requireLength(members, members.y, COORDINATE_BYTES[members.crv]);
      return;
    case 'OKP':
      requireLength(members, members.x, ED25519_BYTES);
      return;
    case 'AKP':
      requireLength(members, members.pub, ML_DSA_BYTES[members.alg]);
      return;
    default:
      assertNever(members);
  }
}

function requireLength(members: PublicKeyMembers, value: string, bytes: number): void {
  if (requireBase64url(members, value).length !== bytes)
    throw notAKey(members, `the key or a coordinate must have ${bytes} bytes`);
}

/** Base64urlUInt (RFC 7518, section 2): the fewest octets, so no leading zero. */
function requireUnsigned(members: Extract<PublicKeyMembers, { kty: 'RSA' }>, name: 'n' | 'e'): Buffer {
  const bytes = requireBase64url(members, members[name]);
  if (bytes.length === 0 || bytes[0] === 0) throw notAKey(members, `${name} must not begin with a zero byte`);
  return bytes;
}

function requireBase64url(members: PublicKeyMembers, value: string): Buffer {
  const bytes = Buffer.from(value, 'base64url');
  if (bytes.toString('base64url') !== value) throw notAKey(members, 'a member is not canonical base64url');
  return bytes;
}

function notAKey(members: PublicKeyMembers, problem: string, cause?: unknown): KeyturnError {
  return new KeyturnError('KEY_NOT_PROVEN', `the ${members.kty} public key can't be used: ${problem}`, { cause });
}
