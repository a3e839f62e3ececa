/**
 * The reserve: a file beside the store, `FILE.reserve`, whose blocks were written before they are needed. When the disk
 * is full the database can't grow, but bytes that have their blocks can still be replaced: a commit that must not wait
 * is written here, record after record, until the database takes it over. It knows bytes and rows, not the database.
 *
 * A record starts on a page of its own, so that writing one can't tear another, and its digest covers the record before
 * it: what is left over from an earlier use never continues a later one.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import path from 'node:path';
import { FILE_MODE } from './open-database.ts';
import { syncPath } from './sync-path.ts';
import type { EventRow } from './thread-messages.ts';

/** Room for the compromise of ten thousand key versions at once, or for a thousand small commits. */
export const RESERVE_BYTES = 4 * 1024 * 1024;

const PAGE_BYTES = 4_096;
/** "KTRS", then the payload's length, then its digest. */
const MAGIC = 0x4b_54_52_53;
const DIGEST_BYTES = 32;
const HEADER_BYTES = 8 + DIGEST_BYTES;

/** The unit of st_blocks. */
const STAT_BLOCK_BYTES = 512;

export class ReserveFile {
  readonly #fd: number;
  /** Where the next record goes. */
  #end = 0;
  #lastDigest: Uint8Array = Buffer.alloc(DIGEST_BYTES);
  /** A record, whole or not, may be in the file. */
  #isDirty = true;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Opens the file, or makes it and takes its blocks. Throws what the file system throws. */
  static open(file: string): ReserveFile {
    // A link planted here would have someone else's file overwritten.
    const fd = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, FILE_MODE);
    try {
      takeBlocks(fd);
      syncPath(path.dirname(file));
      return new ReserveFile(fd);
    } catch (failure) {
      closeSync(fd);
      throw failure;
    }
  }

  /** The rows of every whole record, in order; ends at the first that isn't whole, which nobody was told of. */
  readAll(): EventRow[] {
    const rows: EventRow[] = [];
    for (;;) {
      const payload = this.#readRecord();
      if (payload === undefined) return rows;
      rows.push(...(JSON.parse(payload.toString('utf8')) as EventRow[]));
    }
  }

  /** Durable when it returns; false when there is no room left. Throws what the file system throws. */
  append(rows: readonly EventRow[]): boolean {
    const payload = Buffer.from(JSON.stringify(rows), 'utf8');
    const record = Buffer.alloc(pagesOf(payload.length));
    if (this.#end + record.length > RESERVE_BYTES) return false;
    const digest = digestOf(this.#lastDigest, payload);
    record.writeUInt32BE(MAGIC, 0);
    record.writeUInt32BE(payload.length, 4);
    record.set(digest, 8);
    record.set(payload, HEADER_BYTES);
    this.#isDirty = true;
    try {
      writeAll(this.#fd, record, this.#end);
      fdatasyncSync(this.#fd);
    } catch (failure) {
      this.#wipe(this.#end);
      throw failure;
    }
    this.#end += record.length;
    this.#lastDigest = digest;
    return true;
  }

  /** Makes it empty again, durably: without its first record the others are nothing. */
  clear(): void {
    if (!this.#isDirty) return;
    writeAll(this.#fd, Buffer.alloc(PAGE_BYTES), 0);
    fdatasyncSync(this.#fd);
    this.#end = 0;
    this.#lastDigest = Buffer.alloc(DIGEST_BYTES);
    this.#isDirty = false;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** A record that was refused must not turn up after a crash, as far as a failing disk allows that. */
  #wipe(position: number): void {
    try {
      writeAll(this.#fd, Buffer.alloc(PAGE_BYTES), position);
      fdatasyncSync(this.#fd);
    } catch {
      // The first failure is the one to tell; the next record goes over these bytes anyway.
    }
  }

  #readRecord(): Buffer | undefined {
    if (this.#end + HEADER_BYTES > RESERVE_BYTES) return undefined;
    const header = readAt(this.#fd, this.#end, HEADER_BYTES);
    const length = header.readUInt32BE(4);
    if (header.readUInt32BE(0) !== MAGIC || this.#end + HEADER_BYTES + length > RESERVE_BYTES) return undefined;
    const payload = readAt(this.#fd, this.#end + HEADER_BYTES, length);
    const digest = digestOf(this.#lastDigest, payload);
    if (!digest.equals(header.subarray(8))) return undefined;
    this.#end += pagesOf(length);
    this.#lastDigest = digest;
    return payload;
  }
}

/**
 * Writes every byte, and doesn't merely ask for room: only then does every file system hold the blocks. What a sparse
 * copy left in the file stays in it, record by record.
 */
function takeBlocks(fd: number): void {
  const { size, blocks } = fstatSync(fd);
  if (size === RESERVE_BYTES && blocks * STAT_BLOCK_BYTES >= RESERVE_BYTES) return;
  try {
    writeAll(fd, readAt(fd, 0, RESERVE_BYTES), 0);
    fdatasyncSync(fd);
  } catch (failure) {
    // Of full size, it may hold records, and they count with or without room for more.
    if (size === RESERVE_BYTES) return;
    ftruncateSync(fd, size);
    throw failure;
  }
}

function pagesOf(payloadLength: number): number {
  return Math.ceil((HEADER_BYTES + payloadLength) / PAGE_BYTES) * PAGE_BYTES;
}

function digestOf(before: Uint8Array, payload: Uint8Array): Buffer {
  return createHash('sha256').update(before).update(payload).digest();
}

function writeAll(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}

function readAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const count = readSync(fd, bytes, done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return bytes;
}
