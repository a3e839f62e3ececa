/**
 * Keeps the wanted number of HSM workers alive: starts them one after the other, replaces the ones that end, kills the
 * ones that hang, and waits longer each time that a start fails. What a fault of the token leads to is the business of
 * repairs.ts, and who may log in that of login-gate.ts.
 */
import { closeSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { type KeyturnError, toKeyturnError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Mutex } from '../base/mutex.ts';
import type { Reason } from '../base/reasons.ts';
import type { TokenConfig } from '../config/config.ts';
import type { LoginLatch, Rung } from './hsm.ts';
import { restartDelayMs, youngDeathsAfter } from './ladder.ts';
import { LoginGate } from './login-gate.ts';
import { Repairs } from './repairs.ts';
import type { SessionLink } from './session-link.ts';
import { SpareWorker } from './spare-worker.ts';
import type { Trials } from './trial.ts';
import type { Fault } from './wire.ts';
import { waitForLock } from './worker-lock.ts';
import { type OpenedWorker, type OpenFailure, WorkerProcess } from './worker-process.ts';

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
/** So long after the last worker was lost requests wait for the token until their deadline; later they are refused. */
const OUTAGE_PATIENCE_MS = 15_000;

const TOKEN_AWAY = 'the token can not be used';
/** Problems that pass when the token comes back. */
const PASSING: ReadonlySet<Reason> = new Set(['TOKEN_UNAVAILABLE', 'TOKEN_NOT_FOUND']);

export interface SupervisorOptions {
  readonly config: TokenConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly latch: LoginLatch;
  readonly openPin: () => number;
  readonly workerLockFile: string;
  /** Serialises whatever searches, makes or destroys objects in the token. */
  readonly tokenMutex: Mutex;
  readonly trials: Trials;
  readonly onChange: () => void;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #workers = new Set<WorkerProcess>();
  readonly #gate: LoginGate;
  readonly #repairs: Repairs;
  readonly #spare: SpareWorker;
  readonly #running: Promise<void>;
  #lockFd: number | undefined;
  #problem: KeyturnError | undefined;
  /** When the last session was lost; undefined while there is one, and before there was. */
  #lostAtMs: number | undefined;
  #hasBeenReady = false;
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
    this.#gate = new LoginGate({
      ...options,
      onRefused: () => {
        this.#repairs.rungs.operator += 1;
      },
    });
    this.#repairs = new Repairs({
      ...options,
      gate: this.#gate,
      isClosed: () => this.#isClosed,
      restart: (worker, why) => {
        this.replace(worker, why);
      },
      onReady: (worker, opened) => {
        this.#opened(worker, opened);
      },
      onProblem: (problem) => {
        this.#fail(problem);
      },
      onChange: () => {
        this.#publish();
      },
    });
    this.#spare = new SpareWorker(options);
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

  get faultRungs(): Readonly<Record<Rung, number>> {
    return this.#repairs.rungs;
  }

  /** Why there is no ready worker; undefined while one lives or is on its way. */
  get problem(): KeyturnError | undefined {
    return this.readyWorkers().length > 0 ? undefined : this.#problem;
  }

  /** Why requests are refused: a problem that won't pass by itself, or has lasted too long. */
  get refusal(): KeyturnError | undefined {
    const { problem } = this;
    if (problem === undefined || this.#lostAtMs === undefined || !PASSING.has(problem.reason)) return problem;
    return this.#options.clock.monotonicMs() - this.#lostAtMs < OUTAGE_PATIENCE_MS ? undefined : problem;
  }

  readyWorkers(): readonly WorkerProcess[] {
    return [...this.#workers].filter((worker) => worker.state === 'ready');
  }

  retryLogin(): void {
    this.#gate.clear();
    this.#notBeforeMs = 0;
    this.#wake();
  }

  /**
   * The PIN file may hold another PIN now: every worker gives way to one that logs in with that. Those that are ready
   * sign until then, one after the other; if the new PIN is refused, they go on, and only they do.
   */
  renewLogins(): void {
    for (const worker of this.#workers) {
      worker.isOutdated = true;
      if (worker.state === 'starting') this.replace(worker, 'it holds a PIN file of before');
    }
    this.#wake();
  }

  /** An operation of the token failed in one of the sessions. */
  faulted(link: SessionLink, fault: Fault, isOfCanary: boolean): void {
    const worker = this.#ownerOf(link);
    if (worker !== undefined) this.#repairs.faulted(worker, link, fault, isOfCanary);
  }

  /** The session gave a signature that doesn't verify, or doesn't find a key that should be there. */
  suspected(link: SessionLink, why: string): void {
    const worker = this.#ownerOf(link);
    if (worker !== undefined) this.#repairs.suspected(worker, link, why);
  }

  /** The session made a signature that verified. */
  proven(link: SessionLink): void {
    this.#repairs.proven(() => this.#ownerOf(link));
  }

  /** Gives up a worker whose module or connection can't be trusted any more. */
  replace(worker: WorkerProcess, why: string): void {
    if (worker.state === 'draining') return;
    this.#options.log.warn({ workerPid: worker.pid, why }, 'HSM worker is killed and replaced');
    worker.kill();
    this.#publish();
  }

  #ownerOf(link: SessionLink): WorkerProcess | undefined {
    return [...this.#workers].find((worker) => worker.administration === link || worker.signing.includes(link));
  }

  /** Kills what has owed an answer for too long. */
  killHung(nowMs: number): void {
    const { signTimeoutMs, generateTimeoutMs } = this.#options.config;
    for (const worker of this.readyWorkers()) {
      // On trial a session may be sweeping thousands of keys.
      const limitMs = worker.isOnTrial ? generateTimeoutMs : signTimeoutMs;
      if (worker.signing.some((link) => link.silentMs(nowMs) > limitMs)) {
        this.replace(worker, `no answer for ${limitMs} ms`);
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
    await Promise.all([...ends, this.#spare.close(), this.#running]);
    if (this.#lockFd !== undefined) closeSync(this.#lockFd);
    this.#lockFd = undefined;
    this.#publish();
  }

  async #end(worker: WorkerProcess): Promise<void> {
    worker.kill();
    await worker.exited;
  }

  async #run(): Promise<void> {
    const { clock, workerLockFile, log } = this.#options;
    const lockFd = await waitForLock({
      file: workerLockFile,
      clock,
      log,
      isClosed: () => this.#isClosed,
      sleep: (delayMs) => this.#sleep(delayMs),
      onProblem: (problem) => {
        this.#fail(problem);
      },
    });
    this.#problem = undefined;
    if (lockFd === undefined) return;
    this.#lockFd = lockFd;
    while (!this.#isClosed) {
      const replaced = this.#findReplaced();
      if (replaced !== undefined) {
        await this.#options.tokenMutex.run(() => this.#retire(replaced));
        continue;
      }
      const waitMs = this.#waitMs();
      if (waitMs > 0) {
        await this.#sleep(waitMs);
        continue;
      }
      await this.#options.tokenMutex.run(() => this.#startOne(lockFd));
    }
  }

  /** An outdated worker whose successor is ready. */
  #findReplaced(): WorkerProcess | undefined {
    const ready = this.readyWorkers();
    if (ready.length <= this.#options.config.workers) return undefined;
    return ready.find(({ isOutdated }) => isOutdated);
  }

  async #retire(worker: WorkerProcess): Promise<void> {
    if (this.#isClosed || worker.state !== 'ready') return;
    this.#options.log.info({ workerPid: worker.pid }, 'HSM worker gives way to one with a new login');
    const ended = worker.retire(this.#options.config.signTimeoutMs);
    this.#publish();
    await ended;
  }

  /** Until the next start is due; Infinity while none is. */
  #waitMs(): number {
    // A successor comes before its predecessor goes.
    const successors = [...this.#workers].some(({ isOutdated }) => isOutdated) ? 1 : 0;
    if (this.#workers.size >= this.#options.config.workers + successors) return Number.POSITIVE_INFINITY;
    // One that tries to reach a token that is away is enough.
    const isSearching = [...this.#workers].some(({ state }) => state === 'starting');
    if (isSearching && this.readyWorkers().length === 0) return Number.POSITIVE_INFINITY;
    const loginWaitMs = this.#gate.waitMs;
    if (loginWaitMs === Number.POSITIVE_INFINITY) {
      if (this.#problem === undefined || PASSING.has(this.#problem.reason)) this.#fail(LoginGate.latched());
      return loginWaitMs;
    }
    return Math.max(0, loginWaitMs, this.#notBeforeMs - this.#options.clock.monotonicMs());
  }

  async #startOne(lockFd: number): Promise<void> {
    if (this.#isClosed || this.#gate.waitMs > 0) return;
    let worker: WorkerProcess;
    try {
      worker = this.#spawn(lockFd);
    } catch (error) {
      this.#startFailed(toKeyturnError(error));
      return;
    }
    const outcome = await worker.start(this.#gate.mayUseFinalTry);
    if (outcome.kind === 'failed') await this.#openFailed(worker, outcome);
    else if (worker.state === 'starting') {
      this.#gate.succeeded();
      this.#opened(worker, outcome);
    }
  }

  #spawn(lockFd: number): WorkerProcess {
    const { config, clock, log } = this.#options;
    const pinFd = this.#options.openPin();
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
    this.#publish();
    return worker;
  }

  #opened(worker: WorkerProcess, { token, duplicates }: OpenedWorker): void {
    const { log } = this.#options;
    worker.setState('ready');
    this.#problem = undefined;
    this.#failedStarts = 0;
    log.info({ workerPid: worker.pid, token: token.label, serial: token.serial }, 'HSM worker is ready');
    if (duplicates.length > 0)
      log.error({ ckaIds: duplicates }, 'several private keys in the token share a CKA_ID; none of them signs');
    if (this.#lockFd !== undefined && this.readyWorkers().length >= this.#options.config.workers)
      this.#spare.prepare(this.#lockFd);
    this.#publish();
    this.#wake();
  }

  async #openFailed(worker: WorkerProcess, failure: OpenFailure): Promise<void> {
    if (this.#isClosed) return;
    await this.#gate.failed(failure);
    if (failure.mayReopen && worker.state === 'starting') {
      this.#options.log.error({ reason: failure.problem.reason, problem: failure.problem.message }, TOKEN_AWAY);
      this.#fail(failure.problem);
      this.#repairs.startFailed(worker, failure);
      return;
    }
    this.#startFailed(failure.problem);
    await this.#end(worker);
  }

  #startFailed(problem: KeyturnError): void {
    if (this.#isClosed) return;
    this.#failedStarts += 1;
    const waitMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failedStarts - 1));
    this.#notBeforeMs = this.#options.clock.monotonicMs() + waitMs;
    const retryInMs = this.#gate.waitMs === Number.POSITIVE_INFINITY ? undefined : waitMs;
    this.#options.log.error({ reason: problem.reason, problem: problem.message, retryInMs }, TOKEN_AWAY);
    this.#fail(problem);
  }

  #exited(worker: WorkerProcess): void {
    this.#workers.delete(worker);
    this.#repairs.ended(worker);
    if (worker.readySinceMs !== undefined && !this.#isClosed && !worker.isOutdated) {
      this.#restarts += 1;
      const { clock, log } = this.#options;
      const nowMs = clock.monotonicMs();
      this.#youngDeaths = youngDeathsAfter(this.#youngDeaths, nowMs - worker.readySinceMs);
      this.#notBeforeMs = nowMs + restartDelayMs(this.#youngDeaths);
      log.warn({ workerPid: worker.pid }, 'HSM worker has ended');
    }
    worker.state = 'draining';
    this.#publish();
    this.#wake();
  }

  #fail(problem: KeyturnError): void {
    this.#problem = problem;
    this.#publish();
  }

  #publish(): void {
    const ready = this.readyWorkers();
    this.#signing = ready.filter(({ isOnTrial }) => !isOnTrial).flatMap(({ signing }) => signing);
    if (ready.length > 0) this.#hasBeenReady = true;
    if (ready.length > 0 || !this.#hasBeenReady) this.#lostAtMs = undefined;
    else this.#lostAtMs ??= this.#options.clock.monotonicMs();
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
