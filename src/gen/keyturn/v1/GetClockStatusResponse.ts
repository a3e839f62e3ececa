// Original file: proto/keyturn/v1/clock_service.proto

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface GetClockStatusResponse {
  'trusted'?: (boolean);
  'step'?: (_google_protobuf_Duration | null);
  'stepLimit'?: (_google_protobuf_Duration | null);
  'time'?: (_google_protobuf_Timestamp | null);
}

export interface GetClockStatusResponse__Output {
  'trusted': (boolean);
  'step': (_google_protobuf_Duration__Output | null);
  'stepLimit': (_google_protobuf_Duration__Output | null);
  'time': (_google_protobuf_Timestamp__Output | null);
}
