// Original file: proto/keyturn/v1/token_service.proto

import type { ResolveAction as _keyturn_v1_ResolveAction, ResolveAction__Output as _keyturn_v1_ResolveAction__Output } from '../../keyturn/v1/ResolveAction.ts';

export interface ResolveObjectRequest {
  'ckaId'?: (string);
  'action'?: (_keyturn_v1_ResolveAction);
  'reason'?: (string);
}

export interface ResolveObjectRequest__Output {
  'ckaId': (string);
  'action': (_keyturn_v1_ResolveAction__Output);
  'reason': (string);
}
