/** Whatever the token answers instead of a signature, of whatever algorithm: it is caught, and nobody gets it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Hsm, SignRequest } from '../../src/hsm/hsm.ts';
import { type Algorithm, ALGORITHMS, type KeySpec, specOf } from '../../src/jose/algorithms.ts';
import { toPublicKey } from '../../src/jose/public-key.ts';
import { verifySignature } from '../../src/jose/signature.ts';
import { openPool, randomCkaId, signRequest, whenReady } from '../fixtures/hsm-pool.ts';
import { makeShimmedToken, type ShimmedToken } from '../fixtures/shimmed-token.ts';

type Key = Pick<SignRequest, 'ckaId' | 'publicKey'>;

const OF_SOFTHSM2 = ALGORITHMS.filter((algorithm) => specOf(algorithm).keyType !== 'AKP');
const KINDS = ['flipBit', 'truncate', 'derEncode', 'zero', 'otherKey'] as const;
/** Fewer than the sessions: no request meets as many as would make it fail. */
const WRONG_ONES = 2;
const REQUESTS = 4;

let token: ShimmedToken;
let hsm: Hsm;
/** One of each kind of key: making RSA keys takes its time. */
const keys = new Map<string, Key>();

function kindOfKey(algorithm: Algorithm): string {
  const spec = specOf(algorithm);
  return spec.keyType === 'EC' ? spec.curve : spec.keyType;
}

beforeAll(async () => {
  token = makeShimmedToken();
  hsm = openPool(token, { sessionsPerWorker: 2 });
  await whenReady(hsm);
  for (const algorithm of OF_SOFTHSM2) {
    const kind = kindOfKey(algorithm);
    if (keys.has(kind)) continue;
    const spec = (kind === 'RSA' ? { algorithm, rsaBits: 2048 } : { algorithm }) as KeySpec;
    // The second one is there for a token that signs with another key.
    for (const version of [2, 1]) {
      const ckaId = randomCkaId();
      const { publicKey } = await hsm.generateKeyPair({ ckaId, ckaLabel: `keyturn/${kind}/${version}`, spec });
      keys.set(kind, { ckaId, publicKey });
    }
  }
});

afterAll(async () => {
  await hsm.close(2_000);
  token.dispose();
});

describe.each(OF_SOFTHSM2)('%s', (algorithm) => {
  // DER is for R‖S alone: an RSA signature is one number.
  const kinds = KINDS.filter((kind) => kind !== 'derEncode' || specOf(algorithm).keyType !== 'RSA');

  it.each(kinds)('a wrong signature is caught, made anew and never delivered: %s', async (action) => {
    const key = keys.get(kindOfKey(algorithm));
    if (key === undefined) throw new Error('no key was made');
    const before = hsm.status().signatures.wrong;
    const on = action === 'otherKey' ? 'C_SignInit' : 'C_Sign';
    const rule = token.shim.arm({ on, action, limit: WRONG_ONES });
    const inputs = Array.from({ length: REQUESTS }, (_, index) => `${algorithm} ${action} ${index}`);
    const signatures = await Promise.all(inputs.map((input) => hsm.sign(signRequest({ ...key, algorithm }, input))));
    const publicKey = toPublicKey(key.publicKey);
    const isGood = inputs.map((input, index) =>
      verifySignature(algorithm, publicKey, Buffer.from(input), signatures[index] ?? Buffer.alloc(0)),
    );
    expect(isGood).toEqual(inputs.map(() => true));
    expect(rule.hits()).toBe(WRONG_ONES);
    expect(hsm.status().signatures.wrong - before).toBe(WRONG_ONES);
    rule.disarm();
  });
});

describe('where the configuration samples', () => {
  const algorithm = 'ES256';
  const ask = (input: string, mustVerify: boolean): Promise<Uint8Array> => {
    const key = keys.get('P-256');
    if (key === undefined) throw new Error('no key was made');
    return hsm.sign({ ...signRequest({ ...key, algorithm }, input), mustVerify });
  };
  const counted = (): number => hsm.status().signatures.unchecked;

  /** Until a signature is delivered on trust: each session shows first that it signs well with the key. */
  const untilBelieved = async (): Promise<void> => {
    const before = counted();
    while (counted() === before) await ask('warm', false);
  };

  it('a session is believed only with a key that it has signed well with', async () => {
    await whenReady(hsm);
    const { verified } = hsm.status().signatures;
    await untilBelieved();
    expect(hsm.status().signatures.verified).toBeGreaterThan(verified);
  });

  it('one that is drawn and wrong is caught as ever', async () => {
    await untilBelieved();
    const before = hsm.status().signatures.wrong;
    const rule = token.shim.arm({ on: 'C_Sign', action: 'flipBit', limit: 1 });
    expect(await ask('drawn', true)).toHaveLength(64);
    expect(hsm.status().signatures.wrong - before).toBe(1);
    rule.disarm();
  });

  it('a signature of another length is caught without being drawn', async () => {
    await untilBelieved();
    const before = hsm.status().signatures.wrong;
    const rule = token.shim.arm({ on: 'C_Sign', action: 'derEncode', limit: 1 });
    expect(await ask('DER', false)).toHaveLength(64);
    expect(hsm.status().signatures.wrong - before).toBe(1);
    rule.disarm();
  });
});
