// Original file: proto/keyturn/v1/approval_service.proto

import type { Proposal as _keyturn_v1_Proposal, Proposal__Output as _keyturn_v1_Proposal__Output } from '../../keyturn/v1/Proposal.ts';

export interface ApproveResponse {
  'proposal'?: (_keyturn_v1_Proposal | null);
}

export interface ApproveResponse__Output {
  'proposal': (_keyturn_v1_Proposal__Output | null);
}
