/** `keyturn approval approve`: shows what was proposed, asks, and approves exactly what it showed. */
import { isSwitchedOn, JSON_OPTION, textOption, type CommandSpec } from './command.ts';
import { confirmByName, requireConfirmable, YES_OPTION } from './confirm.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { PROPOSAL_ARGUMENT, requireProposal } from './find-proposal.ts';
import { describeProposal } from './proposal-views.ts';

export const approvalApproveCommand: CommandSpec = {
  name: 'approval approve',
  summary: 'approve a proposed command; the last approval that is needed executes it',
  arguments: [PROPOSAL_ARGUMENT],
  options: [{ flags: '--reason <text>', description: 'why; kept in the event log' }, YES_OPTION, JSON_OPTION],
  async run(context, { arguments: [id = ''], options }) {
    const { terminal, clock } = context;
    requireConfirmable(context, options);
    const approved = await withClient(context, options, async (client) => {
      const shown = await requireProposal(client, id);
      for (const line of describeProposal(shown, clock.wallMs())) terminal.note(line);
      await confirmByName(context, options, shown.method);
      const { requestSha256, effectSha256 } = shown;
      const reason = textOption(options, 'reason');
      return (await client.approve({ id, requestSha256, effectSha256, reason })).proposal;
    });
    if (isSwitchedOn(options, 'json')) terminal.printJson({ proposal: approved });
    else if (approved.state === 'OPEN')
      terminal.print(`approved; ${1 + approved.approvals.length} of ${approved.officers} officers are for it`);
    else terminal.print(`approved, and ${approved.state.toLowerCase()}`);
    return EXIT.ok;
  },
};
