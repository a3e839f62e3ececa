/**
 * The public JWK (RFC 7517) of an old signer, as an operator hands it in: exactly the members that are known, nothing
 * private, and a key that its `alg` can use. What passes can be published as it is.
 */
import type { KeyObject } from 'node:crypto';
import { KeyturnError } from '../base/errors.ts';
import { type Kid, parsePublishedKid } from '../base/ids.ts';
import { type Algorithm, ALGORITHMS, parseAlgorithm, specOf } from './algorithms.ts';
import { isSmallOrder } from './ed25519-order.ts';
import type { PublicKeyMembers } from './jwk.ts';
import { toPublicKey } from './public-key.ts';
import type { JsonObject, JsonValue } from './strict-json.ts';
import { parseMembers } from './strict-members.ts';
import { toKid } from './thumbprint.ts';

/** An RSA modulus of 16,384 bits takes 2,731 characters. */
const MAX_JWK_BYTES = 8 * 1024;
const MIN_RSA_BITS = 2_048;
const MAX_SHOWN_NAME = 64;

const COMMON_MEMBERS = ['kty', 'kid', 'alg', 'use', 'key_ops'];
const KEY_MEMBERS = { RSA: ['n', 'e'], EC: ['crv', 'x', 'y'], OKP: ['crv', 'x'], AKP: ['pub'] } as const;
/** RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1; RFC 8037, section 2; RFC 9964. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

export interface ImportedJwk {
  readonly kid: Kid;
  readonly thumbprint: Kid;
  readonly algorithm: Algorithm;
  readonly publicKey: PublicKeyMembers;
  readonly keyObject: KeyObject;
}

/** Errors: PUBLIC_KEY_INVALID. */
export function parseImportedJwk(bytes: Uint8Array): ImportedJwk {
  if (bytes.length > MAX_JWK_BYTES) throw invalid('jwk', `must have at most ${MAX_JWK_BYTES} bytes`);
  const members = parseMembers(bytes, { reason: 'PUBLIC_KEY_INVALID', field: 'jwk' });
  if (members.has('keys')) throw invalid('jwk', 'must be one key, and this is a key set: take one out of its keys');
  const kty = keyTypeOf(members);
  requireKnownMembers(members, kty);
  requireUse(members);
  const kid = parsed(members.get('kid'), 'jwk.kid', parsePublishedKid);
  const algorithm = parsed(members.get('alg'), 'jwk.alg', parseAlgorithm);
  const publicKey = toMembers(members, kty, algorithm);
  const keyObject = toKeyObject(publicKey);
  return { kid, thumbprint: toKid(publicKey), algorithm, publicKey, keyObject };
}

function invalid(field: string, problem: string): KeyturnError {
  return new KeyturnError('PUBLIC_KEY_INVALID', `${field} ${problem}`, { field });
}

function keyTypeOf(members: JsonObject): keyof typeof KEY_MEMBERS {
  const kty = members.get('kty');
  if (kty === 'RSA' || kty === 'EC' || kty === 'OKP' || kty === 'AKP') return kty;
  if (kty === 'oct') throw invalid('jwk.kty', 'is oct, a shared secret: whoever can check its JWTs can forge them');
  throw invalid('jwk.kty', 'must be RSA, EC, OKP or AKP');
}

function requireKnownMembers(members: JsonObject, kty: keyof typeof KEY_MEMBERS): void {
  const allowed: readonly string[] = [...COMMON_MEMBERS, ...KEY_MEMBERS[kty]];
  for (const name of members.keys()) {
    if (allowed.includes(name)) continue;
    if (PRIVATE_MEMBERS.includes(name))
      throw invalid(
        `jwk.${name}`,
        'is private and must not be there: send the public members alone, and count this key as known to whoever saw the request',
      );
    throw invalid(`jwk.${name.slice(0, MAX_SHOWN_NAME)}`, `must not be there: a ${kty} key has ${allowed.join(', ')}`);
  }
}

/** RFC 7517, sections 4.2 and 4.3: a key for anything else is none to verify with. */
function requireUse(members: JsonObject): void {
  const use = members.get('use');
  if (use !== undefined && use !== 'sig') throw invalid('jwk.use', 'must be sig, or absent');
  const operations = members.get('key_ops');
  if (operations !== undefined && !(Array.isArray(operations) && operations.join() === 'verify'))
    throw invalid('jwk.key_ops', 'must be ["verify"], or absent');
}

function parsed<T>(value: JsonValue | undefined, field: string, parse: (value: unknown, field: string) => T): T {
  if (value === undefined) throw invalid(field, `is required: ${WHY_REQUIRED[field] ?? ''}`);
  try {
    return parse(value, field);
  } catch (refusal) {
    if (!(refusal instanceof KeyturnError)) throw refusal;
    throw new KeyturnError('PUBLIC_KEY_INVALID', refusal.message, { field });
  }
}

const WHY_REQUIRED: Readonly<Record<string, string>> = {
  'jwk.kid': 'verifiers find the key by the kid in the header of the old JWTs',
  'jwk.alg': `verifiers must not guess it; one of ${ALGORITHMS.join(', ')}, as in the header of the old JWTs`,
};

function toMembers(members: JsonObject, kty: keyof typeof KEY_MEMBERS, algorithm: Algorithm): PublicKeyMembers {
  const spec = specOf(algorithm);
  if (spec.keyType !== kty) throw invalid('jwk.kty', `must be ${spec.keyType} for ${algorithm}`);
  const text = (name: string): string => {
    const value = members.get(name);
    if (typeof value !== 'string') throw invalid(`jwk.${name}`, 'is required, as base64url');
    return value;
  };
  if (spec.keyType === 'RSA') return { kty: 'RSA', n: text('n'), e: text('e') };
  if (spec.keyType === 'AKP') return { kty: 'AKP', alg: spec.akp, pub: text('pub') };
  if (members.get('crv') !== spec.curve) throw invalid('jwk.crv', `must be ${spec.curve} for ${algorithm}`);
  return spec.keyType === 'EC'
    ? { kty: 'EC', crv: spec.curve, x: text('x'), y: text('y') }
    : { kty: 'OKP', crv: spec.curve, x: text('x') };
}

/** OpenSSL refuses a point that isn't on its curve; an Ed25519 point is decoded by the proof's verification. */
function toKeyObject(members: PublicKeyMembers): KeyObject {
  let keyObject;
  try {
    keyObject = toPublicKey(members);
  } catch (refusal) {
    if (!(refusal instanceof KeyturnError)) throw refusal;
    throw new KeyturnError('PUBLIC_KEY_INVALID', refusal.message, { field: 'jwk', cause: refusal });
  }
  const bits = keyObject.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < MIN_RSA_BITS)
    throw invalid('jwk.n', `must have at least ${MIN_RSA_BITS} bits, not ${bits}`);
  if (members.kty === 'OKP' && isSmallOrder(Buffer.from(members.x, 'base64url')))
    throw invalid('jwk.x', 'is a point of small order, for which anyone can make signatures');
  return keyObject;
}
