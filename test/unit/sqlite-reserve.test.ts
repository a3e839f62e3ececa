/** The reserve of a SQLite store: what it carries through a full disk, a kill, and a crash at the worst moment. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RESERVE_BYTES, ReserveFile } from '../../src/store/sqlite/reserve-file.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { backUpStore } from '../../src/store/sqlite/store-copy.ts';
import type { EventStore, StoredEvent } from '../../src/store/store.ts';
import { mountSmallDisk, NO_SMALL_DISK, type SmallDisk } from '../fixtures/small-disk.ts';
import { type LogLine, recordingLogger } from '../fixtures/recording-logger.ts';
import { readAll } from '../fixtures/read-all.ts';

const WRITER = path.resolve(import.meta.dirname, '../fixtures/store-writer.ts');
const NODE = path.resolve(import.meta.dirname, '../../node_modules/.bin/node');
const PAGE_BYTES = 4_096;

const rowOf = (sequence: number, data = '{}') => ({ stream: 's', sequence, type: 'one', atMs: 1, data });

describe('the reserve file', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'keyturn-reserve-'));
    file = path.join(folder, 'keyturn.db.reserve');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** As a crash leaves it: nothing is closed in order. */
  function rowsAfterCrash(): unknown[] {
    const reserve = ReserveFile.open(file);
    try {
      return reserve.readAll();
    } finally {
      reserve.close();
    }
  }

  function overwrite(position: number, bytes: Buffer): void {
    const fd = openSync(file, 'r+');
    writeSync(fd, bytes, 0, bytes.length, position);
    closeSync(fd);
  }

  it('has all its blocks from the beginning, for its user alone, and never grows', () => {
    const reserve = ReserveFile.open(file);
    const { size, blocks, mode } = statSync(file);
    expect([size, blocks * 512 >= RESERVE_BYTES, mode & 0o777]).toEqual([RESERVE_BYTES, true, 0o600]);
    for (let sequence = 1; reserve.append([rowOf(sequence, '"x"'.padEnd(60_000, ' '))]); sequence += 1);
    expect(statSync(file).size).toBe(RESERVE_BYTES);
    reserve.close();
  });

  it('gives back its records in order, and says when the next one does not fit', () => {
    const reserve = ReserveFile.open(file);
    let count = 0;
    while (reserve.append([rowOf(count + 1)])) count += 1;
    expect(count).toBe(RESERVE_BYTES / PAGE_BYTES);
    reserve.close();
    expect(rowsAfterCrash()).toEqual(Array.from({ length: count }, (_, index) => rowOf(index + 1)));
  });

  it('goes on after its last record when it is opened again', () => {
    const first = ReserveFile.open(file);
    first.append([rowOf(1)]);
    first.close();
    const second = ReserveFile.open(file);
    second.readAll();
    second.append([rowOf(2), rowOf(3)]);
    second.close();
    expect(rowsAfterCrash()).toEqual([rowOf(1), rowOf(2), rowOf(3)]);
  });

  it('is empty when cleared, and records of its earlier use never come back', () => {
    const reserve = ReserveFile.open(file);
    for (const sequence of [1, 2, 3]) reserve.append([rowOf(sequence)]);
    reserve.clear();
    expect(rowsAfterCrash()).toEqual([]);
    reserve.append([rowOf(4)]);
    reserve.close();
    expect(rowsAfterCrash()).toEqual([rowOf(4)]);
  });

  it('leaves out a record that is not whole, and what follows it', () => {
    const reserve = ReserveFile.open(file);
    for (const sequence of [1, 2, 3]) reserve.append([rowOf(sequence)]);
    reserve.close();
    overwrite(PAGE_BYTES + 60, Buffer.from('torn'));
    expect(rowsAfterCrash()).toEqual([rowOf(1)]);
  });

  it('does not believe a length beyond its end', () => {
    const reserve = ReserveFile.open(file);
    reserve.append([rowOf(1)]);
    reserve.close();
    overwrite(4, Buffer.from([0xff, 0xff, 0xff, 0xff]));
    expect(rowsAfterCrash()).toEqual([]);
  });

  it('takes its blocks again after a copy that left holes, and keeps its records', () => {
    const reserve = ReserveFile.open(file);
    reserve.append([rowOf(1)]);
    reserve.close();
    const page = readFileSync(file).subarray(0, PAGE_BYTES);
    rmSync(file);
    writeFileSync(file, page);
    const fd = openSync(file, 'r+');
    writeSync(fd, Buffer.alloc(1), 0, 1, RESERVE_BYTES - 1);
    closeSync(fd);
    expect(statSync(file).blocks * 512).toBeLessThan(RESERVE_BYTES);
    expect(rowsAfterCrash()).toEqual([rowOf(1)]);
    expect(statSync(file).blocks * 512).toBeGreaterThanOrEqual(RESERVE_BYTES);
  });

  it('does not follow a link', () => {
    const victim = path.join(folder, 'victim');
    writeFileSync(victim, 'precious');
    symlinkSync(victim, file);
    expect(() => ReserveFile.open(file)).toThrow(/ELOOP/);
    expect(readFileSync(victim, 'utf8')).toBe('precious');
  });
});

describe.skipIf(NO_SMALL_DISK !== undefined)('a SQLite store whose disk is full', () => {
  let disk: SmallDisk;
  let file: string;
  let opened: EventStore[];
  let writers: ChildProcessByStdio<Writable, Readable, Readable>[];

  beforeEach(() => {
    disk = mountSmallDisk(24);
    file = path.join(disk.dir, 'keyturn.db');
    opened = [];
    writers = [];
  });
  afterEach(async () => {
    for (const writer of writers) if (writer.exitCode === null && writer.signalCode === null) writer.kill('SIGKILL');
    for (const store of opened) await store.close();
    disk.dispose();
  });

  async function open(lines: LogLine[] = []): Promise<EventStore> {
    const store = await openSqliteStore({ file, log: recordingLogger(lines) });
    opened.push(store);
    return store;
  }

  async function countPairs(): Promise<number> {
    const store = await open();
    const streams = await readAll(store);
    await store.close();
    const counts = streams.map(({ events }) => events.length);
    expect(counts[0]).toBe(counts[1]);
    return counts[0] ?? 0;
  }

  async function startWriter() {
    const writer = spawn(NODE, [WRITER, file], { stdio: ['pipe', 'pipe', 'pipe'] });
    writers.push(writer);
    const lines = createInterface({ input: writer.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<string> => ((await lines.next()) as { value?: string }).value ?? 'ended';
    expect(await next()).toMatch(/^ready/);
    return {
      async say(command: string): Promise<string> {
        writer.stdin.write(`${command}\n`);
        return next();
      },
      async kill(): Promise<void> {
        writer.kill('SIGKILL');
        await once(writer, 'exit');
      },
    };
  }

  it.each(['before', 'after'])(
    'keeps what the reserve took, through SIGKILL at the moment it is acknowledged and a restart %s there is room',
    async (when) => {
      const writer = await startWriter();
      disk.fill();
      let durable = 0;
      for (let answer = ''; !answer.startsWith('refused'); answer = await writer.say('write')) durable += 1;
      durable -= 1;
      expect(await writer.say('narrow')).toBe(`durable ${durable + 1}`);
      expect(await writer.say('write')).toBe('refused STORE_UNAVAILABLE');
      expect(await writer.say('narrow')).toBe(`durable ${durable + 2}`);
      await writer.kill();
      if (when === 'after') disk.free();
      expect(await countPairs()).toBe(durable + 2);
      if (when === 'before') disk.free();
      const next = await startWriter();
      expect(await next.say('write')).toBe(`durable ${durable + 3}`);
      await next.kill();
      expect(await countPairs()).toBe(durable + 3);
    },
  );

  it('is backed up with what is in the reserve, to another disk', async () => {
    const store = await open();
    await store.commit([{ stream: 's', expectedSequence: 0, events: [{ type: 'one', atMs: 1 }] }]);
    disk.fill();
    const large = { type: 'compromised', atMs: 2, filling: 'x'.repeat(60_000) };
    await store.commit([{ stream: 's', expectedSequence: 1, events: [large] }], { mayUseReserve: true });
    expect(store.reservedEvents).toBe(1);
    await store.close();
    const folder = mkdtempSync(path.join(tmpdir(), 'keyturn-reserve-'));
    try {
      expect(backUpStore(file, path.join(folder, 'backup.db'))).toMatchObject({ events: 2, lastEventAtMs: 2 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('counts a record once that a crash left in the reserve although the database had it', async () => {
    const store = await open();
    const one: StoredEvent = { type: 'one', atMs: 1 };
    await store.commit([{ stream: 's', expectedSequence: 0, events: [one, one] }]);
    await store.close();
    const reserve = ReserveFile.open(`${file}.reserve`);
    reserve.append([rowOf(2), rowOf(3)]);
    reserve.close();
    expect((await readAll(await open()))[0]?.events).toEqual([one, one, one]);
  });

  it('is refused as damaged when its reserve does not continue it: an old copy of the store came back', async () => {
    const first = await open();
    await first.close();
    copyFileSync(file, `${file}.old`);
    const reserve = ReserveFile.open(`${file}.reserve`);
    reserve.append([rowOf(7)]);
    reserve.close();
    await expect(open()).rejects.toMatchObject({ reason: 'STORE_DAMAGED' });
    expect(ReserveFile.open(`${file}.reserve`).readAll()).toEqual([rowOf(7)]);
  });

  it('is made and used without a reserve when there is no room for one, says so, and takes it when there is', async () => {
    const store = await open();
    await store.close();
    rmSync(`${file}.reserve`);
    disk.fill();
    const lines: LogLine[] = [];
    const full = await open(lines);
    expect(lines.map(({ message }) => message).join()).toContain('no reserve');
    await full.close();
    disk.free();
    const free = await open();
    expect(statSync(`${file}.reserve`).size).toBe(RESERVE_BYTES);
    await free.close();
  });
});
