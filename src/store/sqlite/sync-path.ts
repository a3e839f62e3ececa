/** Makes a file's bytes, or a folder's names, durable. */
import { closeSync, fsyncSync, openSync } from 'node:fs';

export function syncPath(target: string): void {
  const descriptor = openSync(target, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
