/** Sampling, where the configuration asks for it: who decides which signatures are verified, and who is believed. */
import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseCallerName, parseCkaId } from '../../src/base/ids.ts';
import type { SignRequest } from '../../src/hsm/hsm.ts';
import type { SessionLink } from '../../src/hsm/session-link.ts';
import { SignatureChecks } from '../../src/hsm/signature-checks.ts';
import { startApp } from '../fixtures/app-harness.ts';

describe('the sample of signatures that are verified', () => {
  async function drawn(verifyOneIn: number): Promise<readonly boolean[]> {
    const harness = await startApp({ verifyOneIn });
    await harness.apply();
    const flags: boolean[] = [];
    const sign = harness.hsm.sign.bind(harness.hsm);
    harness.hsm.sign = (request) => {
      flags.push(request.mustVerify);
      return sign(request);
    };
    for (let index = 0; index < 30; index += 1) await harness.sign();
    return flags;
  }

  it('is every signature by default, and one in so many where the configuration says so', async () => {
    expect((await drawn(1)).every(Boolean)).toBe(true);
    // The harness counts instead of drawing: each third.
    expect((await drawn(3)).filter(Boolean)).toHaveLength(10);
  });
});

describe('a session is believed', () => {
  const publicKey = createPublicKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
  const link = {} as SessionLink;
  const ckaId = parseCkaId('1'.repeat(32));
  const request: SignRequest = {
    ckaId,
    algorithm: 'ES256',
    signingInput: Buffer.from('input'),
    publicKey: { kty: 'EC', crv: 'P-256', x: '', y: '' },
    mustVerify: false,
    isCanary: false,
    deadlineMs: 0,
    caller: parseCallerName('tester'),
  };
  const mayBelieve = (checks: SignatureChecks, more: Partial<SignRequest> = {}, bytes = 64): boolean =>
    checks.mayBelieve({ ...request, ...more }, link, publicKey, randomBytes(bytes));
  const believing = (): SignatureChecks => {
    const checks = new SignatureChecks();
    checks.believe(link, ckaId, checks.epoch);
    return checks;
  };

  it('with a key that it has signed well with, and no other', () => {
    expect(mayBelieve(new SignatureChecks())).toBe(false);
    const checks = believing();
    expect(mayBelieve(checks)).toBe(true);
    expect(mayBelieve(checks, { ckaId: parseCkaId('2'.repeat(32)) })).toBe(false);
    expect(checks.counts.unchecked).toBe(1);
  });

  it('never with a signature of another length, nor with one that is drawn', () => {
    expect(mayBelieve(believing(), {}, 63)).toBe(false);
    expect(mayBelieve(believing(), { mustVerify: true })).toBe(false);
  });

  it('until a wrong signature of whatever session, or any change', async () => {
    const wrong = believing();
    expect(await wrong.verify('ES256', publicKey, Buffer.from('input'), randomBytes(64))).toBe(false);
    expect(mayBelieve(wrong)).toBe(false);
    const changed = believing();
    changed.doubt();
    expect(mayBelieve(changed)).toBe(false);
  });

  it('not for an answer to what was sent before the change', () => {
    const checks = new SignatureChecks();
    const { epoch } = checks;
    checks.doubt();
    checks.believe(link, ckaId, epoch);
    expect(mayBelieve(checks)).toBe(false);
  });
});
