/**
 * The one error class. A `KeyturnError` carries a reason of the closed list and what the reader needs to act on it;
 * its message is lower case, without a full stop, holds no secret, and says what to do next.
 * Whatever else is thrown is a defect and reaches callers as INTERNAL with fixed text.
 */
import { REASONS, type Reason, type StatusCode } from './reasons.ts';

export interface ErrorDetails {
  /** The request or configuration field that is wrong, as a path (`lifecycle_policy.signing_period`). */
  readonly field?: string;
  /** How long to wait before the same request can succeed, in ms (google.rpc.RetryInfo). */
  readonly retryAfterMs?: number;
  /** The lifecycle rule that refuses (DESIGN section 4), such as `announce-before-use` (google.rpc.PreconditionFailure). */
  readonly rule?: string;
  /** Unix time in ms at which the refused command would be allowed. */
  readonly allowedAtMs?: number;
  /** What the refusal is about, such as a signing key's name. */
  readonly subject?: string;
  readonly cause?: unknown;
}

export class KeyturnError extends Error {
  override readonly name = 'KeyturnError';
  readonly reason: Reason;
  readonly details: ErrorDetails;

  constructor(reason: Reason, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.reason = reason;
    this.details = details;
  }

  get code(): StatusCode {
    return REASONS[this.reason];
  }
}

/** The text that stands for any failure that nobody foresaw. */
const INTERNAL_TEXT = 'internal error; the daemon log has the cause';

/** Any thrown value as a KeyturnError; what isn't one becomes INTERNAL with fixed text and the original as its cause. */
export function toKeyturnError(thrown: unknown): KeyturnError {
  return thrown instanceof KeyturnError ? thrown : new KeyturnError('INTERNAL', INTERNAL_TEXT, { cause: thrown });
}

export function hasReason(thrown: unknown, reason: Reason): thrown is KeyturnError {
  return thrown instanceof KeyturnError && thrown.reason === reason;
}
