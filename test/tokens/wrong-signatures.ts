/**
 * A token that signs wrongly, with the algorithms that SoftHSM2 lacks: the fault shim stands in front of it, and nobody gets
 * what it spoils. For all others test/integration/hsm-wrong-signatures.test.ts does it.
 */
import type { Hsm, SignRequest } from '../../src/hsm/hsm.ts';
import type { Algorithm } from '../../src/jose/algorithms.ts';
import { toPublicKey } from '../../src/jose/public-key.ts';
import { verifySignature } from '../../src/jose/signature.ts';
import { openPool, randomCkaId, signRequest, whenReady } from '../fixtures/hsm-pool.ts';
import { Shim } from '../shim/shim.ts';
import { cell, type Cell } from './cells.ts';
import type { TestToken } from './set-up.ts';

type Key = Pick<SignRequest, 'ckaId' | 'algorithm' | 'publicKey'>;

const KINDS = ['flipBit', 'truncate', 'zero', 'otherKey'] as const;
/** Fewer than the sessions: no request meets as many as would make it fail. */
const WRONG_ONES = 2;
const REQUESTS = 4;

export async function checkWrongSignatures(token: TestToken, algorithms: readonly Algorithm[]): Promise<Cell> {
  const shim = new Shim(token.dir, token.config.moduleFile);
  const environment = { ...token.config.environment, ...shim.environment };
  const shimmed = { ...token, config: { ...token.config, moduleFile: shim.moduleFile, environment } };
  const hsm = openPool(shimmed, { sessionsPerWorker: 2 });
  try {
    await whenReady(hsm);
    for (const algorithm of algorithms) {
      // The second one is there for a token that signs with another key.
      const [key, other] = [await makeKey(hsm, algorithm), await makeKey(hsm, algorithm)];
      for (const kind of KINDS) await signThrough(hsm, shim, key, kind);
      for (const { ckaId } of [key, other]) await hsm.destroyKeyPair(ckaId);
    }
  } finally {
    await hsm.close(2_000);
    shim.close();
  }
  return cell('wrong-ml-dsa', 'ok', `${algorithms.join(', ')}: ${KINDS.join(', ')}, none delivered, each made anew`);
}

async function makeKey(hsm: Hsm, algorithm: Algorithm): Promise<Key> {
  const ckaId = randomCkaId();
  const { publicKey } = await hsm.generateKeyPair({ ckaId, ckaLabel: `keyturn/wrong/${ckaId}`, spec: { algorithm } });
  return { ckaId, algorithm, publicKey };
}

async function signThrough(hsm: Hsm, shim: Shim, key: Key, action: (typeof KINDS)[number]): Promise<void> {
  const what = `${key.algorithm} ${action}`;
  const before = hsm.status().signatures.wrong;
  const rule = shim.arm({ on: action === 'otherKey' ? 'C_SignInit' : 'C_Sign', action, limit: WRONG_ONES });
  const inputs = Array.from({ length: REQUESTS }, (_, index) => `${what} ${index}`);
  const signatures = await Promise.all(inputs.map((input) => hsm.sign(signRequest(key, input, 10_000))));
  const publicKey = toPublicKey(key.publicKey);
  for (const [index, signature] of signatures.entries()) {
    if (!verifySignature(key.algorithm, publicKey, Buffer.from(inputs[index] ?? ''), signature))
      throw new Error(`${what}: a wrong signature was delivered`);
  }
  const caught = hsm.status().signatures.wrong - before;
  if (rule.hits() !== WRONG_ONES || caught !== WRONG_ONES)
    throw new Error(`${what}: ${rule.hits()} spoiled, ${caught} caught, where ${WRONG_ONES} are due`);
  rule.disarm();
}
