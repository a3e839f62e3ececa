// Original file: proto/keyturn/v1/key_admin_service.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface CommandOutlook {
  'signingKey'?: (string);
  'command'?: (string);
  'allowed'?: (boolean);
  'reason'?: (string);
  'message'?: (string);
  'allowedTime'?: (_google_protobuf_Timestamp | null);
}

export interface CommandOutlook__Output {
  'signingKey': (string);
  'command': (string);
  'allowed': (boolean);
  'reason': (string);
  'message': (string);
  'allowedTime': (_google_protobuf_Timestamp__Output | null);
}
