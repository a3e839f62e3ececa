/** `keyturn audit checkpoint`: where the daemon's audit log ends, and the latest head that the token has signed. */
import { findCheckpointProblem } from '../audit/checkpoints.ts';
import { parseEntry } from '../audit/encoding.ts';
import { KeyturnError } from '../base/errors.ts';
import { type CommandSpec, isSwitchedOn, JSON_OPTION } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { formatFields } from './table.ts';

export const auditCheckpointCommand: CommandSpec = {
  name: 'audit checkpoint',
  summary: "print where the daemon's audit log ends, and the latest head that the token has signed",
  options: [JSON_OPTION],
  async run(context, { options }) {
    const { head, checkpoint } = await withClient(context, options, (client) => client.getCheckpoint());
    const signed = checkpoint === undefined ? undefined : parseCheckpoint(checkpoint);
    const { terminal } = context;
    if (isSwitchedOn(options, 'json')) {
      terminal.printJson({ head, ...(signed === undefined ? {} : { checkpoint: signed }) });
      return EXIT.ok;
    }
    const lines: readonly (readonly [string, string])[] = [
      ['head', head],
      ['signed', signed === undefined ? 'nothing since the daemon started' : signed.head],
      ...(signed === undefined
        ? []
        : ([
            ['signed at', signed.signedTime],
            ['kid', signed.kid],
          ] as const)),
    ];
    for (const line of formatFields(lines)) terminal.print(line);
    return EXIT.ok;
  },
};

/** Errors: AUDIT_LOG_DAMAGED when the line is no checkpoint, or not signed by the key that it names. */
function parseCheckpoint(line: string): { readonly head: string; readonly signedTime: string; readonly kid: string } {
  const entry = parseEntry(Buffer.from(line));
  if (entry.kind !== 'CHECKPOINT')
    throw new KeyturnError('AUDIT_LOG_DAMAGED', `the daemon calls a ${entry.kind} its latest checkpoint`);
  const problem = findCheckpointProblem(entry);
  if (problem !== undefined) throw new KeyturnError('AUDIT_LOG_DAMAGED', `the daemon's latest checkpoint: ${problem}`);
  return { head: entry.head, signedTime: entry.signedTime, kid: entry.kid };
}
