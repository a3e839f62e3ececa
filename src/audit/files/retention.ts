/**
 * Old segments go: whole ones, the oldest first, never without an entry that says up to where, and never unless a signed
 * checkpoint lies behind them: what is left is then proven by that checkpoint, its beginning included.
 */
import { open, unlink } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { formatHead } from '../chain.ts';
import { MAX_LINE_BYTES, parseEntry } from '../encoding.ts';
import type { AuditEntry, AuditRecord } from '../entries.ts';
import { syncDirectory } from './segment-file.ts';

const LINE_FEED = 0x0a;
/** Removed at one rotation. */
const MAX_REMOVED = 64;

export interface RetentionOptions {
  readonly directory: string;
  readonly retentionMs: number | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Closed {
  readonly path: string;
  readonly bytes: number;
}

export interface Removal {
  readonly record: AuditRecord;
  readonly paths: readonly string[];
}

export class Retention {
  readonly #options: RetentionOptions;
  /** Full segments, the oldest first. */
  #closed: readonly Closed[];
  #bytes: number;

  constructor(options: RetentionOptions, segments: readonly Closed[]) {
    this.#options = options;
    this.#closed = segments.slice(0, -1);
    this.#bytes = this.#closed.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get segments(): number {
    return this.#closed.length;
  }

  add(segment: Closed): void {
    this.#closed = [...this.#closed, segment];
    this.#bytes += segment.bytes;
  }

  /** What may go now. `checkpointSeq`: up to where the latest checkpoint signs. */
  async plan(checkpointSeq: number): Promise<Removal | undefined> {
    const { retentionMs, clock, log } = this.#options;
    if (retentionMs === undefined) return undefined;
    const endMs = clock.wallMs() - retentionMs;
    let first: AuditEntry | undefined;
    let count = 0;
    try {
      // One that is followed by a segment which is old enough holds nothing younger.
      for (const { path } of this.#closed.slice(1, MAX_REMOVED + 1)) {
        const next = await readFirst(path);
        if (Date.parse(next.time) > endMs || next.seq > checkpointSeq) break;
        first = next;
        count += 1;
      }
    } catch (failure) {
      log.error({ err: failure }, 'old segments of the audit log could not be read, and stay');
      return undefined;
    }
    if (first === undefined) return undefined;
    const removed = this.#closed.slice(0, count);
    const bytes = removed.reduce((sum, segment) => sum + segment.bytes, 0);
    const through = formatHead({ seq: first.seq - 1, hash: first.prev });
    return {
      record: { kind: 'SEGMENTS_REMOVED', through, segments: count, bytes },
      paths: removed.map(({ path }) => path),
    };
  }

  /** After its entry is durable. */
  async remove({ paths }: Removal): Promise<void> {
    const { directory, log } = this.#options;
    try {
      for (const path of paths) await unlink(path);
      await syncDirectory(directory);
    } catch (failure) {
      log.error({ err: failure }, 'old segments of the audit log could not be removed');
    }
    const gone = this.#closed.filter(({ path }) => paths.includes(path));
    this.#closed = this.#closed.filter(({ path }) => !paths.includes(path));
    this.#bytes -= gone.reduce((sum, { bytes }) => sum + bytes, 0);
    log.info({ segments: paths.length }, 'old segments of the audit log were removed');
  }
}

async function readFirst(path: string): Promise<AuditEntry> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(MAX_LINE_BYTES + 1);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    const end = bytes.subarray(0, bytesRead).indexOf(LINE_FEED);
    return parseEntry(bytes.subarray(0, Math.max(0, end)));
  } finally {
    await file.close();
  }
}
