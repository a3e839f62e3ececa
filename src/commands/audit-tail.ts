/** `keyturn audit tail`: the latest segment's entries, and each new one as it is written, until it is interrupted. */
import { isWanted } from '../audit/entry-filter.ts';
import { directoryOf, DIRECTORY_ARGUMENT } from './audit-log.ts';
import { FILTER_OPTIONS, filterOf, LINES_OPTION } from './audit-show.ts';
import { describeEntry } from './audit-views.ts';
import { type CommandSpec, isSwitchedOn } from './command.ts';
import { EXIT } from './exit-code.ts';

export const auditTailCommand: CommandSpec = {
  name: 'audit tail',
  summary: 'print the entries of the latest segment, and new ones as they come',
  arguments: [DIRECTORY_ARGUMENT],
  options: [...FILTER_OPTIONS, LINES_OPTION],
  async run(context, input) {
    const filter = filterOf(input.options);
    const { followLines } = await import('../audit/files/follow-segments.ts');
    const { parseEntry } = await import('../audit/encoding.ts');
    const asLines = isSwitchedOn(input.options, 'json');
    for await (const bytes of followLines(directoryOf(context, input))) {
      const entry = parseEntry(bytes);
      if (isWanted(entry, filter))
        context.terminal.print(asLines ? Buffer.from(bytes).toString('utf8') : describeEntry(entry));
    }
    return EXIT.ok;
  },
};
