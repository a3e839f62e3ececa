// Original file: proto/keyturn/v1/store_service.proto

import type { RecoveryFate as _keyturn_v1_RecoveryFate, RecoveryFate__Output as _keyturn_v1_RecoveryFate__Output } from '../../keyturn/v1/RecoveryFate.ts';
import type { KeyVersionState as _keyturn_v1_KeyVersionState, KeyVersionState__Output as _keyturn_v1_KeyVersionState__Output } from '../../keyturn/v1/KeyVersionState.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface RecoveredVersion {
  'signingKey'?: (string);
  'version'?: (number);
  'kid'?: (string);
  'ckaId'?: (string);
  'ckaLabel'?: (string);
  'fate'?: (_keyturn_v1_RecoveryFate);
  'why'?: (string);
  'recordedState'?: (_keyturn_v1_KeyVersionState);
  'state'?: (_keyturn_v1_KeyVersionState);
  'published'?: (boolean);
  'publishEndTime'?: (_google_protobuf_Timestamp | null);
}

export interface RecoveredVersion__Output {
  'signingKey': (string);
  'version': (number);
  'kid': (string);
  'ckaId': (string);
  'ckaLabel': (string);
  'fate': (_keyturn_v1_RecoveryFate__Output);
  'why': (string);
  'recordedState': (_keyturn_v1_KeyVersionState__Output);
  'state': (_keyturn_v1_KeyVersionState__Output);
  'published': (boolean);
  'publishEndTime': (_google_protobuf_Timestamp__Output | null);
}
