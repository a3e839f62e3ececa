/** One pool over real workers and a SoftHSM2 behind the fault shim, and one fault after the other in it. */
import { classifyFault, nameFault } from '../../src/hsm/faults.ts';
import type { Hsm, Rung, SignRequest, TokenStatus } from '../../src/hsm/hsm.ts';
import { RUNGS } from '../../src/hsm/ladder.ts';
import { toPublicKey } from '../../src/jose/public-key.ts';
import { verifySignature } from '../../src/jose/signature.ts';
import { eventually, MemoryLatch, openPool, randomCkaId, signRequest } from '../../test/fixtures/hsm-pool.ts';
import { makeShimmedToken, type ShimmedToken } from '../../test/fixtures/shimmed-token.ts';
import { allowedFailures, expectedRung, type FaultyFunction, needsOperator, toCkRv, TRIGGERS } from './expectations.ts';

const WORKERS = 2;
const IN_FLIGHT = 8;
const DEADLINE_MS = 8_000;
/** A pool that isn't well by then is broken; a doubtful login alone waits for 5 s. */
const HEALTHY_WITHIN_MS = 20_000;

/** Before anything is measured: generous, for a machine with much else to do. */
const START_WITHIN_MS = 60_000;
/** A pool that lost so many workers in a row is put aside: after more of them it would wait longer, as it should. */
const MAX_RESTARTS = 25;

export interface Cell {
  readonly functionName: FaultyFunction;
  readonly code: string;
  readonly faultClass: string;
  readonly rung: Rung | 'none';
  readonly expectedRung: Rung | 'none';
  readonly signed: number;
  readonly failed: number;
  readonly wrong: number;
  /** What the administrative request came to, where the fault met one. */
  readonly operation?: string;
  readonly logins: number;
  readonly healthyMs: number;
  /** What is not as it should be; empty when all is well. */
  readonly deviations: readonly string[];
}

type Key = Pick<SignRequest, 'ckaId' | 'algorithm' | 'publicKey'>;

export interface Bench {
  /** Better put aside than used again. */
  readonly isWorn: boolean;
  start(): Promise<void>;
  /** One return value out of one call, with signatures in flight. */
  run(functionName: FaultyFunction, ckr: number): Promise<Cell>;
  close(): Promise<void>;
}

export class PoolBench implements Bench {
  readonly #token: ShimmedToken = makeShimmedToken();
  readonly #latch = new MemoryLatch();
  readonly #hsm: Hsm;
  #key: Key | undefined;

  constructor() {
    this.#hsm = openPool(this.#token, { workers: WORKERS, sessionsPerWorker: 1 }, { latch: this.#latch });
  }

  get isWorn(): boolean {
    return this.#hsm.status().workerRestarts >= MAX_RESTARTS;
  }

  async start(): Promise<void> {
    await eventually(() => this.#isReady(), START_WITHIN_MS);
    this.#key = await this.#makeKey();
  }

  async close(): Promise<void> {
    await this.#hsm.close(1_000);
    this.#token.dispose();
  }

  async run(functionName: FaultyFunction, ckr: number): Promise<Cell> {
    const { shim } = this.#token;
    const doomed = functionName === 'C_DestroyObject' ? await this.#makeKey() : undefined;
    const before = this.#hsm.status();
    const loginsBefore = shim.calls('C_Login');
    const fault = shim.arm({ on: functionName, action: 'returnCode', ckr: toCkRv(ckr), limit: 1 });
    const trigger = TRIGGERS[functionName];
    if (trigger !== undefined) shim.arm({ on: 'C_Sign', action: 'returnCode', ckr: trigger, limit: 1 });
    const startMs = performance.now();
    const [answers, operation] = await Promise.all([this.#sign(), this.#operate(functionName, doomed)]);
    const deviations: string[] = [];
    await eventually(() => fault.hits() > 0, HEALTHY_WITHIN_MS).catch(() => deviations.push('the fault was never met'));
    if (needsOperator(functionName, ckr)) await this.#actAsOperator(deviations);
    await this.#becomeHealthy(deviations);
    const healthyMs = performance.now() - startMs;
    const logins = shim.calls('C_Login') - loginsBefore;
    shim.clear();
    if (doomed !== undefined) await this.#hsm.destroyKeyPair(doomed.ckaId);
    const rung = highestRung(before, this.#hsm.status());
    const expected = expectedRung(functionName, ckr);
    if (rung !== expected) deviations.push(`rung ${rung} instead of ${expected}`);
    if (answers.wrong > 0) deviations.push(`${answers.wrong} wrong signatures`);
    if (answers.failed > allowedFailures(functionName, ckr)) deviations.push(`${answers.failed} requests failed`);
    return {
      functionName,
      code: nameFault(ckr),
      faultClass: classifyFault(ckr),
      rung,
      expectedRung: expected,
      ...answers,
      ...(operation === undefined ? {} : { operation }),
      logins,
      healthyMs: Math.round(healthyMs),
      deviations,
    };
  }

  async #makeKey(): Promise<Key> {
    const ckaId = randomCkaId();
    const { publicKey } = await this.#hsm.generateKeyPair({
      ckaId,
      ckaLabel: 'keyturn/faults/1',
      spec: { algorithm: 'ES256' },
    });
    const key = { ckaId, algorithm: 'ES256', publicKey } as const;
    await this.#hsm.tryKey(key);
    return key;
  }

  get #signingKey(): Key {
    if (this.#key === undefined) throw new Error('the bench was not started');
    return this.#key;
  }

  async #sign(): Promise<Pick<Cell, 'signed' | 'failed' | 'wrong'>> {
    const key = this.#signingKey;
    const publicKey = toPublicKey(key.publicKey);
    const answers = await Promise.allSettled(
      Array.from({ length: IN_FLIGHT }, async (_, index) => {
        const signature = await this.#hsm.sign(signRequest(key, `input ${index}`, DEADLINE_MS));
        return verifySignature(key.algorithm, publicKey, Buffer.from(`input ${index}`), signature);
      }),
    );
    const count = (isWanted: (answer: (typeof answers)[number]) => boolean): number => answers.filter(isWanted).length;
    return {
      signed: count((answer) => answer.status === 'fulfilled' && answer.value),
      failed: count(({ status }) => status === 'rejected'),
      wrong: count((answer) => answer.status === 'fulfilled' && !answer.value),
    };
  }

  async #operate(functionName: FaultyFunction, doomed: Key | undefined): Promise<string | undefined> {
    const work = this.#operationOf(functionName, doomed);
    if (work === undefined) return undefined;
    return work.then(
      () => 'done',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  }

  #operationOf(functionName: FaultyFunction, doomed: Key | undefined): Promise<unknown> | undefined {
    switch (functionName) {
      case 'C_FindObjects':
        return this.#hsm.listKeys();
      case 'C_GenerateKeyPair':
        return this.#makeKey().then(({ ckaId }) => this.#hsm.destroyKeyPair(ckaId));
      case 'C_DestroyObject':
        return doomed === undefined ? undefined : this.#hsm.destroyKeyPair(doomed.ckaId);
      case 'C_Initialize':
      case 'C_OpenSession':
      case 'C_Login':
      case 'C_SignInit':
      case 'C_Sign':
        return undefined;
    }
  }

  async #actAsOperator(deviations: string[]): Promise<void> {
    await eventually(() => this.#latch.reason !== undefined, HEALTHY_WITHIN_MS).catch(() =>
      deviations.push('the latch was not set'),
    );
    const logins = this.#token.shim.calls('C_Login');
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (this.#token.shim.calls('C_Login') !== logins) deviations.push('somebody logged in beside the latch');
    this.#latch.reason = undefined;
    this.#hsm.retryLogin();
  }

  /** Every session of every worker signs, and the signatures verify. */
  async #becomeHealthy(deviations: string[]): Promise<void> {
    try {
      const endMs = performance.now() + HEALTHY_WITHIN_MS;
      for (;;) {
        await eventually(() => this.#isReady(), Math.max(0, endMs - performance.now()));
        const isWell = await this.#hsm.tryKey(this.#signingKey).then(
          () => this.#isReady(),
          () => false,
        );
        if (isWell) return;
        if (performance.now() > endMs) throw new Error('a session still can not sign');
      }
    } catch (error) {
      deviations.push(`broken: ${String(error)}`);
    }
  }

  #isReady(): boolean {
    const { workers } = this.#hsm.status();
    return workers.length === WORKERS && workers.every(({ state }) => state === 'ready');
  }
}

function highestRung(before: TokenStatus, after: TokenStatus): Rung | 'none' {
  return RUNGS.findLast((rung) => after.faultRungs[rung] > before.faultRungs[rung]) ?? 'none';
}
