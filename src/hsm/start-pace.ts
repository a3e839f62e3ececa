/** When the next worker may be started: at once after most losses, later and later after failed starts and young deaths. */
import type { Clock } from '../base/clock.ts';
import { restartDelayMs, youngDeathsAfter } from './ladder.ts';

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

export class StartPace {
  readonly #clock: Clock;
  #failedStarts = 0;
  #youngDeaths = 0;
  #notBeforeMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get waitMs(): number {
    return Math.max(0, this.#notBeforeMs - this.#clock.monotonicMs());
  }

  /** The delay that follows. */
  failed(): number {
    this.#failedStarts += 1;
    const delayMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failedStarts - 1));
    this.#notBeforeMs = this.#clock.monotonicMs() + delayMs;
    return delayMs;
  }

  succeeded(): void {
    this.#failedStarts = 0;
  }

  /** A worker has ended that had been ready since then. */
  lost(readySinceMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    this.#youngDeaths = youngDeathsAfter(this.#youngDeaths, nowMs - readySinceMs);
    this.#notBeforeMs = nowMs + restartDelayMs(this.#youngDeaths);
  }

  /** An operator asked for it. */
  hurry(): void {
    this.#notBeforeMs = 0;
  }
}
