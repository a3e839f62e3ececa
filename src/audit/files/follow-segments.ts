/** The lines of an audit log as they are written, from segment to segment, for as long as somebody wants them. */
import { watch } from 'node:fs';
import path from 'node:path';
import { MAX_LINE_BYTES } from '../encoding.ts';
import { listSegments, openFile } from './read-segments.ts';

const READ_BYTES = 256 * 1024;
const LINE_FEED = 0x0a;

/** Begins with the latest segment, and never ends by itself. */
export async function* followLines(directory: string): AsyncGenerator<Uint8Array> {
  const reader = new SegmentFollower(directory, (await listSegments(directory)).at(-1) ?? '');
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
      yield* this.#readSegment();
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
