// Original file: proto/keyturn/v1/key_admin_service.proto

import type { LifecyclePolicy as _keyturn_v1_LifecyclePolicy, LifecyclePolicy__Output as _keyturn_v1_LifecyclePolicy__Output } from '../../keyturn/v1/LifecyclePolicy.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface SigningKey {
  'name'?: (string);
  'keySet'?: (string);
  'algorithm'?: (string);
  'rsaBits'?: (number);
  'lifecyclePolicy'?: (_keyturn_v1_LifecyclePolicy | null);
  'etag'?: (string);
  'createTime'?: (_google_protobuf_Timestamp | null);
  'activeVersion'?: (number);
  'activeKid'?: (string);
  'propagatedStandbys'?: (number);
  'publishedStandbys'?: (number);
  'rotateAllowedTime'?: (_google_protobuf_Timestamp | null);
  'readyTime'?: (_google_protobuf_Timestamp | null);
  'reconciling'?: (boolean);
  'lastProblem'?: (string);
  'rotationDueTime'?: (_google_protobuf_Timestamp | null);
  'halted'?: (boolean);
  'retireTime'?: (_google_protobuf_Timestamp | null);
  'unretireUntilTime'?: (_google_protobuf_Timestamp | null);
  'scheduledRotationTime'?: (_google_protobuf_Timestamp | null);
}

export interface SigningKey__Output {
  'name': (string);
  'keySet': (string);
  'algorithm': (string);
  'rsaBits': (number);
  'lifecyclePolicy': (_keyturn_v1_LifecyclePolicy__Output | null);
  'etag': (string);
  'createTime': (_google_protobuf_Timestamp__Output | null);
  'activeVersion': (number);
  'activeKid': (string);
  'propagatedStandbys': (number);
  'publishedStandbys': (number);
  'rotateAllowedTime': (_google_protobuf_Timestamp__Output | null);
  'readyTime': (_google_protobuf_Timestamp__Output | null);
  'reconciling': (boolean);
  'lastProblem': (string);
  'rotationDueTime': (_google_protobuf_Timestamp__Output | null);
  'halted': (boolean);
  'retireTime': (_google_protobuf_Timestamp__Output | null);
  'unretireUntilTime': (_google_protobuf_Timestamp__Output | null);
  'scheduledRotationTime': (_google_protobuf_Timestamp__Output | null);
}
