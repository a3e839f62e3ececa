// Original file: proto/keyturn/v1/signing_service.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BatchSignJwtRequest as _keyturn_v1_BatchSignJwtRequest, BatchSignJwtRequest__Output as _keyturn_v1_BatchSignJwtRequest__Output } from '../../keyturn/v1/BatchSignJwtRequest.ts';
import type { BatchSignJwtResponse as _keyturn_v1_BatchSignJwtResponse, BatchSignJwtResponse__Output as _keyturn_v1_BatchSignJwtResponse__Output } from '../../keyturn/v1/BatchSignJwtResponse.ts';
import type { SignJwtRequest as _keyturn_v1_SignJwtRequest, SignJwtRequest__Output as _keyturn_v1_SignJwtRequest__Output } from '../../keyturn/v1/SignJwtRequest.ts';
import type { SignJwtResponse as _keyturn_v1_SignJwtResponse, SignJwtResponse__Output as _keyturn_v1_SignJwtResponse__Output } from '../../keyturn/v1/SignJwtResponse.ts';

export interface SigningServiceClient extends grpc.Client {
  BatchSignJwt(argument: _keyturn_v1_BatchSignJwtRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_BatchSignJwtResponse__Output>): grpc.ClientUnaryCall;
  BatchSignJwt(argument: _keyturn_v1_BatchSignJwtRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_BatchSignJwtResponse__Output>): grpc.ClientUnaryCall;
  BatchSignJwt(argument: _keyturn_v1_BatchSignJwtRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_BatchSignJwtResponse__Output>): grpc.ClientUnaryCall;
  BatchSignJwt(argument: _keyturn_v1_BatchSignJwtRequest, callback: grpc.requestCallback<_keyturn_v1_BatchSignJwtResponse__Output>): grpc.ClientUnaryCall;
  batchSignJwt(argument: _keyturn_v1_BatchSignJwtRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_BatchSignJwtResponse__Output>): grpc.ClientUnaryCall;
  batchSignJwt(argument: _keyturn_v1_BatchSignJwtRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_BatchSignJwtResponse__Output>): grpc.ClientUnaryCall;
  batchSignJwt(argument: _keyturn_v1_BatchSignJwtRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_BatchSignJwtResponse__Output>): grpc.ClientUnaryCall;
  batchSignJwt(argument: _keyturn_v1_BatchSignJwtRequest, callback: grpc.requestCallback<_keyturn_v1_BatchSignJwtResponse__Output>): grpc.ClientUnaryCall;
  
  SignJwt(argument: _keyturn_v1_SignJwtRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_SignJwtResponse__Output>): grpc.ClientUnaryCall;
  SignJwt(argument: _keyturn_v1_SignJwtRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_SignJwtResponse__Output>): grpc.ClientUnaryCall;
  SignJwt(argument: _keyturn_v1_SignJwtRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_SignJwtResponse__Output>): grpc.ClientUnaryCall;
  SignJwt(argument: _keyturn_v1_SignJwtRequest, callback: grpc.requestCallback<_keyturn_v1_SignJwtResponse__Output>): grpc.ClientUnaryCall;
  signJwt(argument: _keyturn_v1_SignJwtRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_SignJwtResponse__Output>): grpc.ClientUnaryCall;
  signJwt(argument: _keyturn_v1_SignJwtRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_SignJwtResponse__Output>): grpc.ClientUnaryCall;
  signJwt(argument: _keyturn_v1_SignJwtRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_SignJwtResponse__Output>): grpc.ClientUnaryCall;
  signJwt(argument: _keyturn_v1_SignJwtRequest, callback: grpc.requestCallback<_keyturn_v1_SignJwtResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface SigningServiceHandlers extends grpc.UntypedServiceImplementation {
  BatchSignJwt: grpc.handleUnaryCall<_keyturn_v1_BatchSignJwtRequest__Output, _keyturn_v1_BatchSignJwtResponse>;
  
  SignJwt: grpc.handleUnaryCall<_keyturn_v1_SignJwtRequest__Output, _keyturn_v1_SignJwtResponse>;
  
}

export interface SigningServiceDefinition extends grpc.ServiceDefinition {
  BatchSignJwt: MethodDefinition<_keyturn_v1_BatchSignJwtRequest, _keyturn_v1_BatchSignJwtResponse, _keyturn_v1_BatchSignJwtRequest__Output, _keyturn_v1_BatchSignJwtResponse__Output>
  SignJwt: MethodDefinition<_keyturn_v1_SignJwtRequest, _keyturn_v1_SignJwtResponse, _keyturn_v1_SignJwtRequest__Output, _keyturn_v1_SignJwtResponse__Output>
}
