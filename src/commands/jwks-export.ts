/** `keyturn jwks export`: the JWKS as a file for a web server to serve. */
import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { KeyturnError } from '../base/errors.ts';
import { textOption, type CommandSpec } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';

export const jwksExportCommand: CommandSpec = {
  name: 'jwks export',
  summary: 'write a key set to a file, for a web server to serve',
  options: [
    { flags: '--output <file>', description: 'the file to write', required: true },
    { flags: '--key-set <name>', description: 'the key set (default: default)' },
  ],
  async run(context, { options }) {
    const file = path.resolve(context.workingDirectory, textOption(options, 'output') ?? '');
    const keySet = await withClient(context, options, (client) =>
      client.getKeySet({ keySet: textOption(options, 'keySet') }),
    );
    await replaceFile(file, keySet.jwks);
    context.terminal.note(`wrote generation ${keySet.generation} of key set ${keySet.keySet} to ${file}`);
    context.terminal.hint(
      "a file proves nothing about what verifiers have seen: keyturn counts only what its own HTTP server answers, and the file doesn't follow the key set",
    );
    return EXIT.ok;
  },
};

/** A reader meets the old document or the new one, never half of one; so does whoever reads it after a power cut. */
async function replaceFile(file: string, content: Uint8Array): Promise<void> {
  const fresh = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const handle = await open(fresh, 'wx', 0o644);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, file);
  } catch (error) {
    await rm(fresh, { force: true });
    const text = error instanceof Error ? error.message : String(error);
    throw new KeyturnError('FIELD_INVALID', `--output can't be written: ${text}`, { field: '--output', cause: error });
  }
}
