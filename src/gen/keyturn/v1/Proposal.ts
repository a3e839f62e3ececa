// Original file: proto/keyturn/v1/approval_service.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Approval as _keyturn_v1_Approval, Approval__Output as _keyturn_v1_Approval__Output } from '../../keyturn/v1/Approval.ts';
import type { ProposalState as _keyturn_v1_ProposalState, ProposalState__Output as _keyturn_v1_ProposalState__Output } from '../../keyturn/v1/ProposalState.ts';

export interface Proposal {
  'id'?: (string);
  'method'?: (string);
  'request'?: (string);
  'requestSha256'?: (string);
  'effect'?: (string)[];
  'effectSha256'?: (string);
  'officers'?: (number);
  'proposer'?: (string);
  'reason'?: (string);
  'proposeTime'?: (_google_protobuf_Timestamp | null);
  'expireTime'?: (_google_protobuf_Timestamp | null);
  'approvals'?: (_keyturn_v1_Approval)[];
  'state'?: (_keyturn_v1_ProposalState);
  'updateTime'?: (_google_protobuf_Timestamp | null);
  'remark'?: (string);
  'accessPolicySha256'?: (string);
  'currentAccessPolicySha256'?: (string);
}

export interface Proposal__Output {
  'id': (string);
  'method': (string);
  'request': (string);
  'requestSha256': (string);
  'effect': (string)[];
  'effectSha256': (string);
  'officers': (number);
  'proposer': (string);
  'reason': (string);
  'proposeTime': (_google_protobuf_Timestamp__Output | null);
  'expireTime': (_google_protobuf_Timestamp__Output | null);
  'approvals': (_keyturn_v1_Approval__Output)[];
  'state': (_keyturn_v1_ProposalState__Output);
  'updateTime': (_google_protobuf_Timestamp__Output | null);
  'remark': (string);
  'accessPolicySha256': (string);
  'currentAccessPolicySha256': (string);
}
