// Original file: proto/keyturn/v1/key_admin_service.proto

import type { SigningKey as _keyturn_v1_SigningKey, SigningKey__Output as _keyturn_v1_SigningKey__Output } from '../../keyturn/v1/SigningKey.ts';

export interface UnretireResponse {
  'signingKey'?: (_keyturn_v1_SigningKey | null);
}

export interface UnretireResponse__Output {
  'signingKey': (_keyturn_v1_SigningKey__Output | null);
}
