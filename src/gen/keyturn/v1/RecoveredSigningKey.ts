// Original file: proto/keyturn/v1/store_service.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface RecoveredSigningKey {
  'name'?: (string);
  'keySet'?: (string);
  'created'?: (boolean);
  'activeVersion'?: (number);
  'readyTime'?: (_google_protobuf_Timestamp | null);
}

export interface RecoveredSigningKey__Output {
  'name': (string);
  'keySet': (string);
  'created': (boolean);
  'activeVersion': (number);
  'readyTime': (_google_protobuf_Timestamp__Output | null);
}
