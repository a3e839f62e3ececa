// Original file: proto/keyturn/v1/key_admin_service.proto

import type { CompromisedVersion as _keyturn_v1_CompromisedVersion, CompromisedVersion__Output as _keyturn_v1_CompromisedVersion__Output } from '../../keyturn/v1/CompromisedVersion.ts';

export interface DeclareCompromisedRequest {
  'version'?: (_keyturn_v1_CompromisedVersion | null);
  'signingKey'?: (string);
  'wholeToken'?: (boolean);
  'retain'?: (boolean);
  'validateOnly'?: (boolean);
  'reason'?: (string);
  'requestId'?: (string);
  'scope'?: "version"|"signingKey"|"wholeToken";
}

export interface DeclareCompromisedRequest__Output {
  'version'?: (_keyturn_v1_CompromisedVersion__Output | null);
  'signingKey'?: (string);
  'wholeToken'?: (boolean);
  'retain': (boolean);
  'validateOnly': (boolean);
  'reason': (string);
  'requestId': (string);
  'scope'?: "version"|"signingKey"|"wholeToken";
}
