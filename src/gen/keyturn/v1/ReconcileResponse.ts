// Original file: proto/keyturn/v1/token_service.proto

import type { Finding as _keyturn_v1_Finding, Finding__Output as _keyturn_v1_Finding__Output } from '../../keyturn/v1/Finding.ts';

export interface ReconcileResponse {
  'findings'?: (_keyturn_v1_Finding)[];
}

export interface ReconcileResponse__Output {
  'findings': (_keyturn_v1_Finding__Output)[];
}
