/** JWTs whose lifetime is shorter than the wait for the token: none is released when it has expired. */
import { decodeJwt } from 'jose';
import { expect, it } from 'vitest';
import type { SignRequest } from '../../src/hsm/hsm.ts';
import { settle } from '../fakes/fake-clock.ts';
import { type AppHarness, startApp } from '../fixtures/app-harness.ts';

const LIFETIME_MS = 1_000;
const WAIT_MS = 1_500;

/** A token that answers after `latencyMs`, whether or not anybody still waits. */
async function startWithSlowToken(latencyMs: number): Promise<{ harness: AppHarness; requests: SignRequest[] }> {
  const harness = await startApp();
  await harness.apply();
  harness.hsm.latencyMs = latencyMs;
  const requests: SignRequest[] = [];
  const sign = harness.hsm.sign.bind(harness.hsm);
  harness.hsm.sign = async (request) => {
    requests.push(request);
    return sign({ ...request, deadlineMs: Number.POSITIVE_INFINITY });
  };
  return { harness, requests };
}

it('a JWT that expired before it was signed is made anew', async () => {
  const { harness, requests } = await startWithSlowToken(WAIT_MS);
  const signing = harness.sign('access-tokens', LIFETIME_MS);
  await settle();
  harness.hsm.latencyMs = 10;
  await harness.clock.advanceAsync(WAIT_MS + 100, 10);
  const { iat = 0, exp = 0 } = decodeJwt((await signing).jwt);
  expect(requests).toHaveLength(2);
  expect(exp * 1_000).toBeGreaterThan(harness.clock.wallMs() - 100);
  expect(exp - iat).toBe(1);
});

it('a JWT that expires again and again before it is signed is refused', async () => {
  const { harness, requests } = await startWithSlowToken(WAIT_MS);
  const [answer] = await Promise.all([
    Promise.allSettled([harness.sign('access-tokens', LIFETIME_MS)]),
    harness.clock.advanceAsync(4 * WAIT_MS, 10),
  ]);
  expect(answer).toMatchObject([{ status: 'rejected', reason: { reason: 'CONCURRENT_CHANGE' } }]);
  expect(requests).toHaveLength(3);
});

it('the token is not asked for a signature that would come too late for the JWT', async () => {
  const { harness, requests } = await startWithSlowToken(10);
  const askedAtMs = harness.clock.monotonicMs();
  const signing = harness.sign('access-tokens', LIFETIME_MS);
  await harness.clock.advanceAsync(100, 10);
  await signing;
  expect(requests.map(({ deadlineMs }) => deadlineMs <= askedAtMs + LIFETIME_MS)).toEqual([true]);
});

it('a request that gave up with its JWT gets another one, as long as its caller waits', async () => {
  const harness = await startApp();
  await harness.apply();
  harness.hsm.latencyMs = WAIT_MS;
  const signing = harness.sign('access-tokens', LIFETIME_MS);
  await settle();
  harness.hsm.latencyMs = 10;
  await harness.clock.advanceAsync(WAIT_MS + 100, 10);
  await signing;
});
