/** `nbf` by policy: so far back that no verifier within the promise finds a JWT not yet valid. */
import { decodeJwt } from 'jose';
import { expect, it } from 'vitest';
import { startApp } from '../fixtures/app-harness.ts';

async function timesOf(
  verifierSkewMs: number,
  addNbf?: boolean,
): Promise<{ readonly iat: number; readonly nbf: number | undefined }> {
  const harness = await startApp({ promise: { verifierSkewMs } });
  await harness.apply('access-tokens', { addNbf });
  const { iat = 0, nbf } = decodeJwt((await harness.sign()).jwt);
  return { iat, nbf };
}

it('there is none unless the lifecycle policy asks for it', async () => {
  expect((await timesOf(60_000)).nbf).toBeUndefined();
  expect((await timesOf(60_000, false)).nbf).toBeUndefined();
});

it.each([
  [60_000, 60],
  [0, 0],
  [1_500, 2],
])('with a verifier skew of %d ms it lies %d s before iat', async (verifierSkewMs, seconds) => {
  const { iat, nbf = Number.NaN } = await timesOf(verifierSkewMs, true);
  expect(iat - nbf).toBe(seconds);
});

it('a policy that is applied once more without it ends it, and one that changes nothing else is a change', async () => {
  const harness = await startApp();
  await harness.apply('access-tokens', { addNbf: true });
  expect(decodeJwt((await harness.sign()).jwt).nbf).toBeDefined();
  expect((await harness.apply('access-tokens', {})).changed).toBe(true);
  expect(decodeJwt((await harness.sign()).jwt).nbf).toBeUndefined();
  expect((await harness.apply('access-tokens', { addNbf: false })).changed).toBe(false);
});
