// Original file: proto/keyturn/v1/key_admin_service.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ApplySigningKeyRequest as _keyturn_v1_ApplySigningKeyRequest, ApplySigningKeyRequest__Output as _keyturn_v1_ApplySigningKeyRequest__Output } from '../../keyturn/v1/ApplySigningKeyRequest.ts';
import type { ApplySigningKeyResponse as _keyturn_v1_ApplySigningKeyResponse, ApplySigningKeyResponse__Output as _keyturn_v1_ApplySigningKeyResponse__Output } from '../../keyturn/v1/ApplySigningKeyResponse.ts';
import type { DeclareCompromisedRequest as _keyturn_v1_DeclareCompromisedRequest, DeclareCompromisedRequest__Output as _keyturn_v1_DeclareCompromisedRequest__Output } from '../../keyturn/v1/DeclareCompromisedRequest.ts';
import type { DeclareCompromisedResponse as _keyturn_v1_DeclareCompromisedResponse, DeclareCompromisedResponse__Output as _keyturn_v1_DeclareCompromisedResponse__Output } from '../../keyturn/v1/DeclareCompromisedResponse.ts';
import type { GetSigningKeyRequest as _keyturn_v1_GetSigningKeyRequest, GetSigningKeyRequest__Output as _keyturn_v1_GetSigningKeyRequest__Output } from '../../keyturn/v1/GetSigningKeyRequest.ts';
import type { GetSigningKeyResponse as _keyturn_v1_GetSigningKeyResponse, GetSigningKeyResponse__Output as _keyturn_v1_GetSigningKeyResponse__Output } from '../../keyturn/v1/GetSigningKeyResponse.ts';
import type { ImportPublicKeyRequest as _keyturn_v1_ImportPublicKeyRequest, ImportPublicKeyRequest__Output as _keyturn_v1_ImportPublicKeyRequest__Output } from '../../keyturn/v1/ImportPublicKeyRequest.ts';
import type { ImportPublicKeyResponse as _keyturn_v1_ImportPublicKeyResponse, ImportPublicKeyResponse__Output as _keyturn_v1_ImportPublicKeyResponse__Output } from '../../keyturn/v1/ImportPublicKeyResponse.ts';
import type { ListKeyVersionsRequest as _keyturn_v1_ListKeyVersionsRequest, ListKeyVersionsRequest__Output as _keyturn_v1_ListKeyVersionsRequest__Output } from '../../keyturn/v1/ListKeyVersionsRequest.ts';
import type { ListKeyVersionsResponse as _keyturn_v1_ListKeyVersionsResponse, ListKeyVersionsResponse__Output as _keyturn_v1_ListKeyVersionsResponse__Output } from '../../keyturn/v1/ListKeyVersionsResponse.ts';
import type { ListPublicKeysRequest as _keyturn_v1_ListPublicKeysRequest, ListPublicKeysRequest__Output as _keyturn_v1_ListPublicKeysRequest__Output } from '../../keyturn/v1/ListPublicKeysRequest.ts';
import type { ListPublicKeysResponse as _keyturn_v1_ListPublicKeysResponse, ListPublicKeysResponse__Output as _keyturn_v1_ListPublicKeysResponse__Output } from '../../keyturn/v1/ListPublicKeysResponse.ts';
import type { ListSigningKeysRequest as _keyturn_v1_ListSigningKeysRequest, ListSigningKeysRequest__Output as _keyturn_v1_ListSigningKeysRequest__Output } from '../../keyturn/v1/ListSigningKeysRequest.ts';
import type { ListSigningKeysResponse as _keyturn_v1_ListSigningKeysResponse, ListSigningKeysResponse__Output as _keyturn_v1_ListSigningKeysResponse__Output } from '../../keyturn/v1/ListSigningKeysResponse.ts';
import type { PlanRequest as _keyturn_v1_PlanRequest, PlanRequest__Output as _keyturn_v1_PlanRequest__Output } from '../../keyturn/v1/PlanRequest.ts';
import type { PlanResponse as _keyturn_v1_PlanResponse, PlanResponse__Output as _keyturn_v1_PlanResponse__Output } from '../../keyturn/v1/PlanResponse.ts';
import type { ReactivateRequest as _keyturn_v1_ReactivateRequest, ReactivateRequest__Output as _keyturn_v1_ReactivateRequest__Output } from '../../keyturn/v1/ReactivateRequest.ts';
import type { ReactivateResponse as _keyturn_v1_ReactivateResponse, ReactivateResponse__Output as _keyturn_v1_ReactivateResponse__Output } from '../../keyturn/v1/ReactivateResponse.ts';
import type { RemovePublicKeyRequest as _keyturn_v1_RemovePublicKeyRequest, RemovePublicKeyRequest__Output as _keyturn_v1_RemovePublicKeyRequest__Output } from '../../keyturn/v1/RemovePublicKeyRequest.ts';
import type { RemovePublicKeyResponse as _keyturn_v1_RemovePublicKeyResponse, RemovePublicKeyResponse__Output as _keyturn_v1_RemovePublicKeyResponse__Output } from '../../keyturn/v1/RemovePublicKeyResponse.ts';
import type { RetireRequest as _keyturn_v1_RetireRequest, RetireRequest__Output as _keyturn_v1_RetireRequest__Output } from '../../keyturn/v1/RetireRequest.ts';
import type { RetireResponse as _keyturn_v1_RetireResponse, RetireResponse__Output as _keyturn_v1_RetireResponse__Output } from '../../keyturn/v1/RetireResponse.ts';
import type { RollbackRequest as _keyturn_v1_RollbackRequest, RollbackRequest__Output as _keyturn_v1_RollbackRequest__Output } from '../../keyturn/v1/RollbackRequest.ts';
import type { RollbackResponse as _keyturn_v1_RollbackResponse, RollbackResponse__Output as _keyturn_v1_RollbackResponse__Output } from '../../keyturn/v1/RollbackResponse.ts';
import type { RotateRequest as _keyturn_v1_RotateRequest, RotateRequest__Output as _keyturn_v1_RotateRequest__Output } from '../../keyturn/v1/RotateRequest.ts';
import type { RotateResponse as _keyturn_v1_RotateResponse, RotateResponse__Output as _keyturn_v1_RotateResponse__Output } from '../../keyturn/v1/RotateResponse.ts';
import type { ScheduleRotationRequest as _keyturn_v1_ScheduleRotationRequest, ScheduleRotationRequest__Output as _keyturn_v1_ScheduleRotationRequest__Output } from '../../keyturn/v1/ScheduleRotationRequest.ts';
import type { ScheduleRotationResponse as _keyturn_v1_ScheduleRotationResponse, ScheduleRotationResponse__Output as _keyturn_v1_ScheduleRotationResponse__Output } from '../../keyturn/v1/ScheduleRotationResponse.ts';
import type { SuspendRequest as _keyturn_v1_SuspendRequest, SuspendRequest__Output as _keyturn_v1_SuspendRequest__Output } from '../../keyturn/v1/SuspendRequest.ts';
import type { SuspendResponse as _keyturn_v1_SuspendResponse, SuspendResponse__Output as _keyturn_v1_SuspendResponse__Output } from '../../keyturn/v1/SuspendResponse.ts';
import type { UnretireRequest as _keyturn_v1_UnretireRequest, UnretireRequest__Output as _keyturn_v1_UnretireRequest__Output } from '../../keyturn/v1/UnretireRequest.ts';
import type { UnretireResponse as _keyturn_v1_UnretireResponse, UnretireResponse__Output as _keyturn_v1_UnretireResponse__Output } from '../../keyturn/v1/UnretireResponse.ts';

export interface KeyAdminServiceClient extends grpc.Client {
  ApplySigningKey(argument: _keyturn_v1_ApplySigningKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ApplySigningKeyResponse__Output>): grpc.ClientUnaryCall;
  ApplySigningKey(argument: _keyturn_v1_ApplySigningKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ApplySigningKeyResponse__Output>): grpc.ClientUnaryCall;
  ApplySigningKey(argument: _keyturn_v1_ApplySigningKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ApplySigningKeyResponse__Output>): grpc.ClientUnaryCall;
  ApplySigningKey(argument: _keyturn_v1_ApplySigningKeyRequest, callback: grpc.requestCallback<_keyturn_v1_ApplySigningKeyResponse__Output>): grpc.ClientUnaryCall;
  applySigningKey(argument: _keyturn_v1_ApplySigningKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ApplySigningKeyResponse__Output>): grpc.ClientUnaryCall;
  applySigningKey(argument: _keyturn_v1_ApplySigningKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ApplySigningKeyResponse__Output>): grpc.ClientUnaryCall;
  applySigningKey(argument: _keyturn_v1_ApplySigningKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ApplySigningKeyResponse__Output>): grpc.ClientUnaryCall;
  applySigningKey(argument: _keyturn_v1_ApplySigningKeyRequest, callback: grpc.requestCallback<_keyturn_v1_ApplySigningKeyResponse__Output>): grpc.ClientUnaryCall;
  
  DeclareCompromised(argument: _keyturn_v1_DeclareCompromisedRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_DeclareCompromisedResponse__Output>): grpc.ClientUnaryCall;
  DeclareCompromised(argument: _keyturn_v1_DeclareCompromisedRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_DeclareCompromisedResponse__Output>): grpc.ClientUnaryCall;
  DeclareCompromised(argument: _keyturn_v1_DeclareCompromisedRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_DeclareCompromisedResponse__Output>): grpc.ClientUnaryCall;
  DeclareCompromised(argument: _keyturn_v1_DeclareCompromisedRequest, callback: grpc.requestCallback<_keyturn_v1_DeclareCompromisedResponse__Output>): grpc.ClientUnaryCall;
  declareCompromised(argument: _keyturn_v1_DeclareCompromisedRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_DeclareCompromisedResponse__Output>): grpc.ClientUnaryCall;
  declareCompromised(argument: _keyturn_v1_DeclareCompromisedRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_DeclareCompromisedResponse__Output>): grpc.ClientUnaryCall;
  declareCompromised(argument: _keyturn_v1_DeclareCompromisedRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_DeclareCompromisedResponse__Output>): grpc.ClientUnaryCall;
  declareCompromised(argument: _keyturn_v1_DeclareCompromisedRequest, callback: grpc.requestCallback<_keyturn_v1_DeclareCompromisedResponse__Output>): grpc.ClientUnaryCall;
  
  GetSigningKey(argument: _keyturn_v1_GetSigningKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetSigningKeyResponse__Output>): grpc.ClientUnaryCall;
  GetSigningKey(argument: _keyturn_v1_GetSigningKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_GetSigningKeyResponse__Output>): grpc.ClientUnaryCall;
  GetSigningKey(argument: _keyturn_v1_GetSigningKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetSigningKeyResponse__Output>): grpc.ClientUnaryCall;
  GetSigningKey(argument: _keyturn_v1_GetSigningKeyRequest, callback: grpc.requestCallback<_keyturn_v1_GetSigningKeyResponse__Output>): grpc.ClientUnaryCall;
  getSigningKey(argument: _keyturn_v1_GetSigningKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetSigningKeyResponse__Output>): grpc.ClientUnaryCall;
  getSigningKey(argument: _keyturn_v1_GetSigningKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_GetSigningKeyResponse__Output>): grpc.ClientUnaryCall;
  getSigningKey(argument: _keyturn_v1_GetSigningKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_GetSigningKeyResponse__Output>): grpc.ClientUnaryCall;
  getSigningKey(argument: _keyturn_v1_GetSigningKeyRequest, callback: grpc.requestCallback<_keyturn_v1_GetSigningKeyResponse__Output>): grpc.ClientUnaryCall;
  
  ImportPublicKey(argument: _keyturn_v1_ImportPublicKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ImportPublicKeyResponse__Output>): grpc.ClientUnaryCall;
  ImportPublicKey(argument: _keyturn_v1_ImportPublicKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ImportPublicKeyResponse__Output>): grpc.ClientUnaryCall;
  ImportPublicKey(argument: _keyturn_v1_ImportPublicKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ImportPublicKeyResponse__Output>): grpc.ClientUnaryCall;
  ImportPublicKey(argument: _keyturn_v1_ImportPublicKeyRequest, callback: grpc.requestCallback<_keyturn_v1_ImportPublicKeyResponse__Output>): grpc.ClientUnaryCall;
  importPublicKey(argument: _keyturn_v1_ImportPublicKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ImportPublicKeyResponse__Output>): grpc.ClientUnaryCall;
  importPublicKey(argument: _keyturn_v1_ImportPublicKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ImportPublicKeyResponse__Output>): grpc.ClientUnaryCall;
  importPublicKey(argument: _keyturn_v1_ImportPublicKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ImportPublicKeyResponse__Output>): grpc.ClientUnaryCall;
  importPublicKey(argument: _keyturn_v1_ImportPublicKeyRequest, callback: grpc.requestCallback<_keyturn_v1_ImportPublicKeyResponse__Output>): grpc.ClientUnaryCall;
  
  ListKeyVersions(argument: _keyturn_v1_ListKeyVersionsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListKeyVersionsResponse__Output>): grpc.ClientUnaryCall;
  ListKeyVersions(argument: _keyturn_v1_ListKeyVersionsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ListKeyVersionsResponse__Output>): grpc.ClientUnaryCall;
  ListKeyVersions(argument: _keyturn_v1_ListKeyVersionsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListKeyVersionsResponse__Output>): grpc.ClientUnaryCall;
  ListKeyVersions(argument: _keyturn_v1_ListKeyVersionsRequest, callback: grpc.requestCallback<_keyturn_v1_ListKeyVersionsResponse__Output>): grpc.ClientUnaryCall;
  listKeyVersions(argument: _keyturn_v1_ListKeyVersionsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListKeyVersionsResponse__Output>): grpc.ClientUnaryCall;
  listKeyVersions(argument: _keyturn_v1_ListKeyVersionsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ListKeyVersionsResponse__Output>): grpc.ClientUnaryCall;
  listKeyVersions(argument: _keyturn_v1_ListKeyVersionsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListKeyVersionsResponse__Output>): grpc.ClientUnaryCall;
  listKeyVersions(argument: _keyturn_v1_ListKeyVersionsRequest, callback: grpc.requestCallback<_keyturn_v1_ListKeyVersionsResponse__Output>): grpc.ClientUnaryCall;
  
  ListPublicKeys(argument: _keyturn_v1_ListPublicKeysRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListPublicKeysResponse__Output>): grpc.ClientUnaryCall;
  ListPublicKeys(argument: _keyturn_v1_ListPublicKeysRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ListPublicKeysResponse__Output>): grpc.ClientUnaryCall;
  ListPublicKeys(argument: _keyturn_v1_ListPublicKeysRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListPublicKeysResponse__Output>): grpc.ClientUnaryCall;
  ListPublicKeys(argument: _keyturn_v1_ListPublicKeysRequest, callback: grpc.requestCallback<_keyturn_v1_ListPublicKeysResponse__Output>): grpc.ClientUnaryCall;
  listPublicKeys(argument: _keyturn_v1_ListPublicKeysRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListPublicKeysResponse__Output>): grpc.ClientUnaryCall;
  listPublicKeys(argument: _keyturn_v1_ListPublicKeysRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ListPublicKeysResponse__Output>): grpc.ClientUnaryCall;
  listPublicKeys(argument: _keyturn_v1_ListPublicKeysRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListPublicKeysResponse__Output>): grpc.ClientUnaryCall;
  listPublicKeys(argument: _keyturn_v1_ListPublicKeysRequest, callback: grpc.requestCallback<_keyturn_v1_ListPublicKeysResponse__Output>): grpc.ClientUnaryCall;
  
  ListSigningKeys(argument: _keyturn_v1_ListSigningKeysRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListSigningKeysResponse__Output>): grpc.ClientUnaryCall;
  ListSigningKeys(argument: _keyturn_v1_ListSigningKeysRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ListSigningKeysResponse__Output>): grpc.ClientUnaryCall;
  ListSigningKeys(argument: _keyturn_v1_ListSigningKeysRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListSigningKeysResponse__Output>): grpc.ClientUnaryCall;
  ListSigningKeys(argument: _keyturn_v1_ListSigningKeysRequest, callback: grpc.requestCallback<_keyturn_v1_ListSigningKeysResponse__Output>): grpc.ClientUnaryCall;
  listSigningKeys(argument: _keyturn_v1_ListSigningKeysRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListSigningKeysResponse__Output>): grpc.ClientUnaryCall;
  listSigningKeys(argument: _keyturn_v1_ListSigningKeysRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ListSigningKeysResponse__Output>): grpc.ClientUnaryCall;
  listSigningKeys(argument: _keyturn_v1_ListSigningKeysRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListSigningKeysResponse__Output>): grpc.ClientUnaryCall;
  listSigningKeys(argument: _keyturn_v1_ListSigningKeysRequest, callback: grpc.requestCallback<_keyturn_v1_ListSigningKeysResponse__Output>): grpc.ClientUnaryCall;
  
  Plan(argument: _keyturn_v1_PlanRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_PlanResponse__Output>): grpc.ClientUnaryCall;
  Plan(argument: _keyturn_v1_PlanRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_PlanResponse__Output>): grpc.ClientUnaryCall;
  Plan(argument: _keyturn_v1_PlanRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_PlanResponse__Output>): grpc.ClientUnaryCall;
  Plan(argument: _keyturn_v1_PlanRequest, callback: grpc.requestCallback<_keyturn_v1_PlanResponse__Output>): grpc.ClientUnaryCall;
  plan(argument: _keyturn_v1_PlanRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_PlanResponse__Output>): grpc.ClientUnaryCall;
  plan(argument: _keyturn_v1_PlanRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_PlanResponse__Output>): grpc.ClientUnaryCall;
  plan(argument: _keyturn_v1_PlanRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_PlanResponse__Output>): grpc.ClientUnaryCall;
  plan(argument: _keyturn_v1_PlanRequest, callback: grpc.requestCallback<_keyturn_v1_PlanResponse__Output>): grpc.ClientUnaryCall;
  
  Reactivate(argument: _keyturn_v1_ReactivateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ReactivateResponse__Output>): grpc.ClientUnaryCall;
  Reactivate(argument: _keyturn_v1_ReactivateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ReactivateResponse__Output>): grpc.ClientUnaryCall;
  Reactivate(argument: _keyturn_v1_ReactivateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ReactivateResponse__Output>): grpc.ClientUnaryCall;
  Reactivate(argument: _keyturn_v1_ReactivateRequest, callback: grpc.requestCallback<_keyturn_v1_ReactivateResponse__Output>): grpc.ClientUnaryCall;
  reactivate(argument: _keyturn_v1_ReactivateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ReactivateResponse__Output>): grpc.ClientUnaryCall;
  reactivate(argument: _keyturn_v1_ReactivateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ReactivateResponse__Output>): grpc.ClientUnaryCall;
  reactivate(argument: _keyturn_v1_ReactivateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ReactivateResponse__Output>): grpc.ClientUnaryCall;
  reactivate(argument: _keyturn_v1_ReactivateRequest, callback: grpc.requestCallback<_keyturn_v1_ReactivateResponse__Output>): grpc.ClientUnaryCall;
  
  RemovePublicKey(argument: _keyturn_v1_RemovePublicKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RemovePublicKeyResponse__Output>): grpc.ClientUnaryCall;
  RemovePublicKey(argument: _keyturn_v1_RemovePublicKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_RemovePublicKeyResponse__Output>): grpc.ClientUnaryCall;
  RemovePublicKey(argument: _keyturn_v1_RemovePublicKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RemovePublicKeyResponse__Output>): grpc.ClientUnaryCall;
  RemovePublicKey(argument: _keyturn_v1_RemovePublicKeyRequest, callback: grpc.requestCallback<_keyturn_v1_RemovePublicKeyResponse__Output>): grpc.ClientUnaryCall;
  removePublicKey(argument: _keyturn_v1_RemovePublicKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RemovePublicKeyResponse__Output>): grpc.ClientUnaryCall;
  removePublicKey(argument: _keyturn_v1_RemovePublicKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_RemovePublicKeyResponse__Output>): grpc.ClientUnaryCall;
  removePublicKey(argument: _keyturn_v1_RemovePublicKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RemovePublicKeyResponse__Output>): grpc.ClientUnaryCall;
  removePublicKey(argument: _keyturn_v1_RemovePublicKeyRequest, callback: grpc.requestCallback<_keyturn_v1_RemovePublicKeyResponse__Output>): grpc.ClientUnaryCall;
  
  Retire(argument: _keyturn_v1_RetireRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RetireResponse__Output>): grpc.ClientUnaryCall;
  Retire(argument: _keyturn_v1_RetireRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_RetireResponse__Output>): grpc.ClientUnaryCall;
  Retire(argument: _keyturn_v1_RetireRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RetireResponse__Output>): grpc.ClientUnaryCall;
  Retire(argument: _keyturn_v1_RetireRequest, callback: grpc.requestCallback<_keyturn_v1_RetireResponse__Output>): grpc.ClientUnaryCall;
  retire(argument: _keyturn_v1_RetireRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RetireResponse__Output>): grpc.ClientUnaryCall;
  retire(argument: _keyturn_v1_RetireRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_RetireResponse__Output>): grpc.ClientUnaryCall;
  retire(argument: _keyturn_v1_RetireRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RetireResponse__Output>): grpc.ClientUnaryCall;
  retire(argument: _keyturn_v1_RetireRequest, callback: grpc.requestCallback<_keyturn_v1_RetireResponse__Output>): grpc.ClientUnaryCall;
  
  Rollback(argument: _keyturn_v1_RollbackRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RollbackResponse__Output>): grpc.ClientUnaryCall;
  Rollback(argument: _keyturn_v1_RollbackRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_RollbackResponse__Output>): grpc.ClientUnaryCall;
  Rollback(argument: _keyturn_v1_RollbackRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RollbackResponse__Output>): grpc.ClientUnaryCall;
  Rollback(argument: _keyturn_v1_RollbackRequest, callback: grpc.requestCallback<_keyturn_v1_RollbackResponse__Output>): grpc.ClientUnaryCall;
  rollback(argument: _keyturn_v1_RollbackRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RollbackResponse__Output>): grpc.ClientUnaryCall;
  rollback(argument: _keyturn_v1_RollbackRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_RollbackResponse__Output>): grpc.ClientUnaryCall;
  rollback(argument: _keyturn_v1_RollbackRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RollbackResponse__Output>): grpc.ClientUnaryCall;
  rollback(argument: _keyturn_v1_RollbackRequest, callback: grpc.requestCallback<_keyturn_v1_RollbackResponse__Output>): grpc.ClientUnaryCall;
  
  Rotate(argument: _keyturn_v1_RotateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RotateResponse__Output>): grpc.ClientUnaryCall;
  Rotate(argument: _keyturn_v1_RotateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_RotateResponse__Output>): grpc.ClientUnaryCall;
  Rotate(argument: _keyturn_v1_RotateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RotateResponse__Output>): grpc.ClientUnaryCall;
  Rotate(argument: _keyturn_v1_RotateRequest, callback: grpc.requestCallback<_keyturn_v1_RotateResponse__Output>): grpc.ClientUnaryCall;
  rotate(argument: _keyturn_v1_RotateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RotateResponse__Output>): grpc.ClientUnaryCall;
  rotate(argument: _keyturn_v1_RotateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_RotateResponse__Output>): grpc.ClientUnaryCall;
  rotate(argument: _keyturn_v1_RotateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_RotateResponse__Output>): grpc.ClientUnaryCall;
  rotate(argument: _keyturn_v1_RotateRequest, callback: grpc.requestCallback<_keyturn_v1_RotateResponse__Output>): grpc.ClientUnaryCall;
  
  ScheduleRotation(argument: _keyturn_v1_ScheduleRotationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ScheduleRotationResponse__Output>): grpc.ClientUnaryCall;
  ScheduleRotation(argument: _keyturn_v1_ScheduleRotationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ScheduleRotationResponse__Output>): grpc.ClientUnaryCall;
  ScheduleRotation(argument: _keyturn_v1_ScheduleRotationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ScheduleRotationResponse__Output>): grpc.ClientUnaryCall;
  ScheduleRotation(argument: _keyturn_v1_ScheduleRotationRequest, callback: grpc.requestCallback<_keyturn_v1_ScheduleRotationResponse__Output>): grpc.ClientUnaryCall;
  scheduleRotation(argument: _keyturn_v1_ScheduleRotationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ScheduleRotationResponse__Output>): grpc.ClientUnaryCall;
  scheduleRotation(argument: _keyturn_v1_ScheduleRotationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ScheduleRotationResponse__Output>): grpc.ClientUnaryCall;
  scheduleRotation(argument: _keyturn_v1_ScheduleRotationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ScheduleRotationResponse__Output>): grpc.ClientUnaryCall;
  scheduleRotation(argument: _keyturn_v1_ScheduleRotationRequest, callback: grpc.requestCallback<_keyturn_v1_ScheduleRotationResponse__Output>): grpc.ClientUnaryCall;
  
  Suspend(argument: _keyturn_v1_SuspendRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_SuspendResponse__Output>): grpc.ClientUnaryCall;
  Suspend(argument: _keyturn_v1_SuspendRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_SuspendResponse__Output>): grpc.ClientUnaryCall;
  Suspend(argument: _keyturn_v1_SuspendRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_SuspendResponse__Output>): grpc.ClientUnaryCall;
  Suspend(argument: _keyturn_v1_SuspendRequest, callback: grpc.requestCallback<_keyturn_v1_SuspendResponse__Output>): grpc.ClientUnaryCall;
  suspend(argument: _keyturn_v1_SuspendRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_SuspendResponse__Output>): grpc.ClientUnaryCall;
  suspend(argument: _keyturn_v1_SuspendRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_SuspendResponse__Output>): grpc.ClientUnaryCall;
  suspend(argument: _keyturn_v1_SuspendRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_SuspendResponse__Output>): grpc.ClientUnaryCall;
  suspend(argument: _keyturn_v1_SuspendRequest, callback: grpc.requestCallback<_keyturn_v1_SuspendResponse__Output>): grpc.ClientUnaryCall;
  
  Unretire(argument: _keyturn_v1_UnretireRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_UnretireResponse__Output>): grpc.ClientUnaryCall;
  Unretire(argument: _keyturn_v1_UnretireRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_UnretireResponse__Output>): grpc.ClientUnaryCall;
  Unretire(argument: _keyturn_v1_UnretireRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_UnretireResponse__Output>): grpc.ClientUnaryCall;
  Unretire(argument: _keyturn_v1_UnretireRequest, callback: grpc.requestCallback<_keyturn_v1_UnretireResponse__Output>): grpc.ClientUnaryCall;
  unretire(argument: _keyturn_v1_UnretireRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_UnretireResponse__Output>): grpc.ClientUnaryCall;
  unretire(argument: _keyturn_v1_UnretireRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_UnretireResponse__Output>): grpc.ClientUnaryCall;
  unretire(argument: _keyturn_v1_UnretireRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_UnretireResponse__Output>): grpc.ClientUnaryCall;
  unretire(argument: _keyturn_v1_UnretireRequest, callback: grpc.requestCallback<_keyturn_v1_UnretireResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface KeyAdminServiceHandlers extends grpc.UntypedServiceImplementation {
  ApplySigningKey: grpc.handleUnaryCall<_keyturn_v1_ApplySigningKeyRequest__Output, _keyturn_v1_ApplySigningKeyResponse>;
  
  DeclareCompromised: grpc.handleUnaryCall<_keyturn_v1_DeclareCompromisedRequest__Output, _keyturn_v1_DeclareCompromisedResponse>;
  
  GetSigningKey: grpc.handleUnaryCall<_keyturn_v1_GetSigningKeyRequest__Output, _keyturn_v1_GetSigningKeyResponse>;
  
  ImportPublicKey: grpc.handleUnaryCall<_keyturn_v1_ImportPublicKeyRequest__Output, _keyturn_v1_ImportPublicKeyResponse>;
  
  ListKeyVersions: grpc.handleUnaryCall<_keyturn_v1_ListKeyVersionsRequest__Output, _keyturn_v1_ListKeyVersionsResponse>;
  
  ListPublicKeys: grpc.handleUnaryCall<_keyturn_v1_ListPublicKeysRequest__Output, _keyturn_v1_ListPublicKeysResponse>;
  
  ListSigningKeys: grpc.handleUnaryCall<_keyturn_v1_ListSigningKeysRequest__Output, _keyturn_v1_ListSigningKeysResponse>;
  
  Plan: grpc.handleUnaryCall<_keyturn_v1_PlanRequest__Output, _keyturn_v1_PlanResponse>;
  
  Reactivate: grpc.handleUnaryCall<_keyturn_v1_ReactivateRequest__Output, _keyturn_v1_ReactivateResponse>;
  
  RemovePublicKey: grpc.handleUnaryCall<_keyturn_v1_RemovePublicKeyRequest__Output, _keyturn_v1_RemovePublicKeyResponse>;
  
  Retire: grpc.handleUnaryCall<_keyturn_v1_RetireRequest__Output, _keyturn_v1_RetireResponse>;
  
  Rollback: grpc.handleUnaryCall<_keyturn_v1_RollbackRequest__Output, _keyturn_v1_RollbackResponse>;
  
  Rotate: grpc.handleUnaryCall<_keyturn_v1_RotateRequest__Output, _keyturn_v1_RotateResponse>;
  
  ScheduleRotation: grpc.handleUnaryCall<_keyturn_v1_ScheduleRotationRequest__Output, _keyturn_v1_ScheduleRotationResponse>;
  
  Suspend: grpc.handleUnaryCall<_keyturn_v1_SuspendRequest__Output, _keyturn_v1_SuspendResponse>;
  
  Unretire: grpc.handleUnaryCall<_keyturn_v1_UnretireRequest__Output, _keyturn_v1_UnretireResponse>;
  
}

export interface KeyAdminServiceDefinition extends grpc.ServiceDefinition {
  ApplySigningKey: MethodDefinition<_keyturn_v1_ApplySigningKeyRequest, _keyturn_v1_ApplySigningKeyResponse, _keyturn_v1_ApplySigningKeyRequest__Output, _keyturn_v1_ApplySigningKeyResponse__Output>
  DeclareCompromised: MethodDefinition<_keyturn_v1_DeclareCompromisedRequest, _keyturn_v1_DeclareCompromisedResponse, _keyturn_v1_DeclareCompromisedRequest__Output, _keyturn_v1_DeclareCompromisedResponse__Output>
  GetSigningKey: MethodDefinition<_keyturn_v1_GetSigningKeyRequest, _keyturn_v1_GetSigningKeyResponse, _keyturn_v1_GetSigningKeyRequest__Output, _keyturn_v1_GetSigningKeyResponse__Output>
  ImportPublicKey: MethodDefinition<_keyturn_v1_ImportPublicKeyRequest, _keyturn_v1_ImportPublicKeyResponse, _keyturn_v1_ImportPublicKeyRequest__Output, _keyturn_v1_ImportPublicKeyResponse__Output>
  ListKeyVersions: MethodDefinition<_keyturn_v1_ListKeyVersionsRequest, _keyturn_v1_ListKeyVersionsResponse, _keyturn_v1_ListKeyVersionsRequest__Output, _keyturn_v1_ListKeyVersionsResponse__Output>
  ListPublicKeys: MethodDefinition<_keyturn_v1_ListPublicKeysRequest, _keyturn_v1_ListPublicKeysResponse, _keyturn_v1_ListPublicKeysRequest__Output, _keyturn_v1_ListPublicKeysResponse__Output>
  ListSigningKeys: MethodDefinition<_keyturn_v1_ListSigningKeysRequest, _keyturn_v1_ListSigningKeysResponse, _keyturn_v1_ListSigningKeysRequest__Output, _keyturn_v1_ListSigningKeysResponse__Output>
  Plan: MethodDefinition<_keyturn_v1_PlanRequest, _keyturn_v1_PlanResponse, _keyturn_v1_PlanRequest__Output, _keyturn_v1_PlanResponse__Output>
  Reactivate: MethodDefinition<_keyturn_v1_ReactivateRequest, _keyturn_v1_ReactivateResponse, _keyturn_v1_ReactivateRequest__Output, _keyturn_v1_ReactivateResponse__Output>
  RemovePublicKey: MethodDefinition<_keyturn_v1_RemovePublicKeyRequest, _keyturn_v1_RemovePublicKeyResponse, _keyturn_v1_RemovePublicKeyRequest__Output, _keyturn_v1_RemovePublicKeyResponse__Output>
  Retire: MethodDefinition<_keyturn_v1_RetireRequest, _keyturn_v1_RetireResponse, _keyturn_v1_RetireRequest__Output, _keyturn_v1_RetireResponse__Output>
  Rollback: MethodDefinition<_keyturn_v1_RollbackRequest, _keyturn_v1_RollbackResponse, _keyturn_v1_RollbackRequest__Output, _keyturn_v1_RollbackResponse__Output>
  Rotate: MethodDefinition<_keyturn_v1_RotateRequest, _keyturn_v1_RotateResponse, _keyturn_v1_RotateRequest__Output, _keyturn_v1_RotateResponse__Output>
  ScheduleRotation: MethodDefinition<_keyturn_v1_ScheduleRotationRequest, _keyturn_v1_ScheduleRotationResponse, _keyturn_v1_ScheduleRotationRequest__Output, _keyturn_v1_ScheduleRotationResponse__Output>
  Suspend: MethodDefinition<_keyturn_v1_SuspendRequest, _keyturn_v1_SuspendResponse, _keyturn_v1_SuspendRequest__Output, _keyturn_v1_SuspendResponse__Output>
  Unretire: MethodDefinition<_keyturn_v1_UnretireRequest, _keyturn_v1_UnretireResponse, _keyturn_v1_UnretireRequest__Output, _keyturn_v1_UnretireResponse__Output>
}
