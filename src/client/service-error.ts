/** A failed call as a KeyturnError: the reason and details that the daemon sent, or what the lack of them means. */
import { type ServiceError, status as grpcStatus } from '@grpc/grpc-js';
import { type ErrorDetails, KeyturnError } from '../base/errors.ts';
import { ERROR_DOMAIN, STATUS_DETAILS_TRAILER } from '../base/proto-loading.ts';
import { isReason, type Reason } from '../base/reasons.ts';
import type { Status__Output } from '../gen/google/rpc/Status.ts';
import { statusCodecs } from './protos.ts';
import { fromDuration } from './values.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

interface Found {
  reason?: Reason;
  correlationId?: string;
  details: Mutable<ErrorDetails>;
}

export function fromServiceError(error: ServiceError, daemon: string): KeyturnError {
  const found = parseTrailer(error);
  if (found.reason === undefined) return withoutDetails(error, daemon);
  return toError(found.reason, found, error.details, error);
}

/** What one of several requests in a call failed with. */
export function fromRpcStatus({ message, details }: Status__Output): KeyturnError {
  const found = parseDetails(details);
  return toError(found.reason ?? 'INTERNAL', found, message, undefined);
}

function toError(reason: Reason, { correlationId, details }: Found, message: string, cause: unknown): KeyturnError {
  const told = correlationId === undefined ? message : `${message} (correlation id ${correlationId})`;
  return new KeyturnError(reason, told, cause === undefined ? details : { ...details, cause });
}

function parseTrailer({ metadata }: ServiceError): Found {
  const [bytes] = metadata.get(STATUS_DETAILS_TRAILER);
  if (!Buffer.isBuffer(bytes)) return { details: {} };
  try {
    return parseDetails(statusCodecs.Status.deserialize(bytes).details);
  } catch {
    // Bytes that aren't a google.rpc.Status come from something else on the way: the code alone must do.
    return { details: {} };
  }
}

function parseDetails(details: Status__Output['details']): Found {
  const found: Found = { details: {} };
  for (const { type_url: typeUrl, value } of details) addDetail(found, typeUrl, value);
  return found;
}

function addDetail(found: Found, typeUrl: string, value: Buffer): void {
  switch (typeUrl.slice(typeUrl.lastIndexOf('/') + 1)) {
    case 'google.rpc.ErrorInfo': {
      const { reason, domain, metadata } = statusCodecs.ErrorInfo.deserialize(value);
      if (domain !== ERROR_DOMAIN) return;
      // A newer daemon may have reasons that this client doesn't know.
      found.reason = isReason(reason) ? reason : 'INTERNAL';
      const { subject, allowed_time: allowedTime, correlation_id: correlationId } = metadata;
      if (subject !== undefined) found.details.subject = subject;
      if (allowedTime !== undefined) found.details.allowedAtMs = Date.parse(allowedTime);
      if (correlationId !== undefined) found.correlationId = correlationId;
      return;
    }
    case 'google.rpc.BadRequest': {
      const [violation] = statusCodecs.BadRequest.deserialize(value).fieldViolations;
      if (violation !== undefined) found.details.field = violation.field;
      return;
    }
    case 'google.rpc.RetryInfo':
      found.details.retryAfterMs = fromDuration(statusCodecs.RetryInfo.deserialize(value).retryDelay);
      return;
    case 'google.rpc.PreconditionFailure': {
      const [violation] = statusCodecs.PreconditionFailure.deserialize(value).violations;
      if (violation !== undefined) found.details.rule = violation.type;
      return;
    }
    default:
  }
}

/**
 * The connection broke on our side: Node's HTTP/2 client ends every call on it with INTERNAL, as when a call begins
 * while the daemon's goodbye arrives (nodejs/node#55888).
 */
export function isBrokenConnection({ code, details }: Pick<ServiceError, 'code' | 'details'>): boolean {
  return code === grpcStatus.INTERNAL && BROKEN_CONNECTION.test(details);
}

const BROKEN_CONNECTION = /^Received RST_STREAM with code \d+ triggered by internal client error/;

/** The daemon gives details with every error, so this one was made on the way, or here. */
function withoutDetails(error: ServiceError, daemon: string): KeyturnError {
  const { code, details } = error;
  if (isBrokenConnection(error)) {
    return new KeyturnError('DAEMON_UNREACHABLE', `the connection to ${daemon} broke: ${details}`, { cause: error });
  }
  if (code === grpcStatus.UNAVAILABLE) {
    return new KeyturnError('DAEMON_UNREACHABLE', `no daemon answers at ${daemon}: ${details}`, { cause: error });
  }
  if (code === grpcStatus.DEADLINE_EXCEEDED) {
    return new KeyturnError('DEADLINE_EXCEEDED', `no answer from ${daemon} within the deadline`, { cause: error });
  }
  if (code === grpcStatus.CANCELLED) {
    return new KeyturnError('SHUTTING_DOWN', 'the call was cancelled: client or daemon closed the connection', {
      cause: error,
    });
  }
  return new KeyturnError('INTERNAL', `the call failed with ${grpcStatus[code]}: ${details}`, { cause: error });
}
