/**
 * A store that behaves: compare-and-set, all or nothing, and the same refusals as the real one; with switches for what
 * a disk does to it. `reopened()` is what a restart would find.
 */
import { KeyturnError } from '../../src/base/errors.ts';
import {
  type CommitOptions,
  type EventStore,
  MAX_CHUNK_BYTES,
  type StoreCopy,
  type StoredEvent,
  type StoredStream,
  type StreamAppend,
} from '../../src/store/store.ts';

export class MemoryStore implements EventStore {
  readonly #streams = new Map<string, StoredEvent[]>();
  #isClosed = false;
  #failures: KeyturnError[] = [];
  #gate: { readonly opened: Promise<void>; open(): void } | undefined;
  #pending: Promise<unknown> = Promise.resolve();
  #isDiskFull = false;
  #reservedEvents = 0;
  /** Commits that became durable. */
  commitCount = 0;

  /** The next `count` commits fail, and nothing of them is kept. */
  failNextCommits(count = 1, failure = new KeyturnError('STORE_UNAVAILABLE', 'the disk is full (planted)')): void {
    this.#failures = Array.from({ length: count }, () => failure);
  }

  /** From here on only commits that may use the reserve become durable. */
  fillDisk(): void {
    this.#isDiskFull = true;
  }

  freeDisk(): void {
    this.#isDiskFull = false;
  }

  /** Commits wait until the returned function is called. */
  holdCommits(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const gate = { opened: promise, open: resolve };
    this.#gate = gate;
    return () => {
      if (this.#gate === gate) this.#gate = undefined;
      resolve();
    };
  }

  /** Another store with the events that are durable now. */
  reopened(): MemoryStore {
    const next = new MemoryStore();
    next.#isDiskFull = this.#isDiskFull;
    for (const [stream, events] of this.#streams) next.#streams.set(stream, structuredClone(events));
    return next;
  }

  /** In batches of one event each: nobody may rely on a stream's coming at once. */
  load(take: (batch: readonly StoredStream[]) => void): Promise<void> {
    return this.#inTurn(() => {
      for (const [stream, events] of this.#streams)
        for (const event of structuredClone(events)) take([{ stream, events: [event] }]);
    });
  }

  async commit(appends: readonly StreamAppend[], { mayUseReserve = false }: CommitOptions = {}): Promise<void> {
    const copy = structuredClone(appends);
    await this.#inTurn(async () => {
      await this.#gate?.opened;
      const failure = this.#failures.shift();
      if (failure !== undefined) throw failure;
      if (this.#isDiskFull && !mayUseReserve)
        throw new KeyturnError('STORE_UNAVAILABLE', 'the disk is full (the fake one)');
      for (const { stream, expectedSequence } of copy) this.#requireSequence(stream, expectedSequence);
      for (const { stream, events } of copy) {
        const log = this.#streams.get(stream);
        if (log !== undefined) log.push(...events);
        else if (events.length > 0) this.#streams.set(stream, [...events]);
      }
      this.commitCount += 1;
      // What is committed with room takes along what waits in the reserve.
      const count = copy.reduce((sum, { events }) => sum + events.length, 0);
      this.#reservedEvents = this.#isDiskFull ? this.#reservedEvents + count : 0;
    });
  }

  get reservedEvents(): number {
    return this.#reservedEvents;
  }

  copy(): Promise<StoreCopy> {
    return this.#inTurn(() => {
      const bytes = Buffer.from(JSON.stringify([...this.#streams]));
      return {
        async *read() {
          for (let at = 0; at < bytes.length; at += MAX_CHUNK_BYTES) {
            await Promise.resolve();
            yield bytes.subarray(at, at + MAX_CHUNK_BYTES);
          }
        },
        dispose: () => Promise.resolve(),
      };
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pending;
  }

  #requireSequence(stream: string, expected: number): void {
    const last = this.#streams.get(stream)?.length ?? 0;
    if (last === expected) return;
    throw new KeyturnError('CONCURRENT_CHANGE', `${stream} changed meanwhile (it has ${last} events, not ${expected})`);
  }

  #inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(new KeyturnError('SHUTTING_DOWN', 'the store is closed'));
    const turn = this.#pending.then(work);
    this.#pending = turn.catch(() => undefined);
    return turn;
  }
}
