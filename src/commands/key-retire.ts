/** `keyturn key retire`: a whole signing key goes out of service. Asks first: signing stops, and soon for good. */
import { isSwitchedOn, type CommandSpec } from './command.ts';
import { confirmByName, requireConfirmable, YES_OPTION } from './confirm.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { describeRetirement } from './key-change-views.ts';
import { KEY_COMMAND_OPTIONS, toKeyCommand } from './key-command.ts';

export const keyRetireCommand: CommandSpec = {
  name: 'key retire',
  summary: 'take a whole signing key out of service; within its rollback window it can come back',
  arguments: [{ syntax: '<name>', description: 'the signing key' }],
  options: [...KEY_COMMAND_OPTIONS, YES_OPTION],
  async run(context, { arguments: [signingKey = ''], options }) {
    const { terminal, clock } = context;
    const isDryRun = isSwitchedOn(options, 'dryRun');
    if (!isDryRun) requireConfirmable(context, options);
    const command = { signingKey, ...toKeyCommand(options) };
    const after = await withClient(context, options, async (client) => {
      const preview = await client.retire({ ...command, validateOnly: true });
      if (isDryRun) return preview.signingKey;
      const telling = { isDryRun: true, nowMs: clock.wallMs() };
      for (const line of describeRetirement(preview.signingKey, telling)) terminal.note(line);
      await confirmByName(context, options, signingKey);
      return (await client.retire(command)).signingKey;
    });
    if (isSwitchedOn(options, 'json')) terminal.printJson({ dryRun: isDryRun, signingKey: after });
    else for (const line of describeRetirement(after, { isDryRun, nowMs: clock.wallMs() })) terminal.print(line);
    return EXIT.ok;
  },
};
