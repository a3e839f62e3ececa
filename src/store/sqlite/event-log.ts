/**
 * The log as the store's thread knows it: the events table, and in front of it what a full disk kept in the reserve.
 * Rows of the reserve count from the moment they are there, and move into the table with the next commit that finds
 * room. Synchronous: used by whoever owns the database.
 */
import { DatabaseSync } from 'node:sqlite';
import { EventTable, findLostRace, toEvent, toRefusal } from './event-table.ts';
import { openDatabase } from './open-database.ts';
import { ReserveFile } from './reserve-file.ts';
import { isOutOfRoom } from './sqlite-failure.ts';
import type { CommitJob, EventRow, LoadedBatch, Place, Refusal } from './thread-messages.ts';

/** When the reserve couldn't be made, it is tried again after so many commits. */
const COMMITS_UNTIL_RETRY = 64;

export function reserveFileOf(file: string): string {
  return `${file}.reserve`;
}

/** Locks the file for life. Errors: those of opening a store, as SQLite and the file system throw them. */
export function openEventLog(file: string): EventLog {
  const database = openDatabase(file);
  try {
    return new EventLog(database, file);
  } catch (failure) {
    database.close();
    throw failure;
  }
}

class EventLog {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #table: EventTable;
  #reserve: ReserveFile | undefined;
  /** Rows that are in the reserve, and not in the database. */
  #reserved: readonly EventRow[] = [];
  #commitsUntilRetry = COMMITS_UNTIL_RETRY;
  /** Why there is no reserve. */
  reserveProblem: string | undefined;

  /** Takes over the database, and closes it. */
  constructor(database: DatabaseSync, file: string) {
    this.#database = database;
    this.#file = file;
    this.#table = new EventTable(database, file);
    this.#openReserve();
    // A crash may have come between the move into the table and the emptying.
    this.#reserved = this.#table.missingOf(this.#reserve?.readAll() ?? []);
    this.#emptyReserve();
  }

  get reservedEvents(): number {
    return this.#reserved.length;
  }

  /** The next batch; what is in the reserve comes last. */
  loadAfter(after?: Place): LoadedBatch {
    const batch = this.#table.loadAfter(after);
    if (batch.last !== undefined) return batch;
    const reserved = this.#reserved.map((row) => ({ stream: row.stream, events: [toEvent(row, this.#file)] }));
    return { streams: [...batch.streams, ...reserved] };
  }

  /** One outcome per commit; undefined means durable. */
  commitAll(commits: readonly CommitJob[]): (Refusal | undefined)[] {
    try {
      const outcomes = this.#table.commitAll(commits, this.#reserved);
      this.#onRoom();
      return outcomes;
    } catch (failure) {
      const refusal = toRefusal(failure, this.#file);
      const hasRoom = !isOutOfRoom(failure);
      return commits.map((commit) => (hasRoom || !commit.mayUseReserve ? refusal : this.#keep(commit, refusal)));
    }
  }

  /** The whole log as one file; `copy` is an empty file or none. */
  copyInto(copy: string): void {
    this.#database.prepare('VACUUM INTO ?').run(copy);
    if (this.#reserved.length === 0) return;
    const database = new DatabaseSync(copy);
    try {
      new EventTable(database, copy).commitAll([], this.#reserved);
    } finally {
      database.close();
    }
  }

  /** The reserve stays beside the store: the next start may find a full disk. */
  close(): void {
    this.#reserve?.close();
    this.#database.close();
  }

  #keep(commit: CommitJob, refusal: Refusal): Refusal | undefined {
    const lostRace = findLostRace(commit, (stream) => this.#lastSequence(stream));
    if (lostRace !== undefined) return lostRace;
    try {
      if (this.#reserve?.append(commit.rows) !== true) return refusal;
    } catch {
      return refusal;
    }
    this.#reserved = [...this.#reserved, ...commit.rows];
    return undefined;
  }

  #lastSequence(stream: string): number {
    return this.#reserved.findLast((row) => row.stream === stream)?.sequence ?? this.#table.lastSequence(stream);
  }

  /** Before anyone reads: on a disk that is still full the rows stay where they are, and count. */
  #emptyReserve(): void {
    try {
      if (this.#reserved.length > 0) this.#table.commitAll([], this.#reserved);
      this.#onRoom();
    } catch (failure) {
      if (!isOutOfRoom(failure)) throw failure;
    }
  }

  #onRoom(): void {
    this.#reserved = [];
    if (this.#reserve === undefined) {
      this.#commitsUntilRetry -= 1;
      if (this.#commitsUntilRetry <= 0) this.#openReserve();
      return;
    }
    try {
      this.#reserve.clear();
    } catch {
      // Its rows are in the table, where they are found and left alone; the next commit clears it.
    }
  }

  #openReserve(): void {
    this.#commitsUntilRetry = COMMITS_UNTIL_RETRY;
    try {
      this.#reserve = ReserveFile.open(reserveFileOf(this.#file));
      this.reserveProblem = undefined;
    } catch (failure) {
      // Anything but want of room could hide records.
      if (!isWantOfRoom(failure)) throw failure;
      this.reserveProblem = failure.message;
    }
  }
}

const WANT_OF_ROOM: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

function isWantOfRoom(thrown: unknown): thrown is Error {
  return thrown instanceof Error && 'code' in thrown && WANT_OF_ROOM.includes(thrown.code);
}
