/**
 * Whatever befalls the pool, one thing on top of the other, it has its workers and its spare in the end, and no PIN that
 * was refused is tried again. Real worker processes over SoftHSM2; what is tried is read from pkcs11-spy's log.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SignRequest } from '../../src/hsm/hsm.ts';
import type { HsmWorkers } from '../../src/hsm/pool.ts';
import { childrenOf, waitFor } from '../fixtures/daemon-process.ts';
import { MemoryLatch, openPool, randomCkaId, signRequest, whenReady } from '../fixtures/hsm-pool.ts';
import { titleOf } from '../fixtures/proc.ts';
import { makeSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm-token.ts';
import { Prng } from '../simulation/prng.ts';

const EVENTS = 12;
/** From "at once" to longer than an opening takes. */
const PAUSES_MS = [0, 30, 100, 500, 1_500, 1_500];
/** As an operator would: longer than the longest delay before a start. */
const HEALED_WITHIN_MS = 60_000;

let token: SoftHsmToken;
let hsm: HsmWorkers;
let goodPin: string;
let key: Pick<SignRequest, 'ckaId' | 'algorithm' | 'publicKey'>;
const latch = new MemoryLatch();
const wrongPins: string[] = [];
/** Whoever is killed while it opens the token may have been refused, and takes the news along. */
let killedOpening = 0;

beforeAll(async () => {
  token = makeSoftHsmToken({ spy: true });
  goodPin = readFileSync(token.config.pinFile, 'utf8');
  hsm = openPool(token, {}, { latch });
  await whenReady(hsm);
  const ckaId = randomCkaId();
  const spec = { algorithm: 'ES256' } as const;
  key = { ...spec, ...(await hsm.generateKeyPair({ ckaId, ckaLabel: 'keyturn/storm/1', spec })), ckaId };
});

afterAll(async () => {
  await hsm.close(2_000);
  token.dispose();
});

function pidsOf(state: 'starting' | 'ready'): readonly number[] {
  return hsm
    .status()
    .workers.filter((worker) => worker.state === state)
    .map(({ pid }) => pid);
}

async function sparePids(): Promise<readonly number[]> {
  return (await childrenOf(process.pid)).filter((pid) => titleOf(pid) === 'keyturn-spare');
}

function signal(pid: number | undefined, name: 'SIGKILL' | 'SIGSEGV'): void {
  try {
    if (pid !== undefined) process.kill(pid, name);
  } catch {
    // It ended by itself.
  }
}

function pick<T>(prng: Prng, from: readonly T[]): T | undefined {
  return from[prng.whole(0, from.length - 1)];
}

function writePin(pin: string, inPlace: boolean): void {
  const { pinFile } = token.config;
  if (inPlace) {
    writeFileSync(pinFile, pin);
    return;
  }
  writeFileSync(`${pinFile}.new`, pin, { mode: 0o600 });
  renameSync(`${pinFile}.new`, pinFile);
}

function moveToken(from: string, to: string): void {
  const dir = join(token.dir, 'token');
  if (existsSync(join(dir, from))) renameSync(join(dir, from), join(dir, to));
}

function writeWrongPin(inPlace: boolean): void {
  const pin = `wrong-${1_000 + wrongPins.length}`;
  wrongPins.push(pin);
  writePin(pin, inPlace);
}

/** The keyturn token retry-login of an operator who has put the PIN file right. */
function retryLogin(): void {
  latch.reason = undefined;
  hsm.retryLogin();
}

const BEFALLS: Readonly<Record<string, (prng: Prng) => Promise<void> | void>> = {
  'a worker is killed': (prng) => {
    signal(pick(prng, pidsOf('ready')), 'SIGKILL');
  },
  'a worker crashes': (prng) => {
    signal(pick(prng, pidsOf('ready')), 'SIGSEGV');
  },
  'a worker is killed while it opens the token': (prng) => {
    const pid = pick(prng, pidsOf('starting'));
    if (pid !== undefined) killedOpening += 1;
    signal(pid, 'SIGKILL');
  },
  'the spare is killed': async () => {
    signal((await sparePids())[0], 'SIGKILL');
  },
  'a wrong PIN': (prng) => {
    writeWrongPin(prng.chance(0.3));
  },
  'a wrong PIN and SIGHUP': (prng) => {
    writeWrongPin(prng.chance(0.3));
    hsm.renewLogins();
  },
  'the right PIN and SIGHUP': (prng) => {
    writePin(goodPin, prng.chance(0.3));
    hsm.renewLogins();
  },
  'the right PIN and retry-login': (prng) => {
    writePin(goodPin, prng.chance(0.3));
    retryLogin();
  },
  'the token is away': () => {
    moveToken('tokens', 'tokens.away');
  },
  'the token is back': () => {
    moveToken('tokens.away', 'tokens');
  },
};

async function isWhole(): Promise<boolean> {
  // What has just been put right may be refused once more: by a worker that had the file of before.
  if (latch.isSet()) retryLogin();
  return pidsOf('ready').length === 2 && hsm.status().workers.length === 2 && (await sparePids()).length === 1;
}

/** When an operator has put right what is wrong, and no more than that. */
async function expectHealed(): Promise<void> {
  moveToken('tokens.away', 'tokens');
  if (readFileSync(token.config.pinFile, 'utf8') !== goodPin) {
    writePin(goodPin, false);
    retryLogin();
  }
  await waitFor('two workers and a spare', isWhole, HEALED_WITHIN_MS);
  await hsm.sign(signRequest(key, 'afterwards'));
}

function triesOf(pin: string): number {
  return readFileSync(token.spyLog, 'latin1').split(pin).length - 1;
}

describe('the pool has its workers and its spare in the end', () => {
  it('after a crash, a wrong PIN with SIGHUP, the right one, retry-login, and the loss of a worker meanwhile', async () => {
    signal(pidsOf('ready')[0], 'SIGSEGV');
    await waitFor('two workers and a spare', isWhole);
    writeWrongPin(false);
    hsm.renewLogins();
    await waitFor('the refusal', () => latch.isSet());
    writePin(goodPin, false);
    retryLogin();
    await waitFor('a new one', () => pidsOf('starting').length === 1);
    signal(pidsOf('ready')[0], 'SIGKILL');
    await expectHealed();
  });

  for (const seed of [1, 2, 3]) {
    it(`after ${EVENTS} things that befall it at random, seed ${seed}`, async () => {
      const prng = new Prng(seed);
      const story: string[] = [];
      const load = startLoad();
      for (let count = 0; count < EVENTS; count += 1) {
        // Now and then a wrong PIN for sure: without one no login is refused.
        const name = (prng.chance(0.3) ? 'a wrong PIN and SIGHUP' : pick(prng, Object.keys(BEFALLS))) ?? '';
        const pauseMs = pick(prng, PAUSES_MS) ?? 0;
        story.push(`${name}, ${pauseMs} ms`);
        await BEFALLS[name]?.(prng);
        await pause(pauseMs);
      }
      await expectHealed().catch((failure: unknown) => {
        throw new Error(`${String(failure)}\n${story.join('\n')}\n${JSON.stringify(hsm.status())}`);
      });
      await load.stop();
    });
  }

  it('and no PIN that was refused was tried again', () => {
    const tries = wrongPins.map(triesOf);
    expect(tries.filter((count) => count > 0).length).toBeGreaterThan(0);
    expect(tries.reduce((sum, count) => sum + Math.max(0, count - 1), 0)).toBeLessThanOrEqual(killedOpening);
  });
});

/** Requests that may fail: they make the pool notice what befell it. */
function startLoad(): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await hsm.sign(signRequest(key, 'load', 1_000)).catch(() => undefined);
      await pause(20);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
