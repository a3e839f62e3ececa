// Original file: proto/keyturn/v1/signing_service.proto

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface SignJwtRequest {
  'signingKey'?: (string);
  'claims'?: (Buffer | Uint8Array | string);
  'typ'?: (string);
  'lifetime'?: (_google_protobuf_Duration | null);
}

export interface SignJwtRequest__Output {
  'signingKey': (string);
  'claims': (Buffer);
  'typ': (string);
  'lifetime': (_google_protobuf_Duration__Output | null);
}
