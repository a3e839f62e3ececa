/**
 * Many JWTs in one answer, each signed as if it came alone. What is signed first waits for what is signed last: when all
 * are there, each is asked once more whether it may leave, and is signed anew when it may not.
 */
import { setImmediate } from 'node:timers/promises';
import type { SignedJwt } from './application.ts';
import { MAX_ATTEMPTS, overtaken } from './sign-jwt.ts';

/** So many are begun before others have their turn. */
const SLICE = 32;

type Outcome = PromiseSettledResult<SignedJwt>;

export interface BatchPorts<Request> {
  /** Once for each request, before it is signed. Throws what the request is then refused with. */
  readonly admit: (index: number) => void;
  readonly sign: (request: Request) => Promise<SignedJwt>;
}

/** One outcome for each request, in their order. */
export async function signBatch<Request extends { readonly signingKey: string }>(
  { admit, sign }: BatchPorts<Request>,
  requests: readonly Request[],
): Promise<readonly Outcome[]> {
  const begun: Promise<Outcome>[] = [];
  for (const [index, request] of requests.entries()) {
    if (index > 0 && index % SLICE === 0) await setImmediate();
    begun.push(
      settle(() => {
        admit(index);
        return sign(request);
      }),
    );
  }
  const outcomes = await Promise.all(begun);
  for (let attempt = 1; ; attempt += 1) {
    const retained = requests.flatMap((request, index) => (mayLeave(outcomes[index]) ? [] : [{ request, index }]));
    if (retained.length === 0) return outcomes;
    const again = retained.map(async ({ request, index }) => {
      outcomes[index] = await settle(() =>
        attempt < MAX_ATTEMPTS ? sign(request) : Promise.reject(overtaken(request.signingKey)),
      );
    });
    await Promise.all(again);
  }
}

/** A refusal always may. */
function mayLeave(outcome: Outcome | undefined): boolean {
  return outcome?.status !== 'fulfilled' || outcome.value.mayStillLeave();
}

async function settle(work: () => Promise<SignedJwt>): Promise<Outcome> {
  try {
    return { status: 'fulfilled', value: await work() };
  } catch (reason) {
    return { status: 'rejected', reason };
  }
}
