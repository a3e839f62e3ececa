/**
 * Who may do what, and why: the daemon's own decision, for a whole request, and the grants and denials of the document
 * that are about it. For people and for tests of a policy; nothing here is on the way of a request.
 */
import { hasReason, KeyturnError } from '../base/errors.ts';
import { formatDuration } from '../base/duration.ts';
import type { CallerName, SigningKeyName } from '../base/ids.ts';
import type { Claims } from '../jose/claims.ts';
import { type ClaimRules, decideClaims } from './claim-rules.ts';
import { ALLOWED, type Decision, deny } from './decision.ts';
import { METHOD_RULES } from './methods.ts';
import { type AccessPolicy, decideMethod, requireGrant, type Statement } from './policy.ts';

export interface Question {
  /** Undefined: a caller that the document doesn't name. */
  readonly caller: CallerName | undefined;
  /** `/package.Service/Method`. */
  readonly method: string;
  /** For the methods that sign; undefined: any. */
  readonly signingKey: SigningKeyName | undefined;
  /** What would be signed; undefined: whatever the grant accepts. */
  readonly jwt: { readonly claims: Claims; readonly typ: string; readonly lifetimeMs: number | undefined } | undefined;
}

const SIGNING_SERVICE = '/keyturn.v1.SigningService/';

/** Each JWT of a batch is decided as if it came alone. */
function isSigning(method: string): boolean {
  return method.startsWith(SIGNING_SERVICE);
}

/** As the daemon decides it, but for what depends on a signing key's own policy. */
export function decide(policy: AccessPolicy, { caller, method, signingKey, jwt }: Question): Decision {
  const decision = decideMethod(policy, caller, method);
  if (!decision.allowed || caller === undefined || !isSigning(method) || signingKey === undefined) return decision;
  const rules = findGrant(policy, caller, signingKey);
  if (rules instanceof KeyturnError) return deny(rules.reason, rules.message, 'signing_key');
  if (jwt === undefined) return ALLOWED;
  const { claims, typ, lifetimeMs = 0 } = jwt;
  const judged = decideClaims(rules, claims, typ);
  if (!judged.allowed || lifetimeMs <= rules.maxLifetimeMs) return judged;
  const longest = formatDuration(rules.maxLifetimeMs);
  return deny('LIFETIME_NOT_PERMITTED', `lifetime must be at most ${longest}, as the caller's grant says`, 'lifetime');
}

function findGrant(policy: AccessPolicy, caller: CallerName, signingKey: SigningKeyName): ClaimRules | KeyturnError {
  try {
    return requireGrant(policy, caller, signingKey);
  } catch (error) {
    if (hasReason(error, 'SIGNING_KEY_NOT_PERMITTED')) return error;
    throw error;
  }
}

/** The grants and denials that the decision rests on, in the order of the document; none when nothing is about it. */
export function findStatements(policy: AccessPolicy, question: Question): readonly Statement[] {
  const { caller, method, signingKey } = question;
  const rights = caller === undefined ? undefined : policy.rights.get(caller);
  const allow = METHOD_RULES[method]?.allow ?? [];
  return (rights?.statements ?? []).filter(({ effect, roles, signingKeys }) => {
    if (effect === 'denial' && roles === undefined && signingKeys === undefined) return true;
    if (allow === 'anyCaller') return false;
    const isAboutRole = roles?.some((role) => allow.includes(role)) === true;
    const isAboutKey = signingKeys !== undefined && (signingKey === undefined || signingKeys.includes(signingKey));
    if (effect === 'denial') return isAboutRole || (isSigning(method) && isAboutKey);
    return isAboutRole && (!isSigning(method) || isAboutKey);
  });
}

/** Every method that the word can mean: the full name, its end from a slash on, or the method's own name. */
export function findMethods(word: string): readonly string[] {
  const methods = Object.keys(METHOD_RULES);
  if (methods.includes(word)) return [word];
  return methods.filter((method) => method.endsWith(`/${word}`) || method.endsWith(`.${word}`));
}
