/** The client's methods of two-person control. Approving is never tried again by itself: an answer that was lost may have been a yes. */
import { KeyturnError } from '../base/errors.ts';
import type { Proposal__Output } from '../gen/keyturn/v1/Proposal.ts';
import type { ProposeRequest as ProposeMessage } from '../gen/keyturn/v1/ProposeRequest.ts';
import type { ResolveObjectRequest as ResolveObjectMessage } from '../gen/keyturn/v1/ResolveObjectRequest.ts';
import {
  type ImportPublicKeyRequest,
  type RemovePublicKeyRequest,
  toImportMessage,
  toRemovalMessage,
} from './imports.ts';
import { type DeclareCompromisedRequest, toDeclarationMessage } from './lifecycle-commands.ts';
import { approvalMethods } from './protos.ts';
import { type RecoverRequest, toRecoverMessage } from './store.ts';
import type { Transport } from './transport.ts';
import type { CallOptions, PageRequest } from './types.ts';
import { requirePart, requireTime } from './values.ts';

export interface ResolveObjectRequest {
  readonly ckaId: string;
  readonly action: 'destroy' | 'ignore';
  readonly reason?: string | undefined;
}

/** One of them. Their `validateOnly`, `requestId` and `etag` mean nothing here, and each must say its reason. */
export type CommandToPropose =
  | { readonly declareCompromised: DeclareCompromisedRequest }
  | { readonly importPublicKey: ImportPublicKeyRequest }
  | { readonly removePublicKey: RemovePublicKeyRequest }
  | { readonly resolveObject: ResolveObjectRequest }
  | { readonly recover: RecoverRequest };

const STATES = {
  PROPOSAL_STATE_OPEN: 'OPEN',
  PROPOSAL_STATE_EXECUTING: 'EXECUTING',
  PROPOSAL_STATE_EXECUTED: 'EXECUTED',
  PROPOSAL_STATE_FAILED: 'FAILED',
  PROPOSAL_STATE_CANCELLED: 'CANCELLED',
  PROPOSAL_STATE_EXPIRED: 'EXPIRED',
  PROPOSAL_STATE_UNKNOWN: 'UNKNOWN',
} as const;

export interface Approval {
  readonly caller: string;
  readonly reason: string;
  readonly approveTime: Date;
  /** Of the access policy's document in force then. */
  readonly accessPolicySha256: string;
}

export interface Proposal {
  readonly id: string;
  readonly method: string;
  /** The exact request, as JSON. */
  readonly request: string;
  readonly requestSha256: string;
  /** What the command would do, in sentences. */
  readonly effect: readonly string[];
  readonly effectSha256: string;
  /** Different security officers that it takes, the proposer included. */
  readonly officers: number;
  readonly proposer: string;
  readonly reason: string;
  readonly proposeTime: Date;
  readonly expireTime: Date;
  /** Of the access policy's document: when it was proposed, and in force now. */
  readonly accessPolicySha256: string;
  readonly currentAccessPolicySha256: string;
  readonly approvals: readonly Approval[];
  /** UNKNOWN: the daemon stopped while the command was executed; look at what it was to change. */
  readonly state: (typeof STATES)[keyof typeof STATES];
  readonly updateTime: Date;
  /** Who cancelled it and why, or what it failed at. */
  readonly remark: string;
}

export interface ApproveRequest {
  readonly id: string;
  /** Of the proposal as it was read. */
  readonly requestSha256: string;
  readonly effectSha256: string;
  readonly reason?: string | undefined;
}

export interface ApprovalMethods {
  propose(command: CommandToPropose, options?: CallOptions): Promise<{ readonly proposal: Proposal }>;
  /** The last approval that is needed executes the command; what that is refused for rejects. Never tried again by itself. */
  approve(request: ApproveRequest, options?: CallOptions): Promise<{ readonly proposal: Proposal }>;
  cancelProposal(
    request: { readonly id: string; readonly reason: string },
    options?: CallOptions,
  ): Promise<{ readonly proposal: Proposal }>;
  /** Newest first. */
  listProposals(
    request?: PageRequest,
    options?: CallOptions,
  ): Promise<{ readonly proposals: readonly Proposal[]; readonly nextPageToken: string }>;
}

/** `toDeadlineMs`: how long a call may take that compares store and token first. */
export function createApprovalMethods(
  transport: Transport,
  toDeadlineMs: (options: CallOptions | undefined) => number,
): ApprovalMethods {
  return {
    async propose(command, options) {
      const message = toProposeMessage(command);
      const { proposal } = await transport.call(approvalMethods.Propose, message, toDeadlineMs(options));
      return { proposal: fromProposal(proposal) };
    },
    async approve({ reason = '', ...request }, options) {
      const message = { ...request, reason };
      const { proposal } = await transport.call(approvalMethods.Approve, message, toDeadlineMs(options));
      return { proposal: fromProposal(proposal) };
    },
    async cancelProposal(request, options) {
      const { proposal } = await transport.call(approvalMethods.CancelProposal, request, toDeadlineMs(options));
      return { proposal: fromProposal(proposal) };
    },
    async listProposals({ pageSize = 0, pageToken = '' } = {}, options = {}) {
      const page = await transport.call(approvalMethods.ListProposals, { pageSize, pageToken }, toDeadlineMs(options));
      return { proposals: page.proposals.map(fromProposal), nextPageToken: page.nextPageToken };
    },
  };
}

function toProposeMessage(command: CommandToPropose): ProposeMessage {
  if ('declareCompromised' in command) return { declareCompromised: toDeclarationMessage(command.declareCompromised) };
  if ('importPublicKey' in command) return { importPublicKey: toImportMessage(command.importPublicKey) };
  if ('removePublicKey' in command) return { removePublicKey: toRemovalMessage(command.removePublicKey) };
  if ('resolveObject' in command) return { resolveObject: toResolutionMessage(command.resolveObject) };
  return { recover: toRecoverMessage(command.recover) };
}

export function toResolutionMessage({ ckaId, action, reason = '' }: ResolveObjectRequest): ResolveObjectMessage {
  return { ckaId, action: action === 'destroy' ? 'RESOLVE_ACTION_DESTROY' : 'RESOLVE_ACTION_IGNORE', reason };
}

function fromProposal(message: Proposal__Output | null): Proposal {
  const { state, proposeTime, expireTime, updateTime, approvals, ...members } = requirePart(message, 'proposal');
  if (state === 'PROPOSAL_STATE_UNSPECIFIED' || !Object.hasOwn(STATES, state)) {
    throw new KeyturnError(
      'INTERNAL',
      "the daemon names a state of a proposal that this client doesn't know; update the client",
    );
  }
  return {
    ...members,
    state: STATES[state],
    proposeTime: requireTime(proposeTime, 'propose_time'),
    expireTime: requireTime(expireTime, 'expire_time'),
    updateTime: requireTime(updateTime, 'update_time'),
    approvals: approvals.map(({ approveTime, ...approval }) => {
      return { ...approval, approveTime: requireTime(approveTime, 'approve_time') };
    }),
  };
}
