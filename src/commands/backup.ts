/** `keyturn backup`: the store as one checked file; from the daemon while it runs, from the file while it doesn't. */
import path from 'node:path';
import { hasReason } from '../base/errors.ts';
import type { StoreSummary } from '../store/sqlite/store-copy.ts';
import {
  type CommandContext,
  type CommandSpec,
  isSwitchedOn,
  JSON_OPTION,
  type Options,
  textOption,
} from './command.ts';
import { requireConfigFile } from './config-file.ts';
import { isTargetNamed, withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { summaryJson, summaryLines } from './store-views.ts';

export const backupCommand: CommandSpec = {
  name: 'backup',
  summary: 'copy the store to a file, checked from end to end, whether the daemon runs or not',
  options: [
    { flags: '--output <file>', description: 'the backup; it must not exist yet', required: true },
    JSON_OPTION,
  ],
  async run(context, { options }) {
    const output = path.resolve(context.workingDirectory, textOption(options, 'output') ?? '');
    const { summary, source } = await backUp(context, options, output);
    if (isSwitchedOn(options, 'json')) {
      context.terminal.printJson({ file: output, ...summaryJson(summary) });
      return EXIT.ok;
    }
    context.terminal.print(`${output} is a whole backup of ${source}`);
    for (const line of summaryLines(summary, context.clock.wallMs())) context.terminal.print(line);
    context.terminal.hint('private keys are in the token, and only there: the backup of the token comes first');
    return EXIT.ok;
  },
};

interface Backup {
  readonly summary: StoreSummary;
  readonly source: string;
}

async function backUp(context: CommandContext, options: Options, output: string): Promise<Backup> {
  if (isTargetNamed(options)) return backUpDaemon(context, options, output);
  const { loadConfig } = await import('../config/load-config.ts');
  const { storeFile, grpcListeners } = await loadConfig(requireConfigFile(context, options));
  if (grpcListeners.some(({ kind }) => kind === 'unix')) {
    try {
      return await backUpDaemon(context, options, output);
    } catch (thrown) {
      if (!hasReason(thrown, 'DAEMON_UNREACHABLE')) throw thrown;
    }
  }
  const { backUpStore } = await import('../store/sqlite/store-copy.ts');
  return { summary: backUpStore(storeFile, output), source: storeFile };
}

async function backUpDaemon(context: CommandContext, options: Options, output: string): Promise<Backup> {
  const { receiveBackup } = await import('../store/sqlite/store-copy.ts');
  const summary = await withClient(context, options, (client) =>
    receiveBackup(output, (append) => client.backUpStore(append)),
  );
  return { summary, source: "the daemon's store" };
}
