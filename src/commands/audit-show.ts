/** `keyturn audit show`: the entries that somebody asks for, from the files. */
import { type EntryFilter, isWanted, parseKinds } from '../audit/entry-filter.ts';
import { directoryOf, DIRECTORY_ARGUMENT } from './audit-log.ts';
import { describeEntry } from './audit-views.ts';
import { type CommandSpec, isSwitchedOn, type Options, type OptionSpec, textOption } from './command.ts';
import { EXIT } from './exit-code.ts';
import { parseTime } from './time.ts';

/** Lines of the log, as they are. */
export const LINES_OPTION: OptionSpec = { flags: '--json', description: 'print the lines of the log as they are' };

export const FILTER_OPTIONS: readonly OptionSpec[] = [
  { flags: '--kind <kinds>', description: 'of these kinds, separated by commas: JWT_DISPATCHED, CALL, EVENT, …' },
  { flags: '--signing-key <name>', description: 'about this signing key' },
  { flags: '--kid <kid>', description: 'about the key with this kid' },
  { flags: '--caller <caller>', description: 'by this caller' },
  { flags: '--jti <jti>', description: 'of the JWT with this jti' },
];

export const auditShowCommand: CommandSpec = {
  name: 'audit show',
  summary: 'print entries of an audit log; needs no daemon, and verifies nothing',
  arguments: [DIRECTORY_ARGUMENT],
  options: [
    ...FILTER_OPTIONS,
    { flags: '--from <time>', description: 'not before this time (ISO 8601 with its offset)' },
    { flags: '--to <time>', description: 'before this time' },
    LINES_OPTION,
  ],
  async run(context, input) {
    const filter = filterOf(input.options);
    const { readLines } = await import('../audit/files/read-segments.ts');
    const { parseEntry } = await import('../audit/encoding.ts');
    const asLines = isSwitchedOn(input.options, 'json');
    for await (const { bytes, isWhole } of readLines(directoryOf(context, input))) {
      if (!isWhole) continue;
      const entry = parseEntry(bytes);
      if (isWanted(entry, filter))
        context.terminal.print(asLines ? Buffer.from(bytes).toString('utf8') : describeEntry(entry));
    }
    return EXIT.ok;
  },
};

export function filterOf(options: Options): EntryFilter {
  const timeOf = (name: string): number | undefined => {
    const text = textOption(options, name);
    return text === undefined ? undefined : parseTime(text, `--${name}`).getTime();
  };
  const kinds = textOption(options, 'kind');
  return {
    kinds: kinds === undefined ? undefined : parseKinds(kinds, '--kind'),
    signingKey: textOption(options, 'signingKey'),
    kid: textOption(options, 'kid'),
    caller: textOption(options, 'caller'),
    jti: textOption(options, 'jti'),
    fromMs: timeOf('from'),
    toMs: timeOf('to'),
  };
}
