// Original file: proto/keyturn/v1/token_service.proto

import type { Finding as _keyturn_v1_Finding, Finding__Output as _keyturn_v1_Finding__Output } from '../../keyturn/v1/Finding.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface ReconcileResponse {
  'findings'?: (_keyturn_v1_Finding)[];
  'fencedSigningKeys'?: (string)[];
  'restoreTime'?: (_google_protobuf_Timestamp | null);
  'knownUntilTime'?: (_google_protobuf_Timestamp | null);
}

export interface ReconcileResponse__Output {
  'findings': (_keyturn_v1_Finding__Output)[];
  'fencedSigningKeys': (string)[];
  'restoreTime': (_google_protobuf_Timestamp__Output | null);
  'knownUntilTime': (_google_protobuf_Timestamp__Output | null);
}
