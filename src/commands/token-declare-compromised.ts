/** `keyturn token declare-compromised`: every key of the token is withdrawn for good. */
import type { CommandSpec } from './command.ts';
import { DECLARE_OPTIONS, declareCompromised } from './declare-compromised.ts';

export const tokenDeclareCompromisedCommand: CommandSpec = {
  name: 'token declare-compromised',
  summary: 'withdraw every version of every signing key, as after a stolen PIN: signing stops',
  options: DECLARE_OPTIONS,
  run(context, input) {
    return declareCompromised(context, input, {
      scope: { wholeToken: true },
      async toName(client) {
        const { label, serial } = await client.getTokenStatus();
        return label ?? serial ?? 'token';
      },
    });
  },
};
