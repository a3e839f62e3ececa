/**
 * Virtual time: a queue of what happens when, and the clock port as one process of the daemon sees it. True time moves
 * only from one event to the next.
 */
import type { Clock } from '../../src/base/clock.ts';

interface QueuedEvent {
  readonly atMs: number;
  readonly order: number;
  /** What it returns is waited for before time goes on. */
  readonly run: () => void | Promise<void>;
}

/** Events by time, then by the order of their coming: a binary heap. */
export class EventQueue {
  readonly #heap: QueuedEvent[] = [];
  #order = 0;

  get nextAtMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  add(atMs: number, run: () => void | Promise<void>): void {
    const heap = this.#heap;
    const event = { atMs, order: (this.#order += 1), run };
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !isBefore(event, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
  }

  take(): QueuedEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      const leftIndex = 2 * index + 1;
      const left = heap[leftIndex];
      if (left === undefined) break;
      const right = heap[leftIndex + 1];
      const [childIndex, child] =
        right !== undefined && isBefore(right, left) ? [leftIndex + 1, right] : [leftIndex, left];
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(left: QueuedEvent, right: QueuedEvent): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}

interface Timer {
  readonly setAtMs: number;
  readonly dueMs: number;
  readonly run: () => void;
}

/** True time and the machine's wall clock, which steps. */
export interface MachineTime {
  nowMs: number;
  /** The daemon's wall clock minus true time. */
  wallOffsetMs: number;
  /** When the machine booted last, and how often it did before. */
  bootedAtMs: number;
  boots: number;
}

/**
 * One process's clock. Its timers may fire late, as on any machine: `nextDueMs(latenessMs)` is when the next one fires
 * if timers set less than `latenessMs` ago wait. Once killed, nothing fires.
 */
export class ProcessClock implements Clock {
  readonly #machine: MachineTime;
  readonly #startedAtMs: number;
  #timers: Timer[] = [];
  #isKilled = false;

  constructor(machine: MachineTime) {
    this.#machine = machine;
    this.#startedAtMs = machine.nowMs;
  }

  wallMs(): number {
    return Math.round(this.#machine.nowMs + this.#machine.wallOffsetMs);
  }

  monotonicMs(): number {
    return this.#machine.nowMs - this.#startedAtMs;
  }

  bootMs(): number {
    return this.#machine.nowMs - this.#machine.bootedAtMs;
  }

  bootId(): string {
    return `boot-${this.#machine.boots}`;
  }

  after(delayMs: number, run: () => void): () => void {
    if (this.#isKilled) return () => undefined;
    const setAtMs = this.#machine.nowMs;
    const timer = { setAtMs, dueMs: setAtMs + Math.max(0, delayMs), run };
    this.#timers.push(timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  nextDueMs(latenessMs: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { setAtMs, dueMs } of this.#timers) next = Math.min(next, Math.max(dueMs, setAtMs + latenessMs));
    return next;
  }

  /** Fires every timer that is due, in the order of their times. */
  fireDue(): void {
    const due = this.#timers.filter(({ dueMs }) => dueMs <= this.#machine.nowMs);
    for (const timer of due.toSorted((left, right) => left.dueMs - right.dueMs)) {
      const index = this.#timers.indexOf(timer);
      // Cancelled by one that fired before it.
      if (index < 0) continue;
      this.#timers.splice(index, 1);
      timer.run();
    }
  }

  kill(): void {
    this.#isKilled = true;
    this.#timers = [];
  }
}

/**
 * Lets every promise settle that can without time: a tick runs when the queue of microtasks is empty. It costs far less
 * than a turn of the event loop, and nothing here waits for I/O.
 */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
