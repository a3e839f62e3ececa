/** The proto files, loaded once: the methods that the client calls, and the codecs of the status details. */
import { type GrpcObject, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { PROTO_FILES, PROTO_OPTIONS, STATUS_PROTO_FILES } from '../base/proto-loading.ts';
import type { BadRequest, BadRequest__Output } from '../gen/google/rpc/BadRequest.ts';
import type { ErrorInfo, ErrorInfo__Output } from '../gen/google/rpc/ErrorInfo.ts';
import type { PreconditionFailure, PreconditionFailure__Output } from '../gen/google/rpc/PreconditionFailure.ts';
import type { RetryInfo, RetryInfo__Output } from '../gen/google/rpc/RetryInfo.ts';
import type { Status, Status__Output } from '../gen/google/rpc/Status.ts';
import type { ProtoGrpcType as ApprovalProto } from '../gen/approval_service.ts';
import type { ProtoGrpcType as AuditProto } from '../gen/audit_service.ts';
import type { ProtoGrpcType as ClockProto } from '../gen/clock_service.ts';
import type { ProtoGrpcType as KeyAdminProto } from '../gen/key_admin_service.ts';
import type { ProtoGrpcType as KeySetProto } from '../gen/key_set_service.ts';
import type { ProtoGrpcType as SigningProto } from '../gen/signing_service.ts';
import type { ProtoGrpcType as StoreProto } from '../gen/store_service.ts';
import type { ProtoGrpcType as TokenProto } from '../gen/token_service.ts';

const root = loadPackageDefinition(loadSync([...PROTO_FILES], PROTO_OPTIONS)) as GrpcObject &
  SigningProto &
  KeyAdminProto &
  KeySetProto &
  TokenProto &
  ClockProto &
  StoreProto &
  ApprovalProto &
  AuditProto;
const { v1 } = root.keyturn;

export const signingMethods = v1.SigningService.service;
export const keyAdminMethods = v1.KeyAdminService.service;
export const keySetMethods = v1.KeySetService.service;
export const tokenMethods = v1.TokenService.service;
export const clockMethods = v1.ClockService.service;
export const storeMethods = v1.StoreService.service;
export const approvalMethods = v1.ApprovalService.service;
export const auditMethods = v1.AuditService.service;

const statusDefinition = loadSync([...STATUS_PROTO_FILES], PROTO_OPTIONS);

export const statusCodecs = {
  Status: statusDefinition['google.rpc.Status'] as MessageTypeDefinition<Status, Status__Output>,
  ErrorInfo: statusDefinition['google.rpc.ErrorInfo'] as MessageTypeDefinition<ErrorInfo, ErrorInfo__Output>,
  BadRequest: statusDefinition['google.rpc.BadRequest'] as MessageTypeDefinition<BadRequest, BadRequest__Output>,
  RetryInfo: statusDefinition['google.rpc.RetryInfo'] as MessageTypeDefinition<RetryInfo, RetryInfo__Output>,
  PreconditionFailure: statusDefinition['google.rpc.PreconditionFailure'] as MessageTypeDefinition<
    PreconditionFailure,
    PreconditionFailure__Output
  >,
};
