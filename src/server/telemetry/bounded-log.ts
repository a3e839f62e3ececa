/**
 * Log lines that somebody outside can cause, at a bounded rate: whoever reaches a port or may call must not be able to
 * fill the disk. What is left out is counted, and the count is logged.
 */
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';

const WINDOW_MS = 60_000;
const MAX_LINES_PER_WINDOW = 60;

export class BoundedLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #leftOut = 0;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  warn(fields: object, message: string): void {
    if (this.#mayWrite()) this.#log.warn(fields, message);
  }

  error(fields: object, message: string): void {
    if (this.#mayWrite()) this.#log.error(fields, message);
  }

  #mayWrite(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#windowStartMs >= WINDOW_MS) this.#openWindow(nowMs);
    if (this.#lines < MAX_LINES_PER_WINDOW) {
      this.#lines += 1;
      return true;
    }
    this.#leftOut += 1;
    return false;
  }

  #openWindow(nowMs: number): void {
    if (this.#leftOut > 0) this.#log.warn({ leftOut: this.#leftOut }, 'lines like the ones before were left out');
    this.#windowStartMs = nowMs;
    this.#lines = 0;
    this.#leftOut = 0;
  }
}
