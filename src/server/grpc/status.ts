/**
 * The one mapping of KeyturnError to a gRPC status: code and message for people, google.rpc.Status in the trailer
 * `grpc-status-details-bin` for programs. Every error carries ErrorInfo; the other details where there is something to say.
 */
import { Metadata, type StatusObject, status as grpcStatus } from '@grpc/grpc-js';
import type { KeyturnError } from '../../base/errors.ts';
import { ERROR_DOMAIN, STATUS_DETAILS_TRAILER } from '../../base/proto-loading.ts';
import type { Any } from '../../gen/google/protobuf/Any.ts';
import type { Status } from '../../gen/google/rpc/Status.ts';
import { detailCodecs, statusCodec } from './protos.ts';
import { toDuration } from './values.ts';

const TYPE_URL_PREFIX = 'type.googleapis.com/google.rpc.';
/** google.rpc.Status, complete. */
export type RpcStatus = Status & { readonly code: grpcStatus; readonly message: string };

/** Clients accept about 8 KiB of trailers in all; messages that quote input stay far below. */
const MAX_MESSAGE_LENGTH = 1_024;

/** `correlationId` finds the error in the daemon's log. */
export function toStatus(error: KeyturnError, correlationId?: string): StatusObject {
  const status = toRpcStatus(error, correlationId);
  const metadata = new Metadata();
  metadata.set(STATUS_DETAILS_TRAILER, statusCodec.serialize(status));
  return { code: status.code, details: status.message, metadata };
}

/** The same for one of several things that a call asked for: it is part of the answer. */
export function toRpcStatus(error: KeyturnError, correlationId?: string): RpcStatus {
  // encodeURI, which grpc-js applies to it, throws at a lone surrogate.
  const message = error.message.slice(0, MAX_MESSAGE_LENGTH).toWellFormed();
  return { code: grpcStatus[error.code], message, details: toDetails(error, message, correlationId) };
}

function toDetails({ reason, details }: KeyturnError, message: string, correlationId: string | undefined): Any[] {
  const { field, retryAfterMs, rule, allowedAtMs } = details;
  const subject = details.subject?.slice(0, MAX_MESSAGE_LENGTH).toWellFormed();
  const allowedTime = allowedAtMs === undefined ? undefined : new Date(allowedAtMs).toISOString();
  const metadata: Record<string, string> = {
    ...(subject === undefined ? {} : { subject }),
    ...(allowedTime === undefined ? {} : { allowed_time: allowedTime }),
    ...(correlationId === undefined ? {} : { correlation_id: correlationId }),
  };
  const found: Any[] = [
    toAny('ErrorInfo', detailCodecs.ErrorInfo.serialize({ reason, domain: ERROR_DOMAIN, metadata })),
  ];
  if (field !== undefined) {
    const violation = { field: field.slice(0, MAX_MESSAGE_LENGTH).toWellFormed(), description: message };
    found.push(toAny('BadRequest', detailCodecs.BadRequest.serialize({ fieldViolations: [violation] })));
  }
  if (retryAfterMs !== undefined) {
    found.push(toAny('RetryInfo', detailCodecs.RetryInfo.serialize({ retryDelay: toDuration(retryAfterMs) })));
  }
  if (rule !== undefined) {
    const description = allowedTime === undefined ? message : `${message}; allowed at ${allowedTime}`;
    const violation = { type: rule, subject: subject ?? '', description };
    found.push(toAny('PreconditionFailure', detailCodecs.PreconditionFailure.serialize({ violations: [violation] })));
  }
  return found;
}

function toAny(name: keyof typeof detailCodecs, value: Buffer): Any {
  return { type_url: TYPE_URL_PREFIX + name, value };
}
