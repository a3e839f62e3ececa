/** `keyturn key rollback`: the version before the latest rotation signs again. */
import { isSwitchedOn, type CommandSpec } from './command.ts';
import { withClient } from './connection.ts';
import { KEY_COMMAND_OPTIONS, reportChange, toKeyCommand } from './key-command.ts';
import { formatTime } from './time.ts';

export const keyRollbackCommand: CommandSpec = {
  name: 'key rollback',
  summary: 'undo the latest rotation, within its rollback window',
  arguments: [{ syntax: '<name>', description: 'the signing key' }],
  options: KEY_COMMAND_OPTIONS,
  run(context, { arguments: [signingKey = ''], options }) {
    return withClient(context, options, async (client) => {
      const { signingKey: before } = await client.getSigningKey({ name: signingKey });
      const { signingKey: after } = await client.rollback({ signingKey, ...toKeyCommand(options) });
      const { rotationDueTime } = after;
      const verb = isSwitchedOn(options, 'dryRun') ? 'would be' : 'is';
      const remarks =
        rotationDueTime === undefined
          ? []
          : [
              `rotation on schedule ${verb} held until ${formatTime(rotationDueTime.getTime(), context.clock.wallMs())}, or until the next \`keyturn key rotate\``,
            ];
      return reportChange(context, options, { before, after, remarks });
    });
  },
};
