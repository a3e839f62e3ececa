// Original file: proto/keyturn/v1/token_service.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { GetTokenStatusRequest as _keyturn_v1_GetTokenStatusRequest, GetTokenStatusRequest__Output as _keyturn_v1_GetTokenStatusRequest__Output } from '../../keyturn/v1/GetTokenStatusRequest.ts';
import type { GetTokenStatusResponse as _keyturn_v1_GetTokenStatusResponse, GetTokenStatusResponse__Output as _keyturn_v1_GetTokenStatusResponse__Output } from '../../keyturn/v1/GetTokenStatusResponse.ts';
import type { ReconcileRequest as _keyturn_v1_ReconcileRequest, ReconcileRequest__Output as _keyturn_v1_ReconcileRequest__Output } from '../../keyturn/v1/ReconcileRequest.ts';
import type { ReconcileResponse as _keyturn_v1_ReconcileResponse, ReconcileResponse__Output as _keyturn_v1_ReconcileResponse__Output } from '../../keyturn/v1/ReconcileResponse.ts';
import type { ResolveObjectRequest as _keyturn_v1_ResolveObjectRequest, ResolveObjectRequest__Output as _keyturn_v1_ResolveObjectRequest__Output } from '../../keyturn/v1/ResolveObjectRequest.ts';
import type { ResolveObjectResponse as _keyturn_v1_ResolveObjectResponse, ResolveObjectResponse__Output as _keyturn_v1_ResolveObjectResponse__Output } from '../../keyturn/v1/ResolveObjectResponse.ts';
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
  
  Reconcile(argument: _keyturn_v1_ReconcileRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ReconcileResponse__Output>): grpc.ClientUnaryCall;
  Reconcile(argument: _keyturn_v1_ReconcileRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ReconcileResponse__Output>): grpc.ClientUnaryCall;
  Reconcile(argument: _keyturn_v1_ReconcileRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ReconcileResponse__Output>): grpc.ClientUnaryCall;
  Reconcile(argument: _keyturn_v1_ReconcileRequest, callback: grpc.requestCallback<_keyturn_v1_ReconcileResponse__Output>): grpc.ClientUnaryCall;
  reconcile(argument: _keyturn_v1_ReconcileRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ReconcileResponse__Output>): grpc.ClientUnaryCall;
  reconcile(argument: _keyturn_v1_ReconcileRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ReconcileResponse__Output>): grpc.ClientUnaryCall;
  reconcile(argument: _keyturn_v1_ReconcileRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ReconcileResponse__Output>): grpc.ClientUnaryCall;
  reconcile(argument: _keyturn_v1_ReconcileRequest, callback: grpc.requestCallback<_keyturn_v1_ReconcileResponse__Output>): grpc.ClientUnaryCall;
  
  ResolveObject(argument: _keyturn_v1_ResolveObjectRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ResolveObjectResponse__Output>): grpc.ClientUnaryCall;
  ResolveObject(argument: _keyturn_v1_ResolveObjectRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ResolveObjectResponse__Output>): grpc.ClientUnaryCall;
  ResolveObject(argument: _keyturn_v1_ResolveObjectRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ResolveObjectResponse__Output>): grpc.ClientUnaryCall;
  ResolveObject(argument: _keyturn_v1_ResolveObjectRequest, callback: grpc.requestCallback<_keyturn_v1_ResolveObjectResponse__Output>): grpc.ClientUnaryCall;
  resolveObject(argument: _keyturn_v1_ResolveObjectRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ResolveObjectResponse__Output>): grpc.ClientUnaryCall;
  resolveObject(argument: _keyturn_v1_ResolveObjectRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ResolveObjectResponse__Output>): grpc.ClientUnaryCall;
  resolveObject(argument: _keyturn_v1_ResolveObjectRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ResolveObjectResponse__Output>): grpc.ClientUnaryCall;
  resolveObject(argument: _keyturn_v1_ResolveObjectRequest, callback: grpc.requestCallback<_keyturn_v1_ResolveObjectResponse__Output>): grpc.ClientUnaryCall;
  
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
  
  Reconcile: grpc.handleUnaryCall<_keyturn_v1_ReconcileRequest__Output, _keyturn_v1_ReconcileResponse>;
  
  ResolveObject: grpc.handleUnaryCall<_keyturn_v1_ResolveObjectRequest__Output, _keyturn_v1_ResolveObjectResponse>;
  
  RetryLogin: grpc.handleUnaryCall<_keyturn_v1_RetryLoginRequest__Output, _keyturn_v1_RetryLoginResponse>;
  
}

export interface TokenServiceDefinition extends grpc.ServiceDefinition {
  GetTokenStatus: MethodDefinition<_keyturn_v1_GetTokenStatusRequest, _keyturn_v1_GetTokenStatusResponse, _keyturn_v1_GetTokenStatusRequest__Output, _keyturn_v1_GetTokenStatusResponse__Output>
  Reconcile: MethodDefinition<_keyturn_v1_ReconcileRequest, _keyturn_v1_ReconcileResponse, _keyturn_v1_ReconcileRequest__Output, _keyturn_v1_ReconcileResponse__Output>
  ResolveObject: MethodDefinition<_keyturn_v1_ResolveObjectRequest, _keyturn_v1_ResolveObjectResponse, _keyturn_v1_ResolveObjectRequest__Output, _keyturn_v1_ResolveObjectResponse__Output>
  RetryLogin: MethodDefinition<_keyturn_v1_RetryLoginRequest, _keyturn_v1_RetryLoginResponse, _keyturn_v1_RetryLoginRequest__Output, _keyturn_v1_RetryLoginResponse__Output>
}
