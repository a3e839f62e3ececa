// Original file: proto/keyturn/v1/key_admin_service.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ApplySigningKeyRequest as _keyturn_v1_ApplySigningKeyRequest, ApplySigningKeyRequest__Output as _keyturn_v1_ApplySigningKeyRequest__Output } from '../../keyturn/v1/ApplySigningKeyRequest.ts';
import type { ApplySigningKeyResponse as _keyturn_v1_ApplySigningKeyResponse, ApplySigningKeyResponse__Output as _keyturn_v1_ApplySigningKeyResponse__Output } from '../../keyturn/v1/ApplySigningKeyResponse.ts';
import type { GetSigningKeyRequest as _keyturn_v1_GetSigningKeyRequest, GetSigningKeyRequest__Output as _keyturn_v1_GetSigningKeyRequest__Output } from '../../keyturn/v1/GetSigningKeyRequest.ts';
import type { GetSigningKeyResponse as _keyturn_v1_GetSigningKeyResponse, GetSigningKeyResponse__Output as _keyturn_v1_GetSigningKeyResponse__Output } from '../../keyturn/v1/GetSigningKeyResponse.ts';
import type { ListKeyVersionsRequest as _keyturn_v1_ListKeyVersionsRequest, ListKeyVersionsRequest__Output as _keyturn_v1_ListKeyVersionsRequest__Output } from '../../keyturn/v1/ListKeyVersionsRequest.ts';
import type { ListKeyVersionsResponse as _keyturn_v1_ListKeyVersionsResponse, ListKeyVersionsResponse__Output as _keyturn_v1_ListKeyVersionsResponse__Output } from '../../keyturn/v1/ListKeyVersionsResponse.ts';
import type { ListSigningKeysRequest as _keyturn_v1_ListSigningKeysRequest, ListSigningKeysRequest__Output as _keyturn_v1_ListSigningKeysRequest__Output } from '../../keyturn/v1/ListSigningKeysRequest.ts';
import type { ListSigningKeysResponse as _keyturn_v1_ListSigningKeysResponse, ListSigningKeysResponse__Output as _keyturn_v1_ListSigningKeysResponse__Output } from '../../keyturn/v1/ListSigningKeysResponse.ts';
import type { RotateRequest as _keyturn_v1_RotateRequest, RotateRequest__Output as _keyturn_v1_RotateRequest__Output } from '../../keyturn/v1/RotateRequest.ts';
import type { RotateResponse as _keyturn_v1_RotateResponse, RotateResponse__Output as _keyturn_v1_RotateResponse__Output } from '../../keyturn/v1/RotateResponse.ts';

export interface KeyAdminServiceClient extends grpc.Client {
  ApplySigningKey(argument: _keyturn_v1_ApplySigningKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ApplySigningKeyResponse__Output>): grpc.ClientUnaryCall;
  ApplySigningKey(argument: _keyturn_v1_ApplySigningKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ApplySigningKeyResponse__Output>): grpc.ClientUnaryCall;
  ApplySigningKey(argument: _keyturn_v1_ApplySigningKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ApplySigningKeyResponse__Output>): grpc.ClientUnaryCall;
  ApplySigningKey(argument: _keyturn_v1_ApplySigningKeyRequest, callback: grpc.requestCallback<_keyturn_v1_ApplySigningKeyResponse__Output>): grpc.ClientUnaryCall;
  applySigningKey(argument: _keyturn_v1_ApplySigningKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ApplySigningKeyResponse__Output>): grpc.ClientUnaryCall;
  applySigningKey(argument: _keyturn_v1_ApplySigningKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ApplySigningKeyResponse__Output>): grpc.ClientUnaryCall;
  applySigningKey(argument: _keyturn_v1_ApplySigningKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ApplySigningKeyResponse__Output>): grpc.ClientUnaryCall;
  applySigningKey(argument: _keyturn_v1_ApplySigningKeyRequest, callback: grpc.requestCallback<_keyturn_v1_ApplySigningKeyResponse__Output>): grpc.ClientUnaryCall;
  
  GetSigningKey(argument: _keyturn_v1_GetSigningKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetSigningKeyResponse__Output>): grpc.ClientUnaryCall;
  GetSigningKey(argument: _keyturn_v1_GetSigningKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_GetSigningKeyResponse__Output>): grpc.ClientUnaryCall;
  GetSigningKey(argument: _keyturn_v1_GetSigningKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetSigningKeyResponse__Output>): grpc.ClientUnaryCall;
  GetSigningKey(argument: _keyturn_v1_GetSigningKeyRequest, callback: grpc.requestCallback<_keyturn_v1_GetSigningKeyResponse__Output>): grpc.ClientUnaryCall;
  getSigningKey(argument: _keyturn_v1_GetSigningKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetSigningKeyResponse__Output>): grpc.ClientUnaryCall;
  getSigningKey(argument: _keyturn_v1_GetSigningKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_GetSigningKeyResponse__Output>): grpc.ClientUnaryCall;
  getSigningKey(argument: _keyturn_v1_GetSigningKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetSigningKeyResponse__Output>): grpc.ClientUnaryCall;
  getSigningKey(argument: _keyturn_v1_GetSigningKeyRequest, callback: grpc.requestCallback<_keyturn_v1_GetSigningKeyResponse__Output>): grpc.ClientUnaryCall;
  
  ListKeyVersions(argument: _keyturn_v1_ListKeyVersionsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListKeyVersionsResponse__Output>): grpc.ClientUnaryCall;
  ListKeyVersions(argument: _keyturn_v1_ListKeyVersionsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ListKeyVersionsResponse__Output>): grpc.ClientUnaryCall;
  ListKeyVersions(argument: _keyturn_v1_ListKeyVersionsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListKeyVersionsResponse__Output>): grpc.ClientUnaryCall;
  ListKeyVersions(argument: _keyturn_v1_ListKeyVersionsRequest, callback: grpc.requestCallback<_keyturn_v1_ListKeyVersionsResponse__Output>): grpc.ClientUnaryCall;
  listKeyVersions(argument: _keyturn_v1_ListKeyVersionsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListKeyVersionsResponse__Output>): grpc.ClientUnaryCall;
  listKeyVersions(argument: _keyturn_v1_ListKeyVersionsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ListKeyVersionsResponse__Output>): grpc.ClientUnaryCall;
  listKeyVersions(argument: _keyturn_v1_ListKeyVersionsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListKeyVersionsResponse__Output>): grpc.ClientUnaryCall;
  listKeyVersions(argument: _keyturn_v1_ListKeyVersionsRequest, callback: grpc.requestCallback<_keyturn_v1_ListKeyVersionsResponse__Output>): grpc.ClientUnaryCall;
  
  ListSigningKeys(argument: _keyturn_v1_ListSigningKeysRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListSigningKeysResponse__Output>): grpc.ClientUnaryCall;
  ListSigningKeys(argument: _keyturn_v1_ListSigningKeysRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ListSigningKeysResponse__Output>): grpc.ClientUnaryCall;
  ListSigningKeys(argument: _keyturn_v1_ListSigningKeysRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListSigningKeysResponse__Output>): grpc.ClientUnaryCall;
  ListSigningKeys(argument: _keyturn_v1_ListSigningKeysRequest, callback: grpc.requestCallback<_keyturn_v1_ListSigningKeysResponse__Output>): grpc.ClientUnaryCall;
  listSigningKeys(argument: _keyturn_v1_ListSigningKeysRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListSigningKeysResponse__Output>): grpc.ClientUnaryCall;
  listSigningKeys(argument: _keyturn_v1_ListSigningKeysRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ListSigningKeysResponse__Output>): grpc.ClientUnaryCall;
  listSigningKeys(argument: _keyturn_v1_ListSigningKeysRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListSigningKeysResponse__Output>): grpc.ClientUnaryCall;
  listSigningKeys(argument: _keyturn_v1_ListSigningKeysRequest, callback: grpc.requestCallback<_keyturn_v1_ListSigningKeysResponse__Output>): grpc.ClientUnaryCall;
  
  Rotate(argument: _keyturn_v1_RotateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RotateResponse__Output>): grpc.ClientUnaryCall;
  Rotate(argument: _keyturn_v1_RotateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_RotateResponse__Output>): grpc.ClientUnaryCall;
  Rotate(argument: _keyturn_v1_RotateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RotateResponse__Output>): grpc.ClientUnaryCall;
  Rotate(argument: _keyturn_v1_RotateRequest, callback: grpc.requestCallback<_keyturn_v1_RotateResponse__Output>): grpc.ClientUnaryCall;
  rotate(argument: _keyturn_v1_RotateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RotateResponse__Output>): grpc.ClientUnaryCall;
  rotate(argument: _keyturn_v1_RotateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_RotateResponse__Output>): grpc.ClientUnaryCall;
  rotate(argument: _keyturn_v1_RotateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RotateResponse__Output>): grpc.ClientUnaryCall;
  rotate(argument: _keyturn_v1_RotateRequest, callback: grpc.requestCallback<_keyturn_v1_RotateResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface KeyAdminServiceHandlers extends grpc.UntypedServiceImplementation {
  ApplySigningKey: grpc.handleUnaryCall<_keyturn_v1_ApplySigningKeyRequest__Output, _keyturn_v1_ApplySigningKeyResponse>;
  
  GetSigningKey: grpc.handleUnaryCall<_keyturn_v1_GetSigningKeyRequest__Output, _keyturn_v1_GetSigningKeyResponse>;
  
  ListKeyVersions: grpc.handleUnaryCall<_keyturn_v1_ListKeyVersionsRequest__Output, _keyturn_v1_ListKeyVersionsResponse>;
  
  ListSigningKeys: grpc.handleUnaryCall<_keyturn_v1_ListSigningKeysRequest__Output, _keyturn_v1_ListSigningKeysResponse>;
  
  Rotate: grpc.handleUnaryCall<_keyturn_v1_RotateRequest__Output, _keyturn_v1_RotateResponse>;
  
}

export interface KeyAdminServiceDefinition extends grpc.ServiceDefinition {
  ApplySigningKey: MethodDefinition<_keyturn_v1_ApplySigningKeyRequest, _keyturn_v1_ApplySigningKeyResponse, _keyturn_v1_ApplySigningKeyRequest__Output, _keyturn_v1_ApplySigningKeyResponse__Output>
  GetSigningKey: MethodDefinition<_keyturn_v1_GetSigningKeyRequest, _keyturn_v1_GetSigningKeyResponse, _keyturn_v1_GetSigningKeyRequest__Output, _keyturn_v1_GetSigningKeyResponse__Output>
  ListKeyVersions: MethodDefinition<_keyturn_v1_ListKeyVersionsRequest, _keyturn_v1_ListKeyVersionsResponse, _keyturn_v1_ListKeyVersionsRequest__Output, _keyturn_v1_ListKeyVersionsResponse__Output>
  ListSigningKeys: MethodDefinition<_keyturn_v1_ListSigningKeysRequest, _keyturn_v1_ListSigningKeysResponse, _keyturn_v1_ListSigningKeysRequest__Output, _keyturn_v1_ListSigningKeysResponse__Output>
  Rotate: MethodDefinition<_keyturn_v1_RotateRequest, _keyturn_v1_RotateResponse, _keyturn_v1_RotateRequest__Output, _keyturn_v1_RotateResponse__Output>
}
