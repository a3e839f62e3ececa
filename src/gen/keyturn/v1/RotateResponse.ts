// Original file: proto/keyturn/v1/key_admin_service.proto

import type { SigningKey as _keyturn_v1_SigningKey, SigningKey__Output as _keyturn_v1_SigningKey__Output } from '../../keyturn/v1/SigningKey.ts';
import type { KeyVersion as _keyturn_v1_KeyVersion, KeyVersion__Output as _keyturn_v1_KeyVersion__Output } from '../../keyturn/v1/KeyVersion.ts';

export interface RotateResponse {
  'signingKey'?: (_keyturn_v1_SigningKey | null);
  'activated'?: (_keyturn_v1_KeyVersion | null);
  'suspended'?: (_keyturn_v1_KeyVersion | null);
}

export interface RotateResponse__Output {
  'signingKey': (_keyturn_v1_SigningKey__Output | null);
  'activated': (_keyturn_v1_KeyVersion__Output | null);
  'suspended': (_keyturn_v1_KeyVersion__Output | null);
}
