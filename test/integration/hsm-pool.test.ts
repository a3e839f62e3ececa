/** What the pool promises beyond the port's contract: limits, fairness, priorities, and what it never asks the token. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { parseCallerName } from '../../src/base/ids.ts';
import { systemClock } from '../../src/base/system-clock.ts';
import type { Hsm, SignRequest } from '../../src/hsm/hsm.ts';
import { openPool, randomCkaId, signRequest, whenReady } from '../fixtures/hsm-pool.ts';
import { makeSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm-token.ts';

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function open(
  config: Parameters<typeof openPool>[1] = {},
  options: Parameters<typeof openPool>[2] = {},
  spy = false,
): Promise<{ token: SoftHsmToken; hsm: Hsm }> {
  const token = makeSoftHsmToken({ spy });
  cleanups.push(() => {
    token.dispose();
  });
  return { token, hsm: await reopen(token, config, options) };
}

async function reopen(
  token: SoftHsmToken,
  config: Parameters<typeof openPool>[1] = {},
  options: Parameters<typeof openPool>[2] = {},
): Promise<Hsm> {
  const hsm = openPool(token, config, options);
  cleanups.push(() => hsm.close(2_000));
  await whenReady(hsm, config.workers ?? 2);
  return hsm;
}

type Key = Pick<SignRequest, 'ckaId' | 'algorithm' | 'publicKey'>;

async function makeKey(hsm: Hsm): Promise<Key> {
  const ckaId = randomCkaId();
  const { publicKey } = await hsm.generateKeyPair({ ckaId, ckaLabel: 'keyturn/pool/1', spec: { algorithm: 'ES256' } });
  return { ckaId, algorithm: 'ES256', publicKey };
}

/** Resolves when no thread of theirs runs any more: a busy machine takes its time, and they sign on meanwhile. */
async function stopWorkers(hsm: Hsm): Promise<void> {
  const pids = hsm.status().workers.map(({ pid }) => pid);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  const isStopped = (pid: number): boolean =>
    readdirSync(`/proc/${pid}/task`).every((thread) =>
      / T /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').replace(/^.*\)/s, '')),
    );
  await expect.poll(() => pids.every(isStopped)).toBe(true);
}

describe('the pool', () => {
  it('finds the keys of an earlier daemon in one sweep when it starts', async () => {
    const { token, hsm } = await open();
    const key = await makeKey(hsm);
    await hsm.close(1_000);
    const next = await reopen(token);
    await next.sign(signRequest(key, 'after the restart'));
  });

  it('signs with a key that none of its sessions has tried', async () => {
    const { hsm } = await open({ workers: 2, sessionsPerWorker: 2 });
    const key = await makeKey(hsm);
    await Promise.all(Array.from({ length: 50 }, (_, index) => hsm.sign(signRequest(key, `input ${index}`))));
    expect(hsm.status().workerRestarts).toBe(0);
  });

  it('refuses what is over the limit of the queue, and answers what waits too long when its time is up', async () => {
    const signTimeoutMs = 30_000;
    const { hsm } = await open({ workers: 1, signTimeoutMs }, { limits: { maxQueuedRequests: 10 } });
    const key = await makeKey(hsm);
    await hsm.tryKey(key);
    await stopWorkers(hsm);
    const startMs = systemClock.monotonicMs();
    // Four are in flight on the one session, ten wait.
    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => hsm.sign(signRequest(key, 'x', 300))));
    const reasons = answers.map((answer) =>
      answer.status === 'rejected' ? (answer.reason as { reason?: string }).reason : 'signed',
    );
    expect(reasons.filter((reason) => reason === 'DEADLINE_EXCEEDED').length).toBe(14);
    expect(reasons.filter((reason) => reason === 'QUEUE_FULL').length).toBe(6);
    // By their own deadlines, and not by the worker's.
    expect(systemClock.monotonicMs() - startMs).toBeLessThan(signTimeoutMs / 2);
    expect(hsm.status().queueDepth).toBe(0);
    for (const { pid } of hsm.status().workers) process.kill(pid, 'SIGCONT');
    await hsm.sign(signRequest(key, 'afterwards'));
  });

  it('serves a second caller at once although the first has filled the queue', async () => {
    const { hsm } = await open();
    const key = await makeKey(hsm);
    const order: string[] = [];
    const flood = Array.from({ length: 500 }, async () => {
      await hsm.sign(signRequest(key, 'flood'));
      order.push('flood');
    });
    await hsm.sign({ ...signRequest(key, 'polite'), caller: parseCallerName('polite') });
    const before = order.length;
    await Promise.all(flood);
    expect(before).toBeLessThan(100);
  });

  it('takes a second caller in although the first has filled the queue, at the cost of its newest request', async () => {
    const { hsm } = await open({ workers: 1, signTimeoutMs: 30_000 }, { limits: { maxQueuedRequests: 10 } });
    const key = await makeKey(hsm);
    await hsm.tryKey(key);
    await stopWorkers(hsm);
    // Four are in flight on the one session, ten wait.
    const flood = Promise.allSettled(Array.from({ length: 14 }, () => hsm.sign(signRequest(key, 'flood'))));
    const polite = hsm.sign({ ...signRequest(key, 'polite'), caller: parseCallerName('polite') });
    for (const { pid } of hsm.status().workers) process.kill(pid, 'SIGCONT');
    await polite;
    const reasons = (await flood).map((answer) =>
      answer.status === 'rejected' ? (answer.reason as { reason?: string }).reason : 'signed',
    );
    expect(reasons).toEqual([...Array.from({ length: 13 }, () => 'signed'), 'QUEUE_FULL']);
  });

  it('goes on signing while a key pair is made', async () => {
    const { hsm } = await open();
    const key = await makeKey(hsm);
    await hsm.tryKey(key);
    const making = { isDone: false };
    const spec = { algorithm: 'RS256', rsaBits: 4096 } as const;
    const made = hsm.generateKeyPair({ ckaId: randomCkaId(), ckaLabel: 'keyturn/pool/2', spec }).finally(() => {
      making.isDone = true;
    });
    let signed = 0;
    while (!making.isDone) {
      await hsm.sign(signRequest(key, 'meanwhile'));
      signed += 1;
    }
    await made;
    expect(signed).toBeGreaterThan(20);
  });

  it('replaces a worker whose key generation hangs, and a replacement never waits for it longer than that', async () => {
    const { hsm } = await open({ workers: 2, generateTimeoutMs: 500, signTimeoutMs: 60_000 });
    const [first] = hsm.status().workers;
    if (first === undefined) throw new Error('no worker');
    process.kill(first.pid, 'SIGSTOP');
    const request = { ckaId: randomCkaId(), ckaLabel: 'keyturn/pool/3', spec: { algorithm: 'ES256' } } as const;
    await expect(hsm.generateKeyPair(request)).rejects.toMatchObject({ reason: 'TOKEN_UNAVAILABLE' });
    await whenReady(hsm);
    await hsm.destroyKeyPair(request.ckaId);
    await hsm.generateKeyPair(request);
  });

  it('asks the token for no secret attribute, and makes nothing exportable', async () => {
    const { token, hsm } = await open({}, {}, true);
    const key = await makeKey(hsm);
    await hsm.generateKeyPair({
      ckaId: randomCkaId(),
      ckaLabel: 'keyturn/pool/4',
      spec: { algorithm: 'PS256', rsaBits: 2048 },
    });
    await hsm.tryKey(key);
    await hsm.sign(signRequest(key, 'x'));
    await hsm.listKeys();
    await hsm.destroyKeyPair(key.ckaId);
    await hsm.close(1_000);
    const log = readFileSync(token.spyLog, 'utf8');
    expect(log).toMatch(/CKA_ALWAYS_SENSITIVE/);
    expect(log).toMatch(/^\d+: C_GenerateKeyPair$/m);
    expect(log).not.toMatch(/^\s+CKA_(VALUE|PRIVATE_EXPONENT|PRIME_1|PRIME_2|EXPONENT_1|EXPONENT_2|COEFFICIENT)\s/m);
    expect(log).not.toMatch(/C_(WrapKey|CopyObject|GetOperationState|DeriveKey|SetAttributeValue)$/m);
    expect(log).not.toMatch(/CKA_EXTRACTABLE\s+True/);
    expect(log).not.toMatch(/CKA_SENSITIVE\s+False/);
    expect(log.match(/^\d+: C_Login$/gm)?.length).toBe(2);
  });
});
