// Original file: proto/keyturn/v1/imported_key.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { DepartureCause as _keyturn_v1_DepartureCause, DepartureCause__Output as _keyturn_v1_DepartureCause__Output } from '../../keyturn/v1/DepartureCause.ts';

export interface ImportedKey {
  'keySet'?: (string);
  'kid'?: (string);
  'algorithm'?: (string);
  'thumbprint'?: (string);
  'published'?: (boolean);
  'importTime'?: (_google_protobuf_Timestamp | null);
  'expireTime'?: (_google_protobuf_Timestamp | null);
  'caller'?: (string);
  'reason'?: (string);
  'departureTime'?: (_google_protobuf_Timestamp | null);
  'departureCause'?: (_keyturn_v1_DepartureCause);
}

export interface ImportedKey__Output {
  'keySet': (string);
  'kid': (string);
  'algorithm': (string);
  'thumbprint': (string);
  'published': (boolean);
  'importTime': (_google_protobuf_Timestamp__Output | null);
  'expireTime': (_google_protobuf_Timestamp__Output | null);
  'caller': (string);
  'reason': (string);
  'departureTime': (_google_protobuf_Timestamp__Output | null);
  'departureCause': (_keyturn_v1_DepartureCause__Output);
}
