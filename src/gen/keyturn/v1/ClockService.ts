// Original file: proto/keyturn/v1/clock_service.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ConfirmClockRequest as _keyturn_v1_ConfirmClockRequest, ConfirmClockRequest__Output as _keyturn_v1_ConfirmClockRequest__Output } from '../../keyturn/v1/ConfirmClockRequest.ts';
import type { ConfirmClockResponse as _keyturn_v1_ConfirmClockResponse, ConfirmClockResponse__Output as _keyturn_v1_ConfirmClockResponse__Output } from '../../keyturn/v1/ConfirmClockResponse.ts';
import type { GetClockStatusRequest as _keyturn_v1_GetClockStatusRequest, GetClockStatusRequest__Output as _keyturn_v1_GetClockStatusRequest__Output } from '../../keyturn/v1/GetClockStatusRequest.ts';
import type { GetClockStatusResponse as _keyturn_v1_GetClockStatusResponse, GetClockStatusResponse__Output as _keyturn_v1_GetClockStatusResponse__Output } from '../../keyturn/v1/GetClockStatusResponse.ts';

export interface ClockServiceClient extends grpc.Client {
  ConfirmClock(argument: _keyturn_v1_ConfirmClockRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ConfirmClockResponse__Output>): grpc.ClientUnaryCall;
  ConfirmClock(argument: _keyturn_v1_ConfirmClockRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ConfirmClockResponse__Output>): grpc.ClientUnaryCall;
  ConfirmClock(argument: _keyturn_v1_ConfirmClockRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ConfirmClockResponse__Output>): grpc.ClientUnaryCall;
  ConfirmClock(argument: _keyturn_v1_ConfirmClockRequest, callback: grpc.requestCallback<_keyturn_v1_ConfirmClockResponse__Output>): grpc.ClientUnaryCall;
  confirmClock(argument: _keyturn_v1_ConfirmClockRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ConfirmClockResponse__Output>): grpc.ClientUnaryCall;
  confirmClock(argument: _keyturn_v1_ConfirmClockRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ConfirmClockResponse__Output>): grpc.ClientUnaryCall;
  confirmClock(argument: _keyturn_v1_ConfirmClockRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ConfirmClockResponse__Output>): grpc.ClientUnaryCall;
  confirmClock(argument: _keyturn_v1_ConfirmClockRequest, callback: grpc.requestCallback<_keyturn_v1_ConfirmClockResponse__Output>): grpc.ClientUnaryCall;
  
  GetClockStatus(argument: _keyturn_v1_GetClockStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetClockStatusResponse__Output>): grpc.ClientUnaryCall;
  GetClockStatus(argument: _keyturn_v1_GetClockStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_GetClockStatusResponse__Output>): grpc.ClientUnaryCall;
  GetClockStatus(argument: _keyturn_v1_GetClockStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetClockStatusResponse__Output>): grpc.ClientUnaryCall;
  GetClockStatus(argument: _keyturn_v1_GetClockStatusRequest, callback: grpc.requestCallback<_keyturn_v1_GetClockStatusResponse__Output>): grpc.ClientUnaryCall;
  getClockStatus(argument: _keyturn_v1_GetClockStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetClockStatusResponse__Output>): grpc.ClientUnaryCall;
  getClockStatus(argument: _keyturn_v1_GetClockStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_GetClockStatusResponse__Output>): grpc.ClientUnaryCall;
  getClockStatus(argument: _keyturn_v1_GetClockStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetClockStatusResponse__Output>): grpc.ClientUnaryCall;
  getClockStatus(argument: _keyturn_v1_GetClockStatusRequest, callback: grpc.requestCallback<_keyturn_v1_GetClockStatusResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface ClockServiceHandlers extends grpc.UntypedServiceImplementation {
  ConfirmClock: grpc.handleUnaryCall<_keyturn_v1_ConfirmClockRequest__Output, _keyturn_v1_ConfirmClockResponse>;
  
  GetClockStatus: grpc.handleUnaryCall<_keyturn_v1_GetClockStatusRequest__Output, _keyturn_v1_GetClockStatusResponse>;
  
}

export interface ClockServiceDefinition extends grpc.ServiceDefinition {
  ConfirmClock: MethodDefinition<_keyturn_v1_ConfirmClockRequest, _keyturn_v1_ConfirmClockResponse, _keyturn_v1_ConfirmClockRequest__Output, _keyturn_v1_ConfirmClockResponse__Output>
  GetClockStatus: MethodDefinition<_keyturn_v1_GetClockStatusRequest, _keyturn_v1_GetClockStatusResponse, _keyturn_v1_GetClockStatusRequest__Output, _keyturn_v1_GetClockStatusResponse__Output>
}
