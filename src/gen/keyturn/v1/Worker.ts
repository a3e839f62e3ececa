// Original file: proto/keyturn/v1/token_service.proto

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface Worker {
  'pid'?: (number);
  'state'?: (string);
  'sessions'?: (number);
  'inFlight'?: (number);
  'uptime'?: (_google_protobuf_Duration | null);
}

export interface Worker__Output {
  'pid': (number);
  'state': (string);
  'sessions': (number);
  'inFlight': (number);
  'uptime': (_google_protobuf_Duration__Output | null);
}
