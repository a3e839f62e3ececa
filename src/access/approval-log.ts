/**
 * The log of proposals (two-person control), and its fold. Events are the truth: which command waits for whom, who
 * approved it, and what became of it. Pure; what may happen next is decided in approvals.ts.
 */
import { createHash } from 'node:crypto';
import { assertNever } from '../base/assert-never.ts';
import type { CallerName } from '../base/ids.ts';
import type { Reason } from '../base/reasons.ts';

/** Its name in the store. */
export const APPROVALS_STREAM = 'approvals';

/** The commands that end keys for good, publish one, or decide about what nobody can look up. */
export const APPROVABLE_METHODS = [
  'DeclareCompromised',
  'ImportPublicKey',
  'RemovePublicKey',
  'ResolveObject',
  'Recover',
] as const;
export type ApprovableMethod = (typeof APPROVABLE_METHODS)[number];

/** Open ones; whoever floods the list is known by name, and any officer may cancel. */
export const MAX_OPEN_PROPOSALS = 64;
/** Closed ones that are remembered; the log has all of them. */
const MAX_CLOSED_PROPOSALS = 128;

export type ApprovalEvent = { readonly atMs: number } & (
  | {
      readonly type: 'COMMAND_PROPOSED';
      readonly id: string;
      readonly method: ApprovableMethod;
      /** The exact request, as JSON. */
      readonly request: string;
      /** What it would do, in sentences. */
      readonly effect: readonly string[];
      readonly officers: number;
      readonly expiresAtMs: number;
      /** Of the access policy's document in force then. */
      readonly accessPolicyHash: string;
      readonly caller: CallerName;
      readonly reason: string;
    }
  /** `executes`: the last one that was needed; in the log before the command has any effect. */
  | {
      readonly type: 'PROPOSAL_APPROVED';
      readonly id: string;
      readonly executes: boolean;
      readonly accessPolicyHash: string;
      readonly caller: CallerName;
      readonly reason: string;
    }
  | { readonly type: 'PROPOSAL_CANCELLED'; readonly id: string; readonly caller: CallerName; readonly reason: string }
  | { readonly type: 'PROPOSAL_EXECUTED'; readonly id: string }
  | { readonly type: 'PROPOSAL_FAILED'; readonly id: string; readonly reason: Reason; readonly message: string }
);

export interface Approval {
  readonly caller: CallerName;
  readonly reason: string;
  readonly atMs: number;
  readonly accessPolicyHash: string;
}

/** `executing` without an end: the daemon stopped meanwhile, and nobody can tell how far it came. */
export type ProposalState = 'open' | 'executing' | 'executed' | 'failed' | 'cancelled';

export interface Proposal {
  readonly id: string;
  readonly method: ApprovableMethod;
  readonly request: string;
  readonly requestSha256: string;
  readonly effect: readonly string[];
  readonly effectSha256: string;
  readonly officers: number;
  readonly proposer: CallerName;
  readonly reason: string;
  readonly proposedAtMs: number;
  readonly expiresAtMs: number;
  readonly accessPolicyHash: string;
  readonly approvals: readonly Approval[];
  readonly state: ProposalState;
  /** Of the latest event. */
  readonly changedAtMs: number;
  /** Who cancelled it, and why; or what it failed at. */
  readonly remark: string;
}

export interface ApprovalsState {
  /** Oldest first. */
  readonly proposals: readonly Proposal[];
  readonly sequence: number;
}

export const NO_APPROVALS: ApprovalsState = { proposals: [], sequence: 0 };

export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export function sha256OfEffect(effect: readonly string[]): string {
  return sha256Of(effect.join('\n'));
}

export function evolveApprovals(state: ApprovalsState, event: ApprovalEvent): ApprovalsState {
  const sequence = state.sequence + 1;
  if (event.type === 'COMMAND_PROPOSED')
    return { proposals: forgetOldest([...state.proposals, toProposal(event)], event.atMs), sequence };
  const index = state.proposals.findIndex(({ id }) => id === event.id);
  const before = state.proposals[index];
  // Long closed, and forgotten: nothing that follows can matter.
  if (before === undefined) return { ...state, sequence };
  const after = { ...before, ...changeOf(before, event), changedAtMs: event.atMs };
  return { proposals: state.proposals.with(index, after), sequence };
}

function toProposal({
  type: _type,
  atMs,
  caller,
  ...members
}: Extract<ApprovalEvent, { type: 'COMMAND_PROPOSED' }>): Proposal {
  return {
    ...members,
    requestSha256: sha256Of(members.request),
    effectSha256: sha256OfEffect(members.effect),
    proposer: caller,
    proposedAtMs: atMs,
    approvals: [],
    state: 'open',
    changedAtMs: atMs,
    remark: '',
  };
}

function changeOf(
  before: Proposal,
  event: Exclude<ApprovalEvent, { type: 'COMMAND_PROPOSED' }>,
): Pick<Proposal, 'state'> & Partial<Proposal> {
  switch (event.type) {
    case 'PROPOSAL_APPROVED': {
      const { caller, reason, atMs, executes, accessPolicyHash } = event;
      return {
        approvals: [...before.approvals, { caller, reason, atMs, accessPolicyHash }],
        state: executes ? 'executing' : 'open',
      };
    }
    case 'PROPOSAL_CANCELLED':
      return { state: 'cancelled', remark: `${event.caller}: ${event.reason}` };
    case 'PROPOSAL_EXECUTED':
      return { state: 'executed' };
    case 'PROPOSAL_FAILED':
      return { state: 'failed', remark: `${event.message} (${event.reason})` };
    default:
      return assertNever(event);
  }
}

/** Those that wait are forgotten last. Expired is here what the log's own times say. */
function forgetOldest(proposals: readonly Proposal[], nowMs: number): readonly Proposal[] {
  const excess = proposals.length - (MAX_OPEN_PROPOSALS + MAX_CLOSED_PROPOSALS);
  if (excess <= 0) return proposals;
  const isOver = ({ state, expiresAtMs }: Proposal): boolean => state !== 'open' || expiresAtMs <= nowMs;
  const byUse = [...proposals.filter(isOver), ...proposals.filter((proposal) => !isOver(proposal))];
  const forgotten = new Set(byUse.slice(0, excess));
  return proposals.filter((proposal) => !forgotten.has(proposal));
}
