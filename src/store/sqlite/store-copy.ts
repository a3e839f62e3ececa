/**
 * Whole copies of a store: one file that was checked from end to end. A copy gets its name when it is finished, so what
 * has the name is whole. Mostly synchronous: for commands, in a process of their own.
 */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, linkSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { KeyturnError } from '../../base/errors.ts';
import { openEventLog } from './event-log.ts';
import { EventTable } from './event-table.ts';
import { makeCopy } from './make-copy.ts';
import { FILE_MODE, openDatabase } from './open-database.ts';
import { storeDamaged, toStoreError } from './sqlite-failure.ts';
import { syncPath } from './sync-path.ts';

export interface StoreSummary {
  readonly bytes: number;
  /** Hexadecimal, of the file. */
  readonly sha256: string;
  readonly streams: number;
  readonly events: number;
  /** The latest time in the log; undefined when there is no event. */
  readonly lastEventAtMs: number | undefined;
}

/**
 * Writes the store, the reserve included, to a file that isn't there yet. Errors: STORE_IN_USE while a daemon runs,
 * FIELD_INVALID, STORE_DAMAGED, STORE_UNAVAILABLE and the others of opening a store.
 */
export function backUpStore(file: string, output: string): StoreSummary {
  requireOwner(file);
  const draft = toDraft(output);
  try {
    copyStore(file, draft);
    return finishBackup(draft, output);
  } catch (failure) {
    throw toStoreError(failure, output);
  } finally {
    removeDraft(draft);
  }
}

/** The same, from a daemon that sends its store's bytes to `append`, in order. */
export async function receiveBackup(
  output: string,
  receive: (append: (chunk: Uint8Array) => void) => Promise<unknown>,
): Promise<StoreSummary> {
  const draft = toDraft(output);
  try {
    const descriptor = openSync(draft, 'wx', FILE_MODE);
    try {
      await receive((chunk) => writeAll(descriptor, chunk));
    } finally {
      closeSync(descriptor);
    }
    return finishBackup(draft, output);
  } catch (failure) {
    throw toStoreError(failure, output);
  } finally {
    removeDraft(draft);
  }
}

function writeAll(descriptor: number, chunk: Uint8Array): void {
  for (let written = 0; written < chunk.length; ) written += writeSync(descriptor, chunk, written);
}

function toDraft(output: string): string {
  if (existsSync(output)) throw alreadyThere(output);
  return `${output}.new-${process.pid}`;
}

function finishBackup(draft: string, output: string): StoreSummary {
  const summary = inspectCopy(draft);
  syncPath(draft);
  giveName(draft, output);
  syncPath(path.dirname(output));
  return summary;
}

function copyStore(file: string, draft: string): void {
  const log = open(file);
  try {
    makeCopy(log, draft);
  } finally {
    log.close();
  }
}

/** What goes wrong with the store is told of the store, not of its copy. */
function open(file: string): ReturnType<typeof openEventLog> {
  try {
    return openEventLog(file);
  } catch (failure) {
    throw toStoreError(failure, file);
  }
}

/** Reads every page, every index and every event. Brings an older schema up to date. Errors: those of opening a store. */
export function inspectCopy(copy: string): StoreSummary {
  const database = openDatabase(copy);
  try {
    const finding = database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
    if (finding !== 'ok') throw storeDamaged(copy, String(finding));
    const counts = countEvents(new EventTable(database, copy));
    database.close();
    const bytes = readFileSync(copy);
    return {
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      ...counts,
    };
  } finally {
    if (database.isOpen) database.close();
  }
}

function countEvents(table: EventTable): Pick<StoreSummary, 'streams' | 'events' | 'lastEventAtMs'> {
  const streams = new Set<string>();
  let events = 0;
  let lastEventAtMs: number | undefined;
  for (let batch = table.loadAfter(); ; batch = table.loadAfter(batch.last)) {
    for (const part of batch.streams) {
      streams.add(part.stream);
      events += part.events.length;
      for (const { atMs } of part.events) lastEventAtMs = Math.max(lastEventAtMs ?? atMs, atMs);
    }
    if (batch.last === undefined) return { streams: streams.size, events, lastEventAtMs };
  }
}

/** Files made by root in the daemon's folder would lock the daemon out of its own store. */
export function requireOwner(file: string): void {
  if (!existsSync(file)) {
    throw new KeyturnError('STORE_UNAVAILABLE', `${file} isn't there: look at store.file in the configuration`);
  }
  const { uid } = statSync(file);
  if (process.getuid?.() === uid) return;
  throw new KeyturnError(
    'STORE_UNAVAILABLE',
    `${file} belongs to user ${uid}: run this command as that user, whom the daemon runs as`,
  );
}

export function removeDraft(draft: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(draft + suffix, { force: true });
}

/** Unlike a rename, a link never replaces a file. */
function giveName(draft: string, output: string): void {
  try {
    linkSync(draft, output);
  } catch (failure) {
    throw existsSync(output) ? alreadyThere(output) : failure;
  }
}

function alreadyThere(output: string): KeyturnError {
  return new KeyturnError('FIELD_INVALID', `${output} is there already, and a backup replaces nothing: name another`, {
    field: '--output',
  });
}
