/**
 * One HSM worker in reserve: a process with its threads, but without the module, the login or a session. A worker that is
 * lost under load is replaced by it in a fraction of the time that a new process takes (docs/adr/0012). It inherited its
 * descriptor of the PIN file when it began: it is used only while that is still the PIN file.
 */
import { closeSync, fstatSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { TokenConfig } from '../config/config.ts';
import { WorkerProcess } from './worker-process.ts';

/** After the start of the first workers: what ends before needs no spare. Once one was needed, the next may be soon. */
const CALM_MS = 1_000;

export interface SpareWorkerOptions {
  readonly config: TokenConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly openPin: () => number;
}

export class SpareWorker {
  readonly #options: SpareWorkerOptions;
  #worker: WorkerProcess | undefined;
  #pinFile = '';
  #cancel = (): void => undefined;
  #calmMs = CALM_MS;
  #isClosed = false;

  constructor(options: SpareWorkerOptions) {
    this.#options = options;
  }

  /** All workers are there: soon there is a spare, too. */
  prepare(lockFd: number): void {
    this.#cancel();
    this.#cancel = this.#options.clock.after(this.#calmMs, () => {
      this.#spawn(lockFd);
    });
  }

  /** The caller's from now on. `pinFd`: the PIN file as it is now. */
  take(pinFd: number): WorkerProcess | undefined {
    this.#cancel();
    if (this.#worker !== undefined) this.#calmMs = 0;
    if (this.#pinFile !== identityOf(pinFd)) this.#discard();
    const worker = this.#worker;
    this.#worker = undefined;
    return worker;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    const worker = this.#worker;
    this.#discard();
    await worker?.exited;
  }

  #discard(): void {
    this.#worker?.kill();
    this.#worker = undefined;
  }

  #spawn(lockFd: number): void {
    if (this.#worker !== undefined || this.#isClosed) return;
    const { config, clock, log, openPin } = this.#options;
    try {
      const pinFd = openPin();
      try {
        this.#pinFile = identityOf(pinFd);
        this.#worker = new WorkerProcess({ config, clock, log, pinFd, lockFd });
      } finally {
        closeSync(pinFd);
      }
    } catch (error) {
      // Whoever needs a worker will meet the same, and is heard.
      log.warn({ error: String(error) }, 'no spare HSM worker could be started');
      return;
    }
    const worker = this.#worker;
    worker.prepare();
    void worker.exited.then(() => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      log.warn({ workerPid: worker.pid }, 'the spare HSM worker has ended');
    });
  }
}

/** The same for a file that was written again, whose new content a descriptor of before shows, too. */
function identityOf(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `${dev}:${ino}`;
}
