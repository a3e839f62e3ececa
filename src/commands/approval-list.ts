/** `keyturn approval list`: commands that wait for approval, and what became of others. */
import { isSwitchedOn, JSON_OPTION, type CommandSpec } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { listProposals } from './find-proposal.ts';
import { describeProposals } from './proposal-views.ts';

export const approvalListCommand: CommandSpec = {
  name: 'approval list',
  summary: 'list the commands that wait for approval, and what became of others',
  options: [{ flags: '--all', description: 'those that were decided or have expired, too' }, JSON_OPTION],
  async run(context, { options }) {
    const { terminal, clock } = context;
    const all = await withClient(context, options, listProposals);
    const proposals = isSwitchedOn(options, 'all') ? all : all.filter(({ state }) => state === 'OPEN');
    if (isSwitchedOn(options, 'json')) terminal.printJson({ proposals });
    else if (proposals.length === 0) terminal.note('no command waits for approval');
    else for (const line of describeProposals(proposals, clock.wallMs())) terminal.print(line);
    return EXIT.ok;
  },
};
