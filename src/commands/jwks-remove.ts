/** `keyturn jwks remove`: withdraw an imported public key, for good. */
import { isSwitchedOn, JSON_OPTION, textOption, type CommandSpec } from './command.ts';
import { confirmByName, requireConfirmable, YES_OPTION } from './confirm.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { describeRemoval, KEY_SET_OPTION } from './imported-key-views.ts';
import { propose, PROPOSE_OPTION } from './propose.ts';

export const jwksRemoveCommand: CommandSpec = {
  name: 'jwks remove',
  summary: 'withdraw an imported public key at once and for good',
  arguments: [{ syntax: '<kid>', description: 'as `keyturn jwks list` shows it' }],
  options: [
    KEY_SET_OPTION,
    { flags: '--compromised', description: 'somebody else may have its private key: recorded as such' },
    { flags: '--reason <text>', description: 'why; kept in the event log', required: true },
    { flags: '--dry-run', description: 'tell what would happen, change nothing' },
    PROPOSE_OPTION,
    YES_OPTION,
    JSON_OPTION,
  ],
  async run(context, { arguments: [kid = ''], options }) {
    const { terminal, clock } = context;
    const isDryRun = isSwitchedOn(options, 'dryRun');
    const request = {
      keySet: textOption(options, 'keySet'),
      kid,
      compromised: isSwitchedOn(options, 'compromised'),
      reason: textOption(options, 'reason') ?? '',
    };
    if (isSwitchedOn(options, 'propose')) return propose(context, options, { removePublicKey: request });
    if (!isDryRun) requireConfirmable(context, options);
    const outcome = await withClient(context, options, async (client) => {
      // Whoever says --yes has no time to lose.
      if (!isSwitchedOn(options, 'yes') || isDryRun) {
        const preview = await client.removePublicKey({ ...request, validateOnly: true });
        if (isDryRun) return preview;
        terminal.note(describeRemoval(preview, { isDryRun: true, nowMs: clock.wallMs() }));
        await confirmByName(context, options, kid);
      }
      return client.removePublicKey(request);
    });
    if (isSwitchedOn(options, 'json')) terminal.printJson({ dryRun: isDryRun, ...outcome });
    else terminal.print(describeRemoval(outcome, { isDryRun, nowMs: clock.wallMs() }));
    return EXIT.ok;
  },
};
