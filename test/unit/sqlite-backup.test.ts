/** Backups of a SQLite store and their way back: whole, checked, and never over something else. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ReserveFile } from '../../src/store/sqlite/reserve-file.ts';
import { prepareRestore } from '../../src/store/sqlite/restore-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { backUpStore, type StoreSummary } from '../../src/store/sqlite/store-copy.ts';
import type { StoredStream } from '../../src/store/store.ts';
import { readAll } from '../fixtures/read-all.ts';

const WRITER = path.resolve(import.meta.dirname, '../fixtures/store-writer.ts');
const NODE = path.resolve(import.meta.dirname, '../../node_modules/.bin/node');
const MARK = '20260131T123456Z';

const toMark = ({ lastEventAtMs }: StoreSummary) => ({
  stream: 'token',
  event: { type: 'RESTORED', atMs: 1, knownUntilMs: lastEventAtMs },
});

let folder: string;
let file: string;
let backup: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'keyturn-backup-'));
  file = path.join(folder, 'keyturn.db');
  backup = path.join(folder, 'backup.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** `count` events more on one stream, the store closed again. */
async function write(count: number, target = file): Promise<void> {
  const store = await openSqliteStore({ file: target });
  const expectedSequence = (await readAll(store))[0]?.events.length ?? 0;
  const events = Array.from({ length: count }, (_, index) => ({ type: 'one', atMs: expectedSequence + index + 1 }));
  await store.commit([{ stream: 's', expectedSequence, events }]);
  await store.close();
}

async function eventsIn(target: string): Promise<number | undefined> {
  const store = await openSqliteStore({ file: target });
  let streams: readonly StoredStream[];
  try {
    streams = await readAll(store);
  } finally {
    await store.close();
  }
  return streams[0]?.events.length;
}

/** As a killed daemon leaves it: the latest events are in the write-ahead log only. */
async function writeAndKill(): Promise<void> {
  const writer = spawn(NODE, [WRITER, file], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: writer.stdout })[Symbol.asyncIterator]();
  await lines.next();
  writer.stdin.write('write\n');
  await lines.next();
  writer.kill('SIGKILL');
  await once(writer, 'exit');
}

function edit(target: string, sql: string): void {
  const database = new DatabaseSync(target);
  database.exec(sql);
  database.close();
}

function restore(input = backup): StoreSummary {
  const prepared = prepareRestore({ input, file, suffix: MARK, toMark });
  try {
    prepared.carryOut();
    return prepared.summary;
  } finally {
    prepared.dispose();
  }
}

describe('a backup of the store', () => {
  it('is one file for its user alone that holds every event, and says what it holds', async () => {
    await write(3);
    const summary = backUpStore(file, backup);
    expect(summary).toMatchObject({ streams: 1, events: 3, lastEventAtMs: 3, bytes: statSync(backup).size });
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['backup.db', 'keyturn.db', 'keyturn.db.reserve']);
    await write(1);
    expect(await eventsIn(backup)).toBe(3);
  });

  it('holds what a killed daemon left in the write-ahead log', async () => {
    await writeAndKill();
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);
    expect(backUpStore(file, backup)).toMatchObject({ streams: 2, events: 2 });
  });

  it('holds what is in the reserve', async () => {
    await write(1);
    const reserve = ReserveFile.open(`${file}.reserve`);
    reserve.append([{ stream: 's', sequence: 2, type: 'compromised', atMs: 2, data: '{}' }]);
    reserve.close();
    expect(backUpStore(file, backup)).toMatchObject({ events: 2, lastEventAtMs: 2 });
  });

  it('replaces nothing', async () => {
    await write(1);
    writeFileSync(backup, 'precious');
    expect(() => backUpStore(file, backup)).toThrow(/replaces nothing/);
    expect(readFileSync(backup, 'utf8')).toBe('precious');
  });

  it('is refused while a daemon has the store', async () => {
    await write(1);
    const store = await openSqliteStore({ file });
    expect(() => backUpStore(file, backup)).toThrow(expect.objectContaining({ reason: 'STORE_IN_USE' }));
    expect(existsSync(backup)).toBe(false);
    await store.close();
  });

  it('is not made of a store that lacks an event, and makes no store where none is', async () => {
    expect(() => backUpStore(file, backup)).toThrow(/isn't there/);
    expect(existsSync(file)).toBe(false);
    await write(3);
    edit(file, 'DROP TRIGGER events_are_not_removed; DELETE FROM events WHERE sequence = 2');
    expect(() => backUpStore(file, backup)).toThrow(expect.objectContaining({ reason: 'STORE_DAMAGED' }));
    expect(readdirSync(folder)).toEqual(['keyturn.db', 'keyturn.db.reserve']);
  });
});

describe('the restoration of a backup', () => {
  beforeEach(async () => {
    await write(3);
    backUpStore(file, backup);
  });

  it('brings the events back, and keeps the store that was there, its log and reserve with it', async () => {
    await write(2);
    await writeAndKill();
    const before = readFileSync(`${file}-wal`);
    expect(restore()).toMatchObject({ events: 3 });
    expect(readdirSync(folder).toSorted()).toEqual([
      'backup.db',
      'keyturn.db',
      `keyturn.db.replaced-${MARK}`,
      `keyturn.db.replaced-${MARK}-wal`,
      `keyturn.db.replaced-${MARK}.reserve`,
    ]);
    expect(readFileSync(`${file}.replaced-${MARK}-wal`)).toEqual(before);
    expect(await eventsIn(file)).toBe(3);
    const kept = await openSqliteStore({ file: `${file}.replaced-${MARK}` });
    expect((await readAll(kept)).map(({ stream, events }) => [stream, events.length])).toEqual([
      ['left', 1],
      ['right', 1],
      ['s', 5],
    ]);
    await kept.close();
  });

  it('works where no store is', async () => {
    rmSync(file);
    rmSync(`${file}.reserve`);
    restore();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await eventsIn(file)).toBe(3);
  });

  it('says of itself that it is a copy, and of what time', async () => {
    restore();
    const store = await openSqliteStore({ file });
    const [, token] = await readAll(store);
    expect(token).toEqual({ stream: 'token', events: [{ type: 'RESTORED', atMs: 1, knownUntilMs: 3 }] });
    await store.close();
    expect(await eventsIn(backup), 'the backup itself is left alone').toBe(3);
  });

  it('works where the store is damaged', async () => {
    writeFileSync(file, 'not a database any more, as after an accident with the disk\n'.repeat(100));
    restore();
    expect(await eventsIn(file)).toBe(3);
  });

  it('leaves no reserve of the old store that could be replayed into the new one', async () => {
    const reserve = ReserveFile.open(`${file}.reserve`);
    reserve.append([{ stream: 's', sequence: 4, type: 'of another history', atMs: 4, data: '{}' }]);
    reserve.close();
    restore();
    expect(await eventsIn(file)).toBe(3);
    expect(await eventsIn(`${file}.replaced-${MARK}`)).toBe(4);
  });

  it('is refused while a daemon has the store, before and after it was prepared', async () => {
    const refusal = expect.objectContaining({ reason: 'STORE_IN_USE' });
    const prepared = prepareRestore({ input: backup, file, suffix: MARK, toMark });
    const store = await openSqliteStore({ file });
    expect(() => prepared.carryOut()).toThrow(refusal);
    prepared.dispose();
    expect(() => prepareRestore({ input: backup, file, suffix: MARK, toMark })).toThrow(refusal);
    await store.commit([{ stream: 's', expectedSequence: 3, events: [{ type: 'one', atMs: 4 }] }]);
    await store.close();
    expect(await eventsIn(file)).toBe(4);
  });

  it.each<[string, string, () => void]>([
    ['a store that was not closed', 'FIELD_INVALID', () => writeFileSync(`${backup}-wal`, 'events')],
    ['not a keyturn store', 'STORE_NOT_KEYTURN', () => writeFileSync(backup, 'not a database\n'.repeat(1_000))],
    ['not there', 'FIELD_INVALID', () => rmSync(backup)],
    ['from a newer keyturn', 'STORE_TOO_NEW', () => edit(backup, 'PRAGMA user_version = 1000')],
    [
      'a backup that lacks an event',
      'STORE_DAMAGED',
      () => edit(backup, 'DROP TRIGGER events_are_not_removed; DELETE FROM events WHERE sequence = 2'),
    ],
  ])('is refused, and changes nothing, when the input is %s', async (_, reason, spoil) => {
    spoil();
    const before = readFileSync(file);
    expect(() => restore()).toThrow(expect.objectContaining({ reason, message: expect.stringContaining('backup.db') }));
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(folder).filter((name) => name.includes('.new-') || name.includes('replaced'))).toEqual([]);
    expect(await eventsIn(file)).toBe(3);
  });

  it('can be undone with the store that was kept', async () => {
    await write(2);
    restore();
    const kept = `${file}.replaced-${MARK}`;
    const prepared = prepareRestore({ input: kept, file, suffix: 'second', toMark });
    prepared.carryOut();
    prepared.dispose();
    expect(await eventsIn(file)).toBe(5);
  });
});
