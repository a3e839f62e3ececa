/** What a start wants to know of a log that is too long to be held: how much there is, and its latest events. */
import {
  evolveToken,
  NEW_TOKEN_STATE,
  TOKEN_STREAM,
  type TokenEvent,
  type TokenState,
} from '../lifecycle/token-log.ts';
import type { StoredEvent, StoredStream } from '../store/store.ts';

/** Between two sorts so many times more than asked for is kept. */
const SLACK = 4;

/** An event with its place in the log. */
export interface Placed {
  readonly stream: string;
  readonly sequence: number;
  readonly event: StoredEvent;
}

export class History {
  readonly #maxLatest: number;
  readonly #lengths = new Map<string, number>();
  #latest: Placed[] = [];
  /** Older ones are not among the latest. */
  #sinceMs = Number.NEGATIVE_INFINITY;
  count = 0;
  knownUntilMs = 0;
  token: TokenState = NEW_TOKEN_STATE;

  constructor(maxLatest: number) {
    this.#maxLatest = maxLatest;
  }

  lengthOf(stream: string): number {
    return this.#lengths.get(stream) ?? 0;
  }

  add(batch: readonly StoredStream[]): void {
    for (const { stream, events } of batch) {
      let sequence = this.lengthOf(stream);
      for (const event of events) {
        sequence += 1;
        if (event.atMs >= this.#sinceMs) this.#latest.push({ stream, sequence, event });
        if (stream === TOKEN_STREAM) this.token = evolveToken(this.token, event as TokenEvent);
      }
      this.#lengths.set(stream, sequence);
      this.count += events.length;
      this.knownUntilMs = Math.max(this.knownUntilMs, events.at(-1)?.atMs ?? 0);
      if (this.#latest.length > SLACK * this.#maxLatest) this.#prune();
    }
  }

  /** At most as many as it was made for, oldest first. Commits are serial, so that their times tell their order. */
  latest(count: number): readonly Placed[] {
    this.#prune();
    return this.#latest.slice(-count);
  }

  #prune(): void {
    this.#latest = this.#latest.toSorted((left, right) => left.event.atMs - right.event.atMs).slice(-this.#maxLatest);
    if (this.#latest.length === this.#maxLatest) this.#sinceMs = this.#latest[0]?.event.atMs ?? this.#sinceMs;
  }
}
