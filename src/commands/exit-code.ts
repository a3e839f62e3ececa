/**
 * Exit codes of the CLI, and the one mapping from error reasons to them. Above 63 they are those of sysexits.h, which
 * service managers and scripts know. docs/reference/cli.md has the same table.
 */
import type { KeyturnError } from '../base/errors.ts';
import { assertNever } from '../base/assert-never.ts';

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

export function exitCodeOf(error: KeyturnError): number {
  switch (error.reason) {
    case 'FIELD_INVALID':
      return EXIT.usage;
    case 'JWT_NOT_VERIFIED':
      return EXIT.refused;
    case 'CONFIG_INVALID':
    case 'SECRET_FILE_UNREADABLE':
    case 'SECRET_FILE_EXPOSED':
    case 'STORE_NOT_KEYTURN':
    case 'STORE_TOO_NEW':
      return EXIT.configuration;
    default:
      return exitCodeOfStatus(error.code);
  }
}

function exitCodeOfStatus(code: KeyturnError['code']): number {
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
