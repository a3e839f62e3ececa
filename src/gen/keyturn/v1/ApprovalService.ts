// Original file: proto/keyturn/v1/approval_service.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ApproveRequest as _keyturn_v1_ApproveRequest, ApproveRequest__Output as _keyturn_v1_ApproveRequest__Output } from '../../keyturn/v1/ApproveRequest.ts';
import type { ApproveResponse as _keyturn_v1_ApproveResponse, ApproveResponse__Output as _keyturn_v1_ApproveResponse__Output } from '../../keyturn/v1/ApproveResponse.ts';
import type { CancelProposalRequest as _keyturn_v1_CancelProposalRequest, CancelProposalRequest__Output as _keyturn_v1_CancelProposalRequest__Output } from '../../keyturn/v1/CancelProposalRequest.ts';
import type { CancelProposalResponse as _keyturn_v1_CancelProposalResponse, CancelProposalResponse__Output as _keyturn_v1_CancelProposalResponse__Output } from '../../keyturn/v1/CancelProposalResponse.ts';
import type { ListProposalsRequest as _keyturn_v1_ListProposalsRequest, ListProposalsRequest__Output as _keyturn_v1_ListProposalsRequest__Output } from '../../keyturn/v1/ListProposalsRequest.ts';
import type { ListProposalsResponse as _keyturn_v1_ListProposalsResponse, ListProposalsResponse__Output as _keyturn_v1_ListProposalsResponse__Output } from '../../keyturn/v1/ListProposalsResponse.ts';
import type { ProposeRequest as _keyturn_v1_ProposeRequest, ProposeRequest__Output as _keyturn_v1_ProposeRequest__Output } from '../../keyturn/v1/ProposeRequest.ts';
import type { ProposeResponse as _keyturn_v1_ProposeResponse, ProposeResponse__Output as _keyturn_v1_ProposeResponse__Output } from '../../keyturn/v1/ProposeResponse.ts';

export interface ApprovalServiceClient extends grpc.Client {
  Approve(argument: _keyturn_v1_ApproveRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ApproveResponse__Output>): grpc.ClientUnaryCall;
  Approve(argument: _keyturn_v1_ApproveRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ApproveResponse__Output>): grpc.ClientUnaryCall;
  Approve(argument: _keyturn_v1_ApproveRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ApproveResponse__Output>): grpc.ClientUnaryCall;
  Approve(argument: _keyturn_v1_ApproveRequest, callback: grpc.requestCallback<_keyturn_v1_ApproveResponse__Output>): grpc.ClientUnaryCall;
  approve(argument: _keyturn_v1_ApproveRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ApproveResponse__Output>): grpc.ClientUnaryCall;
  approve(argument: _keyturn_v1_ApproveRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ApproveResponse__Output>): grpc.ClientUnaryCall;
  approve(argument: _keyturn_v1_ApproveRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ApproveResponse__Output>): grpc.ClientUnaryCall;
  approve(argument: _keyturn_v1_ApproveRequest, callback: grpc.requestCallback<_keyturn_v1_ApproveResponse__Output>): grpc.ClientUnaryCall;
  
  CancelProposal(argument: _keyturn_v1_CancelProposalRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_CancelProposalResponse__Output>): grpc.ClientUnaryCall;
  CancelProposal(argument: _keyturn_v1_CancelProposalRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_CancelProposalResponse__Output>): grpc.ClientUnaryCall;
  CancelProposal(argument: _keyturn_v1_CancelProposalRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_CancelProposalResponse__Output>): grpc.ClientUnaryCall;
  CancelProposal(argument: _keyturn_v1_CancelProposalRequest, callback: grpc.requestCallback<_keyturn_v1_CancelProposalResponse__Output>): grpc.ClientUnaryCall;
  cancelProposal(argument: _keyturn_v1_CancelProposalRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_CancelProposalResponse__Output>): grpc.ClientUnaryCall;
  cancelProposal(argument: _keyturn_v1_CancelProposalRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_CancelProposalResponse__Output>): grpc.ClientUnaryCall;
  cancelProposal(argument: _keyturn_v1_CancelProposalRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_CancelProposalResponse__Output>): grpc.ClientUnaryCall;
  cancelProposal(argument: _keyturn_v1_CancelProposalRequest, callback: grpc.requestCallback<_keyturn_v1_CancelProposalResponse__Output>): grpc.ClientUnaryCall;
  
  ListProposals(argument: _keyturn_v1_ListProposalsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListProposalsResponse__Output>): grpc.ClientUnaryCall;
  ListProposals(argument: _keyturn_v1_ListProposalsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ListProposalsResponse__Output>): grpc.ClientUnaryCall;
  ListProposals(argument: _keyturn_v1_ListProposalsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListProposalsResponse__Output>): grpc.ClientUnaryCall;
  ListProposals(argument: _keyturn_v1_ListProposalsRequest, callback: grpc.requestCallback<_keyturn_v1_ListProposalsResponse__Output>): grpc.ClientUnaryCall;
  listProposals(argument: _keyturn_v1_ListProposalsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListProposalsResponse__Output>): grpc.ClientUnaryCall;
  listProposals(argument: _keyturn_v1_ListProposalsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ListProposalsResponse__Output>): grpc.ClientUnaryCall;
  listProposals(argument: _keyturn_v1_ListProposalsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ListProposalsResponse__Output>): grpc.ClientUnaryCall;
  listProposals(argument: _keyturn_v1_ListProposalsRequest, callback: grpc.requestCallback<_keyturn_v1_ListProposalsResponse__Output>): grpc.ClientUnaryCall;
  
  Propose(argument: _keyturn_v1_ProposeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ProposeResponse__Output>): grpc.ClientUnaryCall;
  Propose(argument: _keyturn_v1_ProposeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ProposeResponse__Output>): grpc.ClientUnaryCall;
  Propose(argument: _keyturn_v1_ProposeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ProposeResponse__Output>): grpc.ClientUnaryCall;
  Propose(argument: _keyturn_v1_ProposeRequest, callback: grpc.requestCallback<_keyturn_v1_ProposeResponse__Output>): grpc.ClientUnaryCall;
  propose(argument: _keyturn_v1_ProposeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ProposeResponse__Output>): grpc.ClientUnaryCall;
  propose(argument: _keyturn_v1_ProposeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_keyturn_v1_ProposeResponse__Output>): grpc.ClientUnaryCall;
  propose(argument: _keyturn_v1_ProposeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_keyturn_v1_ProposeResponse__Output>): grpc.ClientUnaryCall;
  propose(argument: _keyturn_v1_ProposeRequest, callback: grpc.requestCallback<_keyturn_v1_ProposeResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface ApprovalServiceHandlers extends grpc.UntypedServiceImplementation {
  Approve: grpc.handleUnaryCall<_keyturn_v1_ApproveRequest__Output, _keyturn_v1_ApproveResponse>;
  
  CancelProposal: grpc.handleUnaryCall<_keyturn_v1_CancelProposalRequest__Output, _keyturn_v1_CancelProposalResponse>;
  
  ListProposals: grpc.handleUnaryCall<_keyturn_v1_ListProposalsRequest__Output, _keyturn_v1_ListProposalsResponse>;
  
  Propose: grpc.handleUnaryCall<_keyturn_v1_ProposeRequest__Output, _keyturn_v1_ProposeResponse>;
  
}

export interface ApprovalServiceDefinition extends grpc.ServiceDefinition {
  Approve: MethodDefinition<_keyturn_v1_ApproveRequest, _keyturn_v1_ApproveResponse, _keyturn_v1_ApproveRequest__Output, _keyturn_v1_ApproveResponse__Output>
  CancelProposal: MethodDefinition<_keyturn_v1_CancelProposalRequest, _keyturn_v1_CancelProposalResponse, _keyturn_v1_CancelProposalRequest__Output, _keyturn_v1_CancelProposalResponse__Output>
  ListProposals: MethodDefinition<_keyturn_v1_ListProposalsRequest, _keyturn_v1_ListProposalsResponse, _keyturn_v1_ListProposalsRequest__Output, _keyturn_v1_ListProposalsResponse__Output>
  Propose: MethodDefinition<_keyturn_v1_ProposeRequest, _keyturn_v1_ProposeResponse, _keyturn_v1_ProposeRequest__Output, _keyturn_v1_ProposeResponse__Output>
}
