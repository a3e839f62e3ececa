/**
 * The access policy and its decisions. Implicit deny: what no grant allows is refused. *May this caller ask* (method,
 * signing key) and *may this be signed* (claims) are separate questions. Everything is looked up, nothing searched:
 * this runs for each JWT. The document it comes from is config's business.
 */
import { KeyturnError } from '../base/errors.ts';
import type { CallerName, SigningKeyName } from '../base/ids.ts';
import type { Reason } from '../base/reasons.ts';
import type { Claims } from '../jose/claims.ts';
import { type CallerIdentity, formatIdentity } from './caller.ts';
import { METHOD_RULES, type Role } from './methods.ts';

/** What a grant lets a caller put into the JWTs of one signing key. The lists are short and never empty. */
export interface ClaimRules {
  readonly iss: readonly string[];
  readonly aud: readonly string[];
  /** Compared exactly, case included. */
  readonly typ: readonly string[];
  readonly maxLifetimeMs: number;
}

export interface CallerRights {
  readonly roles: ReadonlySet<Role>;
  /** For the role signer. */
  readonly signingKeys: ReadonlyMap<SigningKeyName, ClaimRules>;
}

export interface AccessPolicy {
  /** By formatted identity; one caller each. */
  readonly callersByIdentity: ReadonlyMap<string, CallerName>;
  readonly rights: ReadonlyMap<CallerName, CallerRights>;
}

export type Decision =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: Reason; readonly message: string; readonly field?: string };

const ALLOWED: Decision = { allowed: true };

export function findCaller(policy: AccessPolicy, identity: CallerIdentity): CallerName | undefined {
  return policy.callersByIdentity.get(formatIdentity(identity));
}

/** Whether the caller may call the method at all. `fullMethod` is `/package.Service/Method`. */
export function decideMethod(policy: AccessPolicy, caller: CallerName | undefined, fullMethod: string): Decision {
  const rights = caller === undefined ? undefined : policy.rights.get(caller);
  if (rights === undefined)
    return deny('CALLER_UNKNOWN', "the access policy names no such caller; add it to the policy's callers");
  const rule = Object.hasOwn(METHOD_RULES, fullMethod) ? METHOD_RULES[fullMethod] : undefined;
  if (rule === undefined)
    return deny('METHOD_NOT_FOUND', `there is no method ${fullMethod}; reflection lists what there is`);
  if (rule.allow === 'anyCaller' || rule.allow.some((role) => rights.roles.has(role))) return ALLOWED;
  const roles = rule.allow.join(' or ');
  return deny(
    'METHOD_NOT_PERMITTED',
    `caller ${caller} may not call ${fullMethod}: it needs the role ${roles} in the access policy`,
  );
}

/** Errors: SIGNING_KEY_NOT_PERMITTED, the same for a signing key that doesn't exist: names can't be probed. */
export function requireGrant(policy: AccessPolicy, caller: CallerName, signingKey: SigningKeyName): ClaimRules {
  const rules = policy.rights.get(caller)?.signingKeys.get(signingKey);
  if (rules !== undefined) return rules;
  throw new KeyturnError(
    'SIGNING_KEY_NOT_PERMITTED',
    `caller ${caller} has no grant for signing key ${signingKey} in the access policy`,
    {
      field: 'signing_key',
      subject: signingKey,
    },
  );
}

/** Whether the grant accepts these claims and this `typ`. Messages name what is allowed, never what was sent. */
export function decideClaims(rules: ClaimRules, claims: Claims, typ: string): Decision {
  if (!rules.typ.includes(typ))
    return deny('TYP_NOT_PERMITTED', `typ must be ${oneOf(rules.typ)}, as the grant says`, 'typ');
  return (
    decideIssuer(rules.iss, claims.members.get('iss')) ??
    decideAudience(rules.aud, claims.members.get('aud')) ??
    ALLOWED
  );
}

function decideIssuer(allowed: readonly string[], iss: unknown): Decision | undefined {
  if (typeof iss !== 'string') return deny('CLAIM_INVALID', 'claims.iss must be present and a string', 'claims.iss');
  if (allowed.includes(iss)) return undefined;
  return deny('CLAIM_NOT_PERMITTED', `claims.iss must be ${oneOf(allowed)}, as the grant says`, 'claims.iss');
}

/** One audience beyond the grant is enough to refuse: each one in the list would accept the JWT. */
function decideAudience(allowed: readonly string[], aud: unknown): Decision | undefined {
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const isUsable = audiences.length > 0 && audiences.every((one) => typeof one === 'string');
  const isUnique = audiences.length === 1 || new Set(audiences).size === audiences.length;
  if (!isUsable || !isUnique) {
    return deny(
      'CLAIM_INVALID',
      'claims.aud must be present: a string, or a list of different strings that is not empty',
      'claims.aud',
    );
  }
  if (audiences.every((one) => typeof one === 'string' && allowed.includes(one))) return undefined;
  const which = allowed.length === 1 ? oneOf(allowed) : `among ${oneOf(allowed)}`;
  return deny('CLAIM_NOT_PERMITTED', `claims.aud must be ${which}, as the grant says`, 'claims.aud');
}

/** How many allowed values a message shows. */
const MAX_SHOWN = 5;

function oneOf(allowed: readonly string[]): string {
  const rest = allowed.length > MAX_SHOWN ? ` or one of ${allowed.length - MAX_SHOWN} more` : '';
  return allowed.slice(0, MAX_SHOWN).join(' or ') + rest;
}

function deny(reason: Reason, message: string, field?: string): Decision {
  return { allowed: false, reason, message, ...(field === undefined ? {} : { field }) };
}
