/**
 * Where a log ends. Only the last batch can be incomplete after a crash: the tail is read as far back as a batch can
 * reach, and what doesn't hold together there is cut off, kept beside the log, and noted. Anything further back is not
 * a crash's doing, and not repaired.
 */
import { hash } from 'node:crypto';
import { mkdir, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyturnError } from '../../base/errors.ts';
import { EMPTY_HEAD, findBreak, type Head, hashLine } from '../chain.ts';
import { MAX_LINE_BYTES, parseEntry } from '../encoding.ts';
import type { AuditEntry } from '../entries.ts';
import { toSegments } from '../segments.ts';

const DIRECTORY_MODE = 0o700;
/** What is written at once. */
export const MAX_BATCH_BYTES = 1024 * 1024;
const TAIL_BYTES = MAX_BATCH_BYTES + 2 * MAX_LINE_BYTES;
const LINE_FEED = 0x0a;
const STORE_EVENTS = '"storeEvents":';

export interface Segment {
  readonly path: string;
  readonly firstSeq: number;
  readonly bytes: number;
}

export interface Tail {
  /** In order; the last one is written to. */
  readonly segments: readonly Segment[];
  readonly head: Head;
  readonly storeEvents: number | undefined;
  /** What doesn't belong to the log: to be kept at `keepAs`, then cut off the last segment, and noted. */
  readonly torn: { readonly bytes: Buffer; readonly sha256: string; readonly keepAs: string } | undefined;
}

/** Makes the directory, and writes nothing: the disk may be full. Errors: AUDIT_UNAVAILABLE, AUDIT_LOG_DAMAGED. */
export async function openTail(directory: string): Promise<Tail> {
  try {
    await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
    const segments = await listSegments(directory);
    const last = segments.at(-1);
    if (last === undefined) return { segments, head: EMPTY_HEAD, storeEvents: undefined, torn: undefined };
    return await readLast(segments, last);
  } catch (thrown) {
    if (thrown instanceof KeyturnError) throw thrown;
    throw new KeyturnError('AUDIT_UNAVAILABLE', `the audit log in ${directory} can't be read: ${String(thrown)}`, {
      cause: thrown,
    });
  }
}

export async function listSegments(directory: string): Promise<readonly Segment[]> {
  const segments: Segment[] = [];
  for (const { name, firstSeq } of toSegments(await readdir(directory))) {
    const path = join(directory, name);
    segments.push({ path, firstSeq, bytes: (await stat(path)).size });
  }
  return segments;
}

async function readLast(segments: readonly Segment[], last: Segment): Promise<Tail> {
  const from = Math.max(0, last.bytes - TAIL_BYTES);
  const bytes = await readRange(last.path, from, last.bytes - from);
  // Where the reading begins in the middle of a line, the first whole one follows.
  const begin = from === 0 ? 0 : bytes.indexOf(LINE_FEED) + 1;
  const { end, head } = followLines(bytes, begin, from === 0 ? last.firstSeq : undefined);
  if (head === undefined && from > 0) {
    throw new KeyturnError('AUDIT_LOG_DAMAGED', `${last.path} has no entry where its last ones should be`, {
      subject: last.path,
    });
  }
  const rest = bytes.subarray(end);
  const good = { ...last, bytes: from + end };
  const torn =
    rest.length === 0
      ? undefined
      : { bytes: rest, sha256: hash('sha256', rest, 'base64url'), keepAs: `${last.path}.cut-at-${good.bytes}` };
  if (head === undefined) {
    // Nothing of it is left, as of one that was begun just before a crash: the log ends with the segment before.
    const before = segments.at(-2);
    if (before === undefined) return { segments: [good], head: EMPTY_HEAD, storeEvents: undefined, torn };
    const tail = await readLast(segments.slice(0, -1), before);
    return { ...tail, segments: [...tail.segments, good], torn: torn ?? tail.torn };
  }
  const storeEvents = lastStoreEvents(bytes.subarray(begin, end)) ?? (await findStoreEvents(last.path, from));
  return { segments: [...segments.slice(0, -1), good], head, storeEvents, torn };
}

async function readRange(path: string, from: number, length: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await file.read(bytes, done, length - done, from + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  } finally {
    await file.close();
  }
}

interface Link {
  readonly seq: number;
  readonly prev: string;
  readonly kind: unknown;
}

/** As far as one line follows from the other. `firstSeq`: what the first one must have, where that is known. */
function followLines(
  bytes: Buffer,
  begin: number,
  firstSeq: number | undefined,
): { readonly end: number; readonly head: Head | undefined } {
  let head: Head | undefined;
  let at = begin;
  for (;;) {
    const lineEnd = bytes.indexOf(LINE_FEED, at);
    const line = lineEnd < 0 ? undefined : bytes.subarray(at, lineEnd);
    const link = line === undefined ? undefined : findLink(line);
    if (line === undefined || link === undefined) break;
    const isNext = head === undefined ? firstSeq === undefined || link.seq === firstSeq : !findBreak(head, link);
    if (!isNext) break;
    head = { seq: link.seq, hash: hashLine(line) };
    at = lineEnd + 1;
  }
  return { end: at, head };
}

/** Entries of a newer version of keyturn are entries too: their place in the chain is all that matters here. */
export function findLink(line: Buffer): Link | undefined {
  try {
    const value: unknown = JSON.parse(line.toString('utf8'));
    if (typeof value !== 'object' || value === null || !('seq' in value) || !('prev' in value)) return undefined;
    const { seq, prev } = value;
    const kind = 'kind' in value ? value.kind : undefined;
    return typeof seq === 'number' && typeof prev === 'string' ? { seq, prev, kind } : undefined;
  } catch {
    return undefined;
  }
}

/** Backwards through a segment, a part at a time. Every segment but the first begins with an entry that says it. */
async function findStoreEvents(path: string, end: number): Promise<number | undefined> {
  for (let to = end; to > 0; ) {
    const from = Math.max(0, to - TAIL_BYTES);
    // Lines that the parts share are whole in one of them.
    const bytes = await readRange(path, from, to - from + MAX_LINE_BYTES);
    const found = lastStoreEvents(bytes.subarray(from === 0 ? 0 : bytes.indexOf(LINE_FEED) + 1));
    if (found !== undefined) return found;
    to = from;
  }
  return undefined;
}

function lastStoreEvents(bytes: Buffer): number | undefined {
  for (let at = bytes.length; at > 0; ) {
    at = bytes.lastIndexOf(STORE_EVENTS, at - 1);
    if (at < 0) return undefined;
    const start = bytes.lastIndexOf(LINE_FEED, at) + 1;
    const lineEnd = bytes.indexOf(LINE_FEED, at);
    // The text may stand in somebody's words as well: the entry says whether it is the member.
    const entry = lineEnd < 0 ? undefined : tryParse(bytes.subarray(start, lineEnd));
    if (entry !== undefined && 'storeEvents' in entry) return entry.storeEvents;
    at = start;
  }
  return undefined;
}

function tryParse(line: Buffer): AuditEntry | undefined {
  try {
    return parseEntry(line);
  } catch {
    return undefined;
  }
}
