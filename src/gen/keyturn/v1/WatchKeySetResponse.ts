// Original file: proto/keyturn/v1/key_set_service.proto

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Long } from '@grpc/proto-loader';

export interface WatchKeySetResponse {
  'keySet'?: (string);
  'generation'?: (number | string | Long);
  'jwks'?: (Buffer | Uint8Array | string);
  'etag'?: (string);
  'maxAge'?: (_google_protobuf_Duration | null);
}

export interface WatchKeySetResponse__Output {
  'keySet': (string);
  'generation': (number);
  'jwks': (Buffer);
  'etag': (string);
  'maxAge': (_google_protobuf_Duration__Output | null);
}
