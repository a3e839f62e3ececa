// Original file: proto/keyturn/v1/token_service.proto

import type { FindingKind as _keyturn_v1_FindingKind, FindingKind__Output as _keyturn_v1_FindingKind__Output } from '../../keyturn/v1/FindingKind.ts';

export interface Finding {
  'kind'?: (_keyturn_v1_FindingKind);
  'ckaId'?: (string);
  'ckaLabel'?: (string);
  'signingKey'?: (string);
  'version'?: (number);
}

export interface Finding__Output {
  'kind': (_keyturn_v1_FindingKind__Output);
  'ckaId': (string);
  'ckaLabel': (string);
  'signingKey': (string);
  'version': (number);
}
