/** The proto files, loaded once per process: service definitions and the status messages' codecs. */
import { type GrpcObject, loadPackageDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { service as healthService } from 'grpc-health-check';
import { PROTO_FILES, PROTO_OPTIONS, STATUS_PROTO_FILES } from '../../base/proto-loading.ts';
import type { BadRequest, BadRequest__Output } from '../../gen/google/rpc/BadRequest.ts';
import type { ErrorInfo, ErrorInfo__Output } from '../../gen/google/rpc/ErrorInfo.ts';
import type { PreconditionFailure, PreconditionFailure__Output } from '../../gen/google/rpc/PreconditionFailure.ts';
import type { RetryInfo, RetryInfo__Output } from '../../gen/google/rpc/RetryInfo.ts';
import type { Status, Status__Output } from '../../gen/google/rpc/Status.ts';
import type { ProtoGrpcType as ApprovalProto } from '../../gen/approval_service.ts';
import type { ProtoGrpcType as AuditProto } from '../../gen/audit_service.ts';
import type { ProtoGrpcType as ClockProto } from '../../gen/clock_service.ts';
import type { ProtoGrpcType as KeyAdminProto } from '../../gen/key_admin_service.ts';
import type { ProtoGrpcType as KeySetProto } from '../../gen/key_set_service.ts';
import type { ProtoGrpcType as SigningProto } from '../../gen/signing_service.ts';
import type { ProtoGrpcType as StoreProto } from '../../gen/store_service.ts';
import type { ProtoGrpcType as TokenProto } from '../../gen/token_service.ts';

const keyturnDefinition = loadSync([...PROTO_FILES], PROTO_OPTIONS);
const statusDefinition = loadSync([...STATUS_PROTO_FILES], PROTO_OPTIONS);

const { v1 } = (
  loadPackageDefinition(keyturnDefinition) as GrpcObject &
    SigningProto &
    KeyAdminProto &
    KeySetProto &
    TokenProto &
    ClockProto &
    StoreProto &
    ApprovalProto &
    AuditProto
).keyturn;

export const signingService = v1.SigningService.service;
export const keyAdminService = v1.KeyAdminService.service;
export const keySetService = v1.KeySetService.service;
export const tokenService = v1.TokenService.service;
export const clockService = v1.ClockService.service;
export const storeService = v1.StoreService.service;
export const approvalService = v1.ApprovalService.service;
export const auditService = v1.AuditService.service;

/** The public health service; its own package's copy of the loader makes it a distinct type. */
export const healthDefinition = healthService as unknown as ServiceDefinition;

export const statusCodec = statusDefinition['google.rpc.Status'] as MessageTypeDefinition<Status, Status__Output>;

/** Codecs of the status details by message name. */
export const detailCodecs = {
  ErrorInfo: statusDefinition['google.rpc.ErrorInfo'] as MessageTypeDefinition<ErrorInfo, ErrorInfo__Output>,
  BadRequest: statusDefinition['google.rpc.BadRequest'] as MessageTypeDefinition<BadRequest, BadRequest__Output>,
  RetryInfo: statusDefinition['google.rpc.RetryInfo'] as MessageTypeDefinition<RetryInfo, RetryInfo__Output>,
  PreconditionFailure: statusDefinition['google.rpc.PreconditionFailure'] as MessageTypeDefinition<
    PreconditionFailure,
    PreconditionFailure__Output
  >,
};
