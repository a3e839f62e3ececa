/**
 * Verifies a JWT against a key set as an ordinary verifier would: with the jose package, not with our own code. The
 * exception is ES256K, which jose 6 doesn't know.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify, type JWTVerifyOptions } from 'jose';
import { KeyturnError } from '../base/errors.ts';
import { ALGORITHMS } from './algorithms.ts';
import { isEs256k, verifyEs256k } from './verify-es256k.ts';

export interface VerifyJwtOptions {
  /** Unix time in ms at which the JWT must be valid. */
  readonly nowMs: number;
  readonly issuer?: string;
  readonly audience?: string;
  readonly leewaySeconds?: number;
}

export interface VerifiedJwt {
  readonly payload: Readonly<Record<string, unknown>>;
  readonly protectedHeader: { readonly alg: string; readonly kid?: string; readonly typ?: string };
}

/** RFC 7515, section 7.1. Base64 readers skip white space and more, so that one JWT could be written in many ways. */
const COMPACT_FORM = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}$/;

/** Errors: JWT_NOT_VERIFIED, with what failed. */
export async function verifyJwt(jwt: string, jwks: unknown, options: VerifyJwtOptions): Promise<VerifiedJwt> {
  try {
    if (!COMPACT_FORM.test(jwt)) throw new errors.JWSInvalid('Invalid Compact JWS');
    if (isEs256k(jwt)) return verifyEs256k(jwt, jwks as JSONWebKeySet, toJoseOptions(options));
    // createLocalJWKSet checks the document's form itself.
    const { payload, protectedHeader } = await jwtVerify(
      jwt,
      createLocalJWKSet(jwks as JSONWebKeySet),
      toJoseOptions(options),
    );
    return { payload, protectedHeader };
  } catch (error) {
    throw new KeyturnError('JWT_NOT_VERIFIED', `the JWT does not verify: ${problemOf(error)}`, { cause: error });
  }
}

function toJoseOptions(options: VerifyJwtOptions): JWTVerifyOptions {
  return {
    algorithms: [...ALGORITHMS],
    currentDate: new Date(options.nowMs),
    ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
    ...(options.audience === undefined ? {} : { audience: options.audience }),
    ...(options.leewaySeconds === undefined ? {} : { clockTolerance: options.leewaySeconds }),
  };
}

function problemOf(error: unknown): string {
  if (error instanceof errors.JWKSNoMatchingKey) return 'the key set has no key with its kid and alg';
  if (error instanceof errors.JWTExpired) return 'it has expired (exp)';
  if (error instanceof errors.JWTClaimValidationFailed)
    return `its claim ${error.claim} is ${error.reason === 'missing' ? 'missing' : 'not the wanted one'}`;
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its alg is none that keyturn signs with';
  if (error instanceof errors.JWKSInvalid) return 'the key set is no JWKS';
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return 'it is no JWT in compact form';
  return error instanceof Error ? error.message : String(error);
}
