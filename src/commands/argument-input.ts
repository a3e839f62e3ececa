/** Arguments that are a text, a file (`@file`) or stdin (`-`). */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { KeyturnError } from '../base/errors.ts';
import type { CommandContext } from './command.ts';

/** The bytes, unchanged: what is signed must be what the user wrote. */
export async function readArgument(context: CommandContext, value: string, field: string): Promise<Uint8Array> {
  if (value === '-') return context.terminal.readInput();
  if (value.startsWith('@')) return readNamedFile(context, value.slice(1), field);
  return Buffer.from(value, 'utf8');
}

export async function readNamedFile(context: CommandContext, file: string, field: string): Promise<Buffer> {
  try {
    return await readFile(path.resolve(context.workingDirectory, file));
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new KeyturnError('FIELD_INVALID', `${field} can't be read: ${text}`, { field, cause: error });
  }
}
