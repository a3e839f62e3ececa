/** `keyturn jwks list`: the public keys that were imported into a key set. */
import { isSwitchedOn, JSON_OPTION, textOption, type CommandSpec } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { describeImportedKeys, KEY_SET_OPTION } from './imported-key-views.ts';
import { collectPages } from './paging.ts';

export const jwksListCommand: CommandSpec = {
  name: 'jwks list',
  summary: 'list the public keys that were imported into a key set',
  options: [KEY_SET_OPTION, JSON_OPTION],
  async run(context, { options }) {
    const { terminal, clock } = context;
    const keySet = textOption(options, 'keySet');
    const importedKeys = await withClient(context, options, (client) =>
      collectPages(async (page) => {
        const answer = await client.listPublicKeys({ keySet, ...page });
        return { items: answer.importedKeys, nextPageToken: answer.nextPageToken };
      }),
    );
    if (isSwitchedOn(options, 'json')) terminal.printJson({ importedKeys });
    else for (const line of describeImportedKeys(importedKeys, clock.wallMs())) terminal.print(line);
    return EXIT.ok;
  },
};
