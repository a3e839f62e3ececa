/** What to do about an error: the `hint:` lines under it. A reason without a hint speaks for itself. */
import type { KeyturnError } from '../base/errors.ts';
import { formatTime } from './time.ts';

export function hintsFor(error: KeyturnError, nowMs: number): string[] {
  const { allowedAtMs, retryAfterMs } = error.details;
  const hints: string[] = [];
  const hint = reasonHint(error);
  if (hint !== undefined) hints.push(hint);
  if (allowedAtMs !== undefined) hints.push(`it will be allowed at ${formatTime(allowedAtMs, nowMs)}`);
  else if (retryAfterMs !== undefined) hints.push(`try again at ${formatTime(nowMs + retryAfterMs, nowMs)}`);
  return hints;
}

function reasonHint(error: KeyturnError): string | undefined {
  switch (error.reason) {
    case 'DAEMON_UNREACHABLE':
      return 'is the daemon running? `keyturn serve` starts it, `keyturn doctor` looks for the cause';
    case 'CONFIG_INVALID':
      return '`keyturn config check` lists every problem; docs/reference/configuration.md lists every option';
    case 'SECRET_FILE_EXPOSED':
      return 'a file that others could read may be known to them: consider its secret used up';
    case 'CALLER_UNKNOWN':
      return 'add an identity of this certificate to a caller in the access policy';
    case 'METHOD_NOT_PERMITTED':
    case 'SIGNING_KEY_NOT_PERMITTED':
    case 'CLAIM_NOT_PERMITTED':
    case 'LIFETIME_NOT_PERMITTED':
    case 'TYP_NOT_PERMITTED':
      return 'the access policy decides what a caller may do: see docs/reference/access-policy.md';
    case 'SIGNING_KEY_NOT_FOUND':
      return '`keyturn key list` shows the signing keys, `keyturn key apply` makes one';
    case 'NOT_PROPAGATED':
      return 'a key that verifiers may not know yet must not sign; `keyturn key show` tells how far each standby is';
    case 'LAST_STANDBY':
      return 'wait until the next standby is ready, or take the last one with --use-last-standby';
    case 'PIN_INCORRECT':
    case 'LOGIN_LATCHED':
      return 'put the right PIN into the PIN file, then run `keyturn token retry-login`';
    case 'PIN_LOCKED':
      return "the token's security officer must unlock the user PIN before anything else";
    case 'TOKEN_UNAVAILABLE':
      return '`keyturn token status` tells why';
    case 'STORE_IN_USE':
      return 'another daemon works on this store: stop it first';
    default:
      return undefined;
  }
}
