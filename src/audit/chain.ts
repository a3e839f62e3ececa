/**
 * The chain: each entry holds the SHA-256 of the line before it, so that a head (sequence and hash of the last line)
 * commits to everything before. Pure.
 */
import { hash } from 'node:crypto';
import { KeyturnError } from '../base/errors.ts';
import { encodeEntry } from './encoding.ts';
import type { AuditEntry, AuditRecord, Digest } from './entries.ts';

/** Sequence and hash of a last line. */
export interface Head {
  readonly seq: number;
  readonly hash: Digest;
}

/** Before the first entry. */
export const EMPTY_HEAD: Head = { seq: 0, hash: 'A'.repeat(43) };

const HEAD = /^(0|[1-9]\d{0,15}):([A-Za-z0-9_-]{43})$/;

/** `SEQ:HASH`. */
export function formatHead({ seq, hash: digest }: Head): string {
  return `${seq}:${digest}`;
}

/** Errors: FIELD_INVALID. */
export function parseHead(value: unknown, field = 'head'): Head {
  const [, digits, digest] = typeof value === 'string' ? (HEAD.exec(value) ?? []) : [];
  const seq = Number(digits);
  if (digest !== undefined && Number.isSafeInteger(seq)) return { seq, hash: digest };
  throw new KeyturnError('FIELD_INVALID', `${field} must be SEQ:HASH, as keyturn audit head prints it`, { field });
}

/** Of the exact bytes of a line, without its line feed. */
export function hashLine(line: string | Uint8Array): Digest {
  return hash('sha256', line, 'base64url');
}

export interface Link {
  /** Without its line feed. */
  readonly line: string;
  readonly head: Head;
}

/** The next line after `head`. */
export function linkRecord(head: Head, record: AuditRecord, timeMs: number): Link {
  const seq = head.seq + 1;
  const line = encodeEntry(record, { seq, time: toTime(timeMs), prev: head.hash });
  return { line, head: { seq, hash: hashLine(line) } };
}

/** RFC 3339, UTC, milliseconds. */
export function toTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** What is wrong when this entry follows that head; undefined when it does. */
export function findBreak(head: Head, { seq, prev }: Pick<AuditEntry, 'seq' | 'prev'>): string | undefined {
  if (seq !== head.seq + 1) return `entry ${head.seq + 1} must follow, and entry ${seq} does`;
  if (prev !== head.hash) return `prev must be the hash of entry ${head.seq}: one of the two was changed`;
  return undefined;
}
