/** keyturn.v1.ApprovalService. */
import type { ProposalView, ProposedCommand } from '../../app/proposals.ts';
import { KeyturnError } from '../../base/errors.ts';
import type { ApprovalServiceHandlers } from '../../gen/keyturn/v1/ApprovalService.ts';
import type { ApproveRequest__Output } from '../../gen/keyturn/v1/ApproveRequest.ts';
import type { ApproveResponse } from '../../gen/keyturn/v1/ApproveResponse.ts';
import type { CancelProposalRequest__Output } from '../../gen/keyturn/v1/CancelProposalRequest.ts';
import type { CancelProposalResponse } from '../../gen/keyturn/v1/CancelProposalResponse.ts';
import type { ImportPublicKeyRequest__Output } from '../../gen/keyturn/v1/ImportPublicKeyRequest.ts';
import type { ListProposalsRequest__Output } from '../../gen/keyturn/v1/ListProposalsRequest.ts';
import type { ListProposalsResponse } from '../../gen/keyturn/v1/ListProposalsResponse.ts';
import type { Proposal } from '../../gen/keyturn/v1/Proposal.ts';
import type { ProposeRequest__Output } from '../../gen/keyturn/v1/ProposeRequest.ts';
import type { ProposeResponse } from '../../gen/keyturn/v1/ProposeResponse.ts';
import { toDeclaration, toRecovery, toResolution } from './command-input.ts';
import { type HandlerPorts, unary } from './unary.ts';
import { parseTimestampMs, toTimestamp } from './values.ts';

export function createApprovalService(ports: HandlerPorts): ApprovalServiceHandlers {
  const { app } = ports;
  return {
    Propose: unary(ports, async (request: ProposeRequest__Output, { caller }): Promise<ProposeResponse> => {
      return { proposal: toProposal(await app.proposeCommand(caller, toProposedCommand(request))) };
    }),

    Approve: unary(ports, async (request: ApproveRequest__Output, { caller }): Promise<ApproveResponse> => {
      return { proposal: toProposal(await app.approveProposal(caller, request)) };
    }),

    CancelProposal: unary(
      ports,
      async ({ id, reason }: CancelProposalRequest__Output, { caller }): Promise<CancelProposalResponse> => {
        return { proposal: toProposal(await app.cancelProposal(caller, id, reason)) };
      },
    ),

    ListProposals: unary(ports, ({ pageSize, pageToken }: ListProposalsRequest__Output): ListProposalsResponse => {
      const { items, nextPageToken } = app.listProposals(pageSize, pageToken);
      return { proposals: items.map(toProposal), nextPageToken };
    }),
  };
}

function toProposedCommand(request: ProposeRequest__Output): ProposedCommand {
  const { declareCompromised, importPublicKey, removePublicKey, resolveObject, recover } = request;
  if (isSet(declareCompromised)) return { method: 'DeclareCompromised', command: toDeclaration(declareCompromised) };
  if (isSet(importPublicKey)) return { method: 'ImportPublicKey', command: toImport(importPublicKey) };
  if (isSet(removePublicKey)) {
    const { keySet, kid, compromised, reason } = removePublicKey;
    return { method: 'RemovePublicKey', command: { keySet, kid, compromised, reason } };
  }
  if (isSet(resolveObject)) return { method: 'ResolveObject', command: toResolution(resolveObject) };
  if (isSet(recover)) return { method: 'Recover', command: toRecovery(recover) };
  throw new KeyturnError('FIELD_INVALID', 'command must be set: it is what others approve', { field: 'command' });
}

function isSet<T>(message: T | null | undefined): message is T {
  return message !== null && message !== undefined;
}

type ProposedImport = Extract<ProposedCommand, { method: 'ImportPublicKey' }>['command'];

function toImport({ keySet, jwk, proof, expireTime, reason }: ImportPublicKeyRequest__Output): ProposedImport {
  const text = jwk.toString('utf8');
  // What was sent, is shown and is published must be one and the same.
  if (!Buffer.from(text).equals(jwk))
    throw new KeyturnError('PUBLIC_KEY_INVALID', 'jwk must be UTF-8', { field: 'jwk' });
  return { keySet, jwk: text, proof, expiresAtMs: parseTimestampMs(expireTime, 'expire_time'), reason };
}

const STATES = {
  open: 'PROPOSAL_STATE_OPEN',
  executing: 'PROPOSAL_STATE_EXECUTING',
  executed: 'PROPOSAL_STATE_EXECUTED',
  failed: 'PROPOSAL_STATE_FAILED',
  cancelled: 'PROPOSAL_STATE_CANCELLED',
  expired: 'PROPOSAL_STATE_EXPIRED',
  unknown: 'PROPOSAL_STATE_UNKNOWN',
} as const;

function toProposal(view: ProposalView): Proposal {
  const { id, method, request, requestSha256, effect, effectSha256, officers, proposer, reason, remark } = view;
  return {
    id,
    method,
    request,
    requestSha256,
    effect: [...effect],
    effectSha256,
    officers,
    proposer,
    reason,
    proposeTime: toTimestamp(view.proposedAtMs),
    expireTime: toTimestamp(view.expiresAtMs),
    approvals: view.approvals.map(({ caller, reason: why, atMs, accessPolicyHash }) => {
      return { caller, reason: why, approveTime: toTimestamp(atMs), accessPolicySha256: accessPolicyHash };
    }),
    accessPolicySha256: view.accessPolicyHash,
    currentAccessPolicySha256: view.currentAccessPolicyHash,
    state: STATES[view.state],
    updateTime: toTimestamp(view.changedAtMs),
    remark,
  };
}
