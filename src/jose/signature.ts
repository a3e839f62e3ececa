/**
 * Verifies JWS signatures in software, as RFC 7518 section 3, RFC 8037 and RFC 9964 define them. The length is looked at first:
 * DER where R‖S is due, or another key's size, never reaches OpenSSL.
 */
import { constants, type KeyObject, type SignKeyObjectInput, verify } from 'node:crypto';
import { assertNever } from '../base/assert-never.ts';
import { type Algorithm, type AlgorithmSpec, type EcSpec, specOf } from './algorithms.ts';

/** OpenSSL's names of the curves. */
const NAMED_CURVE: Readonly<Record<EcSpec['curve'], string>> = {
  'P-256': 'prime256v1',
  'P-384': 'secp384r1',
  'P-521': 'secp521r1',
  secp256k1: 'secp256k1',
};

/** Node's names of the key types. */
const ML_DSA_TYPE = { 'ML-DSA-44': 'ml-dsa-44', 'ML-DSA-65': 'ml-dsa-65', 'ML-DSA-87': 'ml-dsa-87' } as const;

/** The one length that a signature may have. */
export function signatureBytes(algorithm: Algorithm, publicKey: KeyObject): number {
  const spec = specOf(algorithm);
  switch (spec.keyType) {
    case 'RSA':
      return Math.ceil((publicKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
    case 'EC':
      return spec.coordinateBytes * 2;
    case 'OKP':
    case 'AKP':
      return spec.signatureBytes;
    default:
      return assertNever(spec);
  }
}

/** False also when the key isn't of the algorithm's type and curve. Never throws for what a token answered. */
export function verifySignature(
  algorithm: Algorithm,
  publicKey: KeyObject,
  signingInput: Uint8Array,
  signature: Uint8Array,
): boolean {
  const spec = specOf(algorithm);
  if (!isKeyOf(spec, publicKey) || signature.length !== signatureBytes(algorithm, publicKey)) return false;
  try {
    return verify(hashOf(spec), signingInput, toKeyInput(spec, publicKey), signature);
  } catch {
    return false;
  }
}

/** The same in a thread of the libuv pool, so that the event loop doesn't pay for it. */
export function verifySignatureAsync(
  algorithm: Algorithm,
  publicKey: KeyObject,
  signingInput: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const spec = specOf(algorithm);
  if (!isKeyOf(spec, publicKey) || signature.length !== signatureBytes(algorithm, publicKey))
    return Promise.resolve(false);
  return new Promise((resolve) => {
    verify(hashOf(spec), signingInput, toKeyInput(spec, publicKey), signature, (error, isValid) => {
      resolve(error === null && isValid);
    });
  });
}

function isKeyOf(spec: AlgorithmSpec, publicKey: KeyObject): boolean {
  if (publicKey.type !== 'public') return false;
  switch (spec.keyType) {
    case 'RSA':
      return publicKey.asymmetricKeyType === 'rsa';
    case 'EC':
      return (
        publicKey.asymmetricKeyType === 'ec' && publicKey.asymmetricKeyDetails?.namedCurve === NAMED_CURVE[spec.curve]
      );
    case 'OKP':
      return publicKey.asymmetricKeyType === 'ed25519';
    case 'AKP':
      return publicKey.asymmetricKeyType === ML_DSA_TYPE[spec.akp];
    default:
      return assertNever(spec);
  }
}

function hashOf(spec: AlgorithmSpec): string | null {
  return spec.keyType === 'OKP' || spec.keyType === 'AKP' ? null : spec.hash;
}

function toKeyInput(spec: AlgorithmSpec, key: KeyObject): SignKeyObjectInput | KeyObject {
  switch (spec.keyType) {
    case 'RSA':
      return spec.padding === 'pss'
        ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
        : { key, padding: constants.RSA_PKCS1_PADDING };
    case 'EC':
      return { key, dsaEncoding: 'ieee-p1363' };
    case 'OKP':
    case 'AKP':
      return key;
    default:
      return assertNever(spec);
  }
}
