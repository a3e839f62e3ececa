import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditTrail } from '../../src/app/audit-trail.ts';
import type { AuditLog } from '../../src/audit/audit-log.ts';
import type { AuditRecord } from '../../src/audit/entries.ts';
import { type CopyOutcome, copyLog } from '../../src/audit/files/copy-log.ts';
import { openFileAuditLog } from '../../src/audit/files/file-audit-log.ts';
import type { Kid } from '../../src/base/ids.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { readAuditFiles } from '../fixtures/audit-files.ts';
import { T0 } from '../fixtures/lifecycle.ts';
import { silentLog } from '../fixtures/hsm-pool.ts';

const SEGMENT_BYTES = 4_000;
const HOUR_MS = 3_600_000;
const record: AuditRecord = { kind: 'JWT_FAILED', dispatched: 1, reason: 'DEADLINE_EXCEEDED' };

let root: string;
let original: string;
let copy: string;
let clock: FakeClock;
let log: AuditLog;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'keyturn-copy-'));
  original = join(root, 'original');
  copy = join(root, 'copy');
  clock = new FakeClock(T0);
  log = await openLog(original);
});
afterEach(async () => {
  await log.close();
  rmSync(root, { recursive: true });
});

function openLog(directory: string, retentionMs?: number): Promise<AuditLog> {
  return openFileAuditLog({
    directory,
    onFailure: 'refuse',
    segmentBytes: SEGMENT_BYTES,
    retentionMs,
    clock,
    log: silentLog,
  });
}

/** One by one: each write may begin a segment. */
async function append(entries: number): Promise<void> {
  for (let count = 0; count < entries; count += 1) await log.append(record);
}

/** As the daemon gives it. */
const copyOn = (): Promise<CopyOutcome> => {
  const trail = new AuditTrail({ auditLog: log, clock, log: silentLog });
  return copyLog(copy, (fromSeq) => trail.read(fromSeq));
};

function contentOf(directory: string): Record<string, string> {
  return Object.fromEntries(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')]));
}

describe('a copy of the audit log', () => {
  it('is the same files, byte for byte, and each run adds what is new', async () => {
    expect(await copyOn()).toMatchObject({ added: 0, head: { seq: 0 } });
    await append(120);
    expect((await copyOn()).added).toBe(log.status().head.seq);
    await append(60);
    const before = readAuditFiles(copy).entries.length;
    const { added, head } = await copyOn();
    expect(added).toBe(log.status().head.seq - before);
    expect(head).toEqual(log.status().head);
    expect(contentOf(copy)).toEqual(contentOf(original));
    expect(readdirSync(copy).length).toBeGreaterThan(3);
    expect(statSync(copy).mode & 0o777).toBe(0o700);
    expect(await copyOn()).toEqual({ added: 0, head });
  });

  it.each([1, 100, 1_000])('that was interrupted %i bytes before its end goes on from there', async (bytes) => {
    await append(90);
    await copyOn();
    const last = join(copy, readdirSync(copy).toSorted().at(-1) ?? '');
    truncateSync(last, Math.max(0, statSync(last).size - bytes));
    await append(10);
    await copyOn();
    expect(contentOf(copy)).toEqual(contentOf(original));
  });

  it('finds out that the log was put back, and leaves the copy as it is', async () => {
    await append(100);
    await log.close();
    const old = join(root, 'old');
    cpSync(original, old, { recursive: true });
    log = await openLog(original);
    await append(50);
    const { head } = await copyOn();
    await log.close();
    const copied = contentOf(copy);

    log = await openLog(old);
    await expect(copyOn()).rejects.toMatchObject({
      reason: 'AUDIT_LOG_DAMAGED',
      message: expect.stringContaining(`ends before entry ${head.seq},`) as string,
    });
    while (log.status().head.seq < head.seq - 1) await append(1);
    await expect(copyOn()).rejects.toThrow(`ends before entry ${head.seq},`);
    clock.advance(1);
    await append(100);
    await expect(copyOn()).rejects.toThrow(`has another entry ${head.seq} `);
    expect(contentOf(copy)).toEqual(copied);
  });

  it('takes nothing that does not follow', async () => {
    await append(20);
    const gap = copyLog(copy, async function* () {
      for await (const lines of log.read(0)) yield lines.filter((_, index) => index !== 10);
    });
    await expect(gap).rejects.toThrow('entry 11 must follow, and entry 12 does');
    await expect(
      copyLog(copy, async function* () {
        yield [Buffer.from('{"seq":1}')];
        await Promise.resolve();
      }),
    ).rejects.toMatchObject({ reason: 'AUDIT_LOG_DAMAGED' });
    await copyOn();
    expect(contentOf(copy)).toEqual(contentOf(original));
  });

  it('begins where the log begins by now, and says when what it needs is not kept any more', async () => {
    await log.close();
    log = await openLog(original, HOUR_MS);
    await append(10);
    await copyOn();
    const head = `${log.status().head.seq}:${log.status().head.hash}`;
    for (let hour = 0; hour < 6; hour += 1) {
      await append(40);
      const seq = log.status().head;
      await log.append({ ...checkpoint, head: `${seq.seq}:${seq.hash}` });
      clock.advance(HOUR_MS);
    }
    await expect.poll(() => readdirSync(original).toSorted()[0]).not.toBe(readdirSync(copy)[0]);
    await expect(copyOn()).rejects.toMatchObject({
      reason: 'COMMAND_NOT_POSSIBLE',
      message: expect.stringContaining('audit.retention') as string,
    });
    expect(readAuditFiles(copy).head).toBe(head);
    rmSync(copy, { recursive: true });
    // Removes nothing more meanwhile.
    await log.close();
    log = await openLog(original);
    await copyOn();
    expect(contentOf(copy)).toEqual(contentOf(original));
  });
});

const checkpoint = {
  kind: 'CHECKPOINT',
  signedTime: '2026-01-01T00:00:00.000Z',
  kid: 'x' as Kid,
  publicKey: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
  signature: 'x',
} as const;

describe('reading the audit log', () => {
  it('is refused behind its end, and to more than four at once', async () => {
    await append(3);
    const trail = new AuditTrail({ auditLog: log, clock, log: silentLog });
    const all = async (fromSeq: number): Promise<number> => {
      let count = 0;
      for await (const lines of trail.read(fromSeq)) count += lines.length;
      return count;
    };
    expect([await all(0), await all(1), await all(3), await all(4)]).toEqual([3, 3, 1, 0]);
    await expect(all(5)).rejects.toMatchObject({ reason: 'FIELD_INVALID', details: { field: 'from_sequence' } });
    const readers = [1, 2, 3, 4].map(() => trail.read(0));
    for (const reader of readers) await reader.next();
    await expect(all(0)).rejects.toMatchObject({ reason: 'QUEUE_FULL' });
    await readers[0]?.return(undefined);
    expect(await all(0)).toBe(3);
  });

  it('gives what was durable when it began, and not what is being written', async () => {
    await append(3);
    const reader = log.read(2);
    appendFileSync(join(original, readdirSync(original)[0] ?? ''), '{"seq":4}\n{"seq":5,"half');
    const lines: string[] = [];
    for await (const batch of reader) lines.push(...batch.map((line) => Buffer.from(line).toString('utf8')));
    expect(lines.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([2, 3]);
  });
});
