// Original file: proto/keyturn/v1/key_admin_service.proto

import type { KeyVersionState as _keyturn_v1_KeyVersionState, KeyVersionState__Output as _keyturn_v1_KeyVersionState__Output } from '../../keyturn/v1/KeyVersionState.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface PublishedVersion {
  'signingKey'?: (string);
  'version'?: (number);
  'state'?: (_keyturn_v1_KeyVersionState);
  'age'?: (_google_protobuf_Duration | null);
}

export interface PublishedVersion__Output {
  'signingKey': (string);
  'version': (number);
  'state': (_keyturn_v1_KeyVersionState__Output);
  'age': (_google_protobuf_Duration__Output | null);
}
