// Original file: proto/keyturn/v1/approval_service.proto

import type { Proposal as _keyturn_v1_Proposal, Proposal__Output as _keyturn_v1_Proposal__Output } from '../../keyturn/v1/Proposal.ts';

export interface ListProposalsResponse {
  'proposals'?: (_keyturn_v1_Proposal)[];
  'nextPageToken'?: (string);
}

export interface ListProposalsResponse__Output {
  'proposals': (_keyturn_v1_Proposal__Output)[];
  'nextPageToken': (string);
}
