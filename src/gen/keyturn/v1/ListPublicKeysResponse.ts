// Original file: proto/keyturn/v1/imported_key.proto

import type { ImportedKey as _keyturn_v1_ImportedKey, ImportedKey__Output as _keyturn_v1_ImportedKey__Output } from '../../keyturn/v1/ImportedKey.ts';

export interface ListPublicKeysResponse {
  'importedKeys'?: (_keyturn_v1_ImportedKey)[];
  'nextPageToken'?: (string);
}

export interface ListPublicKeysResponse__Output {
  'importedKeys': (_keyturn_v1_ImportedKey__Output)[];
  'nextPageToken': (string);
}
