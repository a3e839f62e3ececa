import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from './google/protobuf/Duration.ts';
import type { GetTokenStatusRequest as _keyturn_v1_GetTokenStatusRequest, GetTokenStatusRequest__Output as _keyturn_v1_GetTokenStatusRequest__Output } from './keyturn/v1/GetTokenStatusRequest.ts';
import type { GetTokenStatusResponse as _keyturn_v1_GetTokenStatusResponse, GetTokenStatusResponse__Output as _keyturn_v1_GetTokenStatusResponse__Output } from './keyturn/v1/GetTokenStatusResponse.ts';
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
    }
  }
  keyturn: {
    v1: {
      GetTokenStatusRequest: MessageTypeDefinition<_keyturn_v1_GetTokenStatusRequest, _keyturn_v1_GetTokenStatusRequest__Output>
      GetTokenStatusResponse: MessageTypeDefinition<_keyturn_v1_GetTokenStatusResponse, _keyturn_v1_GetTokenStatusResponse__Output>
      RetryLoginRequest: MessageTypeDefinition<_keyturn_v1_RetryLoginRequest, _keyturn_v1_RetryLoginRequest__Output>
      RetryLoginResponse: MessageTypeDefinition<_keyturn_v1_RetryLoginResponse, _keyturn_v1_RetryLoginResponse__Output>
      TokenService: SubtypeConstructor<typeof grpc.Client, _keyturn_v1_TokenServiceClient> & { service: _keyturn_v1_TokenServiceDefinition }
      TokenState: EnumTypeDefinition
      Worker: MessageTypeDefinition<_keyturn_v1_Worker, _keyturn_v1_Worker__Output>
    }
  }
}

