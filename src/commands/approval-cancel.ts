/** `keyturn approval cancel`: a proposed command is not wanted, or not by this officer. */
import { isSwitchedOn, JSON_OPTION, textOption, type CommandSpec } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { PROPOSAL_ARGUMENT } from './find-proposal.ts';

export const approvalCancelCommand: CommandSpec = {
  name: 'approval cancel',
  summary: 'take a proposed command out, whoever proposed it',
  arguments: [PROPOSAL_ARGUMENT],
  options: [{ flags: '--reason <text>', description: 'why; kept in the event log', required: true }, JSON_OPTION],
  async run(context, { arguments: [id = ''], options }) {
    const reason = textOption(options, 'reason') ?? '';
    const { proposal } = await withClient(context, options, (client) => client.cancelProposal({ id, reason }));
    if (isSwitchedOn(options, 'json')) context.terminal.printJson({ proposal });
    else context.terminal.print(`the proposal of ${proposal.method} is cancelled`);
    return EXIT.ok;
  },
};
