/**
 * Opens the store's file, or makes it. Two promises: a file that isn't ours is never written to, nor is anything left
 * beside it; and no crash leaves half a store, since a new one is finished under another name and then linked.
 */
import { closeSync, existsSync, linkSync, openSync, rmSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { threadId } from 'node:worker_threads';
import { KeyturnError } from '../../base/errors.ts';
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION } from './migrations.ts';
import { isNotADatabase, storeDamaged } from './sqlite-failure.ts';
import { syncPath } from './sync-path.ts';

/** The write-ahead log is cut back to this after a checkpoint. */
const MAX_IDLE_WAL_BYTES = 4 * 1024 * 1024;

/** The only sort of file mode: for the daemon's user alone (umask can take bits away, never add some). */
export const FILE_MODE = 0o600;

export function openDatabase(file: string): DatabaseSync {
  if (existsSync(file)) requireOurs(file);
  else createStore(file);
  const database = new DatabaseSync(file);
  try {
    lockForLife(database);
    requireUndamaged(database, file);
    migrate(database, file);
    return database;
  } catch (failure) {
    database.close();
    throw failure;
  }
}

/**
 * Looks at the header without a lock and without making files (`immutable`). It goes through SQLite and not through
 * open(2): closing any descriptor of a file drops every POSIX lock that this process holds on it, so reading the file
 * ourselves would unlock a store that the same process has open. `application_id` was in the main file before the file
 * got its name, so a write-ahead log can't hide it.
 *
 * A checkpoint that ran out of room leaves a main file that is shorter than its own header says, and the log has the
 * rest: a whole store. Without its log SQLite calls that malformed, unless the schema is writable; nothing is written.
 */
function requireOurs(file: string): void {
  const location = pathToFileURL(file);
  location.search = 'mode=ro&immutable=1';
  if (readApplicationId(location, file) === APPLICATION_ID) return;
  throw notOurs(file);
}

function readApplicationId(location: URL, file: string): number | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(location, { readOnly: true, defensive: false });
    database.exec('PRAGMA writable_schema = ON');
    return readPragma(database, 'application_id');
  } catch (failure) {
    if (isNotADatabase(failure)) throw notOurs(file);
    throw failure;
  } finally {
    database?.close();
  }
}

function notOurs(file: string): KeyturnError {
  const message = `${file} is not a keyturn store, and was left as it is: name another file (store.file in the configuration)`;
  return new KeyturnError('STORE_NOT_KEYTURN', message, { subject: file });
}

function createStore(file: string): void {
  // SQLite would replay a log that was left behind by a deleted store into the new one.
  for (const orphan of [`${file}-wal`, `${file}-journal`]) {
    if (existsSync(orphan)) throw storeDamaged(file, `${orphan} is there without it`);
  }
  const draft = `${file}.new-${process.pid}-${threadId}`;
  closeSync(openSync(draft, 'wx', FILE_MODE));
  try {
    const database = new DatabaseSync(draft);
    try {
      database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA synchronous = FULL`);
      migrate(database, draft);
      database.exec('PRAGMA journal_mode = WAL');
    } finally {
      database.close();
    }
    syncPath(draft);
    linkUnlessThere(draft, file);
  } finally {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(draft + suffix, { force: true });
  }
  syncPath(path.dirname(file));
}

/** When two daemons make the same store at once, one link fails; the lock then decides between them. */
function linkUnlessThere(draft: string, file: string): void {
  try {
    linkSync(draft, file);
  } catch (failure) {
    if (!existsSync(file)) throw failure;
    requireOurs(file);
  }
}

/** With EXCLUSIVE set before the first read, that read takes the file's lock, and only close (or death) gives it up. */
function lockForLife(database: DatabaseSync): void {
  database.exec(`
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA journal_size_limit = ${MAX_IDLE_WAL_BYTES};
    BEGIN EXCLUSIVE; COMMIT;
  `);
}

function requireUndamaged(database: DatabaseSync, file: string): void {
  const findings = database.prepare('PRAGMA quick_check(1)').all();
  const first = findings[0]?.['quick_check'];
  if (first !== 'ok') throw storeDamaged(file, String(first));
}

function migrate(database: DatabaseSync, file: string): void {
  const version = readPragma(database, 'user_version');
  if (version > SCHEMA_VERSION) {
    const message = `${file} was written by a newer keyturn (schema ${version}, this one knows ${SCHEMA_VERSION}): run that version, or a newer one`;
    throw new KeyturnError('STORE_TOO_NEW', message, { subject: file });
  }
  for (const [index, step] of MIGRATIONS.entries()) {
    if (index < version) continue;
    // A step that fails leaves the transaction open: closing the database rolls it back.
    database.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}

function readPragma(database: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
