/** A part of a log that is being written, for whoever copies it: whole lines, as they are. */
import { KeyturnError } from '../../base/errors.ts';
import { parseSegmentName } from '../segments.ts';
import { listSegments, readSegment } from './read-segments.ts';

/** Lines that are handed over together. */
const BATCH_BYTES = 128 * 1024;

/**
 * The lines of the entries `fromSeq` (0: the first that is kept) to `throughSeq`, in batches. They are counted, not read:
 * whether they are what they should be is for the reader to verify. Errors: COMMAND_NOT_POSSIBLE when an entry isn't kept
 * any more, AUDIT_UNAVAILABLE when a file can't be read.
 */
export async function* readRange(
  directory: string,
  fromSeq: number,
  throughSeq: number,
): AsyncGenerator<readonly Uint8Array[]> {
  if (throughSeq === 0) return;
  const segments = await listed(directory);
  const first = parseSegmentName(segments[0] ?? '') ?? 1;
  if (fromSeq > 0 && fromSeq < first) throw notKept(fromSeq, first);
  let batch: Uint8Array[] = [];
  let bytes = 0;
  for (const [index, segment] of segments.entries()) {
    let seq = parseSegmentName(segment) ?? 1;
    if ((parseSegmentName(segments[index + 1] ?? '') ?? Number.POSITIVE_INFINITY) <= fromSeq) continue;
    for await (const line of linesOf(directory, segment)) {
      if (seq > throughSeq) break;
      if (seq >= fromSeq) {
        batch.push(Buffer.from(line));
        bytes += line.length;
      }
      seq += 1;
      if (bytes < BATCH_BYTES) continue;
      yield batch;
      batch = [];
      bytes = 0;
    }
  }
  if (batch.length > 0) yield batch;
}

async function listed(directory: string): Promise<readonly string[]> {
  try {
    return await listSegments(directory);
  } catch (thrown) {
    throw unreadable(thrown);
  }
}

/** A segment may be removed by retention between the listing and the reading. */
async function* linesOf(directory: string, segment: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const { bytes, isWhole } of readSegment(directory, segment)) if (isWhole) yield bytes;
  } catch (thrown) {
    const names = await listed(directory);
    if (names.includes(segment)) throw unreadable(thrown);
    throw notKept(parseSegmentName(segment) ?? 0, parseSegmentName(names[0] ?? '') ?? 0);
  }
}

function notKept(seq: number, first: number): KeyturnError {
  return new KeyturnError(
    'COMMAND_NOT_POSSIBLE',
    `entry ${seq} isn't kept any more (audit.retention): the log begins with entry ${first}; begin a new copy from 0`,
  );
}

function unreadable(cause: unknown): KeyturnError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new KeyturnError('AUDIT_UNAVAILABLE', `the audit log can't be read: ${text}`, { cause });
}
