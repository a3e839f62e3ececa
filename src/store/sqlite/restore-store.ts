/**
 * Puts a backup in the store's place. The backup is copied, checked and marked as a restored one first; the present store
 * is held so that no daemon works on it meanwhile, and it is kept under another name.
 */
import { chmodSync, copyFileSync, existsSync, linkSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { KeyturnError } from '../../base/errors.ts';
import type { StoredEvent, StreamId } from '../store.ts';
import { toCommitJob } from './commit-job.ts';
import { reserveFileOf } from './event-log.ts';
import { EventTable } from './event-table.ts';
import { FILE_MODE, openDatabase } from './open-database.ts';
import { isDamaged, toStoreError } from './sqlite-failure.ts';
import { inspectCopy, removeDraft, requireOwner, type StoreSummary } from './store-copy.ts';
import { syncPath } from './sync-path.ts';

export interface PreparedRestore {
  readonly summary: StoreSummary;
  /** Where the present store goes; undefined when there is none. */
  readonly keptAs: string | undefined;
  /** Errors: STORE_IN_USE, STORE_UNAVAILABLE. */
  carryOut(): void;
  /** Changes nothing. Idempotent, and to be called in any case. */
  dispose(): void;
}

export interface RestoreRequest {
  readonly input: string;
  readonly file: string;
  /** Tells one kept store from another: a time. */
  readonly suffix: string;
  /** What the restored store must say of itself: it is older than what happened. */
  readonly toMark: (summary: StoreSummary) => { readonly stream: StreamId; readonly event: StoredEvent };
}

/** Errors: STORE_IN_USE while a daemon runs, FIELD_INVALID, and those of opening the backup as a store. */
export function prepareRestore({ input, file, suffix, toMark }: RestoreRequest): PreparedRestore {
  requireOwner(existsSync(file) ? file : path.dirname(file));
  requireBackup(input);
  holdStore(file)?.close();
  const draft = `${file}.new-${process.pid}`;
  const keptAs = existsSync(file) ? `${file}.replaced-${suffix}` : undefined;
  try {
    const summary = copyAndInspect(input, draft);
    const { stream, event } = toMark(summary);
    appendTo(draft, stream, event);
    syncPath(draft);
    return {
      summary,
      keptAs,
      carryOut() {
        try {
          replaceStore(file, draft, keptAs);
        } catch (failure) {
          throw toStoreError(failure, file);
        }
      },
      dispose() {
        removeDraft(draft);
      },
    };
  } catch (failure) {
    removeDraft(draft);
    throw toldOf(failure, draft, input);
  }
}

function requireBackup(input: string): void {
  if (!existsSync(input) || !statSync(input).isFile()) throw unusable(`${input} is not a file`);
  const log = `${input}-wal`;
  // Its latest events are not in the file: a copy of it alone would lose them.
  if (existsSync(log) && statSync(log).size > 0)
    throw unusable(
      `${input} is not a backup but a store that a daemon has open, or didn't close: ${log} belongs to it`,
    );
}

function unusable(message: string): KeyturnError {
  return new KeyturnError('FIELD_INVALID', message, { field: '--input' });
}

function copyAndInspect(input: string, draft: string): StoreSummary {
  copyFileSync(input, draft);
  chmodSync(draft, FILE_MODE);
  return inspectCopy(draft);
}

function appendTo(draft: string, stream: StreamId, event: StoredEvent): void {
  const database = openDatabase(draft);
  try {
    const table = new EventTable(database, draft);
    const expectedSequence = table.lastSequence(stream);
    table.commitAll([toCommitJob([{ stream, expectedSequence, events: [event] }])]);
  } finally {
    database.close();
  }
}

/** The draft's name says nothing to whoever named the backup. */
function toldOf(failure: unknown, draft: string, input: string): KeyturnError {
  const { reason, message } = toStoreError(failure, draft);
  return new KeyturnError(reason, message.replaceAll(draft, input), { subject: input, cause: failure });
}

/**
 * A read transaction of a read-only connection: a daemon can't take its lock beside it, nor it beside a daemon. Being
 * read-only it doesn't touch the log when it is closed, which by then may be another store's. A file that SQLite can't
 * read is no daemon's.
 */
function holdStore(file: string): DatabaseSync | undefined {
  if (!existsSync(file)) return undefined;
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    database.exec('BEGIN');
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return database;
  } catch (failure) {
    database.close();
    if (isDamaged(failure)) return undefined;
    throw toStoreError(failure, file);
  }
}

function replaceStore(file: string, draft: string, keptAs: string | undefined): void {
  const held = holdStore(file);
  try {
    const log = `${file}-wal`;
    const reserve = reserveFileOf(file);
    if (keptAs !== undefined) {
      linkSync(file, keptAs);
      if (existsSync(log)) linkSync(log, `${keptAs}-wal`);
      if (existsSync(reserve)) linkSync(reserve, reserveFileOf(keptAs));
      syncPath(path.dirname(file));
    }
    // SQLite would replay the old log into the new file, and keyturn the old reserve.
    for (const old of [log, `${file}-shm`, reserve]) rmSync(old, { force: true });
    renameSync(draft, file);
    syncPath(path.dirname(file));
  } finally {
    held?.close();
  }
}
