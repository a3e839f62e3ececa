// Original file: proto/keyturn/v1/token_service.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { GetTokenStatusRequest as _keyturn_v1_GetTokenStatusRequest, GetTokenStatusRequest__Output as _keyturn_v1_GetTokenStatusRequest__Output } from '../../keyturn/v1/GetTokenStatusRequest.ts';
import type { GetTokenStatusResponse as _keyturn_v1_GetTokenStatusResponse, GetTokenStatusResponse__Output as _keyturn_v1_GetTokenStatusResponse__Output } from '../../keyturn/v1/GetTokenStatusResponse.ts';
import type { RetryLoginRequest as _keyturn_v1_RetryLoginRequest, RetryLoginRequest__Output as _keyturn_v1_RetryLoginRequest__Output } from '../../keyturn/v1/RetryLoginRequest.ts';
import type { RetryLoginResponse as _keyturn_v1_RetryLoginResponse, RetryLoginResponse__Output as _keyturn_v1_RetryLoginResponse__Output } from '../../keyturn/v1/RetryLoginResponse.ts';

export interface TokenServiceClient extends grpc.Client {
  GetTokenStatus(argument: _keyturn_v1_GetTokenStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetTokenStatusResponse__Output>): grpc.ClientUnaryCall;
  GetTokenStatus(argument: _keyturn_v1_GetTokenStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_GetTokenStatusResponse__Output>): grpc.ClientUnaryCall;
  GetTokenStatus(argument: _keyturn_v1_GetTokenStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetTokenStatusResponse__Output>): grpc.ClientUnaryCall;
  GetTokenStatus(argument: _keyturn_v1_GetTokenStatusRequest, callback: grpc.requestCallback<_keyturn_v1_GetTokenStatusResponse__Output>): grpc.ClientUnaryCall;
  getTokenStatus(argument: _keyturn_v1_GetTokenStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetTokenStatusResponse__Output>): grpc.ClientUnaryCall;
  getTokenStatus(argument: _keyturn_v1_GetTokenStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_GetTokenStatusResponse__Output>): grpc.ClientUnaryCall;
  getTokenStatus(argument: _keyturn_v1_GetTokenStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetTokenStatusResponse__Output>): grpc.ClientUnaryCall;
  getTokenStatus(argument: _keyturn_v1_GetTokenStatusRequest, callback: grpc.requestCallback<_keyturn_v1_GetTokenStatusResponse__Output>): grpc.ClientUnaryCall;
  
  RetryLogin(argument: _keyturn_v1_RetryLoginRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RetryLoginResponse__Output>): grpc.ClientUnaryCall;
  RetryLogin(argument: _keyturn_v1_RetryLoginRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_RetryLoginResponse__Output>): grpc.ClientUnaryCall;
  RetryLogin(argument: _keyturn_v1_RetryLoginRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RetryLoginResponse__Output>): grpc.ClientUnaryCall;
  RetryLogin(argument: _keyturn_v1_RetryLoginRequest, callback: grpc.requestCallback<_keyturn_v1_RetryLoginResponse__Output>): grpc.ClientUnaryCall;
  retryLogin(argument: _keyturn_v1_RetryLoginRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RetryLoginResponse__Output>): grpc.ClientUnaryCall;
  retryLogin(argument: _keyturn_v1_RetryLoginRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_RetryLoginResponse__Output>): grpc.ClientUnaryCall;
  retryLogin(argument: _keyturn_v1_RetryLoginRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RetryLoginResponse__Output>): grpc.ClientUnaryCall;
  retryLogin(argument: _keyturn_v1_RetryLoginRequest, callback: grpc.requestCallback<_keyturn_v1_RetryLoginResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface TokenServiceHandlers extends grpc.UntypedServiceImplementation {
  GetTokenStatus: grpc.handleUnaryCall<_keyturn_v1_GetTokenStatusRequest__Output, _keyturn_v1_GetTokenStatusResponse>;
  
  RetryLogin: grpc.handleUnaryCall<_keyturn_v1_RetryLoginRequest__Output, _keyturn_v1_RetryLoginResponse>;
  
}

export interface TokenServiceDefinition extends grpc.ServiceDefinition {
  GetTokenStatus: MethodDefinition<_keyturn_v1_GetTokenStatusRequest, _keyturn_v1_GetTokenStatusResponse, _keyturn_v1_GetTokenStatusRequest__Output, _keyturn_v1_GetTokenStatusResponse__Output>
  RetryLogin: MethodDefinition<_keyturn_v1_RetryLoginRequest, _keyturn_v1_RetryLoginResponse, _keyturn_v1_RetryLoginRequest__Output, _keyturn_v1_RetryLoginResponse__Output>
}
