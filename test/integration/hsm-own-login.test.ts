/** p11-kit's client: each loading of the module, so each thread of a worker, is a client of its own with its own login. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPool, randomCkaId, signRequest, whenReady } from '../fixtures/hsm-pool.ts';
import { endProcesses, setUpToken, type TestToken } from '../tokens/set-up.ts';

const CLIENTS = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/pkcs11/p11-kit-client.so`);

describe.skipIf(!CLIENTS.some((file) => existsSync(file)))('the pool over p11-kit remoting', () => {
  let dir: string;
  let token: TestToken;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'keyturn-p11-kit-'));
    token = await setUpToken('p11-kit', dir);
  });

  afterAll(async () => {
    await endProcesses(token.processes);
    await rm(dir, { recursive: true, force: true });
  });

  it('logs each session in by itself, and signs in all of them', async () => {
    const hsm = openPool(token, { sessionsPerWorker: 2 });
    try {
      await whenReady(hsm);
      const ckaId = randomCkaId();
      const { publicKey } = await hsm.generateKeyPair({
        ckaId,
        ckaLabel: 'keyturn/own-login/1',
        spec: { algorithm: 'ES256' },
      });
      const key = { ckaId, algorithm: 'ES256', publicKey } as const;
      await hsm.tryKey(key);
      await Promise.all(Array.from({ length: 20 }, (_, index) => hsm.sign(signRequest(key, `input ${index}`))));
      expect(await hsm.destroyKeyPair(ckaId)).toEqual({ destroyedObjects: 2 });
      expect(hsm.status().workerRestarts).toBe(0);
    } finally {
      await hsm.close(2_000);
    }
  });
});
