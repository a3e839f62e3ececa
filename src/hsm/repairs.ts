/**
 * Climbs the ladder with the workers: what ladder.ts decides is done here. A worker that met a doubtful fault, or whose
 * token was opened anew, gets no requests until a trial signature on it has verified (half open): so an outage costs the
 * requests on it one attempt, not all of theirs.
 */
import { type Clock, sleep } from '../base/clock.ts';
import type { KeyturnError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Mutex } from '../base/mutex.ts';
import { classifyFault, nameFault } from './faults.ts';
import type { Rung } from './hsm.ts';
import {
  countRungs,
  type Footing,
  GROUND,
  keepsHandles,
  type Step,
  stepAfterFailedRepair,
  stepAfterFailedTrial,
  stepAfterFault,
  stepAfterMissingKey,
  type WorkerRung,
} from './ladder.ts';
import { LoginGate } from './login-gate.ts';
import type { SessionLink } from './session-link.ts';
import type { TrialOutcome, Trials } from './trial.ts';
import type { Fault } from './wire.ts';
import type { OpenedWorker, OpenFailure, WorkerProcess } from './worker-process.ts';

const KEY_MISSING = 'a key that signed before is not found';

export interface RepairsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly tokenMutex: Mutex;
  readonly gate: LoginGate;
  readonly trials: Trials;
  readonly isClosed: () => boolean;
  /** Kills the worker; a new one follows. */
  readonly restart: (worker: WorkerProcess, why: string) => void;
  /** The token is open again, and a trial didn't speak against it. */
  readonly onReady: (worker: WorkerProcess, opened: OpenedWorker) => void;
  readonly onProblem: (problem: KeyturnError) => void;
  /** A worker's share of the requests has changed. */
  readonly onChange: () => void;
}

export class Repairs {
  readonly rungs: Record<Rung, number> = countRungs();
  readonly #options: RepairsOptions;
  /** Workers that haven't signed since they climbed. */
  readonly #footings = new Map<WorkerProcess, Footing>();
  /** Sessions that were opened anew and know no keys yet. */
  readonly #evicted = new Map<WorkerProcess, Set<SessionLink>>();
  /** On trial or being repaired: further faults of theirs say nothing new. */
  readonly #busy = new Set<WorkerProcess>();

  constructor(options: RepairsOptions) {
    this.#options = options;
  }

  /** An operation failed in one of the worker's sessions; its thread has opened the session anew already, if it could. */
  faulted(worker: WorkerProcess, link: SessionLink, fault: Fault, isOfCanary: boolean): void {
    const { ckr, functionName, isSessionUsable } = fault;
    const faultClass = classifyFault(ckr);
    const why = `${functionName} failed with ${nameFault(ckr)}`;
    if (faultClass === 'retry' || faultClass === 'evictSession' || faultClass === 'findHandle')
      this.rungs[faultClass] += 1;
    if (faultClass === 'operator') {
      this.rungs.operator += 1;
      this.#options.log.error({ workerPid: worker.pid, ckr, problem: why }, 'the token needs an operator');
    }
    if (!keepsHandles(ckr)) this.#evict(worker, link);
    this.#begin(worker, stepAfterFault(this.#footingOf(worker), { ckr, isSessionUsable, isOfCanary }), why);
  }

  /** The worker showed something that no code tells of: a signature that doesn't verify, a key that isn't found. */
  suspected(worker: WorkerProcess, link: SessionLink, why: string): void {
    this.rungs.evictSession += 1;
    this.#evict(worker, link);
    this.#begin(worker, { kind: 'trial' }, why);
  }

  /** The worker made a signature that verified. On the hot path. */
  proven(findWorker: () => WorkerProcess | undefined): void {
    if (this.#footings.size === 0) return;
    const worker = findWorker();
    if (worker !== undefined && !this.#busy.has(worker)) this.#footings.delete(worker);
  }

  /** A new worker could not open the token, and may try again as it is. */
  startFailed(worker: WorkerProcess, { problem, ckr }: OpenFailure): void {
    this.#begin(worker, stepAfterFailedRepair(this.#footingOf(worker), ckr), problem.message);
  }

  ended(worker: WorkerProcess): void {
    this.#footings.delete(worker);
    this.#evicted.delete(worker);
    this.#busy.delete(worker);
  }

  #evict(worker: WorkerProcess, link: SessionLink): void {
    if (!worker.signing.includes(link)) return;
    const evicted = this.#evicted.get(worker);
    if (evicted === undefined) this.#evicted.set(worker, new Set([link]));
    else evicted.add(link);
  }

  #footingOf(worker: WorkerProcess): Footing {
    return this.#footings.get(worker) ?? GROUND;
  }

  #begin(worker: WorkerProcess, step: Step, why: string): void {
    if (step.kind === 'none' || worker.state === 'draining' || this.#busy.has(worker)) return;
    this.#busy.add(worker);
    worker.isOnTrial = true;
    this.#options.onChange();
    const work = step.kind === 'trial' ? this.#try(worker) : this.#climb(worker, step, why);
    void work.finally(() => {
      this.#busy.delete(worker);
      worker.isOnTrial = false;
      this.#options.onChange();
    });
  }

  async #try(worker: WorkerProcess): Promise<void> {
    const outcome = await this.#tryEvicted(worker);
    if (outcome.kind === 'passed') this.#footings.delete(worker);
    if (outcome.kind === 'failed')
      await this.#climb(worker, stepAfterFailedTrial(this.#footingOf(worker), outcome.ckr), outcome.why);
    if (outcome.kind === 'keyMissing')
      await this.#climb(worker, stepAfterMissingKey(this.#footingOf(worker)), KEY_MISSING);
  }

  /** Every session that was opened anew, also those that faults meet meanwhile; the first that fails decides. */
  async #tryEvicted(worker: WorkerProcess): Promise<TrialOutcome> {
    const evicted = this.#evicted.get(worker) ?? new Set();
    let outcome: TrialOutcome = { kind: 'unknown' };
    // A set may grow while it is walked.
    for (const link of evicted) {
      await this.#options.trials.sweep(link);
      outcome = await this.#options.trials.run(link);
      if (outcome.kind === 'failed' || outcome.kind === 'keyMissing') break;
      evicted.delete(link);
    }
    return evicted.size === 0 && outcome.kind === 'unknown' ? this.#trial(worker) : outcome;
  }

  /** Until the worker is well, or is given up. */
  async #climb(worker: WorkerProcess, first: Step, firstWhy: string): Promise<void> {
    let step: Step = first;
    let why = firstWhy;
    while (step.kind === 'climb' && !isGone(worker)) {
      this.#footings.set(worker, step.footing);
      this.rungs[step.rung] += 1;
      this.#options.log.warn(
        { workerPid: worker.pid, rung: step.rung, tries: step.footing.tries, why },
        'HSM worker is repaired',
      );
      if (step.rung === 'restartWorker' || worker.isOutdated) {
        this.#options.restart(worker, why);
        return;
      }
      worker.setState('starting');
      this.#options.onChange();
      if (step.delayMs > 0) await sleep(this.#options.clock, step.delayMs);
      const result = await this.#repair(worker, step.rung);
      if (result === undefined) return;
      [step, why] = [result.step, result.why];
    }
  }

  /** Undefined when it is over: well, given up, or in an operator's hands. */
  async #repair(
    worker: WorkerProcess,
    rung: Exclude<WorkerRung, 'restartWorker'>,
  ): Promise<{ readonly step: Step; readonly why: string } | undefined> {
    const { gate, restart, onProblem, onReady, isClosed } = this.#options;
    const outcome = await this.#options.tokenMutex.run(() => this.#reopen(worker, rung));
    if (isClosed() || isGone(worker)) return undefined;
    if (outcome === 'waits') {
      // The login is an operator's affair now: what is left of the worker only holds the token's sessions.
      if (gate.waitMs === Number.POSITIVE_INFINITY) {
        onProblem(LoginGate.latched());
        restart(worker, 'nobody may log in');
        return undefined;
      }
      await sleep(this.#options.clock, gate.waitMs);
      return this.#repair(worker, rung);
    }
    if (outcome.kind === 'failed') {
      onProblem(outcome.problem);
      if (!outcome.mayReopen) {
        this.rungs.restartWorker += 1;
        restart(worker, outcome.problem.message);
        return undefined;
      }
      return { step: stepAfterFailedRepair(this.#footingOf(worker), outcome.ckr), why: outcome.problem.message };
    }
    const trial = await this.#trial(worker);
    if (isGone(worker)) return undefined;
    if (trial.kind === 'failed')
      return { step: stepAfterFailedTrial(this.#footingOf(worker), trial.ckr), why: trial.why };
    // A login that the token claims to have already proves nothing.
    if (trial.kind === 'keyMissing' && rung === 'login')
      return { step: stepAfterMissingKey(this.#footingOf(worker)), why: KEY_MISSING };
    if (trial.kind === 'passed') this.#footings.delete(worker);
    // The module was begun anew and it is still not there: somebody destroyed it.
    if (trial.kind === 'keyMissing') this.#options.trials.drop();
    onReady(worker, outcome);
    return undefined;
  }

  async #reopen(
    worker: WorkerProcess,
    rung: Exclude<WorkerRung, 'restartWorker'>,
  ): Promise<OpenedWorker | OpenFailure | 'waits'> {
    const { gate } = this.#options;
    if (gate.waitMs > 0 || isGone(worker)) return 'waits';
    this.#evicted.delete(worker);
    const outcome = await worker.reopen(rung, gate.mayUseFinalTry);
    // A refusal is durable before anybody else has his turn.
    if (outcome.kind === 'failed') await gate.failed(outcome);
    else gate.succeeded();
    return outcome;
  }

  async #trial(worker: WorkerProcess): Promise<TrialOutcome> {
    const [link] = worker.signing;
    return link === undefined ? { kind: 'unknown' } : this.#options.trials.run(link);
  }
}

function isGone({ state }: WorkerProcess): boolean {
  return state === 'draining';
}
