/** `keyturn restore`: a backup in the store's place, while the daemon is stopped; the old store is kept. */
import path from 'node:path';
import { type CommandContext, type CommandSpec, isSwitchedOn, JSON_OPTION, textOption } from './command.ts';
import { requireConfigFile } from './config-file.ts';
import { confirmByName, requireConfirmable, YES_OPTION } from './confirm.ts';
import { EXIT } from './exit-code.ts';
import { summaryJson, summaryLines } from './store-views.ts';
import { formatIso } from './time.ts';

export const restoreCommand: CommandSpec = {
  name: 'restore',
  summary: 'put a backup in the place of the store, which is kept (the daemon must be stopped)',
  options: [
    { flags: '--input <file>', description: 'a file that `keyturn backup` wrote', required: true },
    YES_OPTION,
    JSON_OPTION,
  ],
  async run(context, { options }) {
    requireConfirmable(context, options);
    const { loadConfig } = await import('../config/load-config.ts');
    const { prepareRestore } = await import('../store/sqlite/restore-store.ts');
    const { storeFile } = await loadConfig(requireConfigFile(context, options));
    const input = path.resolve(context.workingDirectory, textOption(options, 'input') ?? '');
    const nowMs = context.clock.wallMs();
    const mark = formatIso(nowMs).replaceAll(/[-:]/g, '');
    const restore = prepareRestore({ input, file: storeFile, mark });
    try {
      const kept = restore.keptAs === undefined ? 'there is none now' : `the present one is kept as ${restore.keptAs}`;
      context.terminal.note(`${input} would become the store ${storeFile}; ${kept}`);
      for (const line of summaryLines(restore.summary, nowMs)) context.terminal.note(line);
      await confirmByName(context, options, path.basename(storeFile));
      restore.carryOut();
    } finally {
      restore.dispose();
    }
    if (isSwitchedOn(options, 'json'))
      context.terminal.printJson({ file: storeFile, keptAs: restore.keptAs, ...summaryJson(restore.summary) });
    else context.terminal.print(`${storeFile} is restored from ${input}`);
    tellWhatIsForgotten(context);
    return EXIT.ok;
  },
};

/** A restored store believes what was true when it was backed up. */
function tellWhatIsForgotten({ terminal }: CommandContext): void {
  terminal.hint(
    'what happened after the backup is forgotten: declare again each version that was compromised since then',
  );
  terminal.hint('then start the daemon, and run `keyturn doctor`; docs/operate/backup.md has the whole list');
}
