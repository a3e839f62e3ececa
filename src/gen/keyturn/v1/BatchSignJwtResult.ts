// Original file: proto/keyturn/v1/signing_service.proto

import type { SignJwtResponse as _keyturn_v1_SignJwtResponse, SignJwtResponse__Output as _keyturn_v1_SignJwtResponse__Output } from '../../keyturn/v1/SignJwtResponse.ts';
import type { Status as _google_rpc_Status, Status__Output as _google_rpc_Status__Output } from '../../google/rpc/Status.ts';

export interface BatchSignJwtResult {
  'signed'?: (_keyturn_v1_SignJwtResponse | null);
  'error'?: (_google_rpc_Status | null);
  'outcome'?: "signed"|"error";
}

export interface BatchSignJwtResult__Output {
  'signed'?: (_keyturn_v1_SignJwtResponse__Output | null);
  'error'?: (_google_rpc_Status__Output | null);
  'outcome'?: "signed"|"error";
}
