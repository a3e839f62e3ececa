import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from './google/protobuf/Duration.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from './google/protobuf/Timestamp.ts';
import type { ApplySigningKeyRequest as _keyturn_v1_ApplySigningKeyRequest, ApplySigningKeyRequest__Output as _keyturn_v1_ApplySigningKeyRequest__Output } from './keyturn/v1/ApplySigningKeyRequest.ts';
import type { ApplySigningKeyResponse as _keyturn_v1_ApplySigningKeyResponse, ApplySigningKeyResponse__Output as _keyturn_v1_ApplySigningKeyResponse__Output } from './keyturn/v1/ApplySigningKeyResponse.ts';
import type { Approval as _keyturn_v1_Approval, Approval__Output as _keyturn_v1_Approval__Output } from './keyturn/v1/Approval.ts';
import type { ApprovalServiceClient as _keyturn_v1_ApprovalServiceClient, ApprovalServiceDefinition as _keyturn_v1_ApprovalServiceDefinition } from './keyturn/v1/ApprovalService.ts';
import type { ApproveRequest as _keyturn_v1_ApproveRequest, ApproveRequest__Output as _keyturn_v1_ApproveRequest__Output } from './keyturn/v1/ApproveRequest.ts';
import type { ApproveResponse as _keyturn_v1_ApproveResponse, ApproveResponse__Output as _keyturn_v1_ApproveResponse__Output } from './keyturn/v1/ApproveResponse.ts';
import type { BackUpRequest as _keyturn_v1_BackUpRequest, BackUpRequest__Output as _keyturn_v1_BackUpRequest__Output } from './keyturn/v1/BackUpRequest.ts';
import type { BackUpResponse as _keyturn_v1_BackUpResponse, BackUpResponse__Output as _keyturn_v1_BackUpResponse__Output } from './keyturn/v1/BackUpResponse.ts';
import type { BirthRecord as _keyturn_v1_BirthRecord, BirthRecord__Output as _keyturn_v1_BirthRecord__Output } from './keyturn/v1/BirthRecord.ts';
import type { CancelProposalRequest as _keyturn_v1_CancelProposalRequest, CancelProposalRequest__Output as _keyturn_v1_CancelProposalRequest__Output } from './keyturn/v1/CancelProposalRequest.ts';
import type { CancelProposalResponse as _keyturn_v1_CancelProposalResponse, CancelProposalResponse__Output as _keyturn_v1_CancelProposalResponse__Output } from './keyturn/v1/CancelProposalResponse.ts';
import type { CommandOutlook as _keyturn_v1_CommandOutlook, CommandOutlook__Output as _keyturn_v1_CommandOutlook__Output } from './keyturn/v1/CommandOutlook.ts';
import type { CompromiseEffect as _keyturn_v1_CompromiseEffect, CompromiseEffect__Output as _keyturn_v1_CompromiseEffect__Output } from './keyturn/v1/CompromiseEffect.ts';
import type { CompromisedVersion as _keyturn_v1_CompromisedVersion, CompromisedVersion__Output as _keyturn_v1_CompromisedVersion__Output } from './keyturn/v1/CompromisedVersion.ts';
import type { DeclareCompromisedRequest as _keyturn_v1_DeclareCompromisedRequest, DeclareCompromisedRequest__Output as _keyturn_v1_DeclareCompromisedRequest__Output } from './keyturn/v1/DeclareCompromisedRequest.ts';
import type { DeclareCompromisedResponse as _keyturn_v1_DeclareCompromisedResponse, DeclareCompromisedResponse__Output as _keyturn_v1_DeclareCompromisedResponse__Output } from './keyturn/v1/DeclareCompromisedResponse.ts';
import type { Finding as _keyturn_v1_Finding, Finding__Output as _keyturn_v1_Finding__Output } from './keyturn/v1/Finding.ts';
import type { GetSigningKeyRequest as _keyturn_v1_GetSigningKeyRequest, GetSigningKeyRequest__Output as _keyturn_v1_GetSigningKeyRequest__Output } from './keyturn/v1/GetSigningKeyRequest.ts';
import type { GetSigningKeyResponse as _keyturn_v1_GetSigningKeyResponse, GetSigningKeyResponse__Output as _keyturn_v1_GetSigningKeyResponse__Output } from './keyturn/v1/GetSigningKeyResponse.ts';
import type { GetTokenStatusRequest as _keyturn_v1_GetTokenStatusRequest, GetTokenStatusRequest__Output as _keyturn_v1_GetTokenStatusRequest__Output } from './keyturn/v1/GetTokenStatusRequest.ts';
import type { GetTokenStatusResponse as _keyturn_v1_GetTokenStatusResponse, GetTokenStatusResponse__Output as _keyturn_v1_GetTokenStatusResponse__Output } from './keyturn/v1/GetTokenStatusResponse.ts';
import type { ImportPublicKeyRequest as _keyturn_v1_ImportPublicKeyRequest, ImportPublicKeyRequest__Output as _keyturn_v1_ImportPublicKeyRequest__Output } from './keyturn/v1/ImportPublicKeyRequest.ts';
import type { ImportPublicKeyResponse as _keyturn_v1_ImportPublicKeyResponse, ImportPublicKeyResponse__Output as _keyturn_v1_ImportPublicKeyResponse__Output } from './keyturn/v1/ImportPublicKeyResponse.ts';
import type { ImportedKey as _keyturn_v1_ImportedKey, ImportedKey__Output as _keyturn_v1_ImportedKey__Output } from './keyturn/v1/ImportedKey.ts';
import type { KeyAdminServiceClient as _keyturn_v1_KeyAdminServiceClient, KeyAdminServiceDefinition as _keyturn_v1_KeyAdminServiceDefinition } from './keyturn/v1/KeyAdminService.ts';
import type { KeySetOutlook as _keyturn_v1_KeySetOutlook, KeySetOutlook__Output as _keyturn_v1_KeySetOutlook__Output } from './keyturn/v1/KeySetOutlook.ts';
import type { KeyVersion as _keyturn_v1_KeyVersion, KeyVersion__Output as _keyturn_v1_KeyVersion__Output } from './keyturn/v1/KeyVersion.ts';
import type { LifecyclePolicy as _keyturn_v1_LifecyclePolicy, LifecyclePolicy__Output as _keyturn_v1_LifecyclePolicy__Output } from './keyturn/v1/LifecyclePolicy.ts';
import type { ListKeyVersionsRequest as _keyturn_v1_ListKeyVersionsRequest, ListKeyVersionsRequest__Output as _keyturn_v1_ListKeyVersionsRequest__Output } from './keyturn/v1/ListKeyVersionsRequest.ts';
import type { ListKeyVersionsResponse as _keyturn_v1_ListKeyVersionsResponse, ListKeyVersionsResponse__Output as _keyturn_v1_ListKeyVersionsResponse__Output } from './keyturn/v1/ListKeyVersionsResponse.ts';
import type { ListProposalsRequest as _keyturn_v1_ListProposalsRequest, ListProposalsRequest__Output as _keyturn_v1_ListProposalsRequest__Output } from './keyturn/v1/ListProposalsRequest.ts';
import type { ListProposalsResponse as _keyturn_v1_ListProposalsResponse, ListProposalsResponse__Output as _keyturn_v1_ListProposalsResponse__Output } from './keyturn/v1/ListProposalsResponse.ts';
import type { ListPublicKeysRequest as _keyturn_v1_ListPublicKeysRequest, ListPublicKeysRequest__Output as _keyturn_v1_ListPublicKeysRequest__Output } from './keyturn/v1/ListPublicKeysRequest.ts';
import type { ListPublicKeysResponse as _keyturn_v1_ListPublicKeysResponse, ListPublicKeysResponse__Output as _keyturn_v1_ListPublicKeysResponse__Output } from './keyturn/v1/ListPublicKeysResponse.ts';
import type { ListSigningKeysRequest as _keyturn_v1_ListSigningKeysRequest, ListSigningKeysRequest__Output as _keyturn_v1_ListSigningKeysRequest__Output } from './keyturn/v1/ListSigningKeysRequest.ts';
import type { ListSigningKeysResponse as _keyturn_v1_ListSigningKeysResponse, ListSigningKeysResponse__Output as _keyturn_v1_ListSigningKeysResponse__Output } from './keyturn/v1/ListSigningKeysResponse.ts';
import type { PlanRequest as _keyturn_v1_PlanRequest, PlanRequest__Output as _keyturn_v1_PlanRequest__Output } from './keyturn/v1/PlanRequest.ts';
import type { PlanResponse as _keyturn_v1_PlanResponse, PlanResponse__Output as _keyturn_v1_PlanResponse__Output } from './keyturn/v1/PlanResponse.ts';
import type { PlannedMoment as _keyturn_v1_PlannedMoment, PlannedMoment__Output as _keyturn_v1_PlannedMoment__Output } from './keyturn/v1/PlannedMoment.ts';
import type { Proposal as _keyturn_v1_Proposal, Proposal__Output as _keyturn_v1_Proposal__Output } from './keyturn/v1/Proposal.ts';
import type { ProposeRequest as _keyturn_v1_ProposeRequest, ProposeRequest__Output as _keyturn_v1_ProposeRequest__Output } from './keyturn/v1/ProposeRequest.ts';
import type { ProposeResponse as _keyturn_v1_ProposeResponse, ProposeResponse__Output as _keyturn_v1_ProposeResponse__Output } from './keyturn/v1/ProposeResponse.ts';
import type { Prospect as _keyturn_v1_Prospect, Prospect__Output as _keyturn_v1_Prospect__Output } from './keyturn/v1/Prospect.ts';
import type { ReactivateRequest as _keyturn_v1_ReactivateRequest, ReactivateRequest__Output as _keyturn_v1_ReactivateRequest__Output } from './keyturn/v1/ReactivateRequest.ts';
import type { ReactivateResponse as _keyturn_v1_ReactivateResponse, ReactivateResponse__Output as _keyturn_v1_ReactivateResponse__Output } from './keyturn/v1/ReactivateResponse.ts';
import type { ReconcileRequest as _keyturn_v1_ReconcileRequest, ReconcileRequest__Output as _keyturn_v1_ReconcileRequest__Output } from './keyturn/v1/ReconcileRequest.ts';
import type { ReconcileResponse as _keyturn_v1_ReconcileResponse, ReconcileResponse__Output as _keyturn_v1_ReconcileResponse__Output } from './keyturn/v1/ReconcileResponse.ts';
import type { RecoverRequest as _keyturn_v1_RecoverRequest, RecoverRequest__Output as _keyturn_v1_RecoverRequest__Output } from './keyturn/v1/RecoverRequest.ts';
import type { RecoverResponse as _keyturn_v1_RecoverResponse, RecoverResponse__Output as _keyturn_v1_RecoverResponse__Output } from './keyturn/v1/RecoverResponse.ts';
import type { RecoveredImport as _keyturn_v1_RecoveredImport, RecoveredImport__Output as _keyturn_v1_RecoveredImport__Output } from './keyturn/v1/RecoveredImport.ts';
import type { RecoveredSigningKey as _keyturn_v1_RecoveredSigningKey, RecoveredSigningKey__Output as _keyturn_v1_RecoveredSigningKey__Output } from './keyturn/v1/RecoveredSigningKey.ts';
import type { RecoveredVersion as _keyturn_v1_RecoveredVersion, RecoveredVersion__Output as _keyturn_v1_RecoveredVersion__Output } from './keyturn/v1/RecoveredVersion.ts';
import type { RemovePublicKeyRequest as _keyturn_v1_RemovePublicKeyRequest, RemovePublicKeyRequest__Output as _keyturn_v1_RemovePublicKeyRequest__Output } from './keyturn/v1/RemovePublicKeyRequest.ts';
import type { RemovePublicKeyResponse as _keyturn_v1_RemovePublicKeyResponse, RemovePublicKeyResponse__Output as _keyturn_v1_RemovePublicKeyResponse__Output } from './keyturn/v1/RemovePublicKeyResponse.ts';
import type { ResolveObjectRequest as _keyturn_v1_ResolveObjectRequest, ResolveObjectRequest__Output as _keyturn_v1_ResolveObjectRequest__Output } from './keyturn/v1/ResolveObjectRequest.ts';
import type { ResolveObjectResponse as _keyturn_v1_ResolveObjectResponse, ResolveObjectResponse__Output as _keyturn_v1_ResolveObjectResponse__Output } from './keyturn/v1/ResolveObjectResponse.ts';
import type { RetireRequest as _keyturn_v1_RetireRequest, RetireRequest__Output as _keyturn_v1_RetireRequest__Output } from './keyturn/v1/RetireRequest.ts';
import type { RetireResponse as _keyturn_v1_RetireResponse, RetireResponse__Output as _keyturn_v1_RetireResponse__Output } from './keyturn/v1/RetireResponse.ts';
import type { RetryLoginRequest as _keyturn_v1_RetryLoginRequest, RetryLoginRequest__Output as _keyturn_v1_RetryLoginRequest__Output } from './keyturn/v1/RetryLoginRequest.ts';
import type { RetryLoginResponse as _keyturn_v1_RetryLoginResponse, RetryLoginResponse__Output as _keyturn_v1_RetryLoginResponse__Output } from './keyturn/v1/RetryLoginResponse.ts';
import type { RollbackRequest as _keyturn_v1_RollbackRequest, RollbackRequest__Output as _keyturn_v1_RollbackRequest__Output } from './keyturn/v1/RollbackRequest.ts';
import type { RollbackResponse as _keyturn_v1_RollbackResponse, RollbackResponse__Output as _keyturn_v1_RollbackResponse__Output } from './keyturn/v1/RollbackResponse.ts';
import type { RotateRequest as _keyturn_v1_RotateRequest, RotateRequest__Output as _keyturn_v1_RotateRequest__Output } from './keyturn/v1/RotateRequest.ts';
import type { RotateResponse as _keyturn_v1_RotateResponse, RotateResponse__Output as _keyturn_v1_RotateResponse__Output } from './keyturn/v1/RotateResponse.ts';
import type { ScheduleRotationRequest as _keyturn_v1_ScheduleRotationRequest, ScheduleRotationRequest__Output as _keyturn_v1_ScheduleRotationRequest__Output } from './keyturn/v1/ScheduleRotationRequest.ts';
import type { ScheduleRotationResponse as _keyturn_v1_ScheduleRotationResponse, ScheduleRotationResponse__Output as _keyturn_v1_ScheduleRotationResponse__Output } from './keyturn/v1/ScheduleRotationResponse.ts';
import type { SigningKey as _keyturn_v1_SigningKey, SigningKey__Output as _keyturn_v1_SigningKey__Output } from './keyturn/v1/SigningKey.ts';
import type { StoreServiceClient as _keyturn_v1_StoreServiceClient, StoreServiceDefinition as _keyturn_v1_StoreServiceDefinition } from './keyturn/v1/StoreService.ts';
import type { SuspendRequest as _keyturn_v1_SuspendRequest, SuspendRequest__Output as _keyturn_v1_SuspendRequest__Output } from './keyturn/v1/SuspendRequest.ts';
import type { SuspendResponse as _keyturn_v1_SuspendResponse, SuspendResponse__Output as _keyturn_v1_SuspendResponse__Output } from './keyturn/v1/SuspendResponse.ts';
import type { TokenServiceClient as _keyturn_v1_TokenServiceClient, TokenServiceDefinition as _keyturn_v1_TokenServiceDefinition } from './keyturn/v1/TokenService.ts';
import type { UnretireRequest as _keyturn_v1_UnretireRequest, UnretireRequest__Output as _keyturn_v1_UnretireRequest__Output } from './keyturn/v1/UnretireRequest.ts';
import type { UnretireResponse as _keyturn_v1_UnretireResponse, UnretireResponse__Output as _keyturn_v1_UnretireResponse__Output } from './keyturn/v1/UnretireResponse.ts';
import type { VersionExplanation as _keyturn_v1_VersionExplanation, VersionExplanation__Output as _keyturn_v1_VersionExplanation__Output } from './keyturn/v1/VersionExplanation.ts';
import type { Worker as _keyturn_v1_Worker, Worker__Output as _keyturn_v1_Worker__Output } from './keyturn/v1/Worker.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  google: {
    protobuf: {
      Duration: MessageTypeDefinition<_google_protobuf_Duration, _google_protobuf_Duration__Output>
      Timestamp: MessageTypeDefinition<_google_protobuf_Timestamp, _google_protobuf_Timestamp__Output>
    }
  }
  keyturn: {
    v1: {
      ApplySigningKeyRequest: MessageTypeDefinition<_keyturn_v1_ApplySigningKeyRequest, _keyturn_v1_ApplySigningKeyRequest__Output>
      ApplySigningKeyResponse: MessageTypeDefinition<_keyturn_v1_ApplySigningKeyResponse, _keyturn_v1_ApplySigningKeyResponse__Output>
      Approval: MessageTypeDefinition<_keyturn_v1_Approval, _keyturn_v1_Approval__Output>
      ApprovalService: SubtypeConstructor<typeof grpc.Client, _keyturn_v1_ApprovalServiceClient> & { service: _keyturn_v1_ApprovalServiceDefinition }
      ApproveRequest: MessageTypeDefinition<_keyturn_v1_ApproveRequest, _keyturn_v1_ApproveRequest__Output>
      ApproveResponse: MessageTypeDefinition<_keyturn_v1_ApproveResponse, _keyturn_v1_ApproveResponse__Output>
      BackUpRequest: MessageTypeDefinition<_keyturn_v1_BackUpRequest, _keyturn_v1_BackUpRequest__Output>
      BackUpResponse: MessageTypeDefinition<_keyturn_v1_BackUpResponse, _keyturn_v1_BackUpResponse__Output>
      BirthRecord: MessageTypeDefinition<_keyturn_v1_BirthRecord, _keyturn_v1_BirthRecord__Output>
      CancelProposalRequest: MessageTypeDefinition<_keyturn_v1_CancelProposalRequest, _keyturn_v1_CancelProposalRequest__Output>
      CancelProposalResponse: MessageTypeDefinition<_keyturn_v1_CancelProposalResponse, _keyturn_v1_CancelProposalResponse__Output>
      CommandOutlook: MessageTypeDefinition<_keyturn_v1_CommandOutlook, _keyturn_v1_CommandOutlook__Output>
      CompromiseEffect: MessageTypeDefinition<_keyturn_v1_CompromiseEffect, _keyturn_v1_CompromiseEffect__Output>
      CompromisedVersion: MessageTypeDefinition<_keyturn_v1_CompromisedVersion, _keyturn_v1_CompromisedVersion__Output>
      DeclareCompromisedRequest: MessageTypeDefinition<_keyturn_v1_DeclareCompromisedRequest, _keyturn_v1_DeclareCompromisedRequest__Output>
      DeclareCompromisedResponse: MessageTypeDefinition<_keyturn_v1_DeclareCompromisedResponse, _keyturn_v1_DeclareCompromisedResponse__Output>
      DepartureCause: EnumTypeDefinition
      Finding: MessageTypeDefinition<_keyturn_v1_Finding, _keyturn_v1_Finding__Output>
      FindingKind: EnumTypeDefinition
      GetSigningKeyRequest: MessageTypeDefinition<_keyturn_v1_GetSigningKeyRequest, _keyturn_v1_GetSigningKeyRequest__Output>
      GetSigningKeyResponse: MessageTypeDefinition<_keyturn_v1_GetSigningKeyResponse, _keyturn_v1_GetSigningKeyResponse__Output>
      GetTokenStatusRequest: MessageTypeDefinition<_keyturn_v1_GetTokenStatusRequest, _keyturn_v1_GetTokenStatusRequest__Output>
      GetTokenStatusResponse: MessageTypeDefinition<_keyturn_v1_GetTokenStatusResponse, _keyturn_v1_GetTokenStatusResponse__Output>
      ImportPublicKeyRequest: MessageTypeDefinition<_keyturn_v1_ImportPublicKeyRequest, _keyturn_v1_ImportPublicKeyRequest__Output>
      ImportPublicKeyResponse: MessageTypeDefinition<_keyturn_v1_ImportPublicKeyResponse, _keyturn_v1_ImportPublicKeyResponse__Output>
      ImportedKey: MessageTypeDefinition<_keyturn_v1_ImportedKey, _keyturn_v1_ImportedKey__Output>
      KeyAdminService: SubtypeConstructor<typeof grpc.Client, _keyturn_v1_KeyAdminServiceClient> & { service: _keyturn_v1_KeyAdminServiceDefinition }
      KeySetOutlook: MessageTypeDefinition<_keyturn_v1_KeySetOutlook, _keyturn_v1_KeySetOutlook__Output>
      KeyVersion: MessageTypeDefinition<_keyturn_v1_KeyVersion, _keyturn_v1_KeyVersion__Output>
      KeyVersionState: EnumTypeDefinition
      LifecyclePolicy: MessageTypeDefinition<_keyturn_v1_LifecyclePolicy, _keyturn_v1_LifecyclePolicy__Output>
      ListKeyVersionsRequest: MessageTypeDefinition<_keyturn_v1_ListKeyVersionsRequest, _keyturn_v1_ListKeyVersionsRequest__Output>
      ListKeyVersionsResponse: MessageTypeDefinition<_keyturn_v1_ListKeyVersionsResponse, _keyturn_v1_ListKeyVersionsResponse__Output>
      ListProposalsRequest: MessageTypeDefinition<_keyturn_v1_ListProposalsRequest, _keyturn_v1_ListProposalsRequest__Output>
      ListProposalsResponse: MessageTypeDefinition<_keyturn_v1_ListProposalsResponse, _keyturn_v1_ListProposalsResponse__Output>
      ListPublicKeysRequest: MessageTypeDefinition<_keyturn_v1_ListPublicKeysRequest, _keyturn_v1_ListPublicKeysRequest__Output>
      ListPublicKeysResponse: MessageTypeDefinition<_keyturn_v1_ListPublicKeysResponse, _keyturn_v1_ListPublicKeysResponse__Output>
      ListSigningKeysRequest: MessageTypeDefinition<_keyturn_v1_ListSigningKeysRequest, _keyturn_v1_ListSigningKeysRequest__Output>
      ListSigningKeysResponse: MessageTypeDefinition<_keyturn_v1_ListSigningKeysResponse, _keyturn_v1_ListSigningKeysResponse__Output>
      PlanRequest: MessageTypeDefinition<_keyturn_v1_PlanRequest, _keyturn_v1_PlanRequest__Output>
      PlanResponse: MessageTypeDefinition<_keyturn_v1_PlanResponse, _keyturn_v1_PlanResponse__Output>
      PlannedMoment: MessageTypeDefinition<_keyturn_v1_PlannedMoment, _keyturn_v1_PlannedMoment__Output>
      Proposal: MessageTypeDefinition<_keyturn_v1_Proposal, _keyturn_v1_Proposal__Output>
      ProposalState: EnumTypeDefinition
      ProposeRequest: MessageTypeDefinition<_keyturn_v1_ProposeRequest, _keyturn_v1_ProposeRequest__Output>
      ProposeResponse: MessageTypeDefinition<_keyturn_v1_ProposeResponse, _keyturn_v1_ProposeResponse__Output>
      Prospect: MessageTypeDefinition<_keyturn_v1_Prospect, _keyturn_v1_Prospect__Output>
      ReactivateRequest: MessageTypeDefinition<_keyturn_v1_ReactivateRequest, _keyturn_v1_ReactivateRequest__Output>
      ReactivateResponse: MessageTypeDefinition<_keyturn_v1_ReactivateResponse, _keyturn_v1_ReactivateResponse__Output>
      ReconcileRequest: MessageTypeDefinition<_keyturn_v1_ReconcileRequest, _keyturn_v1_ReconcileRequest__Output>
      ReconcileResponse: MessageTypeDefinition<_keyturn_v1_ReconcileResponse, _keyturn_v1_ReconcileResponse__Output>
      RecoverRequest: MessageTypeDefinition<_keyturn_v1_RecoverRequest, _keyturn_v1_RecoverRequest__Output>
      RecoverResponse: MessageTypeDefinition<_keyturn_v1_RecoverResponse, _keyturn_v1_RecoverResponse__Output>
      RecoveredImport: MessageTypeDefinition<_keyturn_v1_RecoveredImport, _keyturn_v1_RecoveredImport__Output>
      RecoveredSigningKey: MessageTypeDefinition<_keyturn_v1_RecoveredSigningKey, _keyturn_v1_RecoveredSigningKey__Output>
      RecoveredVersion: MessageTypeDefinition<_keyturn_v1_RecoveredVersion, _keyturn_v1_RecoveredVersion__Output>
      RecoveryFate: EnumTypeDefinition
      RemovePublicKeyRequest: MessageTypeDefinition<_keyturn_v1_RemovePublicKeyRequest, _keyturn_v1_RemovePublicKeyRequest__Output>
      RemovePublicKeyResponse: MessageTypeDefinition<_keyturn_v1_RemovePublicKeyResponse, _keyturn_v1_RemovePublicKeyResponse__Output>
      ResolveAction: EnumTypeDefinition
      ResolveObjectRequest: MessageTypeDefinition<_keyturn_v1_ResolveObjectRequest, _keyturn_v1_ResolveObjectRequest__Output>
      ResolveObjectResponse: MessageTypeDefinition<_keyturn_v1_ResolveObjectResponse, _keyturn_v1_ResolveObjectResponse__Output>
      RetireRequest: MessageTypeDefinition<_keyturn_v1_RetireRequest, _keyturn_v1_RetireRequest__Output>
      RetireResponse: MessageTypeDefinition<_keyturn_v1_RetireResponse, _keyturn_v1_RetireResponse__Output>
      RetryLoginRequest: MessageTypeDefinition<_keyturn_v1_RetryLoginRequest, _keyturn_v1_RetryLoginRequest__Output>
      RetryLoginResponse: MessageTypeDefinition<_keyturn_v1_RetryLoginResponse, _keyturn_v1_RetryLoginResponse__Output>
      RollbackRequest: MessageTypeDefinition<_keyturn_v1_RollbackRequest, _keyturn_v1_RollbackRequest__Output>
      RollbackResponse: MessageTypeDefinition<_keyturn_v1_RollbackResponse, _keyturn_v1_RollbackResponse__Output>
      RotateRequest: MessageTypeDefinition<_keyturn_v1_RotateRequest, _keyturn_v1_RotateRequest__Output>
      RotateResponse: MessageTypeDefinition<_keyturn_v1_RotateResponse, _keyturn_v1_RotateResponse__Output>
      ScheduleRotationRequest: MessageTypeDefinition<_keyturn_v1_ScheduleRotationRequest, _keyturn_v1_ScheduleRotationRequest__Output>
      ScheduleRotationResponse: MessageTypeDefinition<_keyturn_v1_ScheduleRotationResponse, _keyturn_v1_ScheduleRotationResponse__Output>
      SigningKey: MessageTypeDefinition<_keyturn_v1_SigningKey, _keyturn_v1_SigningKey__Output>
      StoreService: SubtypeConstructor<typeof grpc.Client, _keyturn_v1_StoreServiceClient> & { service: _keyturn_v1_StoreServiceDefinition }
      SuspendRequest: MessageTypeDefinition<_keyturn_v1_SuspendRequest, _keyturn_v1_SuspendRequest__Output>
      SuspendResponse: MessageTypeDefinition<_keyturn_v1_SuspendResponse, _keyturn_v1_SuspendResponse__Output>
      TokenService: SubtypeConstructor<typeof grpc.Client, _keyturn_v1_TokenServiceClient> & { service: _keyturn_v1_TokenServiceDefinition }
      TokenState: EnumTypeDefinition
      UnretireRequest: MessageTypeDefinition<_keyturn_v1_UnretireRequest, _keyturn_v1_UnretireRequest__Output>
      UnretireResponse: MessageTypeDefinition<_keyturn_v1_UnretireResponse, _keyturn_v1_UnretireResponse__Output>
      VersionExplanation: MessageTypeDefinition<_keyturn_v1_VersionExplanation, _keyturn_v1_VersionExplanation__Output>
      Worker: MessageTypeDefinition<_keyturn_v1_Worker, _keyturn_v1_Worker__Output>
    }
  }
}

