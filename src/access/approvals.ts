/**
 * Two-person control: a command that a security officer proposed, and that others approve. A proposal is the exact request
 * and the effect that the daemon worked out for it; whoever approves says which of both they saw. The approval that is
 * the last one needed executes the command, once (docs/adr/0013). Pure: what a command does, and when it is now, is told.
 */
import { assertNever } from '../base/assert-never.ts';
import { KeyturnError } from '../base/errors.ts';
import type { CallerName } from '../base/ids.ts';
import {
  type ApprovableMethod,
  type ApprovalEvent,
  type ApprovalsState,
  MAX_OPEN_PROPOSALS,
  type Proposal,
  sha256OfEffect,
} from './approval-log.ts';

/** What the access policy says about a method. */
export interface ApprovalRule {
  /** Different ones, the proposer included. */
  readonly officers: number;
  readonly expiryMs: number;
}

/** A proposal takes two, though the access policy asks for none. */
export const MIN_OFFICERS = 2;
export const MAX_OFFICERS = 5;
const DEFAULT_EXPIRY_MS = 86_400_000;

/** Of request, effect and reason, as JSON: an entry of the audit log, which has the event, takes 64 KiB. */
export const MAX_PROPOSAL_BYTES = 48 * 1024;

/** What holds now, as far as a decision depends on it. */
export interface ApprovalSurroundings {
  readonly nowMs: number;
  /** Of the access policy's document in force. */
  readonly accessPolicyHash: string;
  /** Whether the caller has the role securityOfficer in the access policy in force. */
  readonly isOfficer: (caller: CallerName) => boolean;
  /** Of the access policy in force; undefined where one officer is enough. */
  readonly ruleOf: (method: ApprovableMethod) => ApprovalRule | undefined;
  /** How long ago it was proposed, by clocks that can be believed; infinite when none can. */
  readonly ageMs: (proposal: Proposal) => number;
}

export interface ProposalWish {
  readonly id: string;
  readonly caller: CallerName;
  readonly method: ApprovableMethod;
  readonly request: string;
  readonly effect: readonly string[];
  readonly reason: string;
}

/**
 * The events of a new proposal; none when the same officer proposed the same thing with the same effect, and it is
 * still open: that one is meant. Errors: QUEUE_FULL, REQUEST_TOO_LARGE.
 */
export function decidePropose(
  { proposals }: ApprovalsState,
  wish: ProposalWish,
  around: ApprovalSurroundings,
): readonly ApprovalEvent[] {
  if (findSame({ proposals }, wish, around) !== undefined) return [];
  if (Buffer.byteLength(JSON.stringify([wish.request, wish.effect, wish.reason])) > MAX_PROPOSAL_BYTES) {
    throw new KeyturnError(
      'REQUEST_TOO_LARGE',
      `the request and its effect have more than ${MAX_PROPOSAL_BYTES} bytes, which is more than a proposal takes: docs/operate/approvals.md says what to do`,
    );
  }
  if (proposals.filter((proposal) => isOpen(proposal, around)).length >= MAX_OPEN_PROPOSALS) {
    throw new KeyturnError(
      'QUEUE_FULL',
      `${MAX_OPEN_PROPOSALS} proposals wait for approval already; approve or cancel some`,
    );
  }
  const { nowMs: atMs, accessPolicyHash } = around;
  const rule = around.ruleOf(wish.method);
  const officers = Math.max(MIN_OFFICERS, rule?.officers ?? 0);
  const expiresAtMs = atMs + (rule?.expiryMs ?? DEFAULT_EXPIRY_MS);
  return [{ type: 'COMMAND_PROPOSED', atMs, ...wish, officers, expiresAtMs, accessPolicyHash }];
}

export function findSame(
  { proposals }: Pick<ApprovalsState, 'proposals'>,
  { caller, method, request, effect }: ProposalWish,
  around: ApprovalSurroundings,
): Proposal | undefined {
  const effectSha256 = sha256OfEffect(effect);
  return proposals.find(
    (proposal) =>
      proposal.proposer === caller &&
      proposal.method === method &&
      proposal.request === request &&
      proposal.effectSha256 === effectSha256 &&
      isOpen(proposal, around),
  );
}

function isOpen(proposal: Proposal, around: ApprovalSurroundings): boolean {
  return proposal.state === 'open' && around.ageMs(proposal) < proposal.expiresAtMs - proposal.proposedAtMs;
}

/** Errors: PROPOSAL_NOT_FOUND. */
export function requireProposal({ proposals }: ApprovalsState, id: string): Proposal {
  const proposal = proposals.find((candidate) => candidate.id === id);
  if (proposal !== undefined) return proposal;
  throw new KeyturnError('PROPOSAL_NOT_FOUND', 'there is no proposal of this id; list the proposals', {
    field: 'id',
  });
}

/** Errors: PROPOSAL_NOT_FOUND, PROPOSAL_CLOSED. */
function requireOpen(state: ApprovalsState, id: string, around: ApprovalSurroundings): Proposal {
  const proposal = requireProposal(state, id);
  const { changedAtMs, expiresAtMs, remark } = proposal;
  const when = new Date(changedAtMs).toISOString();
  switch (proposal.state) {
    case 'open':
      if (isOpen(proposal, around)) return proposal;
      throw closed(proposal, `it expired at ${new Date(expiresAtMs).toISOString()}`);
    case 'executing':
      throw closed(proposal, `it was approved at ${when}; look at what it did`);
    case 'executed':
      throw closed(proposal, `it was executed at ${when}`);
    case 'failed':
      throw closed(proposal, `it was approved, and failed at ${when}: ${remark}`);
    case 'cancelled':
      throw closed(proposal, `it was cancelled at ${when} by ${remark}`);
    default:
      return assertNever(proposal.state);
  }
}

function closed({ id, method }: Proposal, why: string): KeyturnError {
  return new KeyturnError('PROPOSAL_CLOSED', `the proposal of ${method} can't be approved any more: ${why}`, {
    subject: id,
  });
}

export interface ApprovalWish {
  readonly id: string;
  readonly caller: CallerName;
  /** Of what the approver saw. */
  readonly requestSha256: string;
  readonly effectSha256: string;
  readonly reason: string;
}

/**
 * Everything about an approval but the command's effect now, which costs more to know. Errors: PROPOSAL_NOT_FOUND,
 * PROPOSAL_CLOSED, METHOD_NOT_PERMITTED, SECOND_OFFICER_REQUIRED, PROPOSAL_MISMATCH.
 */
export function requireApprovable(state: ApprovalsState, wish: ApprovalWish, around: ApprovalSurroundings): Proposal {
  const proposal = requireOpen(state, wish.id, around);
  const { proposer, approvals, method } = proposal;
  if (!around.isOfficer(proposer))
    throw closed(proposal, `${proposer}, who proposed it, is no security officer any more; propose it anew`);
  // The listener asked before; the access policy may have been replaced since.
  if (!around.isOfficer(wish.caller))
    throw new KeyturnError('METHOD_NOT_PERMITTED', `caller ${wish.caller} is no security officer`);
  if (wish.caller === proposer || approvals.some(({ caller }) => caller === wish.caller)) {
    const did = wish.caller === proposer ? 'proposed' : 'approved';
    throw new KeyturnError(
      'SECOND_OFFICER_REQUIRED',
      `caller ${wish.caller} ${did} this ${method} already; another security officer must approve it`,
      { subject: wish.id },
    );
  }
  if (wish.requestSha256 !== proposal.requestSha256) throw mismatch('request_sha256', wish.id);
  if (wish.effectSha256 !== proposal.effectSha256) throw mismatch('effect_sha256', wish.id);
  return proposal;
}

function mismatch(field: string, id: string): KeyturnError {
  return new KeyturnError(
    'PROPOSAL_MISMATCH',
    `${field} is not the proposal's: what was looked at is something else; read the proposal again`,
    { field, subject: id },
  );
}

/** `effect`: what the command would do now. Errors: as `requireApprovable`, and EFFECT_CHANGED. */
export function decideApprove(
  state: ApprovalsState,
  wish: ApprovalWish,
  effect: readonly string[],
  around: ApprovalSurroundings,
): readonly ApprovalEvent[] {
  const proposal = requireApprovable(state, wish, around);
  requireSameEffect(proposal, effect);
  const { id, caller, reason } = wish;
  const { nowMs: atMs, accessPolicyHash } = around;
  // Whoever lost the role meanwhile no longer counts.
  const standing = proposal.approvals.filter((approval) => around.isOfficer(approval.caller)).length;
  const needed = Math.max(proposal.officers, around.ruleOf(proposal.method)?.officers ?? 0);
  const executes = 1 + standing + 1 >= needed;
  return [{ type: 'PROPOSAL_APPROVED', atMs, id, executes, accessPolicyHash, caller, reason }];
}

/** Errors: EFFECT_CHANGED, with what changed. */
export function requireSameEffect({ id, effect, effectSha256 }: Proposal, now: readonly string[]): void {
  if (sha256OfEffect(now) === effectSha256) return;
  const lost = effect.filter((line) => !now.includes(line)).map((line) => `no longer "${line}"`);
  const gained = now.filter((line) => !effect.includes(line)).map((line) => `now "${line}"`);
  throw new KeyturnError(
    'EFFECT_CHANGED',
    `the command would do something else by now: ${shorten([...lost, ...gained])}; cancel this proposal, and propose it anew`,
    { subject: id },
  );
}

const MAX_TOLD_CHANGES = 6;

function shorten(changes: readonly string[]): string {
  if (changes.length === 0) return 'the same in another order';
  const rest = changes.length - MAX_TOLD_CHANGES;
  return [...changes.slice(0, MAX_TOLD_CHANGES), ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}

/** Any officer may: a proposal that somebody objects to is none. Errors: PROPOSAL_NOT_FOUND, PROPOSAL_CLOSED. */
export function decideCancel(
  state: ApprovalsState,
  { id, caller, reason }: Pick<ApprovalWish, 'id' | 'caller' | 'reason'>,
  around: ApprovalSurroundings,
): readonly ApprovalEvent[] {
  requireOpen(state, id, around);
  return [{ type: 'PROPOSAL_CANCELLED', atMs: around.nowMs, id, caller, reason }];
}

/** What a recovered store may have forgotten the end of is over. */
export function decideCloseAll(
  { proposals }: ApprovalsState,
  { atMs, caller, reason }: { readonly atMs: number; readonly caller: CallerName; readonly reason: string },
): readonly ApprovalEvent[] {
  return proposals
    .filter(({ state }) => state === 'open')
    .map(({ id }) => ({ type: 'PROPOSAL_CANCELLED', atMs, id, caller, reason }));
}
