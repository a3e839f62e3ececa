/**
 * Exit codes of the CLI, and the one mapping from error reasons to them. Above 63 they are those of sysexits.h, which
 * service managers and scripts know. docs/reference/cli.md has the same table.
 */
import { assertNever } from '../base/assert-never.ts';
import type { KeyturnError } from '../base/errors.ts';
import type { Reason, StatusCode } from '../base/reasons.ts';

export const EXIT = {
  ok: 0,
  /** The answer is no: refused, not found, not verified, a failed check. */
  refused: 1,
  usage: 2,
  /** The daemon, the token or the store can't be reached or is busy: the same command may succeed later. */
  unavailable: 69,
  internal: 70,
  notPermitted: 77,
  configuration: 78,
} as const;

/** Where the gRPC code alone would say too little. */
const BY_REASON: Partial<Record<Reason, number>> = {
  FIELD_INVALID: EXIT.usage,
  JWT_NOT_VERIFIED: EXIT.refused,
  AUDIT_LOG_DAMAGED: EXIT.refused,
  CONFIG_INVALID: EXIT.configuration,
  SECRET_FILE_UNREADABLE: EXIT.configuration,
  SECRET_FILE_EXPOSED: EXIT.configuration,
  STORE_NOT_KEYTURN: EXIT.configuration,
  STORE_TOO_NEW: EXIT.configuration,
};

export function exitCodeOf(error: KeyturnError): number {
  return BY_REASON[error.reason] ?? exitCodeOfStatus(error.code);
}

function exitCodeOfStatus(code: StatusCode): number {
  switch (code) {
    case 'INVALID_ARGUMENT':
    case 'NOT_FOUND':
    case 'FAILED_PRECONDITION':
    case 'ABORTED':
    case 'UNIMPLEMENTED':
      return EXIT.refused;
    case 'UNAVAILABLE':
    case 'RESOURCE_EXHAUSTED':
    case 'DEADLINE_EXCEEDED':
      return EXIT.unavailable;
    case 'PERMISSION_DENIED':
    case 'UNAUTHENTICATED':
      return EXIT.notPermitted;
    case 'INTERNAL':
      return EXIT.internal;
    default:
      return assertNever(code);
  }
}
