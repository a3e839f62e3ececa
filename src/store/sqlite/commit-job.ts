/** A commit of the port as rows. What breaks the port's contract throws here, in the caller's stack. */
import type { CommitOptions, StoredEvent, StreamAppend } from '../store.ts';
import type { CommitJob, EventRow } from './thread-messages.ts';

/** An event is a fact of some hundred bytes; more than this is a defect of its writer. */
const MAX_EVENT_BYTES = 1024 * 1024;

export function toCommitJob(appends: readonly StreamAppend[], options: CommitOptions = {}): CommitJob {
  const streams = new Set(appends.map(({ stream }) => stream));
  if (streams.size !== appends.length) throw new TypeError('a commit appends to each stream once');
  return {
    expected: appends.map(({ stream, expectedSequence }) => ({ stream, sequence: expectedSequence })),
    rows: appends.flatMap(({ stream, expectedSequence, events }) =>
      events.map((event, index) => toRow(stream, expectedSequence + 1 + index, event)),
    ),
    mayUseReserve: options.mayUseReserve ?? false,
  };
}

function toRow(stream: string, sequence: number, event: StoredEvent): EventRow {
  const { type, atMs, ...members } = event;
  if (!Number.isSafeInteger(atMs)) throw new TypeError(`atMs of ${type} must be a whole number of milliseconds`);
  const data = JSON.stringify(members);
  if (Buffer.byteLength(data) > MAX_EVENT_BYTES) throw new TypeError(`${type} is larger than ${MAX_EVENT_BYTES} bytes`);
  return { stream, sequence, type, atMs, data };
}
