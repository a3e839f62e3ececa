/** What every adapter of the HSM port does, whatever is behind it. Run on the fake and on the real pool. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCallerName, parseCkaId, type CkaId } from '../../src/base/ids.ts';
import { systemClock } from '../../src/base/system-clock.ts';
import type { Hsm, SignRequest } from '../../src/hsm/hsm.ts';
import { type Algorithm, ALGORITHMS, type KeySpec, specOf } from '../../src/jose/algorithms.ts';
import { toPublicKey } from '../../src/jose/public-key.ts';
import { signatureBytes, verifySignature } from '../../src/jose/signature.ts';

export interface HsmUnderTest {
  readonly hsm: Hsm;
  dispose(): Promise<void>;
}

type Key = Pick<SignRequest, 'ckaId' | 'algorithm' | 'publicKey'>;

/** `algorithms`: those that what is behind the port can do; it must refuse the others. */
export function describeHsmContract(
  name: string,
  open: () => Promise<HsmUnderTest>,
  algorithms: readonly Algorithm[] = ALGORITHMS,
): void {
  describe(`${name}, as an HSM`, () => {
    let subject: HsmUnderTest;
    let made = 0;

    beforeAll(async () => {
      subject = await open();
    });

    afterAll(async () => {
      await subject.dispose();
    });

    const specFor = (algorithm: Algorithm): KeySpec =>
      specOf(algorithm).keyType === 'RSA' ? { algorithm, rsaBits: 2048 } : { algorithm };

    async function makeKey(algorithm: Algorithm, ckaId = randomCkaId()): Promise<Key> {
      made += 1;
      const { publicKey } = await subject.hsm.generateKeyPair({
        ckaId,
        ckaLabel: `keyturn/contract/${made}`,
        spec: specFor(algorithm),
      });
      return { ckaId, algorithm, publicKey };
    }

    function signWith(key: Key, input: string, deadlineInMs = 5_000): Promise<Uint8Array> {
      const deadlineMs = systemClock.monotonicMs() + deadlineInMs;
      return subject.hsm.sign({
        ...key,
        signingInput: Buffer.from(input),
        deadlineMs,
        caller: parseCallerName('contract'),
        mustVerify: true,
        isCanary: false,
      });
    }

    it('is ready and names its token', () => {
      const status = subject.hsm.status();
      expect(status).toMatchObject({ state: 'ready', workerRestarts: 0, queueDepth: 0 });
      expect(status.label).toBeTruthy();
      expect(status.serial).toBeTruthy();
      expect(status.workers.length).toBeGreaterThan(0);
    });

    const others = ALGORITHMS.filter((algorithm) => !algorithms.includes(algorithm));
    if (others.length > 0) {
      it('refuses what the token has no mechanism for', async () => {
        for (const algorithm of others)
          await expect(makeKey(algorithm)).rejects.toMatchObject({ reason: 'ALGORITHM_NOT_SUPPORTED' });
      });
    }

    it.each(algorithms)('makes a proven key and signs with it: %s', async (algorithm) => {
      const ckaId = randomCkaId();
      const { publicKey, birth } = await subject.hsm.generateKeyPair({
        ckaId,
        ckaLabel: `keyturn/contract/${algorithm.toLowerCase()}`,
        spec: specFor(algorithm),
      });
      expect(birth.attributes).toMatchObject({
        CKA_SENSITIVE: true,
        CKA_EXTRACTABLE: false,
        CKA_ALWAYS_SENSITIVE: true,
        CKA_NEVER_EXTRACTABLE: true,
        CKA_KEY_GEN_MECHANISM: specOf(algorithm).generateMechanism,
      });
      expect(birth.tokenSerial).toBe(subject.hsm.status().serial);
      const key = { ckaId, algorithm, publicKey };
      await subject.hsm.tryKey(key);
      const signature = await signWith(key, 'header.payload');
      expect(signature.length).toBe(signatureBytes(algorithm, toPublicKey(key.publicKey)));
      expect(verifySignature(algorithm, toPublicKey(key.publicKey), Buffer.from('header.payload'), signature)).toBe(
        true,
      );
    });

    it('signs many requests at once, each with its own input and key', async () => {
      const keys = [await makeKey('ES256'), await makeKey('Ed25519')];
      const signatures = await Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          const key = keys[index % 2];
          if (key === undefined) throw new Error('no key');
          return verifySignature(
            key.algorithm,
            toPublicKey(key.publicKey),
            Buffer.from(`input ${index}`),
            await signWith(key, `input ${index}`),
          );
        }),
      );
      expect(signatures.every(Boolean)).toBe(true);
    });

    it('lists what is in the token, and no more after its destruction', async () => {
      const { ckaId } = await makeKey('ES256');
      const listed = (await subject.hsm.listKeys()).find((key) => key.ckaId === ckaId);
      expect(listed).toEqual({ ckaId, ckaLabel: `keyturn/contract/${made}`, privateKeys: 1, publicKeys: 1 });
      expect(await subject.hsm.destroyKeyPair(ckaId)).toEqual({ destroyedObjects: 2 });
      expect((await subject.hsm.listKeys()).some((key) => key.ckaId === ckaId)).toBe(false);
    });

    it.each(['ES256', 'ES384', 'Ed25519', 'RS256'] as const)(
      'reads a key pair back as it was born: %s',
      async (alg) => {
        const ckaId = randomCkaId();
        const spec = specFor(alg);
        const born = await subject.hsm.generateKeyPair({ ckaId, ckaLabel: 'keyturn/contract/read', spec });
        expect(await subject.hsm.readKeyPair({ ckaId, spec })).toEqual(born);
      },
    );

    it('reads nothing back that is of another kind, or not there', async () => {
      const notProven = { reason: 'KEY_NOT_PROVEN' };
      const { ckaId } = await makeKey('ES256');
      for (const algorithm of ['ES384', 'Ed25519', 'RS256'] as const)
        await expect(subject.hsm.readKeyPair({ ckaId, spec: specFor(algorithm) })).rejects.toMatchObject(notProven);
      const missing = { ckaId: randomCkaId(), spec: specFor('ES256') };
      await expect(subject.hsm.readKeyPair(missing)).rejects.toMatchObject(notProven);
    });

    it('counts the destruction of a key that is not there as success', async () => {
      expect(await subject.hsm.destroyKeyPair(randomCkaId())).toEqual({ destroyedObjects: 0 });
    });

    it('signs no more with a destroyed key', async () => {
      const key = await makeKey('ES256');
      await signWith(key, 'before');
      await subject.hsm.destroyKeyPair(key.ckaId);
      await expect(signWith(key, 'after')).rejects.toMatchObject({ reason: 'TOKEN_OPERATION_FAILED' });
      await expect(subject.hsm.tryKey(key)).rejects.toMatchObject({ reason: 'TOKEN_OPERATION_FAILED' });
    });

    it('refuses to make a second key under a CKA_ID, and leaves the first alone', async () => {
      const key = await makeKey('ES256');
      await expect(makeKey('ES256', key.ckaId)).rejects.toMatchObject({ reason: 'TOKEN_OPERATION_FAILED' });
      await signWith(key, 'still there');
    });

    it('delivers no signature that the given public key does not verify', async () => {
      const [key, other] = [await makeKey('ES256'), await makeKey('ES256')];
      await expect(signWith({ ...key, publicKey: other.publicKey }, 'x')).rejects.toMatchObject({
        reason: 'SIGNATURE_INVALID',
      });
      await expect(subject.hsm.tryKey({ ...key, publicKey: other.publicKey })).rejects.toMatchObject({
        reason: 'SIGNATURE_INVALID',
      });
      await signWith(key, 'and is well afterwards');
    });

    it('refuses what is late already', async () => {
      const key = await makeKey('ES256');
      await expect(signWith(key, 'late', 0)).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
    });

    it('refuses everything once it is closed, and closes twice without complaint', async () => {
      const other = await open();
      const { hsm } = other;
      try {
        await Promise.all([hsm.close(1_000), hsm.close(1_000)]);
        const shuttingDown = { reason: 'SHUTTING_DOWN' };
        const ckaId = randomCkaId();
        await expect(hsm.listKeys()).rejects.toMatchObject(shuttingDown);
        await expect(hsm.destroyKeyPair(ckaId)).rejects.toMatchObject(shuttingDown);
        await expect(
          hsm.generateKeyPair({ ckaId, ckaLabel: 'keyturn/x/1', spec: { algorithm: 'ES256' } }),
        ).rejects.toMatchObject(shuttingDown);
        expect(() => {
          hsm.retryLogin();
        }).toThrow(expect.objectContaining(shuttingDown));
        expect(hsm.status().state).not.toBe('ready');
      } finally {
        await other.dispose();
      }
    });
  });
}

function randomCkaId(): CkaId {
  return parseCkaId(randomBytes(16).toString('hex'));
}
