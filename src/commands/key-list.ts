/** `keyturn key list`: every signing key, one line each. */
import { isSwitchedOn, JSON_OPTION, type CommandSpec } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { describeSigningKeys } from './key-views.ts';
import { collectPages } from './paging.ts';

export const keyListCommand: CommandSpec = {
  name: 'key list',
  summary: 'list the signing keys',
  options: [JSON_OPTION],
  async run(context, { options }) {
    const { terminal } = context;
    const signingKeys = await withClient(context, options, (client) =>
      collectPages(async (page) => {
        const answer = await client.listSigningKeys(page);
        return { items: answer.signingKeys, nextPageToken: answer.nextPageToken };
      }),
    );
    if (isSwitchedOn(options, 'json')) {
      terminal.printJson({ signingKeys });
      return EXIT.ok;
    }
    for (const line of describeSigningKeys(signingKeys, context.clock.wallMs())) terminal.print(line);
    if (signingKeys.length === 0) terminal.hint('`keyturn key apply NAME --algorithm ES256` makes one');
    return EXIT.ok;
  },
};
