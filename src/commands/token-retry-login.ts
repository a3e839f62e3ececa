/** `keyturn token retry-login`: the operator says that the PIN file is right now. */
import { isSwitchedOn, textOption, type CommandSpec } from './command.ts';
import { confirmByName, requireConfirmable, YES_OPTION } from './confirm.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';

const CONFIRMATION = 'retry-login';

export const tokenRetryLoginCommand: CommandSpec = {
  name: 'token retry-login',
  summary: 'after a refused PIN: try the PIN in the PIN file once more',
  options: [YES_OPTION, { flags: '--reason <text>', description: 'why; kept in the event log' }],
  async run(context, { options }) {
    const { terminal } = context;
    requireConfirmable(context, options);
    if (!isSwitchedOn(options, 'yes')) {
      terminal.note(
        'A token may lock itself after a few wrong PINs, some of them for good. Is the PIN file right now?',
      );
    }
    await confirmByName(context, options, CONFIRMATION);
    await withClient(context, options, (client) => client.retryLogin({ reason: textOption(options, 'reason') }));
    terminal.note('the PIN is being tried; `keyturn token status` tells what came of it');
    return EXIT.ok;
  },
};
