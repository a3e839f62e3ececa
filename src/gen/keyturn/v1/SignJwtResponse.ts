// Original file: proto/keyturn/v1/signing_service.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface SignJwtResponse {
  'jwt'?: (string);
  'kid'?: (string);
  'expireTime'?: (_google_protobuf_Timestamp | null);
}

export interface SignJwtResponse__Output {
  'jwt': (string);
  'kid': (string);
  'expireTime': (_google_protobuf_Timestamp__Output | null);
}
