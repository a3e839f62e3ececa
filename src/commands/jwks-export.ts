/** `keyturn jwks export`: the JWKS as a file for a web server to serve. */
import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { KeyturnError } from '../base/errors.ts';
import type { KeySet } from '../client/client.ts';
import { isSwitchedOn, textOption, type CommandSpec } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { followKeySet } from './follow-key-set.ts';
import { untilInterrupted } from './interruption.ts';

export const jwksExportCommand: CommandSpec = {
  name: 'jwks export',
  summary: 'write a key set to a file, for a web server to serve',
  options: [
    { flags: '--output <file>', description: 'the file to write', required: true },
    { flags: '--key-set <name>', description: 'the key set (default: default)' },
    { flags: '--follow', description: 'go on, and write the file anew whenever the key set changes, until SIGTERM' },
  ],
  async run(context, { options }) {
    const { clock, terminal } = context;
    const file = path.resolve(context.workingDirectory, textOption(options, 'output') ?? '');
    const request = { keySet: textOption(options, 'keySet') };
    const write = async ({ keySet, generation, jwks }: KeySet): Promise<void> => {
      await replaceFile(file, jwks);
      terminal.note(`wrote generation ${generation} of key set ${keySet} to ${file}`);
    };
    if (isSwitchedOn(options, 'follow')) {
      terminal.hint(`${PROVES_NOTHING}; let the web server send a short max-age`);
      await untilInterrupted((signal) =>
        followKeySet({
          open: (read) => withClient(context, options, (client) => read(client.watchKeySet(request, { signal }))),
          write,
          note: (line) => {
            terminal.note(line);
          },
          clock,
          signal,
        }),
      );
      terminal.note(`interrupted; ${file} stays as it is`);
      return EXIT.ok;
    }
    await write(await withClient(context, options, (client) => client.getKeySet(request)));
    terminal.hint(`${PROVES_NOTHING}, and the file doesn't follow the key set (--follow does)`);
    return EXIT.ok;
  },
};

const PROVES_NOTHING =
  'a file proves nothing about what verifiers have seen: keyturn counts only what its own HTTP server answers';

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
