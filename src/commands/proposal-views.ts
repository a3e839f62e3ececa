/** Proposals as people read them. Pure. */
import type { Proposal } from '../client/client.ts';
import { formatTable } from './table.ts';
import { formatTime } from './time.ts';

export function describeProposals(proposals: readonly Proposal[], nowMs: number): string[] {
  const rows = proposals.map((proposal) => [
    proposal.id,
    proposal.method,
    proposal.state.toLowerCase(),
    `${1 + proposal.approvals.length} of ${proposal.officers}`,
    formatTime(proposal.expireTime.getTime(), nowMs),
    `${proposal.proposer}: ${proposal.reason}`,
  ]);
  return formatTable(['ID', 'COMMAND', 'STATE', 'OFFICERS', 'EXPIRES', 'PROPOSED BY'], rows);
}

/** Everything that an approval stands for. */
export function describeProposal(proposal: Proposal, nowMs: number): string[] {
  const { id, method, state, officers, proposer, reason, approvals, request, effect, remark } = proposal;
  const isSamePolicy = proposal.currentAccessPolicySha256 === proposal.accessPolicySha256;
  const time = (date: Date): string => formatTime(date.getTime(), nowMs);
  return [
    `proposal:  ${id}`,
    `command:   ${method}`,
    `state:     ${state.toLowerCase()}${remark === '' ? '' : `, ${remark}`}`,
    `proposed:  ${time(proposal.proposeTime)} by ${proposer}: ${reason}`,
    ...approvals.map(({ caller, reason: why, approveTime }) => {
      return `approved:  ${time(approveTime)} by ${caller}${why === '' ? '' : `: ${why}`}`;
    }),
    `officers:  ${1 + approvals.length} of ${officers}`,
    `expires:   ${time(proposal.expireTime)}`,
    `policy:    sha256 ${proposal.currentAccessPolicySha256}${isSamePolicy ? '' : `; when it was proposed: ${proposal.accessPolicySha256}`}`,
    `request:   ${request}`,
    `           sha256 ${proposal.requestSha256}`,
    'effect:',
    ...effect.map((line) => `- ${line}`),
    `           sha256 ${proposal.effectSha256}`,
  ];
}
