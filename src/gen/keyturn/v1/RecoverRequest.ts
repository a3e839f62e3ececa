// Original file: proto/keyturn/v1/store_service.proto

import type { SigningKey as _keyturn_v1_SigningKey, SigningKey__Output as _keyturn_v1_SigningKey__Output } from '../../keyturn/v1/SigningKey.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface RecoverRequest {
  'signingKeys'?: (_keyturn_v1_SigningKey)[];
  'compromisedKids'?: (string)[];
  'keptKids'?: (string)[];
  'longestJwtLifetime'?: (_google_protobuf_Duration | null);
  'tokenRestored'?: (boolean);
  'validateOnly'?: (boolean);
  'etag'?: (string);
  'reason'?: (string);
}

export interface RecoverRequest__Output {
  'signingKeys': (_keyturn_v1_SigningKey__Output)[];
  'compromisedKids': (string)[];
  'keptKids': (string)[];
  'longestJwtLifetime': (_google_protobuf_Duration__Output | null);
  'tokenRestored': (boolean);
  'validateOnly': (boolean);
  'etag': (string);
  'reason': (string);
}
