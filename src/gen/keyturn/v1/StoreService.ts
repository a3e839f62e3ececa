// Original file: proto/keyturn/v1/store_service.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BackUpRequest as _keyturn_v1_BackUpRequest, BackUpRequest__Output as _keyturn_v1_BackUpRequest__Output } from '../../keyturn/v1/BackUpRequest.ts';
import type { BackUpResponse as _keyturn_v1_BackUpResponse, BackUpResponse__Output as _keyturn_v1_BackUpResponse__Output } from '../../keyturn/v1/BackUpResponse.ts';
import type { RecoverRequest as _keyturn_v1_RecoverRequest, RecoverRequest__Output as _keyturn_v1_RecoverRequest__Output } from '../../keyturn/v1/RecoverRequest.ts';
import type { RecoverResponse as _keyturn_v1_RecoverResponse, RecoverResponse__Output as _keyturn_v1_RecoverResponse__Output } from '../../keyturn/v1/RecoverResponse.ts';

export interface StoreServiceClient extends grpc.Client {
  BackUp(argument: _keyturn_v1_BackUpRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_keyturn_v1_BackUpResponse__Output>;
  BackUp(argument: _keyturn_v1_BackUpRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_keyturn_v1_BackUpResponse__Output>;
  backUp(argument: _keyturn_v1_BackUpRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_keyturn_v1_BackUpResponse__Output>;
  backUp(argument: _keyturn_v1_BackUpRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_keyturn_v1_BackUpResponse__Output>;
  
  Recover(argument: _keyturn_v1_RecoverRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RecoverResponse__Output>): grpc.ClientUnaryCall;
  Recover(argument: _keyturn_v1_RecoverRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_RecoverResponse__Output>): grpc.ClientUnaryCall;
  Recover(argument: _keyturn_v1_RecoverRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RecoverResponse__Output>): grpc.ClientUnaryCall;
  Recover(argument: _keyturn_v1_RecoverRequest, callback: grpc.requestCallback<_keyturn_v1_RecoverResponse__Output>): grpc.ClientUnaryCall;
  recover(argument: _keyturn_v1_RecoverRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RecoverResponse__Output>): grpc.ClientUnaryCall;
  recover(argument: _keyturn_v1_RecoverRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_RecoverResponse__Output>): grpc.ClientUnaryCall;
  recover(argument: _keyturn_v1_RecoverRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RecoverResponse__Output>): grpc.ClientUnaryCall;
  recover(argument: _keyturn_v1_RecoverRequest, callback: grpc.requestCallback<_keyturn_v1_RecoverResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface StoreServiceHandlers extends grpc.UntypedServiceImplementation {
  BackUp: grpc.handleServerStreamingCall<_keyturn_v1_BackUpRequest__Output, _keyturn_v1_BackUpResponse>;
  
  Recover: grpc.handleUnaryCall<_keyturn_v1_RecoverRequest__Output, _keyturn_v1_RecoverResponse>;
  
}

export interface StoreServiceDefinition extends grpc.ServiceDefinition {
  BackUp: MethodDefinition<_keyturn_v1_BackUpRequest, _keyturn_v1_BackUpResponse, _keyturn_v1_BackUpRequest__Output, _keyturn_v1_BackUpResponse__Output>
  Recover: MethodDefinition<_keyturn_v1_RecoverRequest, _keyturn_v1_RecoverResponse, _keyturn_v1_RecoverRequest__Output, _keyturn_v1_RecoverResponse__Output>
}
