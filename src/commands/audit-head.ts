/** `keyturn audit head`: sequence and hash of the latest entry, to be kept elsewhere; reads the last segment alone. */
import { formatHead, hashLine, parseHead } from '../audit/chain.ts';
import { directoryOf, DIRECTORY_ARGUMENT } from './audit-log.ts';
import { type CommandSpec, isSwitchedOn, JSON_OPTION } from './command.ts';
import { EXIT } from './exit-code.ts';

export const auditHeadCommand: CommandSpec = {
  name: 'audit head',
  summary: 'print the head of an audit log: it stands for all of its entries',
  arguments: [DIRECTORY_ARGUMENT],
  options: [JSON_OPTION],
  async run(context, input) {
    const { readLastLine } = await import('../audit/files/read-segments.ts');
    const { parseEntry } = await import('../audit/encoding.ts');
    const line = await readLastLine(directoryOf(context, input));
    const entry = parseEntry(line);
    const head = formatHead(parseHead(`${entry.seq}:${hashLine(line)}`));
    if (isSwitchedOn(input.options, 'json')) context.terminal.printJson({ head, time: entry.time });
    else context.terminal.print(head);
    return EXIT.ok;
  },
};
