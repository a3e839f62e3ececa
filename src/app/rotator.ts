/**
 * Keeps every signing key as its policy says: plans, records what is due without the token in one commit for all of
 * them, does one step at the token at a time, plans again, and sleeps until time or a change makes something due. A step
 * that fails is tried again with growing pauses and never stops the other keys.
 */
import type { Clock } from '../base/clock.ts';
import { type KeyturnError, toKeyturnError } from '../base/errors.ts';
import type { KeySetName, SigningKeyName } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Surroundings } from '../lifecycle/activation.ts';
import type { SigningKeyEvent } from '../lifecycle/events.ts';
import type { SigningKeyState } from '../lifecycle/signing-key-state.ts';
import type { KeySetState } from '../lifecycle/fold-key-set.ts';
import { describeWaitingRotation, plan, type Step } from '../lifecycle/plan.ts';
import { isDecided, type TokenStep } from '../lifecycle/step-events.ts';
import type { FailingStep } from './application.ts';
import type { ClockGuard } from './clock-guard.ts';
import type { Imports } from './imports.ts';
import type { Change } from './folded-log.ts';
import type { Observation } from './meters.ts';
import { FIRST_RETRY_MS, MAX_RETRY_MS } from './retry-pause.ts';
import { StepFailures } from './step-failures.ts';
import { decideDue, performStep, type StepPorts } from './steps.ts';

/** Plans are made at least this often, whatever time they asked for: the wall clock may have stepped. */
const MAX_SLEEP_MS = 5_000;
const MIN_SLEEP_MS = 10;

/** One signing key as a round found it. */
interface Look {
  readonly name: SigningKeyName;
  readonly recorded: SigningKeyState;
  readonly observed: Observation;
  readonly around: Surroundings;
  /** Due, and not waiting to be tried again; most urgent first. */
  readonly steps: readonly Step[];
  readonly isRecordDue: boolean;
  /** Monotonic: when it was looked at, and when time alone makes the next thing due, or a failed step is tried again. */
  readonly atMs: number;
  readonly nextMs: number;
}

/** A signing key with nothing due, and the situation in which that holds until a time. */
interface Calm {
  readonly recorded: SigningKeyState;
  readonly around: Surroundings;
  /** Monotonic. */
  readonly lookedAtMs: number;
  readonly untilMs: number;
}

/** What was planned by the wall clock holds while it keeps step with the monotonic one, to so many ms. */
const MAX_CLOCK_DRIFT_MS = 500;

/** What a plan asks of a key set is the same: a new generation alone makes nothing due. */
function isSameKeySet(left: KeySetState, right: KeySetState): boolean {
  return (
    left.promise === right.promise &&
    left.lingering === right.lingering &&
    (left.generation === 0) === (right.generation === 0)
  );
}

function isSameSituation(calm: Calm, recorded: SigningKeyState, around: Surroundings, nowMs: number): boolean {
  const driftMs = around.nowMs - calm.around.nowMs - (nowMs - calm.lookedAtMs);
  return (
    calm.recorded === recorded &&
    isSameKeySet(calm.around.keySet, around.keySet) &&
    calm.around.isClockTrusted === around.isClockTrusted &&
    Math.abs(driftMs) <= MAX_CLOCK_DRIFT_MS
  );
}

function toEvents({ event }: Observation): readonly SigningKeyEvent[] {
  return event === undefined ? [] : [event];
}

export interface RotatorPorts extends StepPorts {
  readonly clock: Clock;
  readonly clockGuard: ClockGuard;
  readonly imports: Imports;
  readonly isUnfenced: (name: SigningKeyName) => boolean;
}

export class Rotator {
  readonly #ports: RotatorPorts;
  readonly #log: Logger;
  readonly #failures: StepFailures;
  readonly #busy = new Set<SigningKeyName>();
  /** Signing keys whose rotation is due and waits; said once. */
  readonly #waiting = new Set<SigningKeyName>();
  /** Signing keys that need no look: with many of them, a commit must not cost a plan of each. */
  readonly #calm = new Map<SigningKeyName, Calm>();
  /** After a commit that failed, what has no step of its own waits as well: monotonic time, and the pause until then. */
  #recordRetryAtMs = 0;
  #recordPauseMs = 0;
  #isRunning = false;
  #isWoken = false;
  #wake: (() => void) | undefined;
  #done: Promise<void> = Promise.resolve();

  constructor(ports: RotatorPorts) {
    this.#ports = ports;
    this.#log = ports.log;
    this.#failures = new StepFailures(ports.clock);
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
    this.#failures.hurry(() => true);
    this.#recordRetryAtMs = 0;
    this.#calm.clear();
    this.wake();
  }

  /** Whether a step that is due now, or is being done, is missing from the signing key. */
  isReconciling(name: SigningKeyName): boolean {
    return this.#busy.has(name) || this.#dueSteps(name).length > 0;
  }

  /** Why due steps failed when they were last tried; empty when none did. */
  lastProblem(name: SigningKeyName): string {
    return this.#failures.describe(name);
  }

  /** The same as data, with how long each has been failing. */
  failingSteps(name: SigningKeyName): readonly FailingStep[] {
    return this.#failures.list(name);
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
      const end = (): void => {
        this.#wake = undefined;
        resolve();
      };
      const cancel = this.#ports.clock.after(Math.min(Math.max(delayMs, MIN_SLEEP_MS), MAX_SLEEP_MS), end);
      this.#wake = () => {
        cancel();
        end();
      };
    });
  }

  /**
   * What needs no token is done first, for all signing keys in one commit; then one step at the token for each that has
   * one due. Returns how long nothing will be due.
   */
  async #round(): Promise<number> {
    await this.#ports.clockGuard.tick();
    const { clock, imports, ledger } = this.#ports;
    if (ledger.unrecordedPromises > 0) await this.#retryPromises();
    if (ledger.undurableNarrowings > 0) await this.#retryNarrowings();
    const importsInMs = await imports.tick();
    const looks = await this.#commitDecided();
    if (looks === undefined) return 0;
    let isAnyDone = false;
    for (const { name, steps } of looks) {
      if (!this.#isRunning) return 0;
      const step = steps.find((one) => !isDecided(one));
      if (step === undefined) continue;
      await this.#perform(name, step);
      isAnyDone = true;
    }
    if (isAnyDone) return 0;
    const untilMs = Math.min(...[...this.#calm.values()].map((calm) => calm.untilMs));
    return Math.min(importsInMs, untilMs - clock.monotonicMs());
  }

  async #retryPromises(): Promise<void> {
    const { ledger } = this.#ports;
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
    try {
      await ledger.retryNarrowings();
      this.#log.info({}, 'every narrowing is durable now');
    } catch (thrown) {
      this.#log.error({ err: toKeyturnError(thrown) }, 'a narrowing is in effect but still not durable');
    }
  }

  /** Undefined when it was looked at before and nothing can have become due since. */
  #look(recorded: SigningKeyState, around: Surroundings): Look | undefined {
    const { name } = recorded;
    const { meters, clock } = this.#ports;
    // Rule 9: nothing of it changes until an operator has decided.
    if (!this.#ports.isUnfenced(name)) {
      this.#calm.delete(name);
      return undefined;
    }
    const nowMs = clock.monotonicMs();
    const calm = this.#calm.get(name);
    if (calm !== undefined && nowMs < calm.untilMs && isSameSituation(calm, recorded, around, nowMs)) return undefined;
    const observed = meters.observe(recorded);
    const { state } = observed;
    const { due, lookAgainMs = Number.POSITIVE_INFINITY, isRotationWaiting } = plan(state, around);
    this.#noteWaiting(name, isRotationWaiting ? describeWaitingRotation(state, around) : '');
    const { ready: steps, retryAtMs } = this.#failures.sift(name, due);
    const recordAtMs = Math.max(nowMs + meters.recordDueInMs(recorded, state, around.keySet), this.#recordRetryAtMs);
    const isRecordDue = recordAtMs <= nowMs;
    const nextMs = Math.min(nowMs + lookAgainMs, retryAtMs);
    if (steps.length === 0 && !isRecordDue)
      this.#calm.set(name, { recorded, around, untilMs: Math.min(nextMs, recordAtMs), lookedAtMs: nowMs });
    return { name, recorded, observed, around, steps, isRecordDue, atMs: nowMs, nextMs };
  }

  #noteWaiting(name: SigningKeyName, why: string): void {
    if (why === '') this.#waiting.delete(name);
    else if (!this.#waiting.has(name)) {
      this.#waiting.add(name);
      this.#log.warn({ signingKey: name }, why);
    }
  }

  /**
   * Looks at the signing keys and commits what is due without the token, in one turn: decided on the state that holds
   * there. Undefined when that was anything; else what it saw. A commit that fails is each of its steps' failure.
   */
  async #commitDecided(): Promise<readonly Look[] | undefined> {
    const { ledger, clock } = this.#ports;
    let looks: readonly Look[] = [];
    let changes: readonly Change[] = [];
    const decidedSteps = (): readonly (readonly [SigningKeyName, Step])[] =>
      looks.flatMap(({ name, steps }) => steps.filter(isDecided).map((step) => [name, step] as const));
    try {
      await ledger.transact(() => {
        looks = this.#lookAtAll();
        changes = this.#decide(looks);
        return changes;
      });
    } catch (thrown) {
      const error = toKeyturnError(thrown);
      this.#recordPauseMs = Math.min(Math.max(this.#recordPauseMs * 2, FIRST_RETRY_MS), MAX_RETRY_MS);
      this.#recordRetryAtMs = clock.monotonicMs() + this.#recordPauseMs;
      this.#log.warn({ err: error, retryInMs: this.#recordPauseMs }, 'what is due could not be recorded');
      for (const [name, step] of decidedSteps()) this.#noteFailure(name, step, error);
      return undefined;
    }
    if (changes.length === 0) return looks;
    this.#recordPauseMs = 0;
    this.#recordRetryAtMs = 0;
    for (const [name, step] of decidedSteps()) this.#noteDone(name, step);
    for (const look of looks) this.#noteRecorded(look, changes);
    return undefined;
  }

  /** Meters and ceilings make nothing due: a signing key of which nothing else was recorded needs no new plan. */
  #noteRecorded({ name, recorded: before, around, steps, atMs, nextMs }: Look, changes: readonly Change[]): void {
    const { ledger, meters } = this.#ports;
    if (!steps.every(({ kind }) => kind === 'raiseExpCeiling')) return;
    const change = changes.find((one) => one.to === 'signingKey' && one.name === name);
    const recorded = ledger.signingKeys.get(name);
    // Something else may have been committed since.
    if (change === undefined || recorded?.sequence !== before.sequence + change.events.length) return;
    const untilMs = Math.min(nextMs, atMs + meters.recordDueInMs(recorded, recorded, around.keySet));
    this.#calm.set(name, { recorded, around, untilMs, lookedAtMs: atMs });
  }

  #lookAtAll(): readonly Look[] {
    const looks: Look[] = [];
    // One reading of the clocks for all signing keys of a key set.
    const surroundings = new Map<KeySetName, Surroundings>();
    for (const recorded of this.#ports.ledger.signingKeys.values()) {
      const around = surroundings.get(recorded.keySet) ?? this.#ports.surroundingsOf(recorded);
      surroundings.set(recorded.keySet, around);
      const look = this.#look(recorded, around);
      if (look !== undefined) looks.push(look);
    }
    return looks;
  }

  #decide(looks: readonly Look[]): readonly Change[] {
    const { clock, clockGuard } = this.#ports;
    const due = looks.filter(({ steps, isRecordDue }) => isRecordDue || steps.some(isDecided));
    const hasSteps = due.some(({ steps }) => steps.some(isDecided));
    if (!hasSteps && clock.monotonicMs() < this.#recordRetryAtMs) return [];
    const changes: readonly Change[] = [
      { to: 'clock', events: clockGuard.heartbeat() },
      ...this.#decideKeySets(),
      ...due.map(({ observed, steps, around }) => decideDue(observed, steps, around)),
    ];
    return changes.filter(({ events }) => events.length > 0);
  }

  #decideKeySets(): readonly Change[] {
    const { ledger, meters } = this.#ports;
    return [...ledger.keySets.values()].flatMap((keySet): readonly Change[] => {
      const event = meters.observeKeySet(keySet);
      return event === undefined ? [] : [{ to: 'keySet', name: keySet.name, events: [event] }];
    });
  }

  async #perform(name: SigningKeyName, step: TokenStep): Promise<void> {
    this.#busy.add(name);
    try {
      await performStep(this.#ports, name, step);
      this.#noteDone(name, step);
    } catch (thrown) {
      this.#noteFailure(name, step, toKeyturnError(thrown));
    } finally {
      this.#busy.delete(name);
    }
  }

  #noteDone(name: SigningKeyName, step: Step): void {
    this.#failures.forget(name, step.kind);
    // A token that can make keys again can make those of the others, too.
    if (step.kind === 'makeVersion' && this.#failures.size > 0) {
      this.#failures.hurry((kind) => kind === 'makeVersion');
      this.#calm.clear();
    }
    this.#log.info({ signingKey: name, step }, 'lifecycle step done');
  }

  #noteFailure(name: SigningKeyName, step: Step, error: KeyturnError): void {
    const policy = this.#ports.ledger.signingKeys.get(name)?.policy;
    const retryInMs = this.#failures.note(name, { kind: step.kind, error, policy });
    this.#log.warn({ signingKey: name, step, retryInMs, err: error }, 'lifecycle step failed');
  }

  /** Writes served, quiet and up-time down, so that a restart goes on from there. */
  async recordAllMeters(): Promise<void> {
    const { ledger, meters } = this.#ports;
    try {
      await ledger.transact(() => [
        ...this.#decideKeySets(),
        ...[...ledger.signingKeys.values()].map(
          (recorded): Change => ({ to: 'signingKey', name: recorded.name, events: toEvents(meters.observe(recorded)) }),
        ),
      ]);
    } catch (thrown) {
      this.#log.warn({ err: toKeyturnError(thrown) }, 'served and quiet time could not be recorded');
    }
    await this.#ports.imports.recordUpTime();
  }
}
