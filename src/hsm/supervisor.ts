/**
 * Keeps the wanted number of HSM workers alive: starts them one after the other, replaces the ones that end, kills the
 * ones that hang, and waits longer each time that the token can't be had. The exception is a refused PIN: that is
 * recorded durably before anything else happens, and then nobody logs in until an operator says so.
 */
import { closeSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { KeyturnError, toKeyturnError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Mutex } from '../base/mutex.ts';
import type { TokenConfig } from '../config/config.ts';
import type { LoginLatch } from './hsm.ts';
import type { SessionLink } from './session-link.ts';
import { tryLock } from './worker-lock.ts';
import { WorkerProcess } from './worker-process.ts';

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
/** A worker that lived longer was no failed start. */
const SETTLED_MS = 10_000;
/** So many young workers may die before a replacement has to wait. */
const FREE_REPLACEMENTS = 3;
const LOCK_POLL_MS = 250;
/** How long the workers of a killed daemon may take to end before the token counts as unavailable. */
const LOCK_PATIENCE_MS = 15_000;

export interface SupervisorOptions {
  readonly config: TokenConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly latch: LoginLatch;
  readonly openPin: () => number;
  readonly workerLockFile: string;
  /** Serialises whatever searches, makes or destroys objects in the token. */
  readonly tokenMutex: Mutex;
  readonly onChange: () => void;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #workers = new Set<WorkerProcess>();
  readonly #running: Promise<void>;
  #lockFd: number | undefined;
  #problem: KeyturnError | undefined;
  #isLoginRefused = false;
  #mayUseFinalTry = false;
  #failedStarts = 0;
  #youngDeaths = 0;
  #notBeforeMs = 0;
  #restarts = 0;
  #isClosed = false;
  #wake = (): void => undefined;
  /** Signing connections of the ready workers; a new array at each change. */
  #signing: readonly SessionLink[] = [];

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  get workers(): ReadonlySet<WorkerProcess> {
    return this.#workers;
  }

  get signing(): readonly SessionLink[] {
    return this.#signing;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Why there is no worker; undefined while one lives or is on its way. */
  get problem(): KeyturnError | undefined {
    return this.#signing.length > 0 ? undefined : this.#problem;
  }

  readyWorkers(): readonly WorkerProcess[] {
    return [...this.#workers].filter((worker) => worker.state === 'ready');
  }

  retryLogin(): void {
    this.#isLoginRefused = false;
    this.#mayUseFinalTry = true;
    this.#notBeforeMs = 0;
    this.#wake();
  }

  /** Gives up a worker whose module or connection can't be trusted any more. */
  replace(worker: WorkerProcess, why: string): void {
    if (worker.state === 'draining') return;
    this.#options.log.warn({ workerPid: worker.pid, why }, 'HSM worker is killed and replaced');
    worker.kill();
    this.#publish();
  }

  replaceOwner(link: SessionLink, why: string): void {
    for (const worker of this.#workers) if (worker.signing.includes(link)) this.replace(worker, why);
  }

  /** Kills what has owed an answer for too long. */
  killHung(nowMs: number): void {
    const { signTimeoutMs, generateTimeoutMs } = this.#options.config;
    for (const worker of this.readyWorkers()) {
      if (worker.signing.some((link) => link.silentMs(nowMs) > signTimeoutMs)) {
        this.replace(worker, `no answer for ${signTimeoutMs} ms`);
      } else if (worker.administration.silentMs(nowMs) > generateTimeoutMs) {
        this.replace(worker, `no answer to an administrative request for ${generateTimeoutMs} ms`);
      }
    }
  }

  /** Stops the workers, with nothing in flight any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake();
    // One that is still starting may hang in the module: it isn't waited for.
    const ends = [...this.#workers].map((worker) => (worker.state === 'ready' ? worker.stop() : this.#end(worker)));
    await Promise.all([...ends, this.#running]);
    if (this.#lockFd !== undefined) closeSync(this.#lockFd);
    this.#lockFd = undefined;
    this.#publish();
  }

  async #end(worker: WorkerProcess): Promise<void> {
    worker.kill();
    await worker.exited;
  }

  async #run(): Promise<void> {
    const lockFd = await this.#lock();
    if (lockFd === undefined) return;
    this.#lockFd = lockFd;
    while (!this.#isClosed) {
      const waitMs = this.#waitMs();
      if (waitMs > 0) {
        await this.#sleep(waitMs);
        continue;
      }
      await this.#options.tokenMutex.run(() => this.#startOne(lockFd));
    }
  }

  /** Until the next start is due; Infinity while none is. */
  #waitMs(): number {
    if (this.#workers.size >= this.#options.config.workers) return Number.POSITIVE_INFINITY;
    if (this.#isLoginRefused) return Number.POSITIVE_INFINITY;
    if (this.#options.latch.isSet()) {
      const message = 'the token refused the PIN earlier; correct the PIN file, then run keyturn token retry-login';
      this.#isLoginRefused = true;
      this.#fail(new KeyturnError('LOGIN_LATCHED', message));
      return Number.POSITIVE_INFINITY;
    }
    return Math.max(0, this.#notBeforeMs - this.#options.clock.monotonicMs());
  }

  async #startOne(lockFd: number): Promise<void> {
    if (this.#isClosed || this.#isLoginRefused) return;
    let worker: WorkerProcess | undefined;
    try {
      worker = this.#spawn(lockFd);
      const { token, duplicates } = await worker.started;
      if (worker.state !== 'starting')
        throw new KeyturnError('TOKEN_UNAVAILABLE', 'the HSM worker ended right after its start');
      worker.setState('ready');
      this.#problem = undefined;
      this.#failedStarts = 0;
      this.#mayUseFinalTry = false;
      this.#options.log.info(
        { workerPid: worker.pid, token: token.label, serial: token.serial },
        'HSM worker is ready',
      );
      if (duplicates.length > 0) {
        this.#options.log.error(
          { ckaIds: duplicates },
          'several private keys in the token share a CKA_ID; none of them signs',
        );
      }
      this.#publish();
    } catch (error) {
      await this.#startFailed(toKeyturnError(error), worker);
    }
  }

  #spawn(lockFd: number): WorkerProcess {
    const { config, clock, log } = this.#options;
    const pinFd = this.#options.openPin();
    let worker: WorkerProcess;
    try {
      worker = new WorkerProcess({ config, clock, log, pinFd, lockFd, mayUseFinalTry: this.#mayUseFinalTry });
    } finally {
      closeSync(pinFd);
    }
    this.#workers.add(worker);
    void worker.exited.then(() => {
      this.#exited(worker);
    });
    this.#publish();
    return worker;
  }

  async #startFailed(problem: KeyturnError, worker: WorkerProcess | undefined): Promise<void> {
    if (this.#isClosed) return;
    const { reason } = problem;
    if (reason === 'PIN_INCORRECT' || reason === 'PIN_LOCKED') {
      this.#isLoginRefused = true;
      this.#mayUseFinalTry = false;
      try {
        await this.#options.latch.set(reason);
      } catch (error) {
        this.#options.log.error(
          { error: String(error) },
          'the login latch could not be made durable; it holds in this process',
        );
      }
    }
    this.#failedStarts += 1;
    const waitMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failedStarts - 1));
    this.#notBeforeMs = this.#options.clock.monotonicMs() + waitMs;
    this.#options.log.error(
      { reason, problem: problem.message, retryInMs: this.#isLoginRefused ? undefined : waitMs },
      'the token can not be used',
    );
    this.#fail(problem);
    if (worker !== undefined) await this.#end(worker);
  }

  #exited(worker: WorkerProcess): void {
    this.#workers.delete(worker);
    if (worker.readySinceMs !== undefined && !this.#isClosed) {
      this.#restarts += 1;
      const { clock, log } = this.#options;
      const nowMs = clock.monotonicMs();
      this.#youngDeaths = nowMs - worker.readySinceMs < SETTLED_MS ? this.#youngDeaths + 1 : 0;
      const excess = this.#youngDeaths - FREE_REPLACEMENTS;
      if (excess > 0) this.#notBeforeMs = nowMs + Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (excess - 1));
      log.warn({ workerPid: worker.pid }, 'HSM worker has ended');
    }
    worker.state = 'draining';
    this.#publish();
    this.#wake();
  }

  async #lock(): Promise<number | undefined> {
    const { clock, workerLockFile, log } = this.#options;
    const startMs = clock.monotonicMs();
    while (!this.#isClosed) {
      try {
        const fd = await tryLock(workerLockFile);
        if (fd !== undefined) {
          this.#problem = undefined;
          return fd;
        }
        if (clock.monotonicMs() - startMs > LOCK_PATIENCE_MS && this.#problem === undefined) {
          this.#fail(
            new KeyturnError(
              'WORKERS_STILL_RUNNING',
              `HSM workers of an earlier daemon still hold ${workerLockFile}; end them`,
            ),
          );
          log.error({ workerLockFile }, 'HSM workers of an earlier daemon are still running');
        }
        await this.#sleep(LOCK_POLL_MS);
      } catch (error) {
        this.#fail(toKeyturnError(error));
        await this.#sleep(FIRST_RETRY_MS);
      }
    }
    return undefined;
  }

  #fail(problem: KeyturnError): void {
    this.#problem = problem;
    this.#publish();
  }

  #publish(): void {
    this.#signing = this.readyWorkers().flatMap((worker) => worker.signing);
    this.#options.onChange();
  }

  /** For so long, or until something changes. */
  #sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = Number.isFinite(delayMs) ? this.#options.clock.after(delayMs, resolve) : (): void => undefined;
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
