// Original file: proto/keyturn/v1/key_admin_service.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface CompromiseEffect {
  'signingKey'?: (string);
  'withdrawnVersions'?: (number)[];
  'activeVersion'?: (number);
  'readyTime'?: (_google_protobuf_Timestamp | null);
  'lastJwtExpireTime'?: (_google_protobuf_Timestamp | null);
}

export interface CompromiseEffect__Output {
  'signingKey': (string);
  'withdrawnVersions': (number)[];
  'activeVersion': (number);
  'readyTime': (_google_protobuf_Timestamp__Output | null);
  'lastJwtExpireTime': (_google_protobuf_Timestamp__Output | null);
}
