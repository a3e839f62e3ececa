// Original file: proto/keyturn/v1/key_set_service.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { GetKeySetRequest as _keyturn_v1_GetKeySetRequest, GetKeySetRequest__Output as _keyturn_v1_GetKeySetRequest__Output } from '../../keyturn/v1/GetKeySetRequest.ts';
import type { GetKeySetResponse as _keyturn_v1_GetKeySetResponse, GetKeySetResponse__Output as _keyturn_v1_GetKeySetResponse__Output } from '../../keyturn/v1/GetKeySetResponse.ts';
import type { WatchKeySetRequest as _keyturn_v1_WatchKeySetRequest, WatchKeySetRequest__Output as _keyturn_v1_WatchKeySetRequest__Output } from '../../keyturn/v1/WatchKeySetRequest.ts';
import type { WatchKeySetResponse as _keyturn_v1_WatchKeySetResponse, WatchKeySetResponse__Output as _keyturn_v1_WatchKeySetResponse__Output } from '../../keyturn/v1/WatchKeySetResponse.ts';

export interface KeySetServiceClient extends grpc.Client {
  GetKeySet(argument: _keyturn_v1_GetKeySetRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetKeySetResponse__Output>): grpc.ClientUnaryCall;
  GetKeySet(argument: _keyturn_v1_GetKeySetRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_GetKeySetResponse__Output>): grpc.ClientUnaryCall;
  GetKeySet(argument: _keyturn_v1_GetKeySetRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetKeySetResponse__Output>): grpc.ClientUnaryCall;
  GetKeySet(argument: _keyturn_v1_GetKeySetRequest, callback: grpc.requestCallback<_keyturn_v1_GetKeySetResponse__Output>): grpc.ClientUnaryCall;
  getKeySet(argument: _keyturn_v1_GetKeySetRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetKeySetResponse__Output>): grpc.ClientUnaryCall;
  getKeySet(argument: _keyturn_v1_GetKeySetRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_GetKeySetResponse__Output>): grpc.ClientUnaryCall;
  getKeySet(argument: _keyturn_v1_GetKeySetRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetKeySetResponse__Output>): grpc.ClientUnaryCall;
  getKeySet(argument: _keyturn_v1_GetKeySetRequest, callback: grpc.requestCallback<_keyturn_v1_GetKeySetResponse__Output>): grpc.ClientUnaryCall;
  
  WatchKeySet(argument: _keyturn_v1_WatchKeySetRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_keyturn_v1_WatchKeySetResponse__Output>;
  WatchKeySet(argument: _keyturn_v1_WatchKeySetRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_keyturn_v1_WatchKeySetResponse__Output>;
  watchKeySet(argument: _keyturn_v1_WatchKeySetRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_keyturn_v1_WatchKeySetResponse__Output>;
  watchKeySet(argument: _keyturn_v1_WatchKeySetRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_keyturn_v1_WatchKeySetResponse__Output>;
  
}

export interface KeySetServiceHandlers extends grpc.UntypedServiceImplementation {
  GetKeySet: grpc.handleUnaryCall<_keyturn_v1_GetKeySetRequest__Output, _keyturn_v1_GetKeySetResponse>;
  
  WatchKeySet: grpc.handleServerStreamingCall<_keyturn_v1_WatchKeySetRequest__Output, _keyturn_v1_WatchKeySetResponse>;
  
}

export interface KeySetServiceDefinition extends grpc.ServiceDefinition {
  GetKeySet: MethodDefinition<_keyturn_v1_GetKeySetRequest, _keyturn_v1_GetKeySetResponse, _keyturn_v1_GetKeySetRequest__Output, _keyturn_v1_GetKeySetResponse__Output>
  WatchKeySet: MethodDefinition<_keyturn_v1_WatchKeySetRequest, _keyturn_v1_WatchKeySetResponse, _keyturn_v1_WatchKeySetRequest__Output, _keyturn_v1_WatchKeySetResponse__Output>
}
