/** `keyturn jwks show`: a key set as the daemon publishes it. */
import { isSwitchedOn, textOption, type CommandSpec } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { describeKeySet } from './key-set-view.ts';

export const jwksShowCommand: CommandSpec = {
  name: 'jwks show',
  summary: 'print a key set, as the daemon publishes it',
  options: [
    { flags: '--key-set <name>', description: 'the key set (default: default)' },
    { flags: '--json', description: 'print the JWKS' },
  ],
  async run(context, { options }) {
    const keySet = await withClient(context, options, (client) =>
      client.getKeySet({ keySet: textOption(options, 'keySet') }),
    );
    if (isSwitchedOn(options, 'json')) context.terminal.print(Buffer.from(keySet.jwks).toString('utf8'));
    else for (const line of describeKeySet(keySet)) context.terminal.print(line);
    return EXIT.ok;
  },
};
