// Original file: proto/keyturn/v1/key_admin_service.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface KeySetOutlook {
  'keySet'?: (string);
  'peakPublishedVersions'?: (number);
  'peakTime'?: (_google_protobuf_Timestamp | null);
  'maxPublishedVersions'?: (number);
  'endTime'?: (_google_protobuf_Timestamp | null);
  'complete'?: (boolean);
}

export interface KeySetOutlook__Output {
  'keySet': (string);
  'peakPublishedVersions': (number);
  'peakTime': (_google_protobuf_Timestamp__Output | null);
  'maxPublishedVersions': (number);
  'endTime': (_google_protobuf_Timestamp__Output | null);
  'complete': (boolean);
}
