import { describe, expect, it } from 'vitest';
import type { SignedJwt } from '../../src/app/application.ts';
import { signBatch } from '../../src/app/sign-batch.ts';
import { KeyturnError } from '../../src/base/errors.ts';
import { parseKid } from '../../src/base/ids.ts';

interface Request {
  readonly signingKey: string;
  readonly sub: string;
}

const requests: readonly Request[] = ['a', 'b', 'c'].map((sub) => ({ signingKey: 'access-tokens', sub }));
const KID = parseKid('A'.repeat(43));

function signedAs(jwt: string, mayStillLeave: () => boolean = () => true): SignedJwt {
  return { jwt, kid: KID, expireTimeMs: 0, mayStillLeave };
}

/** What each outcome is: the JWT, or the reason. */
async function outcomesOf(
  sign: (request: Request) => Promise<SignedJwt>,
  admit: (index: number) => void = () => undefined,
): Promise<readonly unknown[]> {
  const outcomes = await signBatch({ admit, sign }, requests);
  return outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? outcome.value.jwt : (outcome.reason as KeyturnError).reason,
  );
}

describe('a batch', () => {
  it('has one outcome for each request in their order, however they end', async () => {
    const gates = requests.map(() => Promise.withResolvers<void>());
    const outcomes = outcomesOf(async ({ sub }) => {
      const index = requests.findIndex((request) => request.sub === sub);
      await gates[index]?.promise;
      if (sub === 'b') throw new KeyturnError('CLAIM_NOT_PERMITTED', 'b is refused');
      return signedAs(sub);
    });
    for (const gate of gates.toReversed()) gate.resolve();
    expect(await outcomes).toEqual(['a', 'CLAIM_NOT_PERMITTED', 'c']);
  });

  it('asks whether a request is let in once, and before it is signed', async () => {
    const admitted: number[] = [];
    const signed: string[] = [];
    const admit = (index: number): void => {
      admitted.push(index);
      if (index === 1) throw new KeyturnError('RATE_LIMITED', 'too many');
    };
    const sign = async ({ sub }: Request): Promise<SignedJwt> => {
      signed.push(sub);
      return signedAs(sub, () => sub !== 'c' || signed.length > 2);
    };
    expect(await outcomesOf(sign, admit)).toEqual(['a', 'RATE_LIMITED', 'c']);
    expect(admitted).toEqual([0, 1, 2]);
    expect(signed, 'the third had to be signed twice').toEqual(['a', 'c', 'c']);
  });

  it('signs anew what may not leave any more when the last one is there', async () => {
    let isCompromised = false;
    const isLastSigned = Promise.withResolvers<void>();
    const sign = async ({ sub }: Request): Promise<SignedJwt> => {
      if (isCompromised) return signedAs(`${sub} by the successor`);
      if (sub === 'c') await isLastSigned.promise;
      return signedAs(sub, () => sub === 'c' || !isCompromised);
    };
    const outcomes = outcomesOf(sign);
    isCompromised = true;
    isLastSigned.resolve();
    expect(await outcomes).toEqual(['a by the successor', 'b by the successor', 'c']);
  });

  it('asks all of them again after one was signed anew: that took its time', async () => {
    let asked = 0;
    const sign = async ({ sub }: Request): Promise<SignedJwt> => {
      let times = 0;
      return signedAs(sub, () => {
        asked += 1;
        times += 1;
        return sub !== 'b' || asked > 3 || times > 1;
      });
    };
    await outcomesOf(sign);
    expect(asked).toBe(6);
  });

  it('gives a JWT up that must be taken back again and again, and nothing that may not leave leaves', async () => {
    let signatures = 0;
    const sign = async ({ sub }: Request): Promise<SignedJwt> => {
      if (sub === 'b') signatures += 1;
      return signedAs(sub, () => sub !== 'b');
    };
    expect(await outcomesOf(sign)).toEqual(['a', 'CONCURRENT_CHANGE', 'c']);
    expect(signatures).toBe(3);
  });
});
