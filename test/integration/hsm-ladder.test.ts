/** The fault ladder on real workers: SoftHSM2 behind the fault shim, with 64 requests in flight. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/system-clock.ts';
import type { Hsm, Rung, SignRequest, TokenStatus } from '../../src/hsm/hsm.ts';
import { toPublicKey } from '../../src/jose/public-key.ts';
import { verifySignature } from '../../src/jose/signature.ts';
import { eventually, MemoryLatch, openPool, randomCkaId, signRequest, whenReady } from '../fixtures/hsm-pool.ts';
import { makeShimmedToken, type ShimmedToken } from '../fixtures/shimmed-token.ts';
import type { ShimAction } from '../shim/shim.ts';

type Key = Pick<SignRequest, 'ckaId' | 'algorithm' | 'publicKey'>;

interface Bench {
  readonly token: ShimmedToken;
  readonly hsm: Hsm;
  readonly key: Key;
  readonly latch: MemoryLatch;
}

const IN_FLIGHT = 64;
const DEADLINE_MS = 5_000;
const cleanups: (() => Promise<void> | void)[] = [];

/** One for the whole file: every test leaves it well, which is itself what they show. */
let bench: Bench;
let before: TokenStatus;

beforeAll(async () => {
  bench = await open();
});

beforeEach(() => {
  before = bench.hsm.status();
});

afterEach(async () => {
  bench.token.shim.clear();
  await whenReady(bench.hsm);
  await bench.hsm.tryKey(bench.key);
});

afterAll(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** How often a rung was taken in this test. */
function taken(rung: Rung): number {
  return bench.hsm.status().faultRungs[rung] - before.faultRungs[rung];
}

function replaced(): number {
  return bench.hsm.status().workerRestarts - before.workerRestarts;
}

async function open(config: Parameters<typeof openPool>[1] = {}): Promise<Bench> {
  const token = makeShimmedToken();
  cleanups.push(() => {
    token.dispose();
  });
  const latch = new MemoryLatch();
  const hsm = openPool(token, { sessionsPerWorker: 2, signTimeoutMs: 1_000, ...config }, { latch });
  cleanups.push(() => hsm.close(2_000));
  await whenReady(hsm, config.workers ?? 2);
  const key = await makeKey(hsm);
  // For a shim that signs with another one.
  await makeKey(hsm);
  await hsm.sign(signRequest(key, 'the first'));
  return { token, hsm, key, latch };
}

async function makeKey(hsm: Hsm): Promise<Key> {
  const ckaId = randomCkaId();
  const { publicKey } = await hsm.generateKeyPair({
    ckaId,
    ckaLabel: 'keyturn/ladder/1',
    spec: { algorithm: 'ES256' },
  });
  const key = { ckaId, algorithm: 'ES256', publicKey } as const;
  await hsm.tryKey(key);
  return key;
}

/** Keeps so many requests in flight until `isOver`; every answer is a good signature, or the test fails. */
async function signUntil(isOver: () => boolean): Promise<void> {
  const { hsm, key } = bench;
  const publicKey = toPublicKey(key.publicKey);
  let signed = 0;
  const caller = async (index: number): Promise<void> => {
    do {
      const input = `input ${index} ${signed}`;
      const signature = await hsm.sign(signRequest(key, input, DEADLINE_MS));
      if (!verifySignature(key.algorithm, publicKey, Buffer.from(input), signature))
        throw new Error('a wrong signature');
      signed += 1;
    } while (!isOver());
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, index) => caller(index)));
}

function untilMs(lastMs: number): () => boolean {
  const endMs = systemClock.monotonicMs() + lastMs;
  return () => systemClock.monotonicMs() > endMs;
}

describe('with 64 requests in flight, every one gets its signature and', () => {
  it('a login that is lost is made again', async () => {
    const rule = bench.token.shim.arm({ on: 'C_SignInit', action: 'logOut', limit: 1, skip: 50 });
    await signUntil(() => rule.hits() > 0 && taken('login') > 0);
    await bench.hsm.tryKey(bench.key);
    expect([replaced(), taken('reinitialise')]).toEqual([0, 0]);
    expect(bench.latch.reason).toBeUndefined();
  });

  it('a session that is lost every 50 signatures is opened again, and its worker goes on', async () => {
    const rule = bench.token.shim.arm({ on: 'C_SignInit', action: 'dropSession', every: 50 });
    await signUntil(() => rule.hits() >= 20);
    // Now and then it is a trial signature that loses its session: then the module is initialised anew, at worst.
    expect([replaced(), taken('restartWorker')]).toEqual([0, 0]);
    expect(taken('evictSession')).toBeGreaterThan(taken('reinitialise'));
  });

  it.each<[string, string, ShimAction]>([
    ['a token that is gone', 'C_SignInit', { action: 'returnCode', ckr: 0x32 }],
    ['a token that says nothing but that it failed', 'C_Sign', { action: 'returnCode', ckr: 0x06 }],
    ['a module that shows no slots', 'C_GetSlotList', { action: 'noSlots' }],
  ])('%s is waited for without a new process, and taken at once when it is back', async (_, on, action) => {
    const rules = [bench.token.shim.arm({ on, ...action })];
    if (on === 'C_GetSlotList') rules.push(bench.token.shim.arm({ on: 'C_Sign', action: 'returnCode', ckr: 0xe0 }));
    let backAtMs = 0;
    systemClock.after(700, () => {
      for (const rule of rules) rule.disarm();
      backAtMs = systemClock.monotonicMs();
    });
    await signUntil(() => backAtMs > 0);
    await whenReady(bench.hsm);
    expect(systemClock.monotonicMs() - backAtMs).toBeLessThan(2_000);
    expect([replaced(), taken('restartWorker')]).toEqual([0, 0]);
    expect(taken('reinitialise')).toBeGreaterThan(2);
  });

  it.each<[string, ShimAction]>([
    ['crashes', { action: 'segfault' }],
    ['hangs', { action: 'hang' }],
    ['has no memory', { action: 'returnCode', ckr: 0x02 }],
  ])('a module that %s costs a worker and no request', async (_, action) => {
    const rule = bench.token.shim.arm({ on: 'C_Sign', limit: 1, skip: 100, ...action });
    await signUntil(() => rule.hits() > 0);
    await eventually(() => replaced() === 1);
    await whenReady(bench.hsm);
  });

  it.each(['flipBit', 'truncate', 'derEncode', 'zero'] as const)('no bad signature leaves: %s', async (action) => {
    const rule = bench.token.shim.arm({ on: 'C_Sign', action, every: 200 });
    await signUntil(() => rule.hits() >= 5);
    expect(replaced()).toBe(0);
  });

  it('when none is good, requests fail and nothing wrong leaves, until the token is well again', async () => {
    const { token, hsm, key } = bench;
    const rule = token.shim.arm({ on: 'C_Sign', action: 'flipBit' });
    const answers = await Promise.allSettled(
      Array.from({ length: IN_FLIGHT }, (_, index) => hsm.sign(signRequest(key, `input ${index}`, 1_000))),
    );
    expect(answers.filter(({ status }) => status === 'fulfilled')).toEqual([]);
    rule.disarm();
    await whenReady(hsm);
    await hsm.sign(signRequest(key, 'afterwards'));
    expect(replaced()).toBe(0);
  });

  it('a key that somebody else destroyed fails its own requests only', async () => {
    const { hsm, token } = bench;
    const doomed = await makeKey(hsm);
    const other = openPool(token, { workers: 1 }, { workerLockFile: `${token.dir}/other.lock` });
    await whenReady(other, 1);
    await other.destroyKeyPair(doomed.ckaId);
    await other.close(1_000);
    const answers = Array.from({ length: 8 }, () => hsm.sign(signRequest(doomed, 'gone')));
    const others = signUntil(untilMs(300));
    expect((await Promise.allSettled(answers)).map(({ status }) => status)).toEqual(answers.map(() => 'rejected'));
    await others;
    expect([replaced(), taken('reinitialise')]).toEqual([0, 0]);
  });

  it("no other key's signature leaves", async () => {
    const rule = bench.token.shim.arm({ on: 'C_SignInit', action: 'otherKey', every: 200 });
    await signUntil(() => rule.hits() >= 5);
    expect(replaced()).toBe(0);
  });

  it('a busy token is asked again a little later', async () => {
    const rule = bench.token.shim.arm({ on: 'C_Sign', action: 'returnCode', ckr: 0x201, every: 10, limit: 20 });
    await signUntil(() => rule.hits() === 20);
    expect([taken('retry'), taken('evictSession'), taken('reinitialise')]).toEqual([20, 0, 0]);
  });
});

describe('a request that the token can not sign', () => {
  let lonely: Bench;

  beforeAll(async () => {
    lonely = await open({ workers: 1, sessionsPerWorker: 1 });
  });

  it.each([
    [0x21, 'says so'],
    [0x05, 'says nothing'],
    [0x8000_0001, 'speaks a vendor’s language'],
  ])('fails by itself when the code 0x%s %s: the trial signature clears its worker', async (ckr) => {
    const { token, hsm, key } = lonely;
    // Every second call: the request fails, the trial after it doesn't.
    token.shim.arm({ on: 'C_Sign', action: 'returnCode', ckr, every: 2 });
    const answer = await Promise.allSettled([hsm.sign(signRequest(key, 'poison'))]);
    expect(answer).toMatchObject([{ status: 'rejected', reason: { reason: 'TOKEN_OPERATION_FAILED' } }]);
    token.shim.clear();
    await hsm.sign(signRequest(key, 'afterwards'));
    const { workerRestarts, faultRungs } = hsm.status();
    expect(workerRestarts).toBe(0);
    expect(faultRungs).toMatchObject({ login: 0, reinitialise: 0, restartWorker: 0 });
  });
});

describe('a token that calls every request wrong', () => {
  const MECHANISM_INVALID = 0x70;

  it('is believed by callers’ requests, and opened anew when it refuses a canary, until it signs again', async () => {
    const { token, hsm, key } = bench;
    token.shim.arm({ on: 'C_SignInit', action: 'returnCode', ckr: MECHANISM_INVALID });
    const refused = { status: 'rejected', reason: { reason: 'TOKEN_OPERATION_FAILED' } };
    const callers = Array.from({ length: 20 }, (_, index) => hsm.sign(signRequest(key, `input ${index}`)));
    expect(await Promise.allSettled(callers)).toMatchObject(callers.map(() => refused));
    expect([taken('reinitialise'), replaced()]).toEqual([0, 0]);

    const canary = { ...signRequest(key, 'canary'), isCanary: true };
    expect(await Promise.allSettled([hsm.sign(canary)])).toMatchObject([refused]);
    await eventually(() => taken('reinitialise') >= 2);
    token.shim.clear();
    await whenReady(hsm);
    await hsm.sign(signRequest(key, 'afterwards'));
  });

  it('but signs with another key has trouble with that one key: no worker climbs', async () => {
    const { token, hsm, key } = bench;
    const other = await makeKey(hsm);
    await hsm.sign(signRequest(key, 'the trial signature will be made with this key'));
    const { verified } = hsm.status().signatures;
    token.shim.arm({ on: 'C_SignInit', action: 'returnCode', ckr: MECHANISM_INVALID, limit: 1 });
    const canary = { ...signRequest(other, 'canary'), isCanary: true };
    await expect(hsm.sign(canary)).rejects.toMatchObject({ reason: 'TOKEN_OPERATION_FAILED' });
    await eventually(() => hsm.status().signatures.verified > verified);
    await hsm.tryKey(key);
    expect([taken('reinitialise'), taken('login'), replaced()]).toEqual([0, 0, 0]);
  });
});

describe('the login that an outage asks for', () => {
  it.each([
    ['PIN_INCORRECT', 0xa0],
    ['PIN_LOCKED', 0xa4],
  ] as const)(
    'is tried once when it is refused as %s (0x%s), and again when an operator says so',
    async (reason, ckr) => {
      const { token, hsm, key, latch } = bench;
      const logins = token.shim.calls('C_Login');
      const refusal = token.shim.arm({ on: 'C_Login', action: 'returnCode', ckr });
      token.shim.arm({ on: 'C_Sign', action: 'returnCode', ckr: 0x30, limit: 4 });
      // One worker meets the refusal; the other one, when it is lost in turn, finds the latch.
      await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) => hsm.sign(signRequest(key, `input ${index}`, 2_000))),
      );
      await eventually(() => latch.reason !== undefined);
      expect(latch.reason).toBe(reason);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(token.shim.calls('C_Login') - logins).toBe(1);
      token.shim.clear();
      refusal.disarm();
      latch.reason = undefined;
      hsm.retryLogin();
      await whenReady(hsm);
      await hsm.sign(signRequest(key, 'afterwards'));
    },
  );

  it('counts as refused when a failure that says nothing comes twice', async () => {
    const { token, hsm, key, latch } = await open({ workers: 1 });
    const logins = token.shim.calls('C_Login');
    token.shim.arm({ on: 'C_Login', action: 'returnCode', ckr: 0x05 });
    token.shim.arm({ on: 'C_Sign', action: 'returnCode', ckr: 0x30, limit: 1 });
    await expect(hsm.sign(signRequest(key, 'x', 500))).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
    await eventually(() => latch.reason !== undefined, 15_000);
    expect(token.shim.calls('C_Login') - logins).toBe(2);
  });

  it('counts as refused when the module crashes in it twice: whatever the token said is lost', async () => {
    const { token, hsm, key, latch } = await open({ workers: 1 });
    const logins = token.shim.calls('C_Login');
    token.shim.arm({ on: 'C_Login', action: 'segfault' });
    token.shim.arm({ on: 'C_Sign', action: 'segfault', limit: 1 });
    await expect(hsm.sign(signRequest(key, 'x', 500))).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
    await eventually(() => latch.reason !== undefined, 20_000);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(token.shim.calls('C_Login') - logins).toBe(2);
    token.shim.clear();
    latch.reason = undefined;
    hsm.retryLogin();
    await whenReady(hsm, 1);
    await hsm.sign(signRequest(key, 'afterwards'));
  });

  it('counts for nothing when the worker is lost before it or after it', async () => {
    const { token, hsm, key, latch } = await open({ workers: 1 });
    token.shim.arm({ on: 'C_FindObjectsInit', action: 'segfault', limit: 3 });
    token.shim.arm({ on: 'C_Sign', action: 'segfault', limit: 1 });
    await hsm.sign(signRequest(key, 'x', 20_000));
    expect(latch.reason).toBeUndefined();
  });
});
