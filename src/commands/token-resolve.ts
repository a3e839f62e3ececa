/** `keyturn token resolve CKA_ID`: an operator's decision about an object that the store can't explain. */
import { KeyturnError } from '../base/errors.ts';
import { type CommandSpec, isSwitchedOn, textOption } from './command.ts';
import { confirmByName, requireConfirmable, YES_OPTION } from './confirm.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { propose, PROPOSE_OPTION } from './propose.ts';

export const tokenResolveCommand: CommandSpec = {
  name: 'token resolve',
  summary: "decide about a key in the token that the store can't explain, which fences its signing key",
  arguments: [{ syntax: '<cka-id>', description: 'as `keyturn token reconcile` shows it' }],
  options: [
    { flags: '--destroy', description: 'destroy it in the token, for good' },
    { flags: '--ignore', description: 'leave it in the token; it no longer fences' },
    PROPOSE_OPTION,
    YES_OPTION,
    { flags: '--reason <text>', description: 'why; kept in the event log' },
  ],
  async run(context, { arguments: [ckaId = ''], options }) {
    const { terminal } = context;
    const isDestroyed = isSwitchedOn(options, 'destroy');
    if (isDestroyed === isSwitchedOn(options, 'ignore')) {
      throw new KeyturnError('FIELD_INVALID', 'say either --destroy or --ignore', { field: 'action' });
    }
    const action = isDestroyed ? 'destroy' : 'ignore';
    const request = { ckaId, action, reason: textOption(options, 'reason') } as const;
    if (isSwitchedOn(options, 'propose')) return propose(context, options, { resolveObject: request });
    if (isDestroyed) {
      requireConfirmable(context, options);
      if (!isSwitchedOn(options, 'yes'))
        terminal.note('A destroyed private key is gone for good, and with it the evidence.');
      await confirmByName(context, options, ckaId);
    }
    await withClient(context, options, (client) => client.resolveObject(request));
    terminal.note(`${ckaId}: ${isDestroyed ? 'destroyed' : 'ignored'}; \`keyturn token reconcile\` tells what is left`);
    return EXIT.ok;
  },
};
