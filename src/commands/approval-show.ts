/** `keyturn approval show`: what an approval would stand for. */
import { isSwitchedOn, JSON_OPTION, type CommandSpec } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { PROPOSAL_ARGUMENT, requireProposal } from './find-proposal.ts';
import { describeProposal } from './proposal-views.ts';

export const approvalShowCommand: CommandSpec = {
  name: 'approval show',
  summary: 'show a proposed command: the exact request, its effect, and who approved it',
  arguments: [PROPOSAL_ARGUMENT],
  options: [JSON_OPTION],
  async run(context, { arguments: [id = ''], options }) {
    const { terminal, clock } = context;
    const proposal = await withClient(context, options, (client) => requireProposal(client, id));
    if (isSwitchedOn(options, 'json')) terminal.printJson({ proposal });
    else for (const line of describeProposal(proposal, clock.wallMs())) terminal.print(line);
    return EXIT.ok;
  },
};
