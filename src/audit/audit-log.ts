/**
 * The audit log's port: entries go in, and are durable when their promise resolves. Adapters: files/file-audit-log.ts
 * and test/fakes. What is written, and when somebody waits for it, is app's business.
 */
import type { Head } from './chain.ts';
import type { AuditRecord } from './entries.ts';

export interface LatestCheckpoint {
  readonly head: Head;
  readonly atMs: number;
  /** Of the entry, as it is in the log. */
  readonly line: string;
}

export interface AuditLogStatus {
  /** Of the last durable entry. */
  readonly head: Head;
  /** Entries since the daemon started. */
  readonly entries: number;
  /** Of all segments. */
  readonly bytes: number;
  readonly segments: number;
  /** The head that the latest checkpoint signs; undefined before the first since the daemon started. */
  readonly checkpoint: LatestCheckpoint | undefined;
  /** Why the disk takes no entries; undefined while it does. */
  readonly problem: string | undefined;
  /** Requests that were refused for want of an entry, since the daemon started. */
  readonly refused: number;
  /** Entries that are missing, since the daemon started (`onFailure: continue`). */
  readonly lost: number;
}

/** What a daemon finds in the log when it starts. */
export interface AuditLogStart {
  readonly head: Head;
  /** Of the latest entry that says it; undefined in an empty log. */
  readonly storeEvents: number | undefined;
}

export interface AuditLog {
  readonly start: AuditLogStart;
  /**
   * Resolves with the entry's sequence when it is durable, or with undefined when it is lost and `onFailure` is
   * `continue`. What only tells of a JWT or a refusal is dropped when the disk fails; everything else is kept and
   * written when it can be, whatever the promise said. Errors: AUDIT_UNAVAILABLE, SHUTTING_DOWN.
   */
  append(record: AuditRecord): Promise<number | undefined>;
  /** For what must not begin without an entry. Errors: AUDIT_UNAVAILABLE while the disk takes none. */
  requireWritable(): void;
  status(): AuditLogStatus;
  /**
   * The durable lines from entry `fromSeq` on (0: from the first that is kept), in batches, without their line feeds.
   * Errors: COMMAND_NOT_POSSIBLE when that entry isn't kept any more, AUDIT_UNAVAILABLE.
   */
  read(fromSeq: number): AsyncIterable<readonly Uint8Array[]>;
  /** Writes what waits, or gives up when the disk doesn't take it. Idempotent; everything after it fails with SHUTTING_DOWN. */
  close(): Promise<void>;
}

/** What may be dropped: nobody was answered. Everything else has happened, and is written late rather than never. */
export function isDroppable({ kind }: AuditRecord): boolean {
  return kind === 'JWT_DISPATCHED' || kind === 'JWT_FAILED' || kind === 'REFUSED';
}
