// Original file: proto/keyturn/v1/key_admin_service.proto

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface LifecyclePolicy {
  'signingPeriod'?: (_google_protobuf_Duration | null);
  'maxSigningPeriod'?: (_google_protobuf_Duration | null);
  'maxJwtLifetime'?: (_google_protobuf_Duration | null);
  'rollbackWindow'?: (_google_protobuf_Duration | null);
  'standbys'?: (number);
  'addJti'?: (boolean);
  'addNbf'?: (boolean);
  '_addJti'?: "addJti";
  '_addNbf'?: "addNbf";
}

export interface LifecyclePolicy__Output {
  'signingPeriod': (_google_protobuf_Duration__Output | null);
  'maxSigningPeriod': (_google_protobuf_Duration__Output | null);
  'maxJwtLifetime': (_google_protobuf_Duration__Output | null);
  'rollbackWindow': (_google_protobuf_Duration__Output | null);
  'standbys': (number);
  'addJti'?: (boolean);
  'addNbf'?: (boolean);
  '_addJti'?: "addJti";
  '_addNbf'?: "addNbf";
}
