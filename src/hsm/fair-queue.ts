/**
 * The queue of sign requests: bounded, and shared fairly. Callers take turns, so that one that floods it delays itself;
 * and when it is full, whoever has less waiting gets the place of whoever has most, so that a flood shuts nobody out.
 * What comes back from a dead worker goes in front of everyone, because it has waited longest.
 */
import { BoundedQueue } from '../base/bounded-queue.ts';
import type { CallerName } from '../base/ids.ts';

export class FairQueue<T> {
  readonly capacity: number;
  /** In the order of turns: whoever is served goes to the end. */
  readonly #byCaller = new Map<CallerName, BoundedQueue<T>>();
  #returned: T[] = [];
  readonly #onDisplaced: (item: T) => void;
  #waiting = 0;

  /** `onDisplaced` gets what had to make room for another caller: it is in the queue no more. */
  constructor(capacity: number, onDisplaced: (item: T) => void) {
    this.capacity = capacity;
    this.#onDisplaced = onDisplaced;
  }

  get size(): number {
    return this.#waiting + this.#returned.length;
  }

  /** False when the queue is full and nobody has more in it than the caller; the item is then not in it. */
  push(caller: CallerName, item: T): boolean {
    let own = this.#byCaller.get(caller);
    if (this.size >= this.capacity && !this.#makeRoom(own?.size ?? 0)) return false;
    if (own === undefined) {
      own = new BoundedQueue(this.capacity);
      this.#byCaller.set(caller, own);
    }
    this.#waiting += 1;
    return own.push(item);
  }

  /** Takes the newest item of the caller who has most, if that leaves him with no less than the one who comes. */
  #makeRoom(ownSize: number): boolean {
    let longest: BoundedQueue<T> | undefined;
    for (const queue of this.#byCaller.values()) if (queue.size > (longest?.size ?? 0)) longest = queue;
    if (longest === undefined || longest.size < ownSize + 2) return false;
    const displaced = longest.pop();
    if (displaced === undefined) return false;
    this.#waiting -= 1;
    this.#onDisplaced(displaced);
    return true;
  }

  /** In front, whatever the limit: what was admitted once stays admitted. */
  putBack(item: T): void {
    this.#returned.push(item);
  }

  shift(): T | undefined {
    const returned = this.#returned.shift();
    if (returned !== undefined) return returned;
    for (const [caller, own] of this.#byCaller) {
      this.#byCaller.delete(caller);
      const item = own.shift();
      if (own.size > 0) this.#byCaller.set(caller, own);
      this.#waiting -= 1;
      return item;
    }
    return undefined;
  }

  /** Keeps only what `isWanted`, in the same order. */
  retain(isWanted: (item: T) => boolean): void {
    this.#returned = this.#returned.filter(isWanted);
    for (const [caller, own] of this.#byCaller) {
      for (let rest = own.size; rest > 0; rest -= 1) {
        const item = own.shift();
        if (item !== undefined && isWanted(item)) own.push(item);
        else this.#waiting -= 1;
      }
      if (own.size === 0) this.#byCaller.delete(caller);
    }
  }
}
