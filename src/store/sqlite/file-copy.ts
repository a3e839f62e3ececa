/** A copy of the store that is read once: its file has no name any more, so that not even a crash leaves it behind. */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { MAX_CHUNK_BYTES, type StoreCopy } from '../store.ts';

/** Takes over the file. */
export async function openFileCopy(file: string): Promise<StoreCopy> {
  try {
    return new FileCopy(await open(file, 'r'));
  } finally {
    await rm(file, { force: true });
  }
}

class FileCopy implements StoreCopy {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async *read(): AsyncIterable<Uint8Array> {
    for (let position = 0; ; ) {
      const { bytesRead, buffer } = await this.#file.read(Buffer.alloc(MAX_CHUNK_BYTES), 0, MAX_CHUNK_BYTES, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async dispose(): Promise<void> {
    await this.#file.close();
  }
}
