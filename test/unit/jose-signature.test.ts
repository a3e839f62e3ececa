import { constants, type KeyObject, privateEncrypt, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ALGORITHMS, type Algorithm, specOf } from '../../src/jose/algorithms.ts';
import { signatureBytes, verifySignature, verifySignatureAsync } from '../../src/jose/signature.ts';
import { toTokenInput } from '../../src/jose/token-input.ts';
import { makeSoftwareKey, signInSoftware, type SoftwareKeyPair } from '../fixtures/software-keys.ts';

const INPUT = Buffer.from('eyJhbGciOiJub25lIn0.e30');
const pairs = new Map<string, SoftwareKeyPair>();

function kindOf(algorithm: Algorithm): string {
  const spec = specOf(algorithm);
  switch (spec.keyType) {
    case 'RSA':
      return 'RSA';
    case 'EC':
    case 'OKP':
      return spec.curve;
    case 'AKP':
      return spec.akp;
  }
}

function pairFor(algorithm: Algorithm): SoftwareKeyPair {
  const kind = kindOf(algorithm);
  const pair = pairs.get(kind) ?? makeSoftwareKey({ algorithm });
  pairs.set(kind, pair);
  return pair;
}

function signWith(algorithm: Algorithm, key: KeyObject, saltLength?: number): Buffer {
  return signInSoftware(algorithm, key, INPUT, saltLength);
}

describe.each(ALGORITHMS)('%s', (algorithm) => {
  const { publicKey, privateKey } = pairFor(algorithm);
  const signature = signWith(algorithm, privateKey);

  it('verifies what a software key signed, in both forms', async () => {
    expect(signature.length).toBe(signatureBytes(algorithm, publicKey));
    expect(verifySignature(algorithm, publicKey, INPUT, signature)).toBe(true);
    await expect(verifySignatureAsync(algorithm, publicKey, INPUT, signature)).resolves.toBe(true);
  });

  it('refuses a changed input and a changed signature', async () => {
    const changedInput = Buffer.from(INPUT);
    changedInput.writeUInt8(0x2f, 3);
    const changed = Buffer.from(signature);
    changed.writeUInt8((changed.readUInt8(8) + 1) & 0xff, 8);
    expect(verifySignature(algorithm, publicKey, changedInput, signature)).toBe(false);
    expect(verifySignature(algorithm, publicKey, INPUT, changed)).toBe(false);
    await expect(verifySignatureAsync(algorithm, publicKey, INPUT, changed)).resolves.toBe(false);
  });

  it('refuses a signature that is one byte too short or too long', () => {
    expect(verifySignature(algorithm, publicKey, INPUT, signature.subarray(1))).toBe(false);
    expect(verifySignature(algorithm, publicKey, INPUT, signature.subarray(0, -1))).toBe(false);
    expect(verifySignature(algorithm, publicKey, INPUT, Buffer.concat([signature, Buffer.alloc(1)]))).toBe(false);
    expect(verifySignature(algorithm, publicKey, INPUT, Buffer.alloc(0))).toBe(false);
  });

  it('refuses a private key, and keys of other types and curves', () => {
    expect(verifySignature(algorithm, privateKey, INPUT, signature)).toBe(false);
    for (const other of ALGORITHMS) {
      if (kindOf(other) === kindOf(algorithm)) continue;
      expect(verifySignature(algorithm, pairFor(other).publicKey, INPUT, signature)).toBe(false);
    }
  });

  it('gives the token what makes the signature that verifies', () => {
    const spec = specOf(algorithm);
    const tokenInput = toTokenInput(algorithm, INPUT);
    if (spec.keyType === 'OKP' || spec.keyType === 'AKP') {
      expect(tokenInput).toBe(INPUT);
    } else if (spec.keyType === 'RSA' && spec.padding === 'pkcs1') {
      // CKM_RSA_PKCS pads and exponentiates: RSASSA-PKCS1-v1_5 once DigestInfo is given.
      const raw = privateEncrypt({ key: privateKey, padding: constants.RSA_PKCS1_PADDING }, tokenInput);
      expect(verifySignature(algorithm, publicKey, INPUT, raw)).toBe(true);
    } else {
      expect(tokenInput.length).toBe({ sha256: 32, sha384: 48, sha512: 64 }[spec.hash]);
    }
  });
});

describe('what a token may get wrong', () => {
  it('refuses ECDSA in DER', () => {
    const { publicKey, privateKey } = pairFor('ES256');
    const der = sign('sha256', INPUT, { key: privateKey, dsaEncoding: 'der' });
    expect(verifySignature('ES256', publicKey, INPUT, der)).toBe(false);
  });

  it('refuses PSS with any salt length but that of the hash', () => {
    const { publicKey, privateKey } = pairFor('PS256');
    for (const saltLength of [0, 20, constants.RSA_PSS_SALTLEN_MAX_SIGN]) {
      expect(verifySignature('PS256', publicKey, INPUT, signWith('PS256', privateKey, saltLength))).toBe(false);
    }
    expect(verifySignature('PS256', publicKey, INPUT, signWith('PS256', privateKey, 32))).toBe(true);
  });

  it('refuses PKCS #1 v1.5 where PSS is due, and the other way round', () => {
    const { publicKey, privateKey } = pairFor('RS256');
    expect(verifySignature('PS256', publicKey, INPUT, signWith('RS256', privateKey))).toBe(false);
    expect(verifySignature('RS256', publicKey, INPUT, signWith('PS256', privateKey))).toBe(false);
  });

  it('refuses an ECDSA signature of zeros', () => {
    expect(verifySignature('ES256', pairFor('ES256').publicKey, INPUT, Buffer.alloc(64))).toBe(false);
  });
});
