/** Reads and writes of the events table. Synchronous: used in the store's thread only. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { KeyturnError } from '../../base/errors.ts';
import type { StoredEvent, StoredStream } from '../store.ts';
import { storeDamaged, toStoreError } from './sqlite-failure.ts';
import type { CommitJob, Refusal } from './thread-messages.ts';

export class EventTable {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #last: StatementSync;
  readonly #insert: StatementSync;
  readonly #all: StatementSync;

  constructor(database: DatabaseSync, file: string) {
    this.#database = database;
    this.#file = file;
    this.#last = database.prepare('SELECT coalesce(max(sequence), 0) AS last FROM events WHERE stream = ?');
    this.#insert = database.prepare('INSERT INTO events (stream, sequence, type, at_ms, data) VALUES (?, ?, ?, ?, ?)');
    this.#all = database.prepare('SELECT stream, sequence, type, at_ms, data FROM events ORDER BY stream, sequence');
  }

  loadAll(): StoredStream[] {
    const streams: { stream: string; events: StoredEvent[] }[] = [];
    for (const row of this.#all.iterate()) {
      const stream = String(row['stream']);
      let current = streams.at(-1);
      if (current?.stream !== stream) streams.push((current = { stream, events: [] }));
      if (row['sequence'] !== current.events.length + 1) {
        throw storeDamaged(this.#file, `event ${current.events.length + 1} of ${stream} is missing`);
      }
      current.events.push(this.#toEvent(stream, row));
    }
    return streams;
  }

  /**
   * Several commits share one transaction, and so one wait for the disk. A commit that lost its race is refused before
   * it writes a row, alone. When the disk fails, all of them fail: none may be called durable. (A commit refused so late
   * can still turn up after a crash, if its bytes had reached the disk before the error: state is only ever rebuilt
   * from what is there.)
   */
  commitAll(commits: readonly CommitJob[]): (Refusal | undefined)[] {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      const outcomes = commits.map((commit) => this.#commitOne(commit));
      this.#database.exec('COMMIT');
      return outcomes;
    } catch (failure) {
      this.#rollBack();
      const refusal = toRefusal(failure, this.#file);
      return commits.map(() => refusal);
    }
  }

  #commitOne(commit: CommitJob): Refusal | undefined {
    for (const { stream, sequence } of commit.expected) {
      const last = Number(this.#last.get(stream)?.['last']);
      if (last === sequence) continue;
      const message = `${stream} changed meanwhile (it has ${last} events, not ${sequence}): read it again and retry`;
      return { reason: 'CONCURRENT_CHANGE', message };
    }
    for (const { stream, sequence, type, atMs, data } of commit.rows)
      this.#insert.run(stream, sequence, type, atMs, data);
    return undefined;
  }

  /** After some errors SQLite has already rolled back by itself. */
  #rollBack(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
  }

  #toEvent(stream: string, row: Record<string, unknown>): StoredEvent {
    try {
      const members = JSON.parse(String(row['data'])) as object;
      return { ...members, type: String(row['type']), atMs: Number(row['at_ms']) };
    } catch (failure) {
      throw storeDamaged(this.#file, `event ${String(row['sequence'])} of ${stream} is not JSON`, failure);
    }
  }
}

export function toRefusal(thrown: unknown, file: string): Refusal {
  const { reason, message } = thrown instanceof KeyturnError ? thrown : toStoreError(thrown, file);
  return { reason, message };
}
