/** The lines of an audit log as they are written, from segment to segment, for as long as somebody wants them. */
import { watch } from 'node:fs';
import path from 'node:path';
import { MAX_LINE_BYTES } from '../encoding.ts';
import { parseSegmentName } from '../segments.ts';
import { listSegments, openFile } from './read-segments.ts';

const READ_BYTES = 256 * 1024;
const LINE_FEED = 0x0a;

/**
 * Never ends by itself. `fromSeq`: begins with the segment in which that entry is, or would come; the latest one unless
 * given. A segment that retention removes before it was read is passed over.
 */
export async function* followLines(directory: string, fromSeq = Number.MAX_SAFE_INTEGER): AsyncGenerator<Uint8Array> {
  const segments = await listSegments(directory);
  const first = segments.findLast((name) => (parseSegmentName(name) ?? 0) <= fromSeq) ?? segments[0] ?? '';
  const reader = new SegmentFollower(directory, first);
  // Before the first read, so that nothing is missed between the two.
  const watcher = watch(directory);
  let isChanged = false;
  let wake = (): void => undefined;
  const notice = (): void => {
    isChanged = true;
    wake();
  };
  watcher.on('change', notice).on('error', notice);
  try {
    for (;;) {
      isChanged = false;
      yield* reader.readOn();
      if (isChanged) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    watcher.close();
  }
}

class SegmentFollower {
  readonly #directory: string;
  #segment: string;
  #offset = 0;

  constructor(directory: string, segment: string) {
    this.#directory = directory;
    this.#segment = segment;
  }

  /** What is there by now, whole lines only. */
  async *readOn(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const segments = await listSegments(this.#directory);
      if (segments.includes(this.#segment)) yield* this.#readSegment();
      // A segment gets nothing more once the next one is there: that one was listed before this one was read.
      const next = segments.find((segment) => segment > this.#segment);
      if (next === undefined) return;
      this.#segment = next;
      this.#offset = 0;
    }
  }

  async *#readSegment(): AsyncGenerator<Uint8Array> {
    const file = await openFile(path.join(this.#directory, this.#segment));
    try {
      const buffer = Buffer.alloc(READ_BYTES + MAX_LINE_BYTES);
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, this.#offset);
        const filled = buffer.subarray(0, bytesRead);
        let start = 0;
        for (let end = filled.indexOf(LINE_FEED); end >= 0; end = filled.indexOf(LINE_FEED, start)) {
          yield filled.subarray(start, end);
          start = end + 1;
        }
        if (start === 0) return;
        this.#offset += start;
      }
    } finally {
      await file.close();
    }
  }
}
