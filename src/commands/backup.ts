/** `keyturn backup`: the store as one checked file, while the daemon is stopped. */
import path from 'node:path';
import { type CommandSpec, isSwitchedOn, JSON_OPTION, textOption } from './command.ts';
import { requireConfigFile } from './config-file.ts';
import { EXIT } from './exit-code.ts';
import { summaryJson, summaryLines } from './store-views.ts';

export const backupCommand: CommandSpec = {
  name: 'backup',
  summary: 'copy the store to a file, checked from end to end (the daemon must be stopped)',
  options: [
    { flags: '--output <file>', description: 'the backup; it must not exist yet', required: true },
    JSON_OPTION,
  ],
  async run(context, { options }) {
    const { loadConfig } = await import('../config/load-config.ts');
    const { backUpStore } = await import('../store/sqlite/store-copy.ts');
    const { storeFile } = await loadConfig(requireConfigFile(context, options));
    const output = path.resolve(context.workingDirectory, textOption(options, 'output') ?? '');
    const summary = backUpStore(storeFile, output);
    if (isSwitchedOn(options, 'json')) {
      context.terminal.printJson({ file: output, ...summaryJson(summary) });
      return EXIT.ok;
    }
    context.terminal.print(`${output} is a whole backup of ${storeFile}`);
    for (const line of summaryLines(summary, context.clock.wallMs())) context.terminal.print(line);
    context.terminal.hint('private keys are in the token, and only there: the backup of the token comes first');
    return EXIT.ok;
  },
};
