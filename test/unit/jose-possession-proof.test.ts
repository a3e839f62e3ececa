import { createPublicKey } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { KeySetName } from '../../src/base/ids.ts';
import { parseImportedJwk } from '../../src/jose/imported-jwk.ts';
import { proofClaims, requirePossession } from '../../src/jose/possession-proof.ts';
import { makeOldSigner, type OldSigner } from '../fixtures/old-signer.ts';

const NOW = Date.UTC(2026, 0, 1);
const SECONDS = NOW / 1_000;
const KEY_SET = 'default' as KeySetName;

let signer: OldSigner;
let other: OldSigner;
beforeAll(async () => {
  signer = await makeOldSigner({ now: () => NOW });
  other = await makeOldSigner({ now: () => NOW });
});

const check = (proof: string, keySet = KEY_SET): void =>
  requirePossession(proof, parseImportedJwk(Buffer.from(JSON.stringify(signer.jwk))), keySet, NOW);

describe('the proof of possession', () => {
  it.each(['RS256', 'PS256', 'ES512', 'EdDSA', 'ML-DSA-87'])('is a JWT by the key itself: %s', async (alg) => {
    const made = await makeOldSigner({ alg, now: () => NOW });
    const key = parseImportedJwk(Buffer.from(JSON.stringify(made.jwk)));
    requirePossession(await made.proof(), key, KEY_SET, NOW);
  });

  it('is what the claims that the command prints become when they are signed', async () => {
    const { thumbprint } = parseImportedJwk(Buffer.from(JSON.stringify(signer.jwk)));
    check(await signer.sign(proofClaims(KEY_SET, thumbprint, NOW)));
  });

  it('may have any typ, further claims, a list of one audience, and no kid', async () => {
    check(await signer.proof('default', { aud: ['keyturn:import:default'], iss: 'x', n: 1 }, { typ: 'at+jwt' }));
    check(await signer.proof('default', {}, { kid: undefined as unknown as string }));
  });

  it.each<[string, () => Promise<string>, string]>([
    ["another key's signature", () => other.proof('default', { sub: signer.thumbprint }), "signature doesn't verify"],
    ['the purpose of another key set', () => signer.proof('partners'), 'proof.aud must be keyturn:import:default'],
    ["a JWT's usual audience", () => signer.proof('default', { aud: 'https://api.example' }), 'proof.aud'],
    ['a second audience', () => signer.proof('default', { aud: ['keyturn:import:default', 'x'] }), 'proof.aud'],
    ['another key as its subject', () => signer.proof('default', { sub: other.thumbprint }), 'proof.sub must be'],
    ['the kid as its subject', () => signer.proof('default', { sub: signer.jwk.kid }), 'proof.sub must be'],
    ['no iat', () => signer.proof('default', { iat: undefined }), 'proof.iat is required'],
    ['an iat that is a text', () => signer.proof('default', { iat: `${SECONDS}` }), 'proof.iat must be a number'],
    ['an iat of long ago', () => signer.proof('default', { iat: SECONDS - 601 }), '10 min 1 s ago'],
    ['an iat that is to come', () => signer.proof('default', { iat: SECONDS + 61 }), '1 min 1 s ahead'],
    ['an exp that is over', () => signer.proof('default', { exp: SECONDS }), 'proof.exp is over'],
    ['an nbf that is to come', () => signer.proof('default', { nbf: SECONDS + 61 }), 'proof.nbf is still to come'],
    ['another kid', () => signer.proof('default', {}, { kid: 'another' }), 'proof.kid must be the kid of jwk'],
    ['nothing', () => Promise.resolve(''), 'compact form'],
    ['a JWE', () => Promise.resolve('a.b.c.d.e'), 'compact form'],
    ['no signature', async () => `${(await signer.proof()).split('.').slice(0, 2).join('.')}.`, 'compact form'],
    ['padding', async () => `${await signer.proof()}=`, 'base64url without padding'],
    ['too many characters', () => signer.proof('default', { pad: 'x'.repeat(8_000) }), 'at most 8192 characters'],
  ])('is refused with %s', async (_, make, message) => {
    const proof = await make();
    expect(() => check(proof)).toThrow(
      expect.objectContaining({ reason: 'PROOF_INVALID', message: expect.stringMatching(message) as string }),
    );
  });

  it('is taken at the edges of its time', async () => {
    check(await signer.proof('default', { iat: SECONDS - 600, exp: SECONDS + 1 }));
    check(await signer.proof('default', { iat: SECONDS + 60 }));
  });

  it.each([
    [{ alg: 'none' }, 'proof.alg must be ES256'],
    [{ alg: 'HS256' }, 'proof.alg must be ES256'],
    [{ alg: 'ES256', crit: ['b64'], b64: false }, 'proof.crit must be absent'],
  ])('is refused with the header %j', async (header, message) => {
    const [, payload, signature] = (await signer.proof()).split('.');
    const encoded = Buffer.from(JSON.stringify(header)).toString('base64url');
    expect(() => check([encoded, payload, signature].join('.'))).toThrow(message);
  });

  it('is refused when an alg of the same key type was not the one of the JWK', async () => {
    const rsa = await makeOldSigner({ alg: 'RS256', now: () => NOW });
    const jwk = { ...rsa.jwk, alg: 'PS256' };
    const key = parseImportedJwk(Buffer.from(JSON.stringify(jwk)));
    expect(createPublicKey({ key: jwk, format: 'jwk' }).asymmetricKeyType).toBe('rsa');
    const proof = await rsa.proof();
    expect(() => requirePossession(proof, key, KEY_SET, NOW)).toThrow('proof.alg must be PS256');
  });
});
