/** Two-person control as the log has it: what was proposed, who approved it, and what became of it. Pure. */
import type { ApprovalEvent } from '../../access/approval-log.ts';
import type { ApprovalRow } from './report.ts';

const MAX_ROWS = 10_000;

type Row = { -readonly [M in keyof ApprovalRow]: ApprovalRow[M] };

export class ApprovalHistory {
  readonly #rows = new Map<string, Row>();

  add(event: ApprovalEvent): void {
    if (event.type === 'COMMAND_PROPOSED') {
      if (this.#rows.size >= MAX_ROWS) return;
      const { id, atMs, method, caller, reason, officers, effect } = event;
      this.#rows.set(id, {
        id,
        proposedMs: atMs,
        method,
        proposer: caller,
        reason,
        officers,
        effect,
        approvers: [],
        outcome: 'open',
      });
      return;
    }
    const row = this.#rows.get(event.id);
    if (row === undefined) return;
    switch (event.type) {
      case 'PROPOSAL_APPROVED':
        row.approvers = [...row.approvers, `${event.caller} (${event.reason})`];
        row.outcome = event.executes ? 'being carried out' : row.outcome;
        return;
      case 'PROPOSAL_CANCELLED':
        row.outcome = `cancelled by ${event.caller}: ${event.reason}`;
        return;
      case 'PROPOSAL_EXECUTED':
        row.outcome = 'carried out';
        return;
      case 'PROPOSAL_FAILED':
        row.outcome = `failed: ${event.reason}`;
        return;
    }
  }

  rows(): readonly ApprovalRow[] {
    return [...this.#rows.values()];
  }
}
