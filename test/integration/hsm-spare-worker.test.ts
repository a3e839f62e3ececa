/** The HSM worker in reserve: what it may have, when it is used, and when it must not be. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HsmWorkers } from '../../src/hsm/pool.ts';
import { childrenOf, waitFor } from '../fixtures/daemon-process.ts';
import { eventually, openPool, randomCkaId, signRequest, silentLog, whenReady } from '../fixtures/hsm-pool.ts';
import { mappedFiles, titleOf } from '../fixtures/proc.ts';
import { makeSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm-token.ts';

/** One for the whole file: each test leaves it with its workers. */
let token: SoftHsmToken;
let hsm: HsmWorkers;
const warnings: string[] = [];

beforeAll(async () => {
  token = makeSoftHsmToken();
  hsm = openPool(token, {}, { log: { ...silentLog, warn: (_, message) => warnings.push(message) } });
  await whenReady(hsm);
});

afterAll(async () => {
  await hsm.close(2_000);
  expect(await sparePids()).toEqual([]);
  token.dispose();
});

async function sparePids(): Promise<readonly number[]> {
  return (await childrenOf(process.pid)).filter((pid) => titleOf(pid) === 'keyturn-spare');
}

async function spare(): Promise<number> {
  let pid: number | undefined;
  await waitFor('a spare', async () => ([pid] = await sparePids()) !== undefined && pid !== undefined);
  return pid ?? 0;
}

function workerPids(): readonly number[] {
  return hsm.status().workers.map(({ pid }) => pid);
}

/** Resolves when a killed worker has been replaced. */
async function killOne(): Promise<void> {
  const [victim = 0] = workerPids();
  process.kill(victim, 'SIGKILL');
  await eventually(() => !workerPids().includes(victim));
  await whenReady(hsm);
}

/** As an administrator or a secrets manager does it: another file takes the place of the old one. */
function replacePinFile(): void {
  const { pinFile } = token.config;
  writeFileSync(`${pinFile}.new`, readFileSync(pinFile), { mode: 0o600 });
  renameSync(`${pinFile}.new`, pinFile);
}

describe('the spare HSM worker', () => {
  it('has neither the module nor a place in the status, takes over from a worker that is lost, and is replaced itself', async () => {
    const pid = await spare();
    expect([...mappedFiles(pid)].filter((file) => file.includes('softhsm'))).toEqual([]);
    expect(workerPids()).not.toContain(pid);
    await killOne();
    expect(workerPids()).toContain(pid);
    expect(titleOf(pid)).toBe('keyturn-worker');
    const ckaId = randomCkaId();
    const spec = { algorithm: 'ES256' } as const;
    const { publicKey } = await hsm.generateKeyPair({ ckaId, ckaLabel: 'keyturn/spare/1', spec });
    await hsm.tryKey({ ckaId, ...spec, publicKey });
    await hsm.sign(signRequest({ ckaId, ...spec, publicKey }, 'afterwards'));
    expect(await spare()).not.toBe(pid);
  });

  it('is not used when the PIN file is another one by now: it would try a PIN of before', async () => {
    const pid = await spare();
    replacePinFile();
    await killOne();
    expect(workerPids()).not.toContain(pid);
    await eventually(() => titleOf(pid) === '');
  });

  it('is not missed when it dies: the next worker is a process from the start', async () => {
    const pid = await spare();
    process.kill(pid, 'SIGKILL');
    await eventually(() => titleOf(pid) === '');
    await killOne();
    expect(hsm.status().state).toBe('ready');
  });

  it('is followed by another one when it dies, though no worker was lost', async () => {
    const pid = await spare();
    const workers = workerPids();
    process.kill(pid, 'SIGKILL');
    await eventually(() => titleOf(pid) === '');
    expect(await spare()).not.toBe(pid);
    expect(workerPids()).toEqual(workers);
  });

  it('comes later when the PIN file can not be opened at the moment', async () => {
    const { pinFile } = token.config;
    const pid = await spare();
    renameSync(pinFile, `${pinFile}.away`);
    process.kill(pid, 'SIGKILL');
    await eventually(() => warnings.includes('no spare HSM worker could be started'));
    expect(await sparePids()).toEqual([]);
    renameSync(`${pinFile}.away`, pinFile);
    await spare();
  });
});
