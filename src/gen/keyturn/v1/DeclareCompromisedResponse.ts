// Original file: proto/keyturn/v1/key_admin_service.proto

import type { CompromiseEffect as _keyturn_v1_CompromiseEffect, CompromiseEffect__Output as _keyturn_v1_CompromiseEffect__Output } from '../../keyturn/v1/CompromiseEffect.ts';

export interface DeclareCompromisedResponse {
  'effects'?: (_keyturn_v1_CompromiseEffect)[];
}

export interface DeclareCompromisedResponse__Output {
  'effects': (_keyturn_v1_CompromiseEffect__Output)[];
}
