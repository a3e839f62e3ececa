/** Logs refused connections at a bounded rate: anybody who reaches the port can cause them, so nobody may fill the disk. */
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';

const WINDOW_MS = 60_000;
const MAX_LINES_PER_WINDOW = 20;

export interface Refusal {
  readonly listener: string;
  readonly peer: string;
  readonly reason: string;
}

export class RefusalLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #suppressed = 0;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  note(refusal: Refusal): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#windowStartMs >= WINDOW_MS) {
      if (this.#suppressed > 0)
        this.#log.warn({ refusedConnections: this.#suppressed }, 'more connections were refused than were logged');
      this.#windowStartMs = nowMs;
      this.#lines = 0;
      this.#suppressed = 0;
    }
    if (this.#lines >= MAX_LINES_PER_WINDOW) {
      this.#suppressed += 1;
      return;
    }
    this.#lines += 1;
    this.#log.warn(refusal, 'connection refused');
  }
}
