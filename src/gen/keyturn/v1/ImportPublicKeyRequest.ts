// Original file: proto/keyturn/v1/imported_key.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface ImportPublicKeyRequest {
  'keySet'?: (string);
  'jwk'?: (Buffer | Uint8Array | string);
  'proof'?: (string);
  'expireTime'?: (_google_protobuf_Timestamp | null);
  'validateOnly'?: (boolean);
  'reason'?: (string);
}

export interface ImportPublicKeyRequest__Output {
  'keySet': (string);
  'jwk': (Buffer);
  'proof': (string);
  'expireTime': (_google_protobuf_Timestamp__Output | null);
  'validateOnly': (boolean);
  'reason': (string);
}
