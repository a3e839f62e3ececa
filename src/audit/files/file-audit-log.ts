/**
 * The audit log in segment files: group commit. Whatever waits while the disk is busy goes to it together, in one write
 * that is durable when it returns, in a thread of the libuv pool: the event loop waits for no disk. Entries get their
 * place in the chain when they are written, so that a write that failed has used none up.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, sleep } from '../../base/clock.ts';
import { KeyturnError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { type AuditLog, type AuditLogStart, type AuditLogStatus, isDroppable } from '../audit-log.ts';
import { type Head, linkRecord, parseHead, toTime } from '../chain.ts';
import type { AuditRecord } from '../entries.ts';
import { segmentName } from '../segments.ts';
import { MAX_BATCH_BYTES, openTail, type Tail } from './read-tail.ts';
import { readRange } from './read-range.ts';
import { Retention } from './retention.ts';
import { SegmentFile } from './segment-file.ts';

/** Entries that wait for the disk: more mean that it is too slow to be of use. */
export const MAX_WAITING_ENTRIES = 16_384;
/** Entries that are kept over a failure, to be written late. */
const MAX_KEPT_ENTRIES = 4_096;
const RETRY_MS = 1_000;
const FILE_MODE = 0o600;
/** A disk that takes so long for one write hangs: whoever waits learns it. */
const STALL_MS = 5_000;
const PROBLEM_LENGTH = 200;

export interface FileAuditLogOptions {
  readonly directory: string;
  /** What happens when the disk takes no entries: nothing is signed, or it is signed without an entry. */
  readonly onFailure: 'refuse' | 'continue';
  /** A segment that has reached it is followed by the next one. */
  readonly segmentBytes: number;
  /** How long entries are kept; undefined: for ever. */
  readonly retentionMs: number | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Lines that are durable now, in order, for sinks. Must not throw. */
  readonly onWritten?: (lines: readonly string[]) => void;
}

interface Waiting {
  readonly record: AuditRecord;
  readonly timeMs: number;
  settle: ((outcome: number | KeyturnError) => void) | undefined;
}

interface Failure {
  /** Of the latest try: what callers are told. */
  error: KeyturnError;
  /** How it began: what its entry says. */
  readonly problem: string;
  readonly sinceMs: number;
  refused: number;
  lost: number;
}

/** Errors: AUDIT_UNAVAILABLE, AUDIT_LOG_DAMAGED. A disk that takes no entries holds nothing up: it is tried again. */
export async function openFileAuditLog(options: FileAuditLogOptions): Promise<AuditLog> {
  const tail = await openTail(options.directory);
  const log = new FileAuditLog(options, tail);
  if (tail.torn !== undefined) {
    const { bytes, sha256, keepAs } = tail.torn;
    options.log.error(
      { bytes: bytes.length, sha256, keepAs },
      'the end of the audit log is incomplete, as a crash leaves it: it is kept beside the log and cut off',
    );
    void log.append({ kind: 'TAIL_CUT', bytes: bytes.length, sha256 }).catch(() => undefined);
  }
  return log;
}

class FileAuditLog implements AuditLog {
  readonly start: AuditLogStart;
  readonly #options: FileAuditLogOptions;
  readonly #retention: Retention;
  #queue: Waiting[] = [];
  #head: Head;
  #storeEvents: number;
  #segment: SegmentFile | undefined;
  /** The segment to go on with; undefined: the next entry begins a new one. */
  #current: { readonly path: string; bytes: number } | undefined;
  /** Of the run before: kept before anything is written over it. */
  #torn: Tail['torn'];
  #running: Promise<void> | undefined;
  #failure: Failure | undefined;
  #isClosed = false;
  #isRemoving = false;
  #cancelRetry: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #entries = 0;
  #refused = 0;
  #lost = 0;
  #checkpoint: AuditLogStatus['checkpoint'];

  constructor(options: FileAuditLogOptions, { segments, head, storeEvents, torn }: Tail) {
    this.#options = options;
    this.#head = head;
    this.#storeEvents = storeEvents ?? 0;
    this.start = { head, storeEvents };
    this.#torn = torn;
    const last = segments.at(-1);
    if (last !== undefined) this.#current = { path: last.path, bytes: last.bytes };
    this.#retention = new Retention(options, segments);
  }

  append(record: AuditRecord): Promise<number | undefined> {
    if (this.#isClosed)
      return Promise.reject(new KeyturnError('SHUTTING_DOWN', 'the audit log is closed: the daemon is shutting down'));
    const limit = this.#failure === undefined ? MAX_WAITING_ENTRIES : isDroppable(record) ? 0 : MAX_KEPT_ENTRIES;
    return new Promise((resolve, reject) => {
      const settle = (outcome: number | KeyturnError): void => {
        if (typeof outcome === 'number') resolve(outcome);
        else if (this.#options.onFailure === 'continue') resolve(undefined);
        else reject(outcome);
      };
      if (this.#queue.length >= limit) {
        const error = this.#failure?.error ?? tooSlow();
        this.#count(this.#fateOf(record));
        settle(error);
        return;
      }
      this.#queue.push({ record, timeMs: this.#options.clock.wallMs(), settle });
      if (this.#failure === undefined) this.#run();
      else this.#settle(this.#queue.slice(-1), this.#failure.error);
    });
  }

  requireWritable(): void {
    if (this.#failure === undefined || this.#options.onFailure === 'continue') return;
    this.#count('refused');
    throw this.#failure.error;
  }

  status(): AuditLogStatus {
    const { bytes, segments } = this.#retention;
    return {
      head: this.#head,
      entries: this.#entries,
      bytes: bytes + (this.#current?.bytes ?? 0),
      segments: segments + (this.#current === undefined ? 0 : 1),
      checkpoint: this.#checkpoint,
      problem: this.#failure?.error.message,
      refused: this.#refused,
      lost: this.#lost,
    };
  }

  read(fromSeq: number): AsyncIterable<readonly Uint8Array[]> {
    return readRange(this.#options.directory, fromSeq, this.#head.seq);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRetry?.();
    if (this.#running !== undefined) await Promise.race([this.#running, sleep(this.#options.clock, STALL_MS)]);
    if (this.#failure !== undefined && this.#queue.length > 0) await this.#writeOnce();
    if (this.#queue.length > 0) {
      const { problem } = this.status();
      this.#options.log.error({ entries: this.#queue.length, problem }, 'entries of the audit log were not written');
    }
    await this.#segment?.close();
    this.#segment = undefined;
  }

  /** After the events at hand: requests that came with them share the write. */
  #run(): void {
    this.#running ??= new Promise<void>((resolve) => {
      setImmediate(() => {
        void this.#drain().finally(() => {
          this.#running = undefined;
          resolve();
        });
      });
    });
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      if (!(await this.#writeOnce())) {
        this.#retryLater();
        return;
      }
    }
  }

  #retryLater(): void {
    if (this.#isClosed) return;
    this.#cancelRetry = this.#options.clock.after(RETRY_MS, () => {
      this.#running = this.#retry().finally(() => {
        this.#running = undefined;
        if (this.#failure !== undefined) this.#retryLater();
        else if (this.#queue.length > 0) this.#run();
      });
    });
  }

  /** Says what happened, and tries the disk with it. */
  async #retry(): Promise<void> {
    if (this.#failure !== undefined) this.#queue.unshift(this.#toInterruption(this.#failure));
    if (!(await this.#writeOnce())) this.#queue = this.#queue.filter(({ record }) => record.kind !== 'LOG_INTERRUPTED');
  }

  #toInterruption({ sinceMs, refused, lost, problem }: Failure): Waiting {
    const record = { kind: 'LOG_INTERRUPTED', since: toTime(sinceMs), refused, lost, problem } as const;
    return { record, timeMs: this.#options.clock.wallMs(), settle: undefined };
  }

  /** What the entry just written doesn't say: what was refused and lost meanwhile; all of it when a write only hung. */
  #noteRest(failure: Failure, written: readonly Waiting[]): void {
    const told = written.map(({ record }) => record).find((record) => record.kind === 'LOG_INTERRUPTED');
    const refused = failure.refused - (told?.refused ?? 0);
    const lost = failure.lost - (told?.lost ?? 0);
    if (told === undefined || refused > 0 || lost > 0)
      this.#queue.unshift(this.#toInterruption({ ...failure, refused, lost }));
  }

  /** One write of as much as fits. False when the disk didn't take it. */
  async #writeOnce(): Promise<boolean> {
    const { clock, log, onWritten } = this.#options;
    const batch = this.#takeBatch();
    const { waiting } = batch;
    const cancelStall = clock.after(STALL_MS, () => {
      this.#fail(new Error(`a write has been going on for ${STALL_MS / 1_000} s`), [...waiting, ...this.#queue]);
    });
    try {
      const segment = await this.#openSegment();
      await segment.write(Buffer.from(`${batch.lines.join('\n')}\n`));
    } catch (thrown) {
      cancelStall();
      await this.#abandonSegment();
      this.#queue = [...waiting, ...this.#queue];
      this.#fail(thrown, this.#queue);
      return false;
    }
    cancelStall();
    this.#head = batch.head;
    this.#storeEvents = batch.storeEvents;
    this.#entries += batch.lines.length;
    if (this.#current !== undefined) this.#current.bytes = this.#segment?.bytes ?? 0;
    if (this.#failure !== undefined) {
      const { refused, lost } = this.#failure;
      this.#noteRest(this.#failure, waiting);
      this.#failure = undefined;
      log.info({ refused, lost }, 'the audit log takes entries again');
    }
    const own = batch.lines.slice(-waiting.length);
    waiting.forEach(({ record, timeMs, settle }, index) => {
      if (record.kind === 'CHECKPOINT')
        this.#checkpoint = { head: parseHead(record.head), atMs: timeMs, line: own[index] ?? '' };
      settle?.(batch.firstSeq + index);
    });
    onWritten?.(batch.lines);
    await this.#rotateWhenFull();
    return true;
  }

  #takeBatch(): {
    readonly waiting: readonly Waiting[];
    readonly lines: readonly string[];
    readonly head: Head;
    readonly firstSeq: number;
    readonly storeEvents: number;
  } {
    const lines: string[] = [];
    let head = this.#head;
    let storeEvents = this.#storeEvents;
    const add = (record: AuditRecord, timeMs: number): number => {
      const link = linkRecord(head, record, timeMs);
      head = link.head;
      lines.push(link.line);
      return Buffer.byteLength(link.line) + 1;
    };
    let bytes = 0;
    if ((this.#current?.bytes ?? 0) === 0 && head.seq > 0)
      bytes += add({ kind: 'SEGMENT_STARTED', storeEvents }, this.#options.clock.wallMs());
    const firstSeq = head.seq + 1;
    let count = 0;
    for (const { record, timeMs } of this.#queue) {
      // The last one may pass the mark; a line is small beside it.
      if (bytes >= MAX_BATCH_BYTES / 2) break;
      bytes += add(record, timeMs);
      if ('storeEvents' in record) storeEvents = record.storeEvents;
      count += 1;
    }
    return { waiting: this.#queue.splice(0, count), lines, head, firstSeq, storeEvents };
  }

  async #openSegment(): Promise<SegmentFile> {
    if (this.#segment !== undefined) return this.#segment;
    const { directory } = this.#options;
    if (this.#torn !== undefined) {
      await writeFile(this.#torn.keepAs, this.#torn.bytes, { mode: FILE_MODE });
      this.#torn = undefined;
    }
    if (this.#current === undefined) {
      const path = join(directory, segmentName(this.#head.seq + 1));
      this.#segment = await SegmentFile.create(path, directory);
      this.#current = { path, bytes: 0 };
      return this.#segment;
    }
    this.#segment = await SegmentFile.reopen(this.#current.path, this.#current.bytes);
    return this.#segment;
  }

  /** After a failure the file is opened anew: what it names may have come back as another mount. */
  async #abandonSegment(): Promise<void> {
    try {
      await this.#segment?.close();
    } catch (failure) {
      this.#options.log.debug({ err: failure }, 'a segment of the audit log did not close');
    }
    this.#segment = undefined;
  }

  async #rotateWhenFull(): Promise<void> {
    const current = this.#current;
    if (current === undefined || current.bytes < this.#options.segmentBytes) return;
    await this.#abandonSegment();
    this.#current = undefined;
    this.#retention.add(current);
    // A second plan would count what the first is removing.
    if (this.#isRemoving) return;
    const removal = await this.#retention.plan(this.#checkpoint?.head.seq ?? 0);
    if (removal === undefined) return;
    this.#isRemoving = true;
    void this.append(removal.record)
      .then(async (seq) => {
        if (seq !== undefined) await this.#retention.remove(removal);
      })
      .catch(() => undefined)
      .finally(() => {
        this.#isRemoving = false;
      });
  }

  /** Whoever waits learns it now; what must not be lost stays in the queue. */
  #fail(thrown: unknown, waiting: readonly Waiting[]): void {
    const { clock, directory, log } = this.#options;
    const problem = thrown instanceof Error ? thrown.message : String(thrown);
    const error = new KeyturnError(
      'AUDIT_UNAVAILABLE',
      `the audit log takes no entries (${problem}): check the disk that holds ${directory}; it is tried again every second`,
      { cause: thrown, retryAfterMs: RETRY_MS },
    );
    if (this.#failure?.error.message !== error.message)
      log.error({ err: error, directory, onFailure: this.#options.onFailure }, 'the audit log takes no entries');
    this.#failure ??= {
      error,
      problem: error.message.slice(0, PROBLEM_LENGTH),
      sinceMs: clock.wallMs(),
      refused: 0,
      lost: 0,
    };
    // A full disk that is read-only by now: what to do about it is another thing.
    this.#failure.error = error;
    this.#settle(waiting, error);
    const kept = this.#queue.filter(({ record }) => !isDroppable(record));
    this.#queue = kept.slice(0, MAX_KEPT_ENTRIES);
    for (let left = kept.length; left > MAX_KEPT_ENTRIES; left -= 1) this.#count('lost');
  }

  #settle(waiting: readonly Waiting[], error: KeyturnError): void {
    for (const entry of waiting) {
      const { settle, record } = entry;
      if (settle === undefined) continue;
      entry.settle = undefined;
      if (isDroppable(record)) this.#count(this.#fateOf(record));
      settle(error);
    }
  }

  #count(what: 'refused' | 'lost'): void {
    if (what === 'lost') this.#lost += 1;
    else this.#refused += 1;
    if (this.#failure !== undefined) this.#failure[what] += 1;
  }

  /** What becomes of an entry that isn't written and isn't kept. */
  #fateOf(record: AuditRecord): 'refused' | 'lost' {
    return this.#options.onFailure === 'refuse' && isDroppable(record) ? 'refused' : 'lost';
  }
}

function tooSlow(): KeyturnError {
  const message = `${MAX_WAITING_ENTRIES} entries already wait for the audit log: its disk is too slow; try again later`;
  return new KeyturnError('AUDIT_UNAVAILABLE', message, { retryAfterMs: RETRY_MS });
}
