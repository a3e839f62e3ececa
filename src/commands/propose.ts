/** `--propose`: a command isn't done, but waits for the approval of another security officer. */
import type { CommandToPropose } from '../client/client.ts';
import { type CommandContext, isSwitchedOn, type OptionSpec, type Options } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { describeProposal } from './proposal-views.ts';

export const PROPOSE_OPTION: OptionSpec = {
  flags: '--propose',
  description: "don't do it now: let it wait for the approval of another security officer",
};

export async function propose(context: CommandContext, options: Options, command: CommandToPropose): Promise<number> {
  const { terminal, clock } = context;
  const { proposal } = await withClient(context, options, (client) => client.propose(command));
  if (isSwitchedOn(options, 'json')) {
    terminal.printJson({ proposal });
    return EXIT.ok;
  }
  for (const line of describeProposal(proposal, clock.wallMs())) terminal.print(line);
  terminal.hint(`nothing was changed: another security officer runs \`keyturn approval approve ${proposal.id}\``);
  return EXIT.ok;
}
