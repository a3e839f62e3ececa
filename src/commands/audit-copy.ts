/** `keyturn audit copy`: a copy of the daemon's audit log, carried on; the daemon's files needn't be at hand. */
import { formatHead } from '../audit/chain.ts';
import { directoryOf } from './audit-log.ts';
import { type CommandSpec, isSwitchedOn, JSON_OPTION } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';

export const auditCopyCommand: CommandSpec = {
  name: 'audit copy',
  summary: "copy the daemon's audit log, or what is new in it, and see that the copy's last entry is still in it",
  arguments: [{ syntax: '<directory>', description: 'the copy; made when it is not there, carried on when it is' }],
  options: [JSON_OPTION],
  async run(context, input) {
    const directory = directoryOf(context, input);
    const { copyLog } = await import('../audit/files/copy-log.ts');
    const { added, head } = await withClient(context, input.options, (client) =>
      copyLog(directory, (fromSequence) => client.listEntries({ fromSequence })),
    );
    const { terminal } = context;
    if (isSwitchedOn(input.options, 'json')) {
      terminal.printJson({ directory, added, head: formatHead(head) });
      return EXIT.ok;
    }
    terminal.print(`${added} new entries; ${directory} ends with ${formatHead(head)}`);
    terminal.hint(`\`keyturn audit verify ${directory} --key FILE\` shows whether the token has signed for it`);
    return EXIT.ok;
  },
};
