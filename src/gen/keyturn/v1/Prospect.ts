// Original file: proto/keyturn/v1/key_admin_service.proto

import type { KeyVersionState as _keyturn_v1_KeyVersionState, KeyVersionState__Output as _keyturn_v1_KeyVersionState__Output } from '../../keyturn/v1/KeyVersionState.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface Prospect {
  'toState'?: (_keyturn_v1_KeyVersionState);
  'time'?: (_google_protobuf_Timestamp | null);
  'command'?: (string);
  'by'?: "time"|"command";
}

export interface Prospect__Output {
  'toState': (_keyturn_v1_KeyVersionState__Output);
  'time'?: (_google_protobuf_Timestamp__Output | null);
  'command'?: (string);
  'by'?: "time"|"command";
}
