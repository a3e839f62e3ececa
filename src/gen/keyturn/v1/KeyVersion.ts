// Original file: proto/keyturn/v1/key_admin_service.proto

import type { KeyVersionState as _keyturn_v1_KeyVersionState, KeyVersionState__Output as _keyturn_v1_KeyVersionState__Output } from '../../keyturn/v1/KeyVersionState.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { BirthRecord as _keyturn_v1_BirthRecord, BirthRecord__Output as _keyturn_v1_BirthRecord__Output } from '../../keyturn/v1/BirthRecord.ts';

export interface KeyVersion {
  'signingKey'?: (string);
  'version'?: (number);
  'kid'?: (string);
  'state'?: (_keyturn_v1_KeyVersionState);
  'published'?: (boolean);
  'propagated'?: (boolean);
  'served'?: (_google_protobuf_Duration | null);
  'servedRequired'?: (_google_protobuf_Duration | null);
  'createTime'?: (_google_protobuf_Timestamp | null);
  'activateTime'?: (_google_protobuf_Timestamp | null);
  'suspendTime'?: (_google_protobuf_Timestamp | null);
  'deactivateTime'?: (_google_protobuf_Timestamp | null);
  'destroyTime'?: (_google_protobuf_Timestamp | null);
  'expCeiling'?: (_google_protobuf_Timestamp | null);
  'ckaId'?: (string);
  'ckaLabel'?: (string);
  'privateKeyPresent'?: (boolean);
  'birthRecord'?: (_keyturn_v1_BirthRecord | null);
  'suspensionEndTime'?: (_google_protobuf_Timestamp | null);
}

export interface KeyVersion__Output {
  'signingKey': (string);
  'version': (number);
  'kid': (string);
  'state': (_keyturn_v1_KeyVersionState__Output);
  'published': (boolean);
  'propagated': (boolean);
  'served': (_google_protobuf_Duration__Output | null);
  'servedRequired': (_google_protobuf_Duration__Output | null);
  'createTime': (_google_protobuf_Timestamp__Output | null);
  'activateTime': (_google_protobuf_Timestamp__Output | null);
  'suspendTime': (_google_protobuf_Timestamp__Output | null);
  'deactivateTime': (_google_protobuf_Timestamp__Output | null);
  'destroyTime': (_google_protobuf_Timestamp__Output | null);
  'expCeiling': (_google_protobuf_Timestamp__Output | null);
  'ckaId': (string);
  'ckaLabel': (string);
  'privateKeyPresent': (boolean);
  'birthRecord': (_keyturn_v1_BirthRecord__Output | null);
  'suspensionEndTime': (_google_protobuf_Timestamp__Output | null);
}
