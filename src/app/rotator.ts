/**
 * Keeps every signing key as its policy says: plans, does one due step at a time, plans again, and sleeps until time or
 * a change makes something due. A step that fails is tried again with growing pauses and never stops the other keys.
 */
import type { Clock } from '../base/clock.ts';
import { type KeyturnError, toKeyturnError } from '../base/errors.ts';
import type { SigningKeyName } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import { describeWaitingRotation, plan, type Step } from '../lifecycle/plan.ts';
import type { FailingStep } from './application.ts';
import type { ClockGuard } from './clock-guard.ts';
import type { Imports } from './imports.ts';
import { performStep, type StepPorts } from './steps.ts';

/** Pauses after a failed step: doubling from the first to the second. */
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/** Plans are made at least this often, whatever time they asked for: the wall clock may have stepped. */
const MAX_SLEEP_MS = 5_000;
const MIN_SLEEP_MS = 10;

interface Failure {
  readonly error: KeyturnError;
  readonly retryAtMs: number;
  readonly pauseMs: number;
  /** Monotonic time of the first failure in a row. */
  readonly sinceMs: number;
}

/** By kind of step: one that fails must not keep the others from being done. */
type Failures = ReadonlyMap<Step['kind'], Failure>;

export interface RotatorPorts extends StepPorts {
  readonly clock: Clock;
  readonly clockGuard: ClockGuard;
  readonly imports: Imports;
  readonly isUnfenced: (name: SigningKeyName) => boolean;
}

export class Rotator {
  readonly #ports: RotatorPorts;
  readonly #log: Logger;
  readonly #failures = new Map<SigningKeyName, Failures>();
  readonly #busy = new Set<SigningKeyName>();
  /** Signing keys whose rotation is due and waits; said once. */
  readonly #waiting = new Set<SigningKeyName>();
  #isRunning = false;
  #isWoken = false;
  #wake: (() => void) | undefined;
  #done: Promise<void> = Promise.resolve();

  constructor(ports: RotatorPorts) {
    this.#ports = ports;
    this.#log = ports.log;
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#done = this.#run();
  }

  /** Ends after the step in progress. Idempotent. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    this.wake();
    await this.#done;
  }

  /** Something changed: plan again now. */
  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  /** Tries failed steps again at once: the token came back, or an operator asks. */
  retryNow(): void {
    for (const [name, failures] of this.#failures) {
      this.#failures.set(name, new Map([...failures].map(([kind, failure]) => [kind, { ...failure, retryAtMs: 0 }])));
    }
    this.wake();
  }

  /** Whether a step that is due now, or is being done, is missing from the signing key. */
  isReconciling(name: SigningKeyName): boolean {
    return this.#busy.has(name) || this.#dueSteps(name).length > 0;
  }

  /** Why due steps failed when they were last tried; empty when none did. */
  lastProblem(name: SigningKeyName): string {
    return [...(this.#failures.get(name) ?? [])]
      .map(([kind, { error }]) => `${kind}: ${error.reason}: ${error.message}`)
      .join('; ');
  }

  /** The same as data, with how long each has been failing. */
  failingSteps(name: SigningKeyName): readonly FailingStep[] {
    const nowMs = this.#ports.clock.monotonicMs();
    return [...(this.#failures.get(name) ?? [])].map(([step, { error, sinceMs }]) => ({
      step,
      reason: error.reason,
      failingForMs: nowMs - sinceMs,
    }));
  }

  #dueSteps(name: SigningKeyName): readonly Step[] {
    const recorded = this.#ports.ledger.signingKeys.get(name);
    if (recorded === undefined) return [];
    const { state } = this.#ports.meters.observe(recorded);
    return plan(state, this.#ports.surroundingsOf(state)).due;
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      this.#isWoken = false;
      const sleepMs = await this.#round();
      if (this.#isRunning && !this.#isWoken) await this.#sleep(sleepMs);
    }
  }

  #sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#ports.clock.after(Math.min(Math.max(delayMs, MIN_SLEEP_MS), MAX_SLEEP_MS), resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  /** One step for each signing key that has one due. Returns how long nothing will be due. */
  async #round(): Promise<number> {
    let sleepMs = MAX_SLEEP_MS;
    await this.#ports.clockGuard.tick();
    await this.#retryPromises();
    await this.#retryNarrowings();
    sleepMs = Math.min(sleepMs, await this.#ports.imports.tick());
    for (const name of this.#ports.ledger.signingKeys.keys()) {
      if (!this.#isRunning) return 0;
      sleepMs = Math.min(sleepMs, await this.#visit(name));
    }
    return sleepMs;
  }

  async #retryPromises(): Promise<void> {
    const { ledger } = this.#ports;
    if (ledger.unrecordedPromises === 0) return;
    try {
      await ledger.recordPromises();
      this.#log.info({}, "the configuration's changed key set promises are recorded now");
    } catch (thrown) {
      this.#log.error(
        { err: toKeyturnError(thrown) },
        "the configuration's changed key set promises can't be recorded: until they are, the stricter of old and new binds",
      );
    }
  }

  async #retryNarrowings(): Promise<void> {
    const { ledger } = this.#ports;
    if (ledger.undurableNarrowings === 0) return;
    try {
      await ledger.retryNarrowings();
      this.#log.info({}, 'every narrowing is durable now');
    } catch (thrown) {
      this.#log.error({ err: toKeyturnError(thrown) }, 'a narrowing is in effect but still not durable');
    }
  }

  async #visit(name: SigningKeyName): Promise<number> {
    // Rule 9: nothing of it changes until an operator has decided.
    if (!this.#ports.isUnfenced(name)) return MAX_SLEEP_MS;
    const { ledger, meters, surroundingsOf, clock } = this.#ports;
    const recorded = ledger.requireSigningKey(name);
    const { state } = meters.observe(recorded);
    const around = surroundingsOf(state);
    const { due, lookAgainMs } = plan(state, around);
    this.#noteWaiting(name, describeWaitingRotation(state, around));
    const failures = new Map(
      [...(this.#failures.get(name) ?? [])].filter(([kind]) => due.some((step) => step.kind === kind)),
    );
    this.#failures.set(name, failures);
    const nowMs = clock.monotonicMs();
    const step = due.find(({ kind }) => nowMs >= (failures.get(kind)?.retryAtMs ?? 0));
    if (step !== undefined) {
      await this.#perform(name, step);
      return 0;
    }
    if (meters.isRecordDue(recorded, state, around.keySet)) await this.#recordMeters(name);
    const retries = [...failures.values()].map(({ retryAtMs }) => retryAtMs - nowMs);
    return Math.min(lookAgainMs ?? MAX_SLEEP_MS, ...retries);
  }

  #noteWaiting(name: SigningKeyName, why: string): void {
    if (why === '') this.#waiting.delete(name);
    else if (!this.#waiting.has(name)) {
      this.#waiting.add(name);
      this.#log.warn({ signingKey: name }, why);
    }
  }

  async #perform(name: SigningKeyName, step: Step): Promise<void> {
    this.#busy.add(name);
    try {
      await performStep(this.#ports, name, step);
      this.#setFailure(name, step.kind, undefined);
      this.#log.info({ signingKey: name, step }, 'lifecycle step done');
    } catch (thrown) {
      this.#noteFailure(name, step, toKeyturnError(thrown));
    } finally {
      this.#busy.delete(name);
    }
  }

  #noteFailure(name: SigningKeyName, step: Step, error: KeyturnError): void {
    const before = this.#failures.get(name)?.get(step.kind);
    const pauseMs = before === undefined ? FIRST_RETRY_MS : Math.min(before.pauseMs * 2, MAX_RETRY_MS);
    const nowMs = this.#ports.clock.monotonicMs();
    const sinceMs = before?.sinceMs ?? nowMs;
    this.#setFailure(name, step.kind, { error, pauseMs, retryAtMs: nowMs + pauseMs, sinceMs });
    this.#log.warn({ signingKey: name, step, retryInMs: pauseMs, err: error }, 'lifecycle step failed');
  }

  #setFailure(name: SigningKeyName, kind: Step['kind'], failure: Failure | undefined): void {
    const failures = new Map(this.#failures.get(name));
    if (failure === undefined) failures.delete(kind);
    else failures.set(kind, failure);
    this.#failures.set(name, failures);
  }

  /** Writes served, quiet and up-time down, so that a restart goes on from there. */
  async recordAllMeters(): Promise<void> {
    for (const name of this.#ports.ledger.signingKeys.keys()) await this.#recordMeters(name);
    await this.#ports.imports.recordUpTime();
  }

  async #recordMeters(name: SigningKeyName): Promise<void> {
    const { ledger, meters } = this.#ports;
    try {
      await ledger.transact(() => {
        const { event } = meters.observe(ledger.requireSigningKey(name));
        return event === undefined ? [] : [{ to: 'signingKey', name, events: [event] }];
      });
    } catch (thrown) {
      this.#log.warn({ signingKey: name, err: toKeyturnError(thrown) }, 'served and quiet time could not be recorded');
    }
  }
}
