/** What only the SQLite store promises: whose file it is, how it is locked, and what survives. */
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import type { Readable, Writable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_BATCH_EVENTS } from '../../src/store/sqlite/event-table.ts';
import { MAX_QUEUED_JOBS, openSqliteStore, SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { readAll } from '../fixtures/read-all.ts';

const WRITER = path.resolve(import.meta.dirname, '../fixtures/store-writer.ts');
const NODE = path.resolve(import.meta.dirname, '../../node_modules/.bin/node');
const ONE = { type: 'one', atMs: 1 };
/** The size of the database in pages, as its header has it (sqlite.org/fileformat.html). */
const PAGE_COUNT_OFFSET = 28;

let folder: string;
let file: string;
let writers: ChildProcessByStdio<Writable, Readable, Readable>[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keyturn-store-'));
  file = path.join(folder, 'keyturn.db');
  writers = [];
});
afterEach(async () => {
  for (const writer of writers) {
    if (writer.exitCode === null && writer.signalCode === null) writer.kill('SIGKILL');
  }
  await rm(folder, { recursive: true });
});

/** A writer process, its pid the one that has the file. */
async function startWriter() {
  const process = spawn(NODE, [WRITER, file], { stdio: ['pipe', 'pipe', 'pipe'] });
  writers.push(process);
  let complaints = '';
  process.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const { value } = (await lines.next()) as { value?: string };
    return value ?? `ended: ${complaints}`;
  };
  expect(await nextLine()).toMatch(/^ready/);
  return {
    process,
    nextLine,
    complaints: () => complaints,
    say: (command: string) => process.stdin.write(`${command}\n`),
    async kill() {
      process.kill('SIGKILL');
      await once(process, 'exit');
    },
  };
}

/** How many pairs a restart finds; both streams must agree. */
async function countPairs(): Promise<number> {
  const store = await openSqliteStore({ file });
  const streams = await readAll(store);
  await store.close();
  const counts = streams.map(({ events }) => events.length);
  expect(counts[0]).toBe(counts[1]);
  return counts[0] ?? 0;
}

async function makeStore(): Promise<void> {
  const store = await openSqliteStore({ file });
  await store.commit([{ stream: 's', expectedSequence: 0, events: [ONE] }]);
  await store.close();
}

function edit(sql: string): void {
  const database = new DatabaseSync(file);
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}

describe('the file of a SQLite store', () => {
  it('is for its user alone, and only the reserve is left beside it after close', async () => {
    const store = await openSqliteStore({ file });
    await store.commit([{ stream: 's', expectedSequence: 0, events: [ONE] }]);
    for (const name of await readdir(folder)) expect((await stat(path.join(folder, name))).mode & 0o777).toBe(0o600);
    await store.close();
    expect(await readdir(folder)).toEqual(['keyturn.db', 'keyturn.db.reserve']);
  });

  it.each<[string, (target: string) => Promise<void>]>([
    ['text', (target) => writeFile(target, 'not a database, but long enough to look like something\n'.repeat(100))],
    ['one byte', (target) => writeFile(target, 'x')],
    ['nothing', (target) => writeFile(target, '')],
    [
      'the SQLite database of another program',
      async () => {
        edit('PRAGMA journal_mode = WAL; CREATE TABLE events (a); INSERT INTO events VALUES (1)');
        return Promise.resolve();
      },
    ],
    [
      'a damaged database of another program',
      async () => {
        edit('CREATE TABLE events (a); INSERT INTO events VALUES (1)');
        await truncate(file, 4_096);
      },
    ],
  ])('is left as it is, byte for byte, when it holds %s', async (_, make) => {
    await make(file);
    const before = await readFile(file);
    await expect(openSqliteStore({ file })).rejects.toMatchObject({ reason: 'STORE_NOT_KEYTURN' });
    expect(await readFile(file)).toEqual(before);
    expect(await readdir(folder)).toEqual(['keyturn.db']);
  });

  it('is refused when a newer keyturn wrote it', async () => {
    await makeStore();
    edit('PRAGMA user_version = 1000');
    await expect(openSqliteStore({ file })).rejects.toMatchObject({ reason: 'STORE_TOO_NEW' });
  });

  it('is refused when its pages are damaged', async () => {
    await makeStore();
    const bytes = await readFile(file);
    bytes.fill(0xa5, 4_096, 6_000);
    await writeFile(file, bytes);
    await expect(openSqliteStore({ file })).rejects.toMatchObject({ reason: 'STORE_DAMAGED' });
  });

  it('is refused when it was cut', async () => {
    await makeStore();
    await truncate(file, 4_096);
    await expect(openSqliteStore({ file })).rejects.toMatchObject({ reason: 'STORE_DAMAGED' });
  });

  it('is whole when a checkpoint ran out of room: its log has what the header promises and the file lacks', async () => {
    // It grows, so that the first page is in the log as well.
    const events = [ONE, { ...ONE, filling: 'x'.repeat(20_000) }];
    const first = await openSqliteStore({ file });
    await first.commit([{ stream: 's', expectedSequence: 0, events }]);
    // As a kill leaves it; only the first page came through since.
    const copy = path.join(folder, 'copy.db');
    const bytes = await readFile(file);
    bytes.writeUInt32BE(10_000, PAGE_COUNT_OFFSET);
    await writeFile(copy, bytes);
    await copyFile(`${file}-wal`, `${copy}-wal`);
    await first.close();
    const store = await openSqliteStore({ file: copy });
    expect(await readAll(store)).toEqual([{ stream: 's', events }]);
    await store.close();
  });

  it('does not load when an event is missing in the middle', async () => {
    const first = await openSqliteStore({ file });
    await first.commit([{ stream: 's', expectedSequence: 0, events: [ONE, ONE, ONE] }]);
    await first.close();
    edit('DROP TRIGGER events_are_not_removed; DELETE FROM events WHERE sequence = 2');
    const store = await openSqliteStore({ file });
    await expect(readAll(store)).rejects.toMatchObject({ reason: 'STORE_DAMAGED' });
    await store.close();
  });

  it('loads in batches of bounded size, each stream in its order', async () => {
    const store = await openSqliteStore({ file });
    const events = Array.from({ length: MAX_BATCH_EVENTS + 7 }, (_, index) => ({ type: 'one', atMs: index }));
    for (const stream of ['a', 'b']) await store.commit([{ stream, expectedSequence: 0, events }]);
    const sizes: number[] = [];
    await store.load((batch) => sizes.push(batch.reduce((sum, part) => sum + part.events.length, 0)));
    expect(sizes).toEqual([MAX_BATCH_EVENTS, MAX_BATCH_EVENTS, 14]);
    expect(await readAll(store)).toEqual(['a', 'b'].map((stream) => ({ stream, events })));
    await store.close();
  });

  it('does not load when the first event of a later batch is missing', async () => {
    const first = await openSqliteStore({ file });
    const events = Array.from({ length: MAX_BATCH_EVENTS + 2 }, () => ONE);
    await first.commit([{ stream: 's', expectedSequence: 0, events }]);
    await first.close();
    edit(`DROP TRIGGER events_are_not_removed; DELETE FROM events WHERE sequence = ${MAX_BATCH_EVENTS + 1}`);
    const store = await openSqliteStore({ file });
    await expect(readAll(store)).rejects.toMatchObject({ reason: 'STORE_DAMAGED' });
    await store.close();
  });

  it('is not made anew beside the log of a deleted one', async () => {
    await writeFile(`${file}-wal`, 'left behind');
    await expect(openSqliteStore({ file })).rejects.toMatchObject({ reason: 'STORE_DAMAGED' });
    expect(await readdir(folder)).toEqual(['keyturn.db-wal']);
  });

  it('says that its folder is missing', async () => {
    const missing = openSqliteStore({ file: path.join(folder, 'missing', 'keyturn.db') });
    await expect(missing).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
  });

  it('is not a folder', async () => {
    await mkdir(file);
    await expect(openSqliteStore({ file })).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
  });

  it.each([
    ['changed', "UPDATE events SET type = 'forged'"],
    ['removed', 'DELETE FROM events'],
    ['replaced', "INSERT OR REPLACE INTO events VALUES ('s', 1, 'forged', 1, '{}')"],
    ['appended with a gap', "INSERT INTO events VALUES ('s', 3, 'late', 1, '{}')"],
  ])('does not let events be %s', async (_, sql) => {
    await makeStore();
    expect(() => edit(sql)).toThrow(/append-only|no gaps/);
  });
});

describe('the lock of a SQLite store', () => {
  it('refuses a second one in the same process, and is still there for other processes after that', async () => {
    const store = await openSqliteStore({ file });
    await expect(openSqliteStore({ file })).rejects.toMatchObject({ reason: 'STORE_IN_USE' });
    const second = spawnSync(NODE, [WRITER, file], { encoding: 'utf8', input: '' });
    expect(second.stderr).toContain('STORE_IN_USE');
    await store.close();
  });

  it('is held before the first commit, names the file, and ends with its process', async () => {
    const writer = await startWriter();
    const refused = openSqliteStore({ file });
    await expect(refused).rejects.toMatchObject({ reason: 'STORE_IN_USE' });
    await expect(refused).rejects.toThrow(file);
    await writer.kill();
    expect(await countPairs()).toBe(0);
  });

  it('leaves the terminal alone', async () => {
    const writer = await startWriter();
    writer.process.stdin.end();
    await once(writer.process, 'exit');
    expect(writer.complaints()).toBe('');
  });
});

describe('what is durable in a SQLite store', () => {
  it('survives SIGKILL at the moment it is acknowledged', async () => {
    for (let expected = 1; expected <= 3; expected += 1) {
      const writer = await startWriter();
      writer.say('write');
      expect(await writer.nextLine()).toBe(`durable ${expected}`);
      await writer.kill();
      expect(await countPairs()).toBe(expected);
    }
  });

  it('is all or nothing, and at least what was acknowledged, however a writer is killed', {
    timeout: 60_000,
  }, async () => {
    for (let round = 0; round < 20; round += 1) {
      const writer = await startWriter();
      writer.say('stream');
      let line = '';
      for (let lines = 0; lines <= round; lines += 1) line = await writer.nextLine();
      await writer.kill();
      expect(line).toMatch(/^durable \d+$/);
      expect(await countPairs()).toBeGreaterThanOrEqual(Number(line.split(' ')[1]));
    }
  });

  it('does not include what a full disk refused, and the store goes on when there is room again', async () => {
    const writer = await startWriter();
    writer.say('write');
    expect(await writer.nextLine()).toBe('durable 1');
    const limit = (bytes: string): void => {
      expect(spawnSync('prlimit', ['--pid', String(writer.process.pid), `--fsize=${bytes}:`]).status).toBe(0);
    };
    limit('4096');
    for (let attempt = 0; attempt < 3; attempt += 1) {
      writer.say('write');
      expect(await writer.nextLine()).toBe('refused STORE_UNAVAILABLE');
    }
    limit('unlimited');
    writer.say('write');
    expect(await writer.nextLine()).toBe('durable 2');
    await writer.kill();
    expect(await countPairs()).toBe(2);
  });
});

describe('a SQLite store in trouble', () => {
  /** A thread that opens, and ends or never answers at its first job. */
  function brokenStore(onJob: string) {
    const source = `const { parentPort } = require('node:worker_threads');
      parentPort.on('message', (job) => { ${onJob} }); parentPort.postMessage({ kind: 'opened' });`;
    const thread = new Worker(source, { eval: true });
    return { thread, store: new SqliteStore(thread, 'none') };
  }

  it('tells every waiter when its thread dies, and whoever comes later', async () => {
    const { store } = brokenStore("throw new Error('planted')");
    await store.opened;
    const waiting = await Promise.allSettled([readAll(store), store.commit([]), store.commit([])]);
    for (const outcome of waiting)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { reason: 'STORE_UNAVAILABLE' } });
    await expect(store.commit([])).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
    await store.close();
  });

  it('has a limit on what waits', async () => {
    const { store, thread } = brokenStore('');
    await store.opened;
    const waiting = Promise.allSettled(Array.from({ length: MAX_QUEUED_JOBS + 1 }, () => readAll(store)));
    await expect(store.commit([])).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
    await thread.terminate();
    await waiting;
  });
});
