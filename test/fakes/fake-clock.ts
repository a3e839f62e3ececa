/** A clock that tests turn: monotonic time moves only by `advance`, the wall clock with it or by a step of its own. */
import type { Clock } from '../../src/base/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** How long the machine had been up when the test began. */
const UP_BEFORE_MS = 5_000_000;

export class FakeClock implements Clock {
  #wallMs: number;
  #monotonicMs = 1_000;
  #bootId = 'boot-1';
  readonly #timers = new Set<Timer>();

  constructor(wallMs: number) {
    this.#wallMs = wallMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  bootMs(): number {
    return this.#monotonicMs + UP_BEFORE_MS;
  }

  bootId(): string {
    return this.#bootId;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { dueMs: this.#monotonicMs + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Time passes; timers that come due run in order. */
  advance(elapsedMs: number): void {
    const untilMs = this.#monotonicMs + elapsedMs;
    for (;;) {
      const [next] = [...this.#timers]
        .filter((timer) => timer.dueMs <= untilMs)
        .toSorted((left, right) => left.dueMs - right.dueMs);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#move(Math.max(next.dueMs, this.#monotonicMs) - this.#monotonicMs);
      next.run();
    }
    this.#move(untilMs - this.#monotonicMs);
  }

  /** As `advance`, but lets promises settle between timers. */
  async advanceAsync(elapsedMs: number, stepMs = 100): Promise<void> {
    for (let leftMs = elapsedMs; leftMs > 0; leftMs -= stepMs) {
      this.advance(Math.min(stepMs, leftMs));
      await settle();
    }
  }

  /** The wall clock steps; no time passes. */
  stepWall(byMs: number): void {
    this.#wallMs += byMs;
  }

  /** Another boot of the machine, as far as the clocks tell. */
  reboot(): void {
    this.#bootId = `${this.#bootId}+`;
  }

  #move(elapsedMs: number): void {
    this.#monotonicMs += elapsedMs;
    this.#wallMs += elapsedMs;
  }
}

/** Lets every promise that can settle without time or I/O settle. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
