// Original file: proto/keyturn/v1/signing_service.proto

import type { BatchSignJwtResult as _keyturn_v1_BatchSignJwtResult, BatchSignJwtResult__Output as _keyturn_v1_BatchSignJwtResult__Output } from '../../keyturn/v1/BatchSignJwtResult.ts';

export interface BatchSignJwtResponse {
  'results'?: (_keyturn_v1_BatchSignJwtResult)[];
}

export interface BatchSignJwtResponse__Output {
  'results': (_keyturn_v1_BatchSignJwtResult__Output)[];
}
