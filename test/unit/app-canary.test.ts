import { describe, expect, it } from 'vitest';
import { Canary } from '../../src/app/canary.ts';
import type { Signer } from '../../src/app/signers.ts';
import { KeyturnError } from '../../src/base/errors.ts';
import { parseCkaId, parseSigningKeyName, type SigningKeyName } from '../../src/base/ids.ts';
import type { Reason } from '../../src/base/reasons.ts';
import type { Hsm, SignRequest } from '../../src/hsm/hsm.ts';
import { FakeClock, settle } from '../fakes/fake-clock.ts';
import { FakeHsm } from '../fakes/fake-hsm.ts';
import { startApp } from '../fixtures/app-harness.ts';
import { silentLog } from '../fixtures/hsm-pool.ts';
import { T0 } from '../fixtures/lifecycle.ts';

const PERIOD_MS = 4_000;
const LOOK_MS = PERIOD_MS / 4;
const NAME = 'access-tokens';

/** An application with one signing key and a canary; `refusal`: how the token answers every signature. */
async function startReady() {
  const clock = new FakeClock(T0);
  const hsm = new FakeHsm({ clock });
  const requests: SignRequest[] = [];
  const token: { refusal: Reason | undefined } = { refusal: undefined };
  const sign = hsm.sign.bind(hsm);
  hsm.sign = async (request) => {
    requests.push(request);
    if (token.refusal !== undefined) throw new KeyturnError(token.refusal, 'planted');
    return sign(request);
  };
  const harness = await startApp({ clock, hsm, canaryPeriodMs: PERIOD_MS });
  await harness.apply();
  await clock.advanceAsync(PERIOD_MS);
  requests.length = 0;
  const isReady = () => harness.app.isSigningKeyReady(NAME);
  return { app: harness.app, sign: () => harness.sign(), clock, requests, token, isReady };
}

describe('an idle signing key', () => {
  it('is ready by its canaries: some in each period, never more than one a look', async () => {
    const { clock, requests, isReady } = await startReady();
    for (let period = 0; period < 10; period += 1) {
      requests.length = 0;
      await clock.advanceAsync(PERIOD_MS);
      expect(requests.length).toBeGreaterThanOrEqual(1);
      expect(requests.length).toBeLessThanOrEqual(4);
      expect(isReady()).toBe(true);
    }
  });

  it('signs with its own ACTIVE version, over bytes that no JWT begins with, none twice', async () => {
    const { clock, requests, app } = await startReady();
    await clock.advanceAsync(10 * PERIOD_MS);
    const [active] = app.listKeyVersions(NAME, 10, '').items.filter(({ state }) => state === 'ACTIVE');
    expect(new Set(requests.map(({ ckaId }) => ckaId))).toEqual(new Set([active?.ckaId]));
    expect(requests.every(({ signingInput }) => signingInput[0] === 0)).toBe(true);
    const inputs = new Set(requests.map(({ signingInput }) => Buffer.from(signingInput).toString('hex')));
    expect(inputs.size).toBe(requests.length);
  });

  it('is not ready within a period of a token that calls every request wrong, says why, and comes back', async () => {
    const { clock, token, isReady, app } = await startReady();
    const seen: (boolean | undefined)[] = [];
    app.onReadinessChange(() => seen.push(isReady()));
    token.refusal = 'TOKEN_OPERATION_FAILED';
    await clock.advanceAsync(PERIOD_MS);
    expect(app.tokenStatus().state).toBe('ready');
    expect([isReady(), seen.at(-1)]).toEqual([false, false]);
    expect(app.getSigningKey(NAME).lastProblem).toContain('TOKEN_OPERATION_FAILED: planted');
    token.refusal = undefined;
    await clock.advanceAsync(LOOK_MS + 100);
    expect([isReady(), seen.at(-1)]).toEqual([true, true]);
    expect(app.getSigningKey(NAME).lastProblem).toBe('');
  });

  it('stays ready through a full queue, which tells of load, as long as something is signed', async () => {
    const { clock, token, isReady, sign } = await startReady();
    for (let look = 0; look < 8; look += 1) {
      token.refusal = undefined;
      await sign();
      token.refusal = 'QUEUE_FULL';
      await clock.advanceAsync(2 * LOOK_MS);
      expect(isReady()).toBe(true);
    }
    await clock.advanceAsync(PERIOD_MS);
    expect(isReady()).toBe(false);
  });

  it('is ready again at once when a caller got a JWT', async () => {
    const { clock, token, isReady, sign } = await startReady();
    token.refusal = 'TOKEN_OPERATION_FAILED';
    await clock.advanceAsync(PERIOD_MS);
    token.refusal = undefined;
    await sign();
    expect(isReady()).toBe(true);
  });
});

it('a busy signing key gets no canary', async () => {
  const { clock, requests, sign } = await startReady();
  for (let look = 0; look < 20; look += 1) {
    await sign();
    await clock.advanceAsync(LOOK_MS / 2);
  }
  expect(requests.every(({ caller }) => caller === 'auth-service')).toBe(true);
});

it('many idle signing keys take turns: 16 a look, and each has its turn', async () => {
  const clock = new FakeClock(T0);
  const names = Array.from({ length: 100 }, (_, index) => parseSigningKeyName(`key-${index}`));
  const signers = new Map<SigningKeyName, Signer>(
    names.map((name, index) => [name, { ckaId: parseCkaId(index.toString(16).padStart(32, '0')) } as Signer]),
  );
  const seen = new Set<string>();
  let asked = 0;
  const hsm: Pick<Hsm, 'sign' | 'status'> = {
    status: () => new FakeHsm().status(),
    sign: ({ ckaId }) => {
      asked += 1;
      seen.add(ckaId);
      return Promise.resolve(Buffer.alloc(64));
    },
  };
  const canary = new Canary({
    hsm,
    clock,
    log: silentLog,
    periodMs: PERIOD_MS,
    randomBytes: (count) => Buffer.alloc(count),
    signingKeys: () => names,
    findSigner: (name) => signers.get(name),
    onChange: () => undefined,
  });
  canary.start();
  await settle();
  expect(asked).toBe(16);
  await clock.advanceAsync(6 * LOOK_MS);
  expect(asked).toBe(7 * 16);
  expect(seen.size).toBe(100);
  canary.stop();
  await clock.advanceAsync(PERIOD_MS);
  expect(asked).toBe(7 * 16);
});
