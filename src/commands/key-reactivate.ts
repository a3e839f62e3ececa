/** `keyturn key reactivate`: a SUSPENDED version signs again. */
import type { CommandSpec } from './command.ts';
import { withClient } from './connection.ts';
import { KEY_COMMAND_OPTIONS, parseVersion, reportChange, toKeyCommand } from './key-command.ts';

export const keyReactivateCommand: CommandSpec = {
  name: 'key reactivate',
  summary: 'let a SUSPENDED version sign again, in place of the one that signs now',
  arguments: [
    { syntax: '<name>', description: 'the signing key' },
    { syntax: '<version>', description: 'the number of a SUSPENDED version' },
  ],
  options: KEY_COMMAND_OPTIONS,
  run(context, { arguments: [signingKey = '', versionText = ''], options }) {
    const version = parseVersion(versionText, 'version');
    return withClient(context, options, async (client) => {
      const { signingKey: before } = await client.getSigningKey({ name: signingKey });
      const { signingKey: after } = await client.reactivate({ signingKey, version, ...toKeyCommand(options) });
      return reportChange(context, options, { before, after });
    });
  },
};
