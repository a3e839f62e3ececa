import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import { systemClock } from '../../src/base/system-clock.ts';
import { describeCapabilities } from '../../src/commands/doctor-token.ts';
import { type Capability, groupsOfKeys, tryCapabilities } from '../../src/hsm/capabilities.ts';
import type { GeneratedKey, GenerateRequest } from '../../src/hsm/hsm.ts';
import { ALGORITHMS, specOf } from '../../src/jose/algorithms.ts';
import { FakeHsm } from '../fakes/fake-hsm.ts';

/** A token without ML-DSA, whose P-521 keys never sign as they should. */
class OddHsm extends FakeHsm {
  generations = 0;

  override async generateKeyPair(request: GenerateRequest): Promise<GeneratedKey> {
    if (specOf(request.spec.algorithm).keyType === 'AKP')
      throw new KeyturnError('ALGORITHM_NOT_SUPPORTED', 'the token has no ML-DSA (planted)');
    this.generations += 1;
    return super.generateKeyPair(request);
  }

  override async tryKey(key: Parameters<FakeHsm['tryKey']>[0]): Promise<void> {
    if (key.algorithm === 'ES512') throw new KeyturnError('SIGNATURE_INVALID', 'the point is broken (planted)');
    return super.tryKey(key);
  }
}

describe('trying what a token can do', () => {
  it('tells for each algorithm whether it works, is missing or is broken, and leaves no key behind', async () => {
    const hsm = new OddHsm();
    const progress: string[] = [];
    const capabilities = await tryCapabilities({
      hsm,
      clock: systemClock,
      randomBytes,
      concurrency: 1,
      onProgress: (what) => progress.push(what),
    });
    const verdicts = Object.groupBy(capabilities, ({ verdict }) => verdict);
    expect(verdicts.missing?.map(({ algorithm }) => algorithm)).toEqual(['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87']);
    expect(verdicts.broken).toMatchObject([{ algorithm: 'ES512', problem: 'the point is broken (planted)' }]);
    expect(new Set(capabilities.map(({ algorithm }) => algorithm))).toEqual(new Set(ALGORITHMS));
    expect(verdicts.works?.every(({ signaturesPerSecond = 0 }) => signaturesPerSecond > 0)).toBe(true);
    expect(hsm.keys.size).toBe(0);
    // RSA in three sizes, four curves and Ed25519, each made once for all the algorithms that can use it.
    expect(hsm.generations).toBe(8);
    expect(progress).toHaveLength(groupsOfKeys().length);
  });

  it('says so when a throw-away key could not be destroyed', async () => {
    const hsm = new FakeHsm();
    hsm.failNext('destroy');
    const trial = { hsm, clock: systemClock, randomBytes, concurrency: 1, onProgress: () => undefined };
    await expect(tryCapabilities(trial)).rejects.toThrow('keyturn-doctor/throw-away');
  });
});

describe('the capability table', () => {
  it('has a line for each, with the mechanism and what was seen', () => {
    const works = { verdict: 'works', problem: undefined, generateMs: 16.4, signaturesPerSecond: 2_837.2 } as const;
    const capabilities: Capability[] = [
      { algorithm: 'RS256', rsaBits: 2048, ...works, generateMs: 80 },
      { algorithm: 'ES256', rsaBits: undefined, ...works },
      {
        algorithm: 'ML-DSA-44',
        rsaBits: undefined,
        verdict: 'missing',
        problem: 'x',
        generateMs: undefined,
        signaturesPerSecond: undefined,
      },
    ];
    expect(describeCapabilities(capabilities)).toEqual([
      'ALGORITHM  BITS  MECHANISM     TRIED    KEY PAIR  SIGNATURES',
      'RS256      2048  CKM_RSA_PKCS  works    80 ms     2837/s',
      'ES256            CKM_ECDSA     works    16 ms     2837/s',
      'ML-DSA-44        CKM_ML_DSA    missing',
    ]);
  });
});
