/**
 * One view of the HSM workers for those who use them: which sessions sign, why none does, and whose fault is whose. The
 * roster keeps the workers alive, repairs.ts mends what a fault of the token has broken, and login-gate.ts says who may
 * log in.
 */
import type { Clock } from '../base/clock.ts';
import type { KeyturnError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Mutex } from '../base/mutex.ts';
import type { Reason } from '../base/reasons.ts';
import type { TokenConfig } from '../config/config.ts';
import type { LoginLatch, Rung } from './hsm.ts';
import { LoginGate } from './login-gate.ts';
import { Repairs } from './repairs.ts';
import { Roster } from './roster.ts';
import type { SessionLink } from './session-link.ts';
import type { Trials } from './trial.ts';
import type { Fault } from './wire.ts';
import type { WorkerProcess } from './worker-process.ts';

/** So long after the last worker was lost requests wait for the token until their deadline; later they are refused. */
const OUTAGE_PATIENCE_MS = 15_000;
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
  readonly #repairs: Repairs;
  readonly #roster: Roster;
  #problem: KeyturnError | undefined;
  /** When the last session was lost; undefined while there is one, and before there was. */
  #lostAtMs: number | undefined;
  #hasBeenReady = false;
  /** Signing connections of the ready workers; a new array at each change. */
  #signing: readonly SessionLink[] = [];

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const gate = new LoginGate({
      ...options,
      onRefused: () => {
        this.#repairs.rungs.operator += 1;
      },
    });
    const onChange = (): void => {
      this.#publish();
    };
    const onProblem = (problem: KeyturnError | undefined): void => {
      this.#setProblem(problem);
    };
    this.#repairs = new Repairs({
      ...options,
      gate,
      isClosed: () => this.#roster.isClosed,
      restart: (worker, why) => {
        this.#roster.replace(worker, why);
      },
      onReady: (worker, opened) => {
        this.#roster.opened(worker, opened);
      },
      onProblem,
      onChange,
    });
    this.#roster = new Roster({
      ...options,
      gate,
      onStartFailed: (worker, failure) => {
        this.#repairs.startFailed(worker, failure);
      },
      onEnded: (worker) => {
        this.#repairs.ended(worker);
      },
      onLatched: () => {
        if (this.#problem === undefined || PASSING.has(this.#problem.reason)) onProblem(LoginGate.latched());
      },
      onProblem,
      onChange,
    });
    this.#roster.start();
  }

  get workers(): ReadonlySet<WorkerProcess> {
    return this.#roster.workers;
  }

  get signing(): readonly SessionLink[] {
    return this.#signing;
  }

  get restarts(): number {
    return this.#roster.restarts;
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
    return [...this.#roster.workers].filter((worker) => worker.state === 'ready');
  }

  retryLogin(): void {
    this.#roster.retryLogin();
  }

  /**
   * The PIN file may hold another PIN now: every worker gives way to one that logs in with that. Those that are ready
   * sign until then, one after the other; if the new PIN is refused, they go on, and only they do.
   */
  renewLogins(): void {
    this.#roster.renewLogins();
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
    this.#roster.replace(worker, why);
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
  close(): Promise<void> {
    return this.#roster.close();
  }

  #ownerOf(link: SessionLink): WorkerProcess | undefined {
    return [...this.#roster.workers].find((worker) => worker.administration === link || worker.signing.includes(link));
  }

  #setProblem(problem: KeyturnError | undefined): void {
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
}
