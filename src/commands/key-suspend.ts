/** `keyturn key suspend`: the ACTIVE version stops signing, for now. Asks first when nothing would sign any more. */
import { isSwitchedOn, type CommandSpec } from './command.ts';
import { confirmByName, requireConfirmable, YES_OPTION } from './confirm.ts';
import { withClient } from './connection.ts';
import { describeNewSigner } from './key-change-views.ts';
import { KEY_COMMAND_OPTIONS, reportChange, toKeyCommand } from './key-command.ts';

export const keySuspendCommand: CommandSpec = {
  name: 'key suspend',
  summary: 'take the ACTIVE version out of service for now; a standby takes over',
  arguments: [{ syntax: '<name>', description: 'the signing key' }],
  options: [
    { flags: '--halt', description: 'let no standby take over: stop signing' },
    ...KEY_COMMAND_OPTIONS,
    YES_OPTION,
  ],
  run(context, { arguments: [signingKey = ''], options }) {
    const halt = isSwitchedOn(options, 'halt');
    const isDryRun = isSwitchedOn(options, 'dryRun');
    if (halt && !isDryRun) requireConfirmable(context, options);
    const command = { signingKey, halt, ...toKeyCommand(options) };
    return withClient(context, options, async (client) => {
      const { signingKey: before } = await client.getSigningKey({ name: signingKey });
      const preview = await client.suspend({ ...command, validateOnly: true });
      if (isDryRun) return reportChange(context, options, { before, after: preview.signingKey });
      if (preview.signingKey.activeVersion === undefined) {
        const nowMs = context.clock.wallMs();
        for (const line of describeNewSigner(before, preview.signingKey, { isDryRun: true, nowMs }))
          context.terminal.note(line);
        await confirmByName(context, options, signingKey);
      }
      const { signingKey: after } = await client.suspend(command);
      return reportChange(context, options, { before, after });
    });
  },
};
