// Original file: proto/keyturn/v1/approval_service.proto

import type { DeclareCompromisedRequest as _keyturn_v1_DeclareCompromisedRequest, DeclareCompromisedRequest__Output as _keyturn_v1_DeclareCompromisedRequest__Output } from '../../keyturn/v1/DeclareCompromisedRequest.ts';
import type { ImportPublicKeyRequest as _keyturn_v1_ImportPublicKeyRequest, ImportPublicKeyRequest__Output as _keyturn_v1_ImportPublicKeyRequest__Output } from '../../keyturn/v1/ImportPublicKeyRequest.ts';
import type { RemovePublicKeyRequest as _keyturn_v1_RemovePublicKeyRequest, RemovePublicKeyRequest__Output as _keyturn_v1_RemovePublicKeyRequest__Output } from '../../keyturn/v1/RemovePublicKeyRequest.ts';
import type { ResolveObjectRequest as _keyturn_v1_ResolveObjectRequest, ResolveObjectRequest__Output as _keyturn_v1_ResolveObjectRequest__Output } from '../../keyturn/v1/ResolveObjectRequest.ts';
import type { RecoverRequest as _keyturn_v1_RecoverRequest, RecoverRequest__Output as _keyturn_v1_RecoverRequest__Output } from '../../keyturn/v1/RecoverRequest.ts';

export interface ProposeRequest {
  'declareCompromised'?: (_keyturn_v1_DeclareCompromisedRequest | null);
  'importPublicKey'?: (_keyturn_v1_ImportPublicKeyRequest | null);
  'removePublicKey'?: (_keyturn_v1_RemovePublicKeyRequest | null);
  'resolveObject'?: (_keyturn_v1_ResolveObjectRequest | null);
  'recover'?: (_keyturn_v1_RecoverRequest | null);
  'command'?: "declareCompromised"|"importPublicKey"|"removePublicKey"|"resolveObject"|"recover";
}

export interface ProposeRequest__Output {
  'declareCompromised'?: (_keyturn_v1_DeclareCompromisedRequest__Output | null);
  'importPublicKey'?: (_keyturn_v1_ImportPublicKeyRequest__Output | null);
  'removePublicKey'?: (_keyturn_v1_RemovePublicKeyRequest__Output | null);
  'resolveObject'?: (_keyturn_v1_ResolveObjectRequest__Output | null);
  'recover'?: (_keyturn_v1_RecoverRequest__Output | null);
  'command'?: "declareCompromised"|"importPublicKey"|"removePublicKey"|"resolveObject"|"recover";
}
