/** Modules whose processes don't see each other's changes (tpm2-pkcs11 reads its objects when it starts): SoftHSM2 behind the shim. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Hsm } from '../../src/hsm/hsm.ts';
import { eventually, openPool, randomCkaId, signRequest, whenReady } from '../fixtures/hsm-pool.ts';
import { makeShimmedToken, type ShimmedToken } from '../fixtures/shimmed-token.ts';

describe('a worker whose module shows another view of the token', () => {
  let token: ShimmedToken;
  let hsm: Hsm;

  beforeAll(async () => {
    token = makeShimmedToken();
    hsm = openPool(token);
    await whenReady(hsm);
  });

  afterEach(async () => {
    token.shim.clear();
    await whenReady(hsm);
  });

  afterAll(async () => {
    await hsm.close(2_000);
    token.dispose();
  });

  /** The first one makes and destroys. */
  function workerPids(): readonly [number, number] {
    const [first, second] = hsm.status().workers;
    if (first === undefined || second === undefined) throw new Error('two workers are needed');
    return [first.pid, second.pid];
  }

  async function generate() {
    const ckaId = randomCkaId();
    const spec = { algorithm: 'ES256' } as const;
    const { publicKey } = await hsm.generateKeyPair({ ckaId, ckaLabel: 'keyturn/views/1', spec });
    return { ckaId, algorithm: 'ES256', publicKey } as const;
  }

  async function whenReplaced(pid: number): Promise<void> {
    await eventually(() => !hsm.status().workers.some((worker) => worker.pid === pid));
    token.shim.clear();
    await whenReady(hsm);
  }

  it('is replaced when it does not see a new key that another one signs with', async () => {
    const [, blind] = workerPids();
    token.shim.arm({ on: 'C_FindObjects', action: 'noObjects', pid: blind });
    const key = await generate();
    await hsm.tryKey(key);
    await whenReplaced(blind);
    await hsm.tryKey(key);
    await Promise.all(Array.from({ length: 20 }, (_, index) => hsm.sign(signRequest(key, `input ${index}`))));
  });

  it('stays when no worker sees the key: then the key is missing', async () => {
    const key = await generate();
    token.shim.arm({ on: 'C_FindObjects', action: 'noObjects' });
    const before = workerPids();
    await expect(hsm.tryKey(key)).rejects.toMatchObject({ reason: 'TOKEN_OPERATION_FAILED' });
    expect(workerPids()).toEqual(before);
  });

  it('is replaced when it still shows a key that is gone for the one that destroyed it', async () => {
    const key = await generate();
    await hsm.tryKey(key);
    const [destroyer, haunted] = workerPids();
    token.shim.arm({ on: 'C_FindObjects', action: 'noObjects', pid: destroyer });
    expect(await hsm.destroyKeyPair(key.ckaId)).toEqual({ destroyedObjects: 0 });
    await whenReplaced(haunted);
  });
});
