/** `keyturn key show`: one signing key, all of its versions, and what may happen next. */
import { isSwitchedOn, JSON_OPTION, type CommandSpec } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { describeNext, describeSigningKey, describeVersions } from './key-views.ts';
import { collectPages } from './paging.ts';

export const keyShowCommand: CommandSpec = {
  name: 'key show',
  summary: 'show a signing key, its versions, and what may happen next and when',
  arguments: [{ syntax: '<name>', description: 'the signing key' }],
  options: [JSON_OPTION],
  async run(context, input) {
    const [name = ''] = input.arguments;
    const { terminal } = context;
    const { signingKey, keyVersions } = await withClient(context, input.options, async (client) => ({
      signingKey: (await client.getSigningKey({ name })).signingKey,
      keyVersions: await collectPages(async (page) => {
        const answer = await client.listKeyVersions({ signingKey: name, ...page });
        return { items: answer.keyVersions, nextPageToken: answer.nextPageToken };
      }),
    }));
    if (isSwitchedOn(input.options, 'json')) {
      terminal.printJson({ signingKey, keyVersions });
      return EXIT.ok;
    }
    const nowMs = context.clock.wallMs();
    const blocks = [
      describeSigningKey(signingKey, nowMs),
      describeVersions(keyVersions, nowMs),
      describeNext(signingKey, keyVersions, nowMs),
    ];
    for (const line of blocks.flatMap((block, index) => (index === 0 ? block : ['', ...block]))) terminal.print(line);
    return EXIT.ok;
  },
};
