// Original file: proto/keyturn/v1/store_service.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface RecoveredImport {
  'keySet'?: (string);
  'kid'?: (string);
  'compromised'?: (boolean);
  'expireTime'?: (_google_protobuf_Timestamp | null);
}

export interface RecoveredImport__Output {
  'keySet': (string);
  'kid': (string);
  'compromised': (boolean);
  'expireTime': (_google_protobuf_Timestamp__Output | null);
}
