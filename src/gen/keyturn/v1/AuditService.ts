// Original file: proto/keyturn/v1/audit_service.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { GetCheckpointRequest as _keyturn_v1_GetCheckpointRequest, GetCheckpointRequest__Output as _keyturn_v1_GetCheckpointRequest__Output } from '../../keyturn/v1/GetCheckpointRequest.ts';
import type { GetCheckpointResponse as _keyturn_v1_GetCheckpointResponse, GetCheckpointResponse__Output as _keyturn_v1_GetCheckpointResponse__Output } from '../../keyturn/v1/GetCheckpointResponse.ts';
import type { ListEntriesRequest as _keyturn_v1_ListEntriesRequest, ListEntriesRequest__Output as _keyturn_v1_ListEntriesRequest__Output } from '../../keyturn/v1/ListEntriesRequest.ts';
import type { ListEntriesResponse as _keyturn_v1_ListEntriesResponse, ListEntriesResponse__Output as _keyturn_v1_ListEntriesResponse__Output } from '../../keyturn/v1/ListEntriesResponse.ts';

export interface AuditServiceClient extends grpc.Client {
  GetCheckpoint(argument: _keyturn_v1_GetCheckpointRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetCheckpointResponse__Output>): grpc.ClientUnaryCall;
  GetCheckpoint(argument: _keyturn_v1_GetCheckpointRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_GetCheckpointResponse__Output>): grpc.ClientUnaryCall;
  GetCheckpoint(argument: _keyturn_v1_GetCheckpointRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetCheckpointResponse__Output>): grpc.ClientUnaryCall;
  GetCheckpoint(argument: _keyturn_v1_GetCheckpointRequest, callback: grpc.requestCallback<_keyturn_v1_GetCheckpointResponse__Output>): grpc.ClientUnaryCall;
  getCheckpoint(argument: _keyturn_v1_GetCheckpointRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetCheckpointResponse__Output>): grpc.ClientUnaryCall;
  getCheckpoint(argument: _keyturn_v1_GetCheckpointRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_GetCheckpointResponse__Output>): grpc.ClientUnaryCall;
  getCheckpoint(argument: _keyturn_v1_GetCheckpointRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetCheckpointResponse__Output>): grpc.ClientUnaryCall;
  getCheckpoint(argument: _keyturn_v1_GetCheckpointRequest, callback: grpc.requestCallback<_keyturn_v1_GetCheckpointResponse__Output>): grpc.ClientUnaryCall;
  
  ListEntries(argument: _keyturn_v1_ListEntriesRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_keyturn_v1_ListEntriesResponse__Output>;
  ListEntries(argument: _keyturn_v1_ListEntriesRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_keyturn_v1_ListEntriesResponse__Output>;
  listEntries(argument: _keyturn_v1_ListEntriesRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_keyturn_v1_ListEntriesResponse__Output>;
  listEntries(argument: _keyturn_v1_ListEntriesRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_keyturn_v1_ListEntriesResponse__Output>;
  
}

export interface AuditServiceHandlers extends grpc.UntypedServiceImplementation {
  GetCheckpoint: grpc.handleUnaryCall<_keyturn_v1_GetCheckpointRequest__Output, _keyturn_v1_GetCheckpointResponse>;
  
  ListEntries: grpc.handleServerStreamingCall<_keyturn_v1_ListEntriesRequest__Output, _keyturn_v1_ListEntriesResponse>;
  
}

export interface AuditServiceDefinition extends grpc.ServiceDefinition {
  GetCheckpoint: MethodDefinition<_keyturn_v1_GetCheckpointRequest, _keyturn_v1_GetCheckpointResponse, _keyturn_v1_GetCheckpointRequest__Output, _keyturn_v1_GetCheckpointResponse__Output>
  ListEntries: MethodDefinition<_keyturn_v1_ListEntriesRequest, _keyturn_v1_ListEntriesResponse, _keyturn_v1_ListEntriesRequest__Output, _keyturn_v1_ListEntriesResponse__Output>
}
