// Original file: proto/keyturn/v1/key_admin_service.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { KeyVersionState as _keyturn_v1_KeyVersionState, KeyVersionState__Output as _keyturn_v1_KeyVersionState__Output } from '../../keyturn/v1/KeyVersionState.ts';

export interface PlannedMoment {
  'time'?: (_google_protobuf_Timestamp | null);
  'signingKey'?: (string);
  'version'?: (number);
  'fromState'?: (_keyturn_v1_KeyVersionState);
  'toState'?: (_keyturn_v1_KeyVersionState);
  'description'?: (string);
  'publishedVersions'?: (number);
}

export interface PlannedMoment__Output {
  'time': (_google_protobuf_Timestamp__Output | null);
  'signingKey': (string);
  'version': (number);
  'fromState': (_keyturn_v1_KeyVersionState__Output);
  'toState': (_keyturn_v1_KeyVersionState__Output);
  'description': (string);
  'publishedVersions': (number);
}
