/** What an operator hands in of an old signer: JWKs, and JWTs that prove possession. Nothing private, nothing forged. */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { parseKeySetName } from '../../src/base/ids.ts';
import { type ImportedJwk, parseImportedJwk } from '../../src/jose/imported-jwk.ts';
import { proofClaims, requirePossession } from '../../src/jose/possession-proof.ts';
import { mutatedBytes, mutatedData, mutatedText } from './mutations.ts';
import { ACCEPTED, pureTarget, require, requireReason } from './target.ts';

const NOW_MS = 1_700_000_000_000;
const KEY_SET = parseKeySetName('default');
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const KEYS: readonly (readonly [KeyObject, string])[] = [
  [ec.publicKey, 'ES256'],
  [generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey, 'ES384'],
  [generateKeyPairSync('ed25519').publicKey, 'EdDSA'],
  [generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey, 'RS256'],
];
const JWKS = KEYS.map(([key, alg]) => ({ ...key.export({ format: 'jwk' }), kid: `old-${alg}`, alg, use: 'sig' }));

const TOKENS = [
  '"kty":"RSA"',
  '"kty":"oct"',
  '"d":"AA"',
  '"k":"AA"',
  '"kid":""',
  '"alg":"none"',
  '"alg":"HS256"',
  '"use":"enc"',
  '"crv":"P-521"',
  '"x5c":[]',
  ',',
  '{',
  '}',
  '"',
  ':',
  '\\u0000',
  '\\u0064',
  'A',
  '=',
  '-',
  '_',
  '+',
  '/',
  'null',
  '"key_ops":["sign"]',
  '"keys":[',
  '"KTY":"EC"',
  '"e":"AQ"',
];
const jwk = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(...JWKS)
      .chain(mutatedData)
      .map((value) => Buffer.from(JSON.stringify(value))),
  },
  {
    weight: 4,
    arbitrary: mutatedText(
      fc.constantFrom(...JWKS).map((value) => JSON.stringify(value)),
      TOKENS,
    ).map((text) => Buffer.from(text)),
  },
  { weight: 1, arbitrary: mutatedBytes(fc.constantFrom(...JWKS).map((value) => Buffer.from(JSON.stringify(value)))) },
);

function judgeJwk(bytes: Buffer): string {
  let imported: ImportedJwk;
  try {
    imported = parseImportedJwk(bytes);
  } catch (thrown) {
    const reason = requireReason(thrown);
    require(reason === 'PUBLIC_KEY_INVALID', `a refusal of something else: ${reason}`);
    return reason;
  }
  const names = Object.keys({ ...(JSON.parse(bytes.toString()) as object), ...imported.publicKey });
  require(!names.some((name) => PRIVATE_MEMBERS.includes(name)), 'a private member was let through');
  require(imported.keyObject.type === 'public', 'the key is not public');
  const exported = createPublicKey({ key: { ...imported.publicKey }, format: 'jwk' });
  require(exported.equals(imported.keyObject), 'the members are not those of the key');
  return ACCEPTED;
}

const KEY = parseImportedJwk(Buffer.from(JSON.stringify(JWKS[0])));

function toJwt(header: object, claims: object): string {
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('sha256', Buffer.from(input), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

const HEADER = { alg: 'ES256', kid: KEY.kid };
const CLAIMS = proofClaims(KEY_SET, KEY.thumbprint, NOW_MS);
const PROOF = toJwt(HEADER, CLAIMS);
/** Signed by the key, with other content; or the good proof with other text. */
const proof = fc.oneof(
  {
    weight: 2,
    arbitrary: fc
      .tuple(mutatedData(HEADER), mutatedData(CLAIMS))
      .map(([header, claims]) => toJwt(Object(header) as object, Object(claims) as object)),
  },
  {
    weight: 5,
    arbitrary: mutatedText(fc.constant(PROOF), [
      '.',
      '..',
      '=',
      'A',
      'e30',
      '\0',
      ' ',
      'eyJhbGciOiJub25lIn0',
      '+',
      '/',
      '\u{1f600}',
    ]),
  },
);

function judgeProof(text: string): string {
  try {
    requirePossession(text, KEY, KEY_SET, NOW_MS);
  } catch (thrown) {
    const reason = requireReason(thrown);
    require(reason === 'PROOF_INVALID', `a refusal of something else: ${reason}`);
    return reason;
  }
  const [header = '', payload = ''] = text.split('.').map((part) => Buffer.from(part, 'base64url').toString());
  const { aud, sub, iat } = JSON.parse(payload) as Record<string, unknown>;
  require((JSON.parse(header) as Record<string, unknown>)['alg'] === 'ES256', 'another algorithm was let through');
  require([aud].flat().join() === CLAIMS['aud'] &&
    sub === KEY.thumbprint, 'a proof for something else was let through');
  require(Math.abs(Number(iat) * 1_000 - NOW_MS) <= 600_000, 'an old proof was let through');
  return ACCEPTED;
}

export const keyTargets = [
  pureTarget('imported JWKs', 40, jwk, judgeJwk),
  pureTarget('proofs of possession', 20, proof, judgeProof),
];
