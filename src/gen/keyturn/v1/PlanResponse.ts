// Original file: proto/keyturn/v1/key_admin_service.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { PlannedMoment as _keyturn_v1_PlannedMoment, PlannedMoment__Output as _keyturn_v1_PlannedMoment__Output } from '../../keyturn/v1/PlannedMoment.ts';
import type { VersionExplanation as _keyturn_v1_VersionExplanation, VersionExplanation__Output as _keyturn_v1_VersionExplanation__Output } from '../../keyturn/v1/VersionExplanation.ts';
import type { CommandOutlook as _keyturn_v1_CommandOutlook, CommandOutlook__Output as _keyturn_v1_CommandOutlook__Output } from '../../keyturn/v1/CommandOutlook.ts';
import type { KeySetOutlook as _keyturn_v1_KeySetOutlook, KeySetOutlook__Output as _keyturn_v1_KeySetOutlook__Output } from '../../keyturn/v1/KeySetOutlook.ts';

export interface PlanResponse {
  'startTime'?: (_google_protobuf_Timestamp | null);
  'moments'?: (_keyturn_v1_PlannedMoment)[];
  'explanations'?: (_keyturn_v1_VersionExplanation)[];
  'commands'?: (_keyturn_v1_CommandOutlook)[];
  'keySets'?: (_keyturn_v1_KeySetOutlook)[];
  'remarks'?: (string)[];
}

export interface PlanResponse__Output {
  'startTime': (_google_protobuf_Timestamp__Output | null);
  'moments': (_keyturn_v1_PlannedMoment__Output)[];
  'explanations': (_keyturn_v1_VersionExplanation__Output)[];
  'commands': (_keyturn_v1_CommandOutlook__Output)[];
  'keySets': (_keyturn_v1_KeySetOutlook__Output)[];
  'remarks': (string)[];
}
