/**
 * ES256K for `keyturn verify`: jose 6 builds on WebCrypto, which has no secp256k1. Key and signature are looked at here;
 * the claims are checked by jose, as everywhere else.
 */
import {
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  type JWTClaimVerificationOptions,
  UnsecuredJWT,
} from 'jose';
import type { Algorithm } from './algorithms.ts';
import { toPublicKey } from './public-key.ts';
import { verifySignature } from './signature.ts';
import type { VerifiedJwt } from './verify-jwt.ts';

const ES256K: Algorithm = 'ES256K';
const UNSECURED_HEADER = Buffer.from('{"alg":"none"}').toString('base64url');

export function isEs256k(jwt: string): boolean {
  try {
    return decodeProtectedHeader(jwt).alg === ES256K;
  } catch {
    return false;
  }
}

/** Errors: jose's own, and KEY_NOT_PROVEN for a key that isn't on the curve. */
export function verifyEs256k(jwt: string, jwks: JSONWebKeySet, options: JWTClaimVerificationOptions): VerifiedJwt {
  const { kid, typ, crit } = decodeProtectedHeader(jwt);
  if (crit !== undefined) throw new errors.JOSENotSupported('its header has crit');
  const [header = '', claims = '', signature = '', ...rest] = jwt.split('.');
  if (rest.length > 0) throw new errors.JWSInvalid('too many parts');
  const isSigned = verifySignature(
    ES256K,
    toPublicKey(requireKey(jwks, kid)),
    Buffer.from(`${header}.${claims}`),
    Buffer.from(signature, 'base64url'),
  );
  if (!isSigned) throw new errors.JWSSignatureVerificationFailed();
  const { payload } = UnsecuredJWT.decode(`${UNSECURED_HEADER}.${claims}.`, options);
  return {
    payload,
    protectedHeader: { alg: ES256K, ...(kid === undefined ? {} : { kid }), ...(typ === undefined ? {} : { typ }) },
  };
}

/** As a verifier chooses: by kid where the JWT has one, and never a key that says it is for something else. */
function requireKey(jwks: JSONWebKeySet, kid: string | undefined): Parameters<typeof toPublicKey>[0] {
  const keys: unknown = jwks.keys;
  if (!Array.isArray(keys)) throw new errors.JWKSInvalid('JSON Web Key Set malformed');
  const [key, ...others] = jwks.keys.filter(
    (candidate) =>
      candidate.kty === 'EC' &&
      candidate['crv'] === 'secp256k1' &&
      (candidate.alg ?? ES256K) === ES256K &&
      (candidate.use ?? 'sig') === 'sig' &&
      (kid === undefined || candidate.kid === kid),
  );
  if (key === undefined) throw new errors.JWKSNoMatchingKey();
  if (others.length > 0) throw new errors.JWKSMultipleMatchingKeys();
  return { kty: 'EC', crv: 'secp256k1', x: String(key['x']), y: String(key['y']) };
}
