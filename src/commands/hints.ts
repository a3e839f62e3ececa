/** What to do about an error: the `hint:` lines under it. A reason without a hint speaks for itself. */
import type { KeyturnError } from '../base/errors.ts';
import type { Reason } from '../base/reasons.ts';
import { formatTime } from './time.ts';

const ACCESS_HINT = 'the access policy decides what a caller may do: see docs/reference/access-policy.md';
const PIN_HINT = 'put the right PIN into the PIN file, then run `keyturn token retry-login`';

const BY_REASON: Partial<Record<Reason, string>> = {
  DAEMON_UNREACHABLE: 'is the daemon running? `keyturn serve` starts it, `keyturn doctor` looks for the cause',
  CONFIG_INVALID: 'docs/reference lists every option; `keyturn config check` finds every problem of the configuration',
  SECRET_FILE_EXPOSED: 'a file that others could read may be known to them: consider its secret used up',
  CALLER_UNKNOWN: 'add an identity of this certificate to a caller in the access policy',
  METHOD_NOT_PERMITTED:
    'a caller that may is named by --as, or by --cert and --key; the access policy says who that is',
  SIGNING_KEY_NOT_PERMITTED: ACCESS_HINT,
  CLAIM_NOT_PERMITTED: ACCESS_HINT,
  LIFETIME_NOT_PERMITTED: ACCESS_HINT,
  TYP_NOT_PERMITTED: ACCESS_HINT,
  APPROVAL_REQUIRED: 'the same command with --propose lets it wait for another security officer',
  SECOND_OFFICER_REQUIRED: '`keyturn approval show` tells who is for it already',
  PROPOSAL_NOT_FOUND: '`keyturn approval list --all` shows the proposals',
  SIGNING_KEY_NOT_FOUND: '`keyturn key list` shows the signing keys, `keyturn key apply` makes one',
  NOT_PROPAGATED:
    'a key that verifiers may not know yet must not sign; `keyturn key show` tells how far each standby is',
  KEY_VERSION_NOT_FOUND: '`keyturn key show` lists the versions',
  SIGNING_KEY_RETIRED: '`keyturn key show` tells until when it can come back',
  COMMAND_NOT_POSSIBLE: '`keyturn key show` tells the state of each version, and what may happen next',
  PROOF_INVALID: '`keyturn jwks proof` prints what the old signer must sign',
  IMPORTED_KEY_NOT_FOUND: '`keyturn jwks list` shows the imported keys',
  LAST_STANDBY: 'wait until the next standby is ready, or take the last one with --use-last-standby',
  PIN_INCORRECT: PIN_HINT,
  LOGIN_LATCHED: PIN_HINT,
  PIN_LOCKED: "the token's security officer must unlock the user PIN before anything else",
  TOKEN_UNAVAILABLE: '`keyturn token status` tells why',
  STORE_IN_USE: 'another daemon works on this store: stop it first',
};

export function hintsFor(error: KeyturnError, nowMs: number): string[] {
  const { allowedAtMs, retryAfterMs } = error.details;
  const hints: string[] = [];
  const hint = BY_REASON[error.reason];
  if (hint !== undefined) hints.push(hint);
  const isTimeTold = /\d{4}-\d{2}-\d{2}T/.test(error.message);
  if (isTimeTold) return hints;
  if (allowedAtMs !== undefined) hints.push(`it will be allowed at ${formatTime(allowedAtMs, nowMs)}`);
  else if (retryAfterMs !== undefined) hints.push(`try again at ${formatTime(nowMs + retryAfterMs, nowMs)}`);
  return hints;
}
