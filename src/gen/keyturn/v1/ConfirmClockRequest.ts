// Original file: proto/keyturn/v1/clock_service.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface ConfirmClockRequest {
  'time'?: (_google_protobuf_Timestamp | null);
  'reason'?: (string);
}

export interface ConfirmClockRequest__Output {
  'time': (_google_protobuf_Timestamp__Output | null);
  'reason': (string);
}
