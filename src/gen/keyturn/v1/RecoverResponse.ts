// Original file: proto/keyturn/v1/store_service.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { RecoveredSigningKey as _keyturn_v1_RecoveredSigningKey, RecoveredSigningKey__Output as _keyturn_v1_RecoveredSigningKey__Output } from '../../keyturn/v1/RecoveredSigningKey.ts';
import type { RecoveredVersion as _keyturn_v1_RecoveredVersion, RecoveredVersion__Output as _keyturn_v1_RecoveredVersion__Output } from '../../keyturn/v1/RecoveredVersion.ts';
import type { RecoveredImport as _keyturn_v1_RecoveredImport, RecoveredImport__Output as _keyturn_v1_RecoveredImport__Output } from '../../keyturn/v1/RecoveredImport.ts';

export interface RecoverResponse {
  'restoreTime'?: (_google_protobuf_Timestamp | null);
  'knownUntilTime'?: (_google_protobuf_Timestamp | null);
  'signingKeys'?: (_keyturn_v1_RecoveredSigningKey)[];
  'versions'?: (_keyturn_v1_RecoveredVersion)[];
  'etag'?: (string);
  'imports'?: (_keyturn_v1_RecoveredImport)[];
}

export interface RecoverResponse__Output {
  'restoreTime': (_google_protobuf_Timestamp__Output | null);
  'knownUntilTime': (_google_protobuf_Timestamp__Output | null);
  'signingKeys': (_keyturn_v1_RecoveredSigningKey__Output)[];
  'versions': (_keyturn_v1_RecoveredVersion__Output)[];
  'etag': (string);
  'imports': (_keyturn_v1_RecoveredImport__Output)[];
}
