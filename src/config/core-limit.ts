/** Whether the kernel would write the daemon's memory, in which TLS private keys are, into a file when it crashes. */
import { readFileSync } from 'node:fs';

/** What is smaller makes no file: core(5). */
const MAX_HARMLESS_BYTES = 1;
const SOFT_LIMIT = /^Max core file size\s+(\S+)/m;

/** Of this process; false where nobody can tell. */
export function allowsCoreDumps(): boolean {
  try {
    const limit = SOFT_LIMIT.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return limit !== undefined && !(Number(limit) <= MAX_HARMLESS_BYTES);
  } catch {
    return false;
  }
}
