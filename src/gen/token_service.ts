import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from './google/protobuf/Duration.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from './google/protobuf/Timestamp.ts';
import type { Finding as _keyturn_v1_Finding, Finding__Output as _keyturn_v1_Finding__Output } from './keyturn/v1/Finding.ts';
import type { GetTokenStatusRequest as _keyturn_v1_GetTokenStatusRequest, GetTokenStatusRequest__Output as _keyturn_v1_GetTokenStatusRequest__Output } from './keyturn/v1/GetTokenStatusRequest.ts';
import type { GetTokenStatusResponse as _keyturn_v1_GetTokenStatusResponse, GetTokenStatusResponse__Output as _keyturn_v1_GetTokenStatusResponse__Output } from './keyturn/v1/GetTokenStatusResponse.ts';
import type { ReconcileRequest as _keyturn_v1_ReconcileRequest, ReconcileRequest__Output as _keyturn_v1_ReconcileRequest__Output } from './keyturn/v1/ReconcileRequest.ts';
import type { ReconcileResponse as _keyturn_v1_ReconcileResponse, ReconcileResponse__Output as _keyturn_v1_ReconcileResponse__Output } from './keyturn/v1/ReconcileResponse.ts';
import type { ResolveObjectRequest as _keyturn_v1_ResolveObjectRequest, ResolveObjectRequest__Output as _keyturn_v1_ResolveObjectRequest__Output } from './keyturn/v1/ResolveObjectRequest.ts';
import type { ResolveObjectResponse as _keyturn_v1_ResolveObjectResponse, ResolveObjectResponse__Output as _keyturn_v1_ResolveObjectResponse__Output } from './keyturn/v1/ResolveObjectResponse.ts';
import type { RetryLoginRequest as _keyturn_v1_RetryLoginRequest, RetryLoginRequest__Output as _keyturn_v1_RetryLoginRequest__Output } from './keyturn/v1/RetryLoginRequest.ts';
import type { RetryLoginResponse as _keyturn_v1_RetryLoginResponse, RetryLoginResponse__Output as _keyturn_v1_RetryLoginResponse__Output } from './keyturn/v1/RetryLoginResponse.ts';
import type { TokenServiceClient as _keyturn_v1_TokenServiceClient, TokenServiceDefinition as _keyturn_v1_TokenServiceDefinition } from './keyturn/v1/TokenService.ts';
import type { Worker as _keyturn_v1_Worker, Worker__Output as _keyturn_v1_Worker__Output } from './keyturn/v1/Worker.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  google: {
    protobuf: {
      Duration: MessageTypeDefinition<_google_protobuf_Duration, _google_protobuf_Duration__Output>
      Timestamp: MessageTypeDefinition<_google_protobuf_Timestamp, _google_protobuf_Timestamp__Output>
    }
  }
  keyturn: {
    v1: {
      Finding: MessageTypeDefinition<_keyturn_v1_Finding, _keyturn_v1_Finding__Output>
      FindingKind: EnumTypeDefinition
      GetTokenStatusRequest: MessageTypeDefinition<_keyturn_v1_GetTokenStatusRequest, _keyturn_v1_GetTokenStatusRequest__Output>
      GetTokenStatusResponse: MessageTypeDefinition<_keyturn_v1_GetTokenStatusResponse, _keyturn_v1_GetTokenStatusResponse__Output>
      ReconcileRequest: MessageTypeDefinition<_keyturn_v1_ReconcileRequest, _keyturn_v1_ReconcileRequest__Output>
      ReconcileResponse: MessageTypeDefinition<_keyturn_v1_ReconcileResponse, _keyturn_v1_ReconcileResponse__Output>
      ResolveAction: EnumTypeDefinition
      ResolveObjectRequest: MessageTypeDefinition<_keyturn_v1_ResolveObjectRequest, _keyturn_v1_ResolveObjectRequest__Output>
      ResolveObjectResponse: MessageTypeDefinition<_keyturn_v1_ResolveObjectResponse, _keyturn_v1_ResolveObjectResponse__Output>
      RetryLoginRequest: MessageTypeDefinition<_keyturn_v1_RetryLoginRequest, _keyturn_v1_RetryLoginRequest__Output>
      RetryLoginResponse: MessageTypeDefinition<_keyturn_v1_RetryLoginResponse, _keyturn_v1_RetryLoginResponse__Output>
      TokenService: SubtypeConstructor<typeof grpc.Client, _keyturn_v1_TokenServiceClient> & { service: _keyturn_v1_TokenServiceDefinition }
      TokenState: EnumTypeDefinition
      Worker: MessageTypeDefinition<_keyturn_v1_Worker, _keyturn_v1_Worker__Output>
    }
  }
}

