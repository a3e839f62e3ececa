// Original file: proto/keyturn/v1/key_admin_service.proto

import type { KeyVersion as _keyturn_v1_KeyVersion, KeyVersion__Output as _keyturn_v1_KeyVersion__Output } from '../../keyturn/v1/KeyVersion.ts';

export interface ListKeyVersionsResponse {
  'keyVersions'?: (_keyturn_v1_KeyVersion)[];
  'nextPageToken'?: (string);
}

export interface ListKeyVersionsResponse__Output {
  'keyVersions': (_keyturn_v1_KeyVersion__Output)[];
  'nextPageToken': (string);
}
