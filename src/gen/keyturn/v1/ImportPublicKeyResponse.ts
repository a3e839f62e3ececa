// Original file: proto/keyturn/v1/imported_key.proto

import type { ImportedKey as _keyturn_v1_ImportedKey, ImportedKey__Output as _keyturn_v1_ImportedKey__Output } from '../../keyturn/v1/ImportedKey.ts';

export interface ImportPublicKeyResponse {
  'importedKey'?: (_keyturn_v1_ImportedKey | null);
  'changed'?: (boolean);
}

export interface ImportPublicKeyResponse__Output {
  'importedKey': (_keyturn_v1_ImportedKey__Output | null);
  'changed': (boolean);
}
