/** SQLite's result codes as reasons. Primary codes are the low byte of the extended ones (sqlite.org/rescode.html). */
import { KeyturnError } from '../../base/errors.ts';

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;
/** Extended: write(2) failed for another cause than ENOSPC, such as a quota or a limit on file sizes. */
const SQLITE_IOERR_WRITE = 778;

function resultCode(thrown: unknown): number | undefined {
  const code = thrown instanceof Error && 'errcode' in thrown ? thrown.errcode : undefined;
  return typeof code === 'number' ? code : undefined;
}

function primaryCode(thrown: unknown): number | undefined {
  const code = resultCode(thrown);
  return code === undefined ? undefined : code & 0xff;
}

/** The commit wasn't written, for want of room: unlike one whose sync failed, it can't turn up after a crash. */
export function isOutOfRoom(thrown: unknown): boolean {
  return primaryCode(thrown) === SQLITE_FULL || resultCode(thrown) === SQLITE_IOERR_WRITE;
}

export function isNotADatabase(thrown: unknown): boolean {
  return primaryCode(thrown) === SQLITE_NOTADB;
}

/** No database, or one whose pages contradict each other. */
export function isDamaged(thrown: unknown): boolean {
  return isNotADatabase(thrown) || primaryCode(thrown) === SQLITE_CORRUPT;
}

export function storeInUse(file: string): KeyturnError {
  const message = `${file} is in use by another keyturn daemon: stop that one first, or give this one a store_file of its own`;
  return new KeyturnError('STORE_IN_USE', message, { subject: file });
}

export function storeDamaged(file: string, what: string, cause?: unknown): KeyturnError {
  const message = `${file} is damaged (${what}): stop the daemon, keep a copy of the file, and restore it from a backup`;
  return new KeyturnError('STORE_DAMAGED', message, { subject: file, cause });
}

/** Whatever SQLite or the file system threw, as the store's own error. */
export function toStoreError(thrown: unknown, file: string): KeyturnError {
  if (thrown instanceof KeyturnError) return thrown;
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  switch (primaryCode(thrown)) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return storeInUse(file);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return storeDamaged(file, what, thrown);
    default: {
      const message = `${file} can't be used (${what}): check the disk's free space, the mount and the permissions`;
      return new KeyturnError('STORE_UNAVAILABLE', message, { subject: file, cause: thrown });
    }
  }
}
