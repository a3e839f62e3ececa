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
    const { signingKey, versions } = await withClient(context, input.options, async (client) => ({
      signingKey: await client.getSigningKey(name),
      versions: await collectPages((pageSize, pageToken) => client.listKeyVersions({ signingKey: name, pageSize, pageToken })),
    }));
    if (isSwitchedOn(input.options, 'json')) {
      terminal.printJson({ signingKey, versions });
      return EXIT.ok;
    }
    const nowMs = context.clock.wallMs();
    const blocks = [describeSigningKey(signingKey, nowMs), describeVersions(versions, nowMs), describeNext(signingKey, versions, nowMs)];
    for (const line of blocks.flatMap((block, index) => (index === 0 ? block : ['', ...block]))) terminal.print(line);
    return EXIT.ok;
  },
};
