/** The JWKS document (RFC 7517, section 5): the bytes that every verifier gets. */
import type { PublicJwk } from './jwk.ts';
import { toPublicJwk } from './public-key.ts';

/** Keys in the order given. Each is built anew from its allow-listed members: no other member, and no null, can be in it. */
export function toKeySetDocument(keys: readonly PublicJwk[]): Buffer {
  return Buffer.from(JSON.stringify({ keys: keys.map((key) => toPublicJwk(key, key.kid, key.alg)) }));
}
