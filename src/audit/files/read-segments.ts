/**
 * The lines of an audit log's directory, in order, whatever its size: one buffer is held at a time. Reads files and
 * judges nothing: what a line says is for whoever asked.
 */
import { type FileHandle, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { KeyturnError } from '../../base/errors.ts';
import { MAX_LINE_BYTES } from '../encoding.ts';
import { segmentName, toSegments } from '../segments.ts';

const READ_BYTES = 1024 * 1024;
const LINE_FEED = 0x0a;

export interface LogLine {
  /** Without its line feed. Valid until the next line is asked for. */
  readonly bytes: Uint8Array;
  readonly segment: string;
  /** False at the end of a file that breaks off within a line. */
  readonly isWhole: boolean;
}

/** In the order of their sequences. Errors: FIELD_INVALID when there is none. */
export async function listSegments(directory: string): Promise<readonly string[]> {
  let names: readonly string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    throw unreadable(directory, error);
  }
  const segments = toSegments(names).map(({ name }) => name);
  if (segments.length > 0) return segments;
  throw new KeyturnError('FIELD_INVALID', `${directory} holds no audit log: no file is named like ${segmentName(1)}`, {
    field: 'directory',
  });
}

export async function* readLines(directory: string): AsyncGenerator<LogLine> {
  for (const segment of await listSegments(directory)) yield* readSegment(directory, segment);
}

/** Errors: FIELD_INVALID when it can't be read. */
export async function* readSegment(directory: string, segment: string): AsyncGenerator<LogLine> {
  const file = await openFile(path.join(directory, segment));
  try {
    const buffer = Buffer.alloc(READ_BYTES + MAX_LINE_BYTES + 1);
    let held = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, held, READ_BYTES);
      if (bytesRead === 0) break;
      const filled = held + bytesRead;
      let start = 0;
      for (let end = buffer.indexOf(LINE_FEED); end >= 0 && end < filled; end = buffer.indexOf(LINE_FEED, start)) {
        yield { bytes: buffer.subarray(start, end), segment, isWhole: true };
        start = end + 1;
      }
      held = filled - start;
      buffer.copyWithin(0, start, filled);
      // Longer than any line: whoever parses it says so.
      if (held > MAX_LINE_BYTES) break;
    }
    if (held > 0) yield { bytes: buffer.subarray(0, held), segment, isWhole: held > MAX_LINE_BYTES };
  } finally {
    await file.close();
  }
}

/** The latest whole line. Errors: FIELD_INVALID when there is none. */
export async function readLastLine(directory: string): Promise<Uint8Array> {
  const segments = await listSegments(directory);
  for (const segment of segments.toReversed()) {
    const line = await readLastLineOf(path.join(directory, segment));
    if (line !== undefined) return line;
  }
  throw new KeyturnError('FIELD_INVALID', `the audit log in ${directory} has no entry yet`, { field: 'directory' });
}

async function readLastLineOf(name: string): Promise<Uint8Array | undefined> {
  const file = await openFile(name);
  try {
    const { size } = await file.stat();
    // The last whole line, and what a crash may have left after it.
    const length = Math.min(size, 2 * (MAX_LINE_BYTES + 1));
    const tail = Buffer.alloc(length);
    const { bytesRead } = await file.read(tail, 0, length, size - length);
    const end = tail.subarray(0, bytesRead).lastIndexOf(LINE_FEED);
    if (end < 0) return undefined;
    return tail.subarray(tail.subarray(0, end).lastIndexOf(LINE_FEED) + 1, end);
  } finally {
    await file.close();
  }
}

export async function openFile(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, cause: unknown): KeyturnError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new KeyturnError('FIELD_INVALID', `${file} can't be read: ${text}`, { field: 'directory', cause });
}
