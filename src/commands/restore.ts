/** `keyturn restore`: a backup in the store's place, while the daemon is stopped; the old store is kept. */
import path from 'node:path';
import { type StoreRestored, TOKEN_STREAM } from '../lifecycle/token-log.ts';
import type { StoreSummary } from '../store/sqlite/store-copy.ts';
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
    const suffix = formatIso(nowMs).replaceAll(/[-:]/g, '');
    const restore = prepareRestore({
      input,
      file: storeFile,
      suffix,
      toMark: (summary) => ({ stream: TOKEN_STREAM, event: toRestored(summary, nowMs) }),
    });
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
    tellWhatIsNext(context);
    return EXIT.ok;
  },
};

/** Without a single event the copy knows nothing: of any time. */
function toRestored({ lastEventAtMs = 0, sha256 }: StoreSummary, nowMs: number): StoreRestored {
  return { type: 'STORE_RESTORED', atMs: nowMs, knownUntilMs: lastEventAtMs, sha256 };
}

/** A restored store believes what was true when it was backed up. */
function tellWhatIsNext({ terminal }: CommandContext): void {
  terminal.hint('it knows nothing of what happened after the backup: nothing signs and no key set is published yet');
  terminal.hint(
    'start the daemon, then decide with `keyturn recover --dry-run`; docs/operate/backup.md has every step',
  );
}
