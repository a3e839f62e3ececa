/**
 * Public JWKs (RFC 7517) as keyturn publishes them: exactly these members, and `alg`, `use` and `kid` always.
 */
import type { Kid } from '../base/ids.ts';
import type { AkpSpec, Algorithm, EcSpec } from './algorithms.ts';

/** The members that make the key itself, and so its RFC 7638 thumbprint. Values are base64url without padding. */
export type PublicKeyMembers =
  | { readonly kty: 'RSA'; readonly n: string; readonly e: string }
  | { readonly kty: 'EC'; readonly crv: EcSpec['curve']; readonly x: string; readonly y: string }
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }
  | { readonly kty: 'AKP'; readonly alg: AkpSpec['akp']; readonly pub: string };

export type PublicJwk = PublicKeyMembers & { readonly kid: Kid; readonly alg: Algorithm; readonly use: 'sig' };
