/**
 * One segment, open for writing at its end. A write is durable when it resolves (O_DSYNC: one call instead of two), and
 * one that failed leaves nothing that counts: the next one begins where the last good one ended.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const MODE = 0o600;
const WRITE = constants.O_WRONLY | constants.O_DSYNC;

export class SegmentFile {
  readonly #file: FileHandle;
  #bytes: number;

  private constructor(file: FileHandle, bytes: number) {
    this.#file = file;
    this.#bytes = bytes;
  }

  /** An empty one may be there already: made just before a crash. Its name is durable when this resolves. */
  static async create(path: string, directory: string): Promise<SegmentFile> {
    const file = await open(path, WRITE | constants.O_CREAT, MODE);
    try {
      const { size } = await file.stat();
      if (size > 0) throw new Error(`${path} is there already, and not empty`);
      await syncDirectory(directory);
      return new SegmentFile(file, 0);
    } catch (failure) {
      await file.close();
      throw failure;
    }
  }

  /** Its first `bytes` bytes are good; what a write that failed left behind them goes. */
  static async reopen(path: string, bytes: number): Promise<SegmentFile> {
    const file = await open(path, WRITE);
    try {
      const { size } = await file.stat();
      if (size < bytes) throw new Error(`${path} is shorter than what was written: ${size} bytes of ${bytes}`);
      if (size > bytes) {
        await file.truncate(bytes);
        await file.datasync();
      }
      return new SegmentFile(file, bytes);
    } catch (failure) {
      await file.close();
      throw failure;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  async write(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.#bytes + done);
      done += bytesWritten;
    }
    this.#bytes += bytes.length;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** After a file in it was made or removed. */
export async function syncDirectory(directory: string): Promise<void> {
  const file = await open(directory, constants.O_RDONLY);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
