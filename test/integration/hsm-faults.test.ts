/** The pool over real workers that die, hang and are refused. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/system-clock.ts';
import type { Hsm, SignRequest } from '../../src/hsm/hsm.ts';
import { toPublicKey } from '../../src/jose/public-key.ts';
import { verifySignature } from '../../src/jose/signature.ts';
import { eventually, MemoryLatch, openPool, randomCkaId, signRequest, whenReady } from '../fixtures/hsm-pool.ts';
import { makeSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm-token.ts';

type Key = Pick<SignRequest, 'ckaId' | 'algorithm' | 'publicKey'>;

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function token(options: Parameters<typeof makeSoftHsmToken>[0] = {}): SoftHsmToken {
  const made = makeSoftHsmToken(options);
  cleanups.push(() => {
    made.dispose();
  });
  return made;
}

function pool(...args: Parameters<typeof openPool>): Hsm {
  const hsm = openPool(...args);
  cleanups.push(() => hsm.close(2_000));
  return hsm;
}

async function makeKey(hsm: Hsm, algorithm: 'ES256' | 'RS256' = 'ES256'): Promise<Key> {
  const ckaId = randomCkaId();
  const spec = algorithm === 'RS256' ? ({ algorithm, rsaBits: 2048 } as const) : { algorithm };
  const { publicKey } = await hsm.generateKeyPair({ ckaId, ckaLabel: 'keyturn/faults/1', spec });
  const key = { ckaId, algorithm, publicKey };
  await hsm.tryKey(key);
  return key;
}

function pidOf(hsm: Hsm): number {
  const pid = hsm.status().workers.find(({ state }) => state === 'ready')?.pid;
  if (pid === undefined) throw new Error('no worker is ready');
  return pid;
}

function isAlive(pid: number): boolean {
  try {
    // A zombie counts as dead.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function loginsIn(spyLog: string): number {
  return readFileSync(spyLog, 'utf8').match(/^\d+: C_Login$/gm)?.length ?? 0;
}

describe('a worker with 64 requests on their way', () => {
  it.each([
    ['SIGKILL', 2],
    ['SIGSTOP', 2],
    ['SIGKILL', 1],
    ['SIGSTOP', 1],
  ] as const)(
    'is replaced after %s, of %i worker(s), and every request is answered in time',
    async (signal, workers) => {
      const hsm = pool(token(), { workers, sessionsPerWorker: 2 });
      await whenReady(hsm, workers);
      const key = await makeKey(hsm, 'RS256');
      const pid = pidOf(hsm);
      const startMs = systemClock.monotonicMs();
      const answers = Array.from({ length: 64 }, async (_, index) => {
        const signature = await hsm.sign(signRequest(key, `input ${index}`));
        return verifySignature(key.algorithm, toPublicKey(key.publicKey), Buffer.from(`input ${index}`), signature);
      });
      process.kill(pid, signal);
      expect((await Promise.all(answers)).every(Boolean)).toBe(true);
      expect(systemClock.monotonicMs() - startMs).toBeLessThan(5_000);
      await eventually(() => !isAlive(pid));
      await whenReady(hsm, workers);
      expect(hsm.status()).toMatchObject({ state: 'ready', workerRestarts: 1 });
      await hsm.sign(signRequest(key, 'afterwards'));
    },
  );
});

describe('the login', () => {
  it('is tried exactly once with a wrong PIN, over all workers and restarts, until an operator asks for it', async () => {
    const made = token({ spy: true });
    const pin = readFileSync(made.config.pinFile, 'utf8');
    writeFileSync(made.config.pinFile, 'not-the-pin');
    const latch = new MemoryLatch();
    const first = pool(made, {}, { latch });
    await eventually(() => first.status().state === 'unavailable');
    expect(first.status().reason).toBe('PIN_INCORRECT');
    expect(latch.reason).toBe('PIN_INCORRECT');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await first.close(0);
    expect(loginsIn(made.spyLog)).toBe(1);

    const second = pool(made, {}, { latch });
    await eventually(() => second.status().state === 'unavailable');
    expect(second.status().reason).toBe('LOGIN_LATCHED');
    await expect(second.listKeys()).rejects.toMatchObject({ reason: 'TOKEN_UNAVAILABLE' });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(loginsIn(made.spyLog)).toBe(1);

    writeFileSync(made.config.pinFile, `${pin}\n`);
    latch.reason = undefined;
    second.retryLogin();
    await whenReady(second);
    expect(loginsIn(made.spyLog)).toBe(3);
  });

  it('is not tried with an empty PIN', async () => {
    const made = token({ spy: true });
    writeFileSync(made.config.pinFile, '\n');
    const hsm = pool(made);
    await eventually(() => hsm.status().state === 'unavailable');
    expect(hsm.status().reason).toBe('SECRET_FILE_UNREADABLE');
    expect(loginsIn(made.spyLog)).toBe(0);
  });
});

describe('a token that can not be had', () => {
  it('is told by reason when the module is not a PKCS#11 library', async () => {
    const library = /^\S+-\S+ r-xp .* (\/\S*libc\.so\.6)$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[1];
    const hsm = pool(token(), { moduleFile: library ?? '' });
    // The worker that told so may take a moment to be gone.
    await eventually(() => hsm.status().state === 'unavailable' && hsm.status().workers.length === 0);
    expect(hsm.status().reason).toBe('MODULE_NOT_LOADABLE');
    await expect(hsm.listKeys()).rejects.toMatchObject({ reason: 'TOKEN_UNAVAILABLE' });
  });

  it('is told with what is there when no token has the label', async () => {
    const hsm = pool(token(), { selector: { label: 'somebody-else' } });
    await eventually(() => hsm.status().state === 'unavailable');
    expect(hsm.status().reason).toBe('TOKEN_NOT_FOUND');
    expect(hsm.status().message).toContain('"keyturn-test"');
  });

  it('is told with both serials when two tokens have the label, and a serial decides', async () => {
    const made = token();
    made.addToken('keyturn-test');
    const hsm = pool(made);
    await eventually(() => hsm.status().state === 'unavailable');
    const { reason, message } = hsm.status();
    expect(reason).toBe('TOKEN_AMBIGUOUS');
    const serials = [...(message ?? '').matchAll(/serial "([0-9a-f]+)"/g)].map(([, serial]) => serial ?? '');
    expect(serials.length).toBe(2);
    await hsm.close(0);
    const chosen = pool(made, { selector: { serial: serials[1] ?? '' } });
    await whenReady(chosen);
    expect(chosen.status().serial).toBe(serials[1]);
  });

  it('is taken into use when it appears', async () => {
    const made = token();
    const hsm = pool(made, { selector: { label: 'later' }, workers: 1 });
    await eventually(() => hsm.status().state === 'unavailable');
    const states: string[] = [];
    hsm.onStateChange(({ state }) => states.push(state));
    made.addToken('later');
    await whenReady(hsm, 1);
    expect(states).toEqual(['ready']);
  });

  it('is taken into use when it has a user PIN: a login before that is no refusal of the PIN', async () => {
    const made = token();
    const latch = new MemoryLatch();
    const hsm = pool(made, { selector: { label: 'later' }, workers: 1 }, { latch });
    made.addTokenWithoutPin('later');
    await eventually(() => /PIN/.test(hsm.status().message ?? ''));
    expect(hsm.status()).toMatchObject({ state: 'unavailable', reason: 'TOKEN_UNAVAILABLE' });
    expect(hsm.status().message).toContain('CKR_USER_PIN_NOT_INITIALIZED');
    made.setPin('later');
    await whenReady(hsm, 1);
    expect(latch.isSet()).toBe(false);
  });
});

const HOST = fileURLToPath(new URL('../fixtures/hsm-pool-host.ts', import.meta.url));

it('the pool closes while a worker starts, in a process that nothing else keeps alive', async () => {
  const { dir, config } = token();
  const order = { config, lock: join(dir, 'workers.lock'), closesEarly: true };
  const host = spawn(process.execPath, [HOST, JSON.stringify(order)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exitCode = new Promise((resolve) => host.once('exit', resolve));
  expect(await text(host.stdout)).toBe('closed\n');
  expect(await exitCode).toBe(0);
});

describe('the workers of a killed daemon', () => {
  it('end with it, even when they hang, and a new daemon starts none before they have', async () => {
    const made = token();
    const daemon = spawn(
      process.execPath,
      [HOST, JSON.stringify({ config: made.config, lock: join(made.dir, 'workers.lock'), closesEarly: false })],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const exited = new Promise((resolve) => daemon.once('exit', resolve));
    cleanups.push(() => {
      daemon.kill('SIGKILL');
    });
    const line = await new Promise<string>((resolve) =>
      daemon.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())),
    );
    const pids = JSON.parse(line) as number[];
    const [free, stopped] = pids;
    if (free === undefined || stopped === undefined) throw new Error(`expected two workers, got ${line}`);
    process.kill(stopped, 'SIGSTOP');
    cleanups.push(() => {
      if (isAlive(stopped)) process.kill(stopped, 'SIGKILL');
    });
    daemon.kill('SIGKILL');
    await exited;
    await eventually(() => !isAlive(free), 2_000);

    const hsm = pool(made);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(isAlive(stopped)).toBe(true);
    expect(hsm.status()).toMatchObject({ state: 'starting', workers: [] });
    process.kill(stopped, 'SIGCONT');
    await eventually(() => !isAlive(stopped), 2_000);
    await whenReady(hsm);
  });
});

describe('what a worker is given', () => {
  it("holds no PIN in its arguments or environment, nothing of the daemon's environment, and allows no core file", async () => {
    const made = token();
    const hsm = pool(made);
    await whenReady(hsm);
    const pin = readFileSync(made.config.pinFile, 'utf8');
    for (const { pid } of hsm.status().workers) {
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
      expect(environment).not.toContain(pin);
      expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).not.toContain(pin);
      const names = environment
        .split('\0')
        .filter((entry) => entry.includes('='))
        .map((entry) => entry.split('=')[0]);
      expect(new Set(names)).toEqual(new Set(['PATH', 'LANG', 'MALLOC_ARENA_MAX', 'PWD', 'SOFTHSM2_CONF']));
      expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/^Max core file size\s+([01])\s+\1/m);
      process.kill(pid, 'SIGINT');
      process.kill(pid, 'SIGTERM');
    }
    const key = await makeKey(hsm);
    await hsm.sign(signRequest(key, 'after signals to the group'));
    expect(hsm.status().workerRestarts).toBe(0);
  });
});
