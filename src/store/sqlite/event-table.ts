/** Reads and writes of the events table. Synchronous: used in the store's thread only. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { KeyturnError } from '../../base/errors.ts';
import type { StoredEvent } from '../store.ts';
import { storeDamaged, toStoreError } from './sqlite-failure.ts';
import type { CommitJob, EventRow, LoadedBatch, Place, Refusal } from './thread-messages.ts';

/** What a load holds in memory at a time, twice: while one batch is folded the next is read. */
export const MAX_BATCH_EVENTS = 4_096;

/** Before the first event: no stream has a name so small. */
const START: Place = { stream: '', sequence: 0 };

export class EventTable {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #last: StatementSync;
  readonly #insert: StatementSync;
  readonly #after: StatementSync;
  readonly #one: StatementSync;

  constructor(database: DatabaseSync, file: string) {
    this.#database = database;
    this.#file = file;
    this.#last = database.prepare('SELECT coalesce(max(sequence), 0) AS last FROM events WHERE stream = ?');
    this.#one = database.prepare('SELECT type, at_ms, data FROM events WHERE stream = ? AND sequence = ?');
    this.#insert = database.prepare('INSERT INTO events (stream, sequence, type, at_ms, data) VALUES (?, ?, ?, ?, ?)');
    this.#after = database.prepare(
      `SELECT stream, sequence, type, at_ms, data FROM events WHERE (stream, sequence) > (?, ?)
       ORDER BY stream, sequence LIMIT ${MAX_BATCH_EVENTS}`,
    );
  }

  /** The events after that one, up to a batch of them. Errors: STORE_DAMAGED. */
  loadAfter(after: Place = START): LoadedBatch {
    const streams: { readonly stream: string; readonly events: StoredEvent[] }[] = [];
    let last = after;
    let count = 0;
    for (const row of this.#after.iterate(after.stream, after.sequence)) {
      const event = toEventRow(row);
      const { stream, sequence } = event;
      const expected = stream === last.stream ? last.sequence + 1 : 1;
      if (sequence !== expected) throw storeDamaged(this.#file, `event ${expected} of ${stream} is missing`);
      let current = streams.at(-1);
      if (current?.stream !== stream) streams.push((current = { stream, events: [] }));
      current.events.push(toEvent(event, this.#file));
      last = { stream, sequence };
      count += 1;
    }
    return count < MAX_BATCH_EVENTS ? { streams } : { streams, last };
  }

  /** How many events the stream has. */
  lastSequence(stream: string): number {
    return Number(this.#last.get(stream)?.['last']);
  }

  /** Those of the rows that aren't here, each of which continues its stream. Errors: STORE_DAMAGED. */
  missingOf(rows: readonly EventRow[]): EventRow[] {
    const missing: EventRow[] = [];
    for (const row of rows) {
      const last = missing.findLast(({ stream }) => stream === row.stream)?.sequence ?? this.lastSequence(row.stream);
      if (row.sequence === last + 1) missing.push(row);
      else if (!this.#has(row)) {
        const what = `its reserve holds event ${row.sequence} of ${row.stream}, which doesn't continue it`;
        throw storeDamaged(this.#file, what);
      }
    }
    return missing;
  }

  #has({ stream, sequence, type, atMs, data }: EventRow): boolean {
    const there = this.#one.get(stream, sequence);
    return there?.['type'] === type && there['at_ms'] === atMs && there['data'] === data;
  }

  /**
   * Several commits share one transaction, and so one wait for the disk. A commit that lost its race is refused before
   * it writes a row, alone. When the disk fails, this throws, and none may be called durable. (A commit refused so late
   * can still turn up after a crash, if its bytes had reached the disk before the error: state is only ever rebuilt
   * from what is there.) `reserved`: rows that are durable elsewhere and move in now, in front.
   */
  commitAll(commits: readonly CommitJob[], reserved: readonly EventRow[] = []): (Refusal | undefined)[] {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const row of reserved) this.#insertRow(row);
      const outcomes = commits.map((commit) => this.#commitOne(commit));
      this.#database.exec('COMMIT');
      return outcomes;
    } catch (failure) {
      this.#rollBack();
      throw failure;
    }
  }

  #commitOne(commit: CommitJob): Refusal | undefined {
    const refusal = findLostRace(commit, (stream) => this.lastSequence(stream));
    if (refusal !== undefined) return refusal;
    for (const row of commit.rows) this.#insertRow(row);
    return undefined;
  }

  #insertRow({ stream, sequence, type, atMs, data }: EventRow): void {
    this.#insert.run(stream, sequence, type, atMs, data);
  }

  /** After some errors SQLite has already rolled back by itself. */
  #rollBack(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
  }
}

function toEventRow(row: Record<string, unknown>): EventRow {
  return {
    stream: String(row['stream']),
    sequence: Number(row['sequence']),
    type: String(row['type']),
    atMs: Number(row['at_ms']),
    data: String(row['data']),
  };
}

/** Members and columns as the event that they came from. Errors: STORE_DAMAGED. */
export function toEvent({ stream, sequence, type, atMs, data }: EventRow, file: string): StoredEvent {
  try {
    const members = JSON.parse(data) as object;
    return { ...members, type, atMs };
  } catch (failure) {
    throw storeDamaged(file, `event ${sequence} of ${stream} is not JSON`, failure);
  }
}

/** `lastSequence`: how many events a stream has now. */
export function findLostRace(commit: CommitJob, lastSequence: (stream: string) => number): Refusal | undefined {
  for (const { stream, sequence } of commit.expected) {
    const last = lastSequence(stream);
    if (last === sequence) continue;
    const message = `${stream} changed meanwhile (it has ${last} events, not ${sequence}): read it again and retry`;
    return { reason: 'CONCURRENT_CHANGE', message };
  }
  return undefined;
}

export function toRefusal(thrown: unknown, file: string): Refusal {
  const { reason, message } = thrown instanceof KeyturnError ? thrown : toStoreError(thrown, file);
  return { reason, message };
}
