/** How far a log was forwarded: a head in a small file, replaced as a whole. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { KeyturnError } from '../../base/errors.ts';
import { formatHead, type Head, parseHead } from '../chain.ts';

const OWNER_ONLY = 0o600;

/** Undefined when there is none yet. Errors: FIELD_INVALID. */
export async function readPosition(file: string): Promise<Head | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const problem = error instanceof Error ? error.message : String(error);
    throw new KeyturnError('FIELD_INVALID', `the position in ${file} can't be read: ${problem}`, { cause: error });
  }
  return parseHead(text.trim(), file);
}

export async function writePosition(file: string, head: Head): Promise<void> {
  const next = `${file}.next`;
  await writeFile(next, `${formatHead(head)}\n`, { mode: OWNER_ONLY });
  await rename(next, file);
}
