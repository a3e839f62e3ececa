import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditLog } from '../../src/audit/audit-log.ts';
import { formatHead } from '../../src/audit/chain.ts';
import type { AuditRecord } from '../../src/audit/entries.ts';
import { type FileAuditLogOptions, openFileAuditLog } from '../../src/audit/files/file-audit-log.ts';
import { segmentName } from '../../src/audit/segments.ts';
import { systemClock } from '../../src/base/system-clock.ts';
import { FakeClock, settle } from '../fakes/fake-clock.ts';
import { readAuditFiles } from '../fixtures/audit-files.ts';
import { silentLog } from '../fixtures/hsm-pool.ts';

let directory: string;
const open: AuditLog[] = [];

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'keyturn-audit-')), 'audit');
});

afterEach(async () => {
  for (const log of open.splice(0)) await log.close();
  rmSync(join(directory, '..'), { recursive: true, force: true });
});

async function openLog(options: Partial<FileAuditLogOptions> = {}): Promise<AuditLog> {
  const log = await openFileAuditLog({
    directory,
    onFailure: 'refuse',
    segmentBytes: 1_000_000,
    retentionMs: undefined,
    clock: systemClock,
    log: silentLog,
    ...options,
  });
  open.push(log);
  return log;
}

function failed(dispatched: number): AuditRecord {
  return { kind: 'JWT_FAILED', dispatched, reason: 'DEADLINE_EXCEEDED' };
}
const started = (storeEvents: number): AuditRecord => ({ kind: 'LOG_STARTED', version: '0', storeEvents });

function lastSegment(): string {
  return join(directory, readAuditFiles(directory).segments.at(-1) ?? '');
}

/** The file of the next segment can't be made while this is there. */
function blockSegment(firstSeq: number): () => void {
  const path = join(directory, segmentName(firstSeq));
  writeFileSync(path, 'in the way');
  return () => {
    rmSync(path);
  };
}

describe('the audit log in files', () => {
  it('has every entry on disk when its promise resolves, in a file that only we may read', async () => {
    const log = await openLog();
    const seqs = await Promise.all(Array.from({ length: 500 }, (_, index) => log.append(failed(index))));
    expect(seqs).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
    const { entries, head } = readAuditFiles(directory);
    expect(entries.map((entry) => entry.kind === 'JWT_FAILED' && entry.dispatched)).toEqual(seqs.map((_, at) => at));
    expect(head).toBe(formatHead(log.status().head));
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(lastSegment()).mode & 0o777).toBe(0o600);
  });

  it('goes on where it ended, and knows the store that it last saw', async () => {
    const first = await openLog();
    await first.append(started(41));
    await first.append(failed(1));
    await first.close();
    const second = await openLog();
    expect(second.start).toEqual({ head: first.status().head, storeEvents: 41 });
    await second.append(failed(2));
    expect(readAuditFiles(directory).entries).toHaveLength(3);
    await expect(first.append(failed(3))).rejects.toMatchObject({ reason: 'SHUTTING_DOWN' });
  });

  it("goes on in a new segment when one is full, and finds the store's count in any", async () => {
    const log = await openLog({ segmentBytes: 600 });
    await log.append(started(7));
    for (let index = 0; index < 12; index += 1) await log.append(failed(index));
    const { entries, segments } = readAuditFiles(directory);
    expect(segments.length).toBeGreaterThan(2);
    expect(entries.filter(({ kind }) => kind === 'JWT_FAILED')).toHaveLength(12);
    await log.close();
    expect((await openLog()).start).toEqual({ head: log.status().head, storeEvents: 7 });
  });

  it.each([
    ['half a line', '{"seq":4,"time":"2026', 3],
    ['zeros, as some file systems leave them', '\0'.repeat(300), 3],
    ['a line that does not follow', `${JSON.stringify({ seq: 9, prev: 'x' })}\n`, 3],
  ])('cuts off a torn end, keeps it, and notes it: %s', async (_, torn, kept) => {
    const first = await openLog();
    for (let index = 0; index < 3; index += 1) await first.append(failed(index));
    await first.close();
    const path = lastSegment();
    const good = statSync(path).size;
    appendFileSync(path, torn);
    const second = await openLog();
    await second.append(failed(9));
    const { entries } = readAuditFiles(directory);
    expect(entries.map(({ kind }) => kind)).toEqual([
      ...Array.from({ length: kept }, () => 'JWT_FAILED'),
      'TAIL_CUT',
      'JWT_FAILED',
    ]);
    expect(entries[kept]).toMatchObject({
      bytes: torn.length,
      sha256: createHash('sha256').update(torn).digest('base64url'),
    });
    expect(readFileSync(`${path}.cut-at-${good}`, 'utf8')).toBe(torn);
  });

  it('goes on after a segment that was only just begun, empty or with half an entry', async () => {
    for (const torn of ['', '{"seq":']) {
      const log = await openLog({ segmentBytes: 100 });
      await log.append(failed(1));
      await log.close();
      const { seq } = log.status().head;
      writeFileSync(join(directory, segmentName(seq + 1)), torn);
      const again = await openLog();
      expect(again.start.head).toEqual(log.status().head);
      await again.append(failed(2));
      await again.close();
    }
    expect(readAuditFiles(directory).entries.filter(({ kind }) => kind === 'JWT_FAILED')).toHaveLength(4);
  });

  it('does not repair what no crash can have done', async () => {
    const log = await openLog({ segmentBytes: 10_000_000 });
    const padding = 'x'.repeat(40_000);
    for (let index = 0; index < 40; index += 1)
      await log.append({ kind: 'JWT_FAILED', dispatched: index, reason: padding });
    await log.close();
    const path = lastSegment();
    truncateSync(path, 40_000);
    appendFileSync(path, 'x'.repeat(1_500_000));
    await expect(openLog()).rejects.toMatchObject({ reason: 'AUDIT_LOG_DAMAGED' });
    expect(readdirSync(directory)).toHaveLength(1);
  });

  it('refuses while the disk takes no entries, keeps what has happened, and recovers by itself', async () => {
    const clock = new FakeClock(0);
    const log = await openLog({ segmentBytes: 100, clock });
    await log.append(failed(1));
    const unblock = blockSegment(2);
    await expect(log.append(failed(2))).rejects.toMatchObject({ reason: 'AUDIT_UNAVAILABLE' });
    await expect(log.append(failed(3))).rejects.toMatchObject({ reason: 'AUDIT_UNAVAILABLE' });
    await expect(log.append(started(5))).rejects.toMatchObject({ reason: 'AUDIT_UNAVAILABLE' });
    expect(() => {
      log.requireWritable();
    }).toThrow('takes no entries');
    expect(log.status()).toMatchObject({ refused: 3, lost: 0 });
    expect(log.status().problem).toContain('tried again every second');
    unblock();
    clock.advance(1_000);
    await expect.poll(() => log.status().problem).toBeUndefined();
    log.requireWritable();
    await log.append(failed(4));
    const kinds = readAuditFiles(directory).entries.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind !== 'SEGMENT_STARTED')).toEqual([
      'JWT_FAILED',
      'LOG_INTERRUPTED',
      'LOG_STARTED',
      'JWT_FAILED',
    ]);
    const interruption = readAuditFiles(directory).entries.find(({ kind }) => kind === 'LOG_INTERRUPTED');
    expect(interruption).toMatchObject({ refused: 3, lost: 0, since: '1970-01-01T00:00:00.000Z' });
  });

  it('goes on without entries where the configuration says so, and counts them', async () => {
    const clock = new FakeClock(0);
    const log = await openLog({ segmentBytes: 100, clock, onFailure: 'continue' });
    await log.append(failed(1));
    const unblock = blockSegment(2);
    expect(await log.append(failed(2))).toBeUndefined();
    expect(await log.append(failed(3))).toBeUndefined();
    log.requireWritable();
    expect(log.status()).toMatchObject({ refused: 0, lost: 2 });
    unblock();
    clock.advance(1_000);
    await expect.poll(() => log.status().problem).toBeUndefined();
    await log.close();
    expect(readAuditFiles(directory).entries.at(-1)).toMatchObject({ kind: 'LOG_INTERRUPTED', refused: 0, lost: 2 });
  });

  it('notes what was lost while it noted what was lost, in a second entry', async () => {
    const clock = new FakeClock(0);
    const log = await openLog({ segmentBytes: 100, clock, onFailure: 'continue' });
    await log.append(failed(1));
    const unblock = blockSegment(2);
    expect(await log.append(failed(2))).toBeUndefined();
    await settle();
    unblock();
    // The retry begins, and says one.
    clock.advance(1_000);
    expect(await Promise.all([log.append(failed(3)), log.append(failed(4))])).toEqual([undefined, undefined]);
    await expect.poll(() => log.status().problem).toBeUndefined();
    await log.close();
    const { entries } = readAuditFiles(directory);
    const lost = entries.flatMap((entry) => (entry.kind === 'LOG_INTERRUPTED' ? [entry.lost] : []));
    expect(lost).toEqual([1, 2]);
    expect(log.status().lost).toBe(3);
  });

  it('tells callers what the disk says now, and the log how it began', async () => {
    const clock = new FakeClock(0);
    const log = await openLog({ segmentBytes: 100, clock });
    await log.append(failed(1));
    const unblock = blockSegment(2);
    await expect(log.append(failed(2))).rejects.toThrow('is there already');
    await settle();
    unblock();
    renameSync(directory, `${directory}.away`);
    clock.advance(1_000);
    await expect.poll(() => log.status().problem).toContain('ENOENT');
    renameSync(`${directory}.away`, directory);
    await expect
      .poll(() => {
        clock.advance(1_000);
        return log.status().problem;
      })
      .toBeUndefined();
    await log.close();
    const interruption = readAuditFiles(directory).entries.find(({ kind }) => kind === 'LOG_INTERRUPTED');
    expect(interruption).toMatchObject({ problem: expect.stringContaining('is there already') });
  });

  it('removes old segments only behind a checkpoint, and says up to where', async () => {
    const clock = new FakeClock(0);
    const log = await openLog({ segmentBytes: 100, clock, retentionMs: 10_000 });
    for (let index = 0; index < 4; index += 1) await log.append(failed(index));
    clock.advance(20_000);
    await log.append(failed(4));
    expect(readAuditFiles(directory).entries[0]?.seq).toBe(1);
    const { head } = log.status();
    await log.append({
      kind: 'CHECKPOINT',
      head: formatHead(head),
      signedTime: '1970-01-01T00:00:00.000Z',
      kid: 'K' as never,
      publicKey: { kty: 'EC', crv: 'P-256', x: '', y: '' },
      signature: '',
    });
    await expect.poll(() => readdirSync(directory).includes(segmentName(1))).toBe(false);
    await log.close();
    const lines = readdirSync(directory)
      .toSorted()
      .flatMap((name) => readFileSync(join(directory, name), 'utf8').trimEnd().split('\n'))
      .map((line) => JSON.parse(line) as { seq: number; kind: string; prev: string; through?: string });
    const [first] = lines;
    // One removal can follow another before the log is closed.
    const removals = lines.filter(({ kind }) => kind === 'SEGMENTS_REMOVED').map(({ through }) => through);
    expect(removals).toContain(`${(first?.seq ?? 0) - 1}:${first?.prev ?? ''}`);
  });
});
