/** `keyturn key unretire`: a retired signing key signs again. */
import type { CommandSpec } from './command.ts';
import { withClient } from './connection.ts';
import { KEY_COMMAND_OPTIONS, reportChange, toKeyCommand } from './key-command.ts';

export const keyUnretireCommand: CommandSpec = {
  name: 'key unretire',
  summary: 'bring a retired signing key back, within its rollback window',
  arguments: [{ syntax: '<name>', description: 'the signing key' }],
  options: KEY_COMMAND_OPTIONS,
  run(context, { arguments: [signingKey = ''], options }) {
    return withClient(context, options, async (client) => {
      const { signingKey: before } = await client.getSigningKey({ name: signingKey });
      const { signingKey: after } = await client.unretire({ signingKey, ...toKeyCommand(options) });
      return reportChange(context, options, { before, after });
    });
  },
};
