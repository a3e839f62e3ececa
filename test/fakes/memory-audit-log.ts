/** An audit log that behaves: a chain, durable at once unless a test holds the disk or lets it fail. */
import { type AuditLog, type AuditLogStart, type AuditLogStatus, isDroppable } from '../../src/audit/audit-log.ts';
import { EMPTY_HEAD, type Head, linkRecord, parseHead } from '../../src/audit/chain.ts';
import { parseEntry } from '../../src/audit/encoding.ts';
import type { AuditEntry, AuditRecord, EntryKind } from '../../src/audit/entries.ts';
import { KeyturnError } from '../../src/base/errors.ts';
import { T0 } from '../fixtures/lifecycle.ts';

export class MemoryAuditLog implements AuditLog {
  readonly start: AuditLogStart;
  readonly lines: string[];
  readonly #nowMs: () => number;
  /** Of `refuse`. */
  isFailing = false;
  #head: Head;
  #checkpoint: AuditLogStatus['checkpoint'];
  #refused = 0;
  #gate: Promise<void> | undefined;
  #kept: AuditRecord[] = [];

  /** `nowMs`: the time of the entries; always the same unless given. */
  constructor(
    start: AuditLogStart = { head: EMPTY_HEAD, storeEvents: undefined },
    lines: readonly string[] = [],
    nowMs = () => T0,
  ) {
    this.start = start;
    this.#nowMs = nowMs;
    this.lines = [...lines];
    this.#head = start.head;
  }

  /** What the next run of the daemon finds. */
  reopened(): MemoryAuditLog {
    const counts = this.entries.flatMap((entry) => ('storeEvents' in entry ? [entry.storeEvents] : []));
    return new MemoryAuditLog({ head: this.#head, storeEvents: counts.at(-1) }, this.lines, this.#nowMs);
  }

  get entries(): readonly AuditEntry[] {
    return this.lines.map((line) => parseEntry(Buffer.from(line)));
  }

  /** Those of a kind. */
  ofKind<K extends EntryKind>(kind: K): readonly (AuditEntry & { readonly kind: K })[] {
    return this.entries.filter((entry): entry is AuditEntry & { readonly kind: K } => entry.kind === kind);
  }

  /** Entries become durable when the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return () => {
      this.#gate = undefined;
      resolve();
    };
  }

  recover(): void {
    this.isFailing = false;
    for (const record of this.#kept.splice(0)) this.#write(record);
  }

  async append(record: AuditRecord): Promise<number | undefined> {
    if (this.isFailing) {
      if (isDroppable(record)) this.#refused += 1;
      else this.#kept.push(record);
      throw failure();
    }
    const seq = this.#write(record);
    await this.#gate;
    return seq;
  }

  requireWritable(): void {
    if (this.isFailing) throw failure();
  }

  status(): AuditLogStatus {
    return {
      head: this.#head,
      entries: this.lines.length,
      bytes: 0,
      segments: 1,
      checkpoint: this.#checkpoint,
      problem: this.isFailing ? failure().message : undefined,
      refused: this.#refused,
      lost: 0,
    };
  }

  async *read(fromSeq: number): AsyncGenerator<readonly Uint8Array[]> {
    await this.#gate;
    const from = Math.max(0, fromSeq - 1);
    if (from < this.lines.length) yield this.lines.slice(from).map((line) => Buffer.from(line));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #write(record: AuditRecord): number {
    const { line, head } = linkRecord(this.#head, record, this.#nowMs());
    this.lines.push(line);
    this.#head = head;
    if (record.kind === 'CHECKPOINT') this.#checkpoint = { head: parseHead(record.head), atMs: this.#nowMs(), line };
    return head.seq;
  }
}

function failure(): KeyturnError {
  return new KeyturnError('AUDIT_UNAVAILABLE', 'the audit log takes no entries (planted)');
}
