// Original file: proto/keyturn/v1/approval_service.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface Approval {
  'caller'?: (string);
  'reason'?: (string);
  'approveTime'?: (_google_protobuf_Timestamp | null);
  'accessPolicySha256'?: (string);
}

export interface Approval__Output {
  'caller': (string);
  'reason': (string);
  'approveTime': (_google_protobuf_Timestamp__Output | null);
  'accessPolicySha256': (string);
}
