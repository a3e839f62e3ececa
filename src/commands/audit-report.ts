/** `keyturn audit report`: the compliance evidence of a period, from the audit log's files alone. */
import { KeyturnError } from '../base/errors.ts';
import { directoryOf, DIRECTORY_ARGUMENT, VERIFY_OPTIONS, verifyOptionsOf } from './audit-log.ts';
import { type CommandSpec, isSwitchedOn, JSON_OPTION, type Options, textOption } from './command.ts';
import { EXIT } from './exit-code.ts';
import { parseTime } from './time.ts';

export const auditReportCommand: CommandSpec = {
  name: 'audit report',
  summary: 'print the compliance report of a period, as Markdown or JSON; needs no daemon',
  arguments: [DIRECTORY_ARGUMENT],
  options: [
    { flags: '--from <time>', description: 'when the period begins (ISO 8601 with its offset)', required: true },
    { flags: '--to <time>', description: 'when it ends', required: true },
    ...VERIFY_OPTIONS,
    JSON_OPTION,
  ],
  async run(context, input) {
    const { options } = input;
    const period = { fromMs: timeOf(options, 'from'), toMs: timeOf(options, 'to') };
    if (period.toMs <= period.fromMs)
      throw new KeyturnError('FIELD_INVALID', '--to must be later than --from', { field: '--to' });
    const verifyOptions = await verifyOptionsOf(context, options);
    const { verifyLog } = await import('../audit/files/verify-log.ts');
    const { ReportCollector } = await import('../audit/report/collect.ts');
    const { toMarkdown } = await import('../audit/report/markdown.ts');
    const collector = new ReportCollector(period);
    const verification = await verifyLog(directoryOf(context, input), verifyOptions, (entry) => {
      collector.add(entry);
    });
    const report = collector.report(verification);
    if (isSwitchedOn(options, 'json')) context.terminal.printJson(report);
    else context.terminal.print(toMarkdown(report).trimEnd());
    if (verification.problem === undefined) return EXIT.ok;
    context.terminal.error(`the log does not verify: ${verification.problem.message}`);
    context.terminal.hint('`keyturn audit verify` says more; the report holds what the log says all the same');
    return EXIT.refused;
  },
};

function timeOf(options: Options, name: 'from' | 'to'): number {
  return parseTime(textOption(options, name) ?? '', `--${name}`).getTime();
}
