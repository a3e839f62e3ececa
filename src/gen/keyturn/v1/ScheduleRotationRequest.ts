// Original file: proto/keyturn/v1/key_admin_service.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface ScheduleRotationRequest {
  'signingKey'?: (string);
  'rotateTime'?: (_google_protobuf_Timestamp | null);
  'cancel'?: (boolean);
  'validateOnly'?: (boolean);
  'etag'?: (string);
  'reason'?: (string);
  'requestId'?: (string);
  'schedule'?: "rotateTime"|"cancel";
}

export interface ScheduleRotationRequest__Output {
  'signingKey': (string);
  'rotateTime'?: (_google_protobuf_Timestamp__Output | null);
  'cancel'?: (boolean);
  'validateOnly': (boolean);
  'etag': (string);
  'reason': (string);
  'requestId': (string);
  'schedule'?: "rotateTime"|"cancel";
}
