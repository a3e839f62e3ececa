// Original file: proto/keyturn/v1/signing_service.proto

import type { SignJwtRequest as _keyturn_v1_SignJwtRequest, SignJwtRequest__Output as _keyturn_v1_SignJwtRequest__Output } from '../../keyturn/v1/SignJwtRequest.ts';

export interface BatchSignJwtRequest {
  'requests'?: (_keyturn_v1_SignJwtRequest)[];
}

export interface BatchSignJwtRequest__Output {
  'requests': (_keyturn_v1_SignJwtRequest__Output)[];
}
