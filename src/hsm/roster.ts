/**
 * The HSM workers that there are, and the spare: starts them one after the other, lets those of before go when their
 * successors are ready, and takes note of the ones that end. What comes next is decided in pool-plan.ts, how soon in
 * start-pace.ts, and who may log in in login-gate.ts.
 */
import { closeSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { type KeyturnError, toKeyturnError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Mutex } from '../base/mutex.ts';
import type { TokenConfig } from '../config/config.ts';
import type { LoginGate } from './login-gate.ts';
import { identifyPinFile } from './pin-file.ts';
import { planPool, type PoolStep } from './pool-plan.ts';
import { SpareWorker } from './spare-worker.ts';
import { StartPace } from './start-pace.ts';
import { waitForLock } from './worker-lock.ts';
import { type OpenedWorker, type OpenFailure, WorkerProcess } from './worker-process.ts';

const TOKEN_AWAY = 'the token can not be used';
const OLD_PIN_FILE = 'it holds a PIN file of before';

export interface RosterOptions {
  readonly config: TokenConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly openPin: () => number;
  readonly workerLockFile: string;
  readonly tokenMutex: Mutex;
  readonly gate: LoginGate;
  /** A new worker could not open the token, and may try again as it is. */
  readonly onStartFailed: (worker: WorkerProcess, failure: OpenFailure) => void;
  readonly onEnded: (worker: WorkerProcess) => void;
  /** Why there is no new worker; undefined when what stood in the way is gone. */
  readonly onProblem: (problem: KeyturnError | undefined) => void;
  /** A worker is missing, and nobody may log in. */
  readonly onLatched: () => void;
  /** Workers came, went or changed their state. */
  readonly onChange: () => void;
}

export class Roster {
  readonly #options: RosterOptions;
  readonly #workers = new Set<WorkerProcess>();
  readonly #spare: SpareWorker;
  readonly #pace: StartPace;
  #running: Promise<void> = Promise.resolve();
  #lockFd: number | undefined;
  #restarts = 0;
  #isClosed = false;
  #wake = (): void => undefined;

  constructor(options: RosterOptions) {
    this.#options = options;
    this.#pace = new StartPace(options.clock);
    this.#spare = new SpareWorker({
      ...options,
      onEnd: () => {
        this.#wake();
      },
    });
  }

  /** Once. */
  start(): void {
    this.#running = this.#run();
  }

  get workers(): ReadonlySet<WorkerProcess> {
    return this.#workers;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** An operator says that the PIN file is right now: what still starts with another one is given up. */
  retryLogin(): void {
    this.#options.gate.clear();
    this.#pace.hurry();
    const pinFile = this.#findPinFile();
    for (const worker of this.#workers)
      if (worker.state === 'starting' && worker.pinFile !== pinFile) this.replace(worker, OLD_PIN_FILE);
    this.#wake();
  }

  /** The PIN file may hold another PIN now: every worker gives way to one that logs in with that. */
  renewLogins(): void {
    for (const worker of this.#workers) {
      worker.isOutdated = true;
      if (worker.state === 'starting') this.replace(worker, OLD_PIN_FILE);
    }
    this.#wake();
  }

  /** Gives up a worker whose module or connection can't be trusted any more. */
  replace(worker: WorkerProcess, why: string): void {
    if (worker.state === 'draining') return;
    this.#options.log.warn({ workerPid: worker.pid, why }, 'HSM worker is killed and replaced');
    worker.kill();
    this.#options.onChange();
  }

  /** It has the token open, for the first time or again. */
  opened(worker: WorkerProcess, { token, duplicates }: OpenedWorker): void {
    const { log, onProblem } = this.#options;
    worker.setState('ready');
    this.#pace.succeeded();
    this.#spare.calmDown();
    log.info({ workerPid: worker.pid, token: token.label, serial: token.serial }, 'HSM worker is ready');
    if (duplicates.length > 0)
      log.error({ ckaIds: duplicates }, 'several private keys in the token share a CKA_ID; none of them signs');
    onProblem(undefined);
    this.#wake();
  }

  /** Stops the workers, with nothing in flight any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake();
    // One that is still starting may hang in the module: it isn't waited for.
    const ends = [...this.#workers].map((worker) => (worker.state === 'ready' ? worker.stop() : end(worker)));
    await Promise.all([...ends, this.#spare.close(), this.#running]);
    if (this.#lockFd !== undefined) closeSync(this.#lockFd);
    this.#lockFd = undefined;
    this.#options.onChange();
  }

  async #run(): Promise<void> {
    const { clock, workerLockFile, log, onProblem } = this.#options;
    const lockFd = await waitForLock({
      file: workerLockFile,
      clock,
      log,
      isClosed: () => this.#isClosed,
      sleep: (delayMs) => this.#sleep(delayMs),
      onProblem,
    });
    onProblem(undefined);
    if (lockFd === undefined) return;
    this.#lockFd = lockFd;
    while (!this.#isClosed) await this.#take(this.#plan(), lockFd);
  }

  #plan(): PoolStep<WorkerProcess> {
    return planPool({
      wantedWorkers: this.#options.config.workers,
      workers: [...this.#workers],
      hasSpare: this.#spare.isThere,
      loginWaitMs: this.#options.gate.waitMs,
      startWaitMs: this.#pace.waitMs,
      spareWaitMs: this.#spare.waitMs,
    });
  }

  async #take(step: PoolStep<WorkerProcess>, lockFd: number): Promise<void> {
    switch (step.kind) {
      case 'retire':
      case 'start':
        return this.#options.tokenMutex.run(() => this.#takeInTurn(lockFd));
      case 'startSpare':
        this.#spare.start(lockFd);
        return;
      case 'waitForOperator':
        this.#options.onLatched();
        return this.#sleep(Number.POSITIVE_INFINITY);
      case 'wait':
        return this.#sleep(step.waitMs);
    }
  }

  /** Much may have happened while others had their turn at the token. */
  async #takeInTurn(lockFd: number): Promise<void> {
    if (this.#isClosed) return;
    const step = this.#plan();
    if (step.kind === 'retire') await this.#retire(step.worker);
    if (step.kind === 'start') await this.#startOne(lockFd);
  }

  async #retire(worker: WorkerProcess): Promise<void> {
    this.#options.log.info({ workerPid: worker.pid }, 'HSM worker gives way to one with a new login');
    const ended = worker.retire(this.#options.config.signTimeoutMs);
    this.#options.onChange();
    await ended;
  }

  async #startOne(lockFd: number): Promise<void> {
    const { gate } = this.#options;
    let worker: WorkerProcess;
    try {
      worker = this.#spawn(lockFd);
    } catch (error) {
      this.#startFailed(toKeyturnError(error));
      return;
    }
    const outcome = await worker.start(gate.mayUseFinalTry);
    if (outcome.kind === 'failed') await this.#openFailed(worker, outcome);
    else if (worker.state === 'starting') {
      gate.succeeded();
      this.opened(worker, outcome);
    }
  }

  #spawn(lockFd: number): WorkerProcess {
    const { config, clock, log, openPin, onChange } = this.#options;
    const pinFd = openPin();
    let worker: WorkerProcess;
    try {
      worker = this.#spare.take(pinFd) ?? new WorkerProcess({ config, clock, log, pinFd, lockFd });
    } finally {
      closeSync(pinFd);
    }
    this.#workers.add(worker);
    void worker.exited.then(() => {
      this.#exited(worker);
    });
    onChange();
    return worker;
  }

  async #openFailed(worker: WorkerProcess, failure: OpenFailure): Promise<void> {
    if (this.#isClosed) return;
    const { gate, log, onProblem, onStartFailed } = this.#options;
    await gate.failed(failure);
    if (failure.mayReopen && worker.state === 'starting') {
      log.error({ reason: failure.problem.reason, problem: failure.problem.message }, TOKEN_AWAY);
      onProblem(failure.problem);
      onStartFailed(worker, failure);
      return;
    }
    this.#startFailed(failure.problem);
    await end(worker);
  }

  #startFailed(problem: KeyturnError): void {
    if (this.#isClosed) return;
    const { gate, log, onProblem } = this.#options;
    const waitMs = this.#pace.failed();
    const retryInMs = gate.waitMs === Number.POSITIVE_INFINITY ? undefined : waitMs;
    log.error({ reason: problem.reason, problem: problem.message, retryInMs }, TOKEN_AWAY);
    onProblem(problem);
  }

  #exited(worker: WorkerProcess): void {
    const { log, onEnded, onChange } = this.#options;
    this.#workers.delete(worker);
    onEnded(worker);
    if (worker.readySinceMs !== undefined && !this.#isClosed && !worker.isOutdated) {
      this.#restarts += 1;
      this.#pace.lost(worker.readySinceMs);
      log.warn({ workerPid: worker.pid }, 'HSM worker has ended');
    }
    worker.state = 'draining';
    onChange();
    this.#wake();
  }

  /** The PIN file as it is now; undefined when it can't be used, which the next start will tell. */
  #findPinFile(): string | undefined {
    try {
      const pinFd = this.#options.openPin();
      try {
        return identifyPinFile(pinFd);
      } finally {
        closeSync(pinFd);
      }
    } catch {
      return undefined;
    }
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

async function end(worker: WorkerProcess): Promise<void> {
  worker.kill();
  await worker.exited;
}
