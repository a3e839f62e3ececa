/** `keyturn token declare-compromised`: every key of the token is withdrawn for good. */
import { isSwitchedOn, type CommandSpec } from './command.ts';
import { DECLARE_OPTIONS, declareCompromised } from './declare-compromised.ts';

const CHANGE_PIN_HINT =
  'whoever has the PIN can use the new keys too: change it on the token and in the PIN file, restart the daemon, and declare once more';

export const tokenDeclareCompromisedCommand: CommandSpec = {
  name: 'token declare-compromised',
  summary: 'withdraw every version of every signing key, as after a stolen PIN: signing stops',
  options: DECLARE_OPTIONS,
  async run(context, input) {
    const exitCode = await declareCompromised(context, input, {
      scope: { wholeToken: true },
      async toName(client) {
        const { label, serial } = await client.getTokenStatus();
        return label ?? serial ?? 'token';
      },
    });
    if (!isSwitchedOn(input.options, 'dryRun') && !isSwitchedOn(input.options, 'propose'))
      context.terminal.hint(CHANGE_PIN_HINT);
    return exitCode;
  },
};
