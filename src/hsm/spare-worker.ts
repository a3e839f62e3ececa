/**
 * One HSM worker in reserve: a process with its threads, but without the module, the login or a session. A worker that is
 * lost under load is replaced by it in a fraction of the time that a new process takes (docs/adr/0012). It inherited its
 * descriptor of the PIN file when it began: it is used only while that is still the PIN file. When one is to be started
 * is pool-plan.ts's to say.
 */
import { closeSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { TokenConfig } from '../config/config.ts';
import { identifyPinFile } from './pin-file.ts';
import { WorkerProcess } from './worker-process.ts';

/** After the start of the first workers: what ends before needs no spare. Once one was needed, the next may be soon. */
const CALM_MS = 1_000;
/** After a spare that ended by itself or could not be started; it doubles up to the limit. */
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

export interface SpareWorkerOptions {
  readonly config: TokenConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly openPin: () => number;
  /** It has ended by itself. */
  readonly onEnd: () => void;
}

export class SpareWorker {
  readonly #options: SpareWorkerOptions;
  #worker: WorkerProcess | undefined;
  #calmMs = CALM_MS;
  #notBeforeMs = 0;
  #failures = 0;

  constructor(options: SpareWorkerOptions) {
    this.#options = options;
  }

  get isThere(): boolean {
    return this.#worker !== undefined;
  }

  /** Until one may be started. */
  get waitMs(): number {
    return Math.max(0, this.#notBeforeMs - this.#options.clock.monotonicMs());
  }

  /** A worker has become ready: soon there may be a spare, too. */
  calmDown(): void {
    this.#failures = 0;
    this.#notBeforeMs = this.#options.clock.monotonicMs() + this.#calmMs;
  }

  start(lockFd: number): void {
    if (this.#worker !== undefined) return;
    const { config, clock, log, openPin } = this.#options;
    let worker: WorkerProcess;
    try {
      const pinFd = openPin();
      try {
        worker = new WorkerProcess({ config, clock, log, pinFd, lockFd });
      } finally {
        closeSync(pinFd);
      }
    } catch (error) {
      // Whoever needs a worker will meet the same, and is heard.
      log.warn({ error: String(error), retryInMs: this.#failed() }, 'no spare HSM worker could be started');
      return;
    }
    this.#worker = worker;
    worker.prepare();
    void worker.exited.then(() => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      log.warn({ workerPid: worker.pid, retryInMs: this.#failed() }, 'the spare HSM worker has ended');
      this.#options.onEnd();
    });
  }

  /** The caller's from now on. `pinFd`: the PIN file as it is now. */
  take(pinFd: number): WorkerProcess | undefined {
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker === undefined) return undefined;
    this.#calmMs = 0;
    if (worker.pinFile === identifyPinFile(pinFd)) return worker;
    worker.kill();
    return undefined;
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.kill();
    await worker?.exited;
  }

  #failed(): number {
    this.#failures += 1;
    const delayMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
    this.#notBeforeMs = this.#options.clock.monotonicMs() + delayMs;
    return delayMs;
  }
}
