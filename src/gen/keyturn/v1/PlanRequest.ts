// Original file: proto/keyturn/v1/key_admin_service.proto

import type { SigningKey as _keyturn_v1_SigningKey, SigningKey__Output as _keyturn_v1_SigningKey__Output } from '../../keyturn/v1/SigningKey.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface PlanRequest {
  'signingKey'?: (string);
  'proposed'?: (_keyturn_v1_SigningKey)[];
  'horizon'?: (_google_protobuf_Duration | null);
}

export interface PlanRequest__Output {
  'signingKey': (string);
  'proposed': (_keyturn_v1_SigningKey__Output)[];
  'horizon': (_google_protobuf_Duration__Output | null);
}
