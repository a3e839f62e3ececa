/** `keyturn serve`: the daemon, in the foreground, until SIGTERM or SIGINT. */
import type { CommandSpec } from './command.ts';
import { requireConfigFile } from './config-file.ts';
import { EXIT } from './exit-code.ts';
import { replaceWithMemoryFlags } from './memory-flags.ts';
import { readVersion } from './project-files.ts';

export const serveCommand: CommandSpec = {
  name: 'serve',
  summary: 'run the daemon in the foreground until SIGTERM',
  async run(context, { options }) {
    const file = requireConfigFile(context, options);
    replaceWithMemoryFlags();
    const { runDaemon } = await import('../main.ts');
    await runDaemon(file, readVersion());
    return EXIT.ok;
  },
};
