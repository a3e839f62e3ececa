/** The JWKS document (RFC 7517, section 5): the bytes that every verifier gets. */
import type { PublicJwk } from './jwk.ts';
import { toPublicJwk } from './public-key.ts';

/** A key that stays in a key set is written once: its text by the JWK that its publisher holds on to. */
const texts = new WeakMap<PublicJwk, string>();

/** Keys in the order given. Each is built anew from its allow-listed members: no other member, and no null, can be in it. */
export function toKeySetDocument(keys: readonly PublicJwk[]): Buffer {
  return Buffer.from(`{"keys":[${keys.map(toText).join(',')}]}`);
}

function toText(key: PublicJwk): string {
  const known = texts.get(key);
  if (known !== undefined) return known;
  const text = JSON.stringify(toPublicJwk(key, key.kid, key.alg));
  texts.set(key, text);
  return text;
}
