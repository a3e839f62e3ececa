/**
 * Due steps that failed: each is tried again with growing pauses, by kind of step, so that one which fails doesn't keep
 * the others from being done. What isn't due any more is forgotten.
 */
import type { Clock } from '../base/clock.ts';
import type { KeyturnError } from '../base/errors.ts';
import type { SigningKeyName } from '../base/ids.ts';
import type { LifecyclePolicy } from '../lifecycle/model.ts';
import type { Step } from '../lifecycle/plan.ts';
import type { FailingStep } from './application.ts';
import { nextPauseMs } from './retry-pause.ts';

interface Failure {
  readonly error: KeyturnError;
  readonly retryAtMs: number;
  readonly pauseMs: number;
  /** Monotonic time of the first failure in a row. */
  readonly sinceMs: number;
}

interface Failed {
  readonly kind: Step['kind'];
  readonly error: KeyturnError;
  readonly policy: LifecyclePolicy | undefined;
}

export class StepFailures {
  readonly #clock: Clock;
  readonly #byKey = new Map<SigningKeyName, Map<Step['kind'], Failure>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns the pause until it is tried again. */
  note(name: SigningKeyName, { kind, error, policy }: Failed): number {
    const nowMs = this.#clock.monotonicMs();
    const failures = this.#byKey.get(name) ?? new Map<Step['kind'], Failure>();
    const before = failures.get(kind);
    const pauseMs = nextPauseMs(before?.pauseMs ?? 0, { kind, reason: error.reason, policy });
    failures.set(kind, { error, pauseMs, retryAtMs: nowMs + pauseMs, sinceMs: before?.sinceMs ?? nowMs });
    this.#byKey.set(name, failures);
    return pauseMs;
  }

  /** It was done. */
  forget(name: SigningKeyName, kind: Step['kind']): void {
    const failures = this.#byKey.get(name);
    if (failures?.delete(kind) === true && failures.size === 0) this.#byKey.delete(name);
  }

  /** Signing keys with a step that fails. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Those kinds of step are tried again at once, with pauses as after a first failure. */
  hurry(isMeant: (kind: Step['kind']) => boolean): void {
    for (const failures of this.#byKey.values())
      for (const [kind, failure] of failures)
        if (isMeant(kind)) failures.set(kind, { ...failure, retryAtMs: 0, pauseMs: 0 });
  }

  /** Which due steps don't wait to be tried again, and when (monotonic) the first of the others is. */
  sift(name: SigningKeyName, due: readonly Step[]): { readonly ready: readonly Step[]; readonly retryAtMs: number } {
    const failures = this.#byKey.get(name);
    if (failures === undefined) return { ready: due, retryAtMs: Number.POSITIVE_INFINITY };
    for (const kind of failures.keys()) if (!due.some((step) => step.kind === kind)) this.forget(name, kind);
    const nowMs = this.#clock.monotonicMs();
    const ready = due.filter(({ kind }) => nowMs >= (failures.get(kind)?.retryAtMs ?? 0));
    return { ready, retryAtMs: Math.min(...[...failures.values()].map(({ retryAtMs }) => retryAtMs)) };
  }

  /** In words; empty when none failed. */
  describe(name: SigningKeyName): string {
    return [...(this.#byKey.get(name) ?? [])]
      .map(([kind, { error }]) => `${kind}: ${error.reason}: ${error.message}`)
      .join('; ');
  }

  /** With how long each has been failing. */
  list(name: SigningKeyName): readonly FailingStep[] {
    const nowMs = this.#clock.monotonicMs();
    return [...(this.#byKey.get(name) ?? [])].map(([step, { error, sinceMs }]) => ({
      step,
      reason: error.reason,
      failingForMs: nowMs - sinceMs,
    }));
  }
}
