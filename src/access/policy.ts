/**
 * The access policy: *may this caller ask* (method, signing key). Implicit deny: what no grant allows is refused; and a
 * denial wins over every grant. Denials are taken off when the document is read, so that a decision is a look-up and
 * nothing is searched: this runs for each JWT. The document it comes from is config's business.
 */
import { KeyturnError } from '../base/errors.ts';
import type { CallerName, SigningKeyName } from '../base/ids.ts';
import type { ApprovableMethod } from './approval-log.ts';
import type { ApprovalRule } from './approvals.ts';
import { type CallerIdentity, formatIdentity } from './caller.ts';
import type { ClaimRules } from './claim-rules.ts';
import { ALLOWED, type Decision, deny } from './decision.ts';
import { METHOD_RULES, type Role } from './methods.ts';

/** Tokens for calls: so many a second come back, and so many at most are saved up. */
export interface RateLimit {
  readonly maxRequestsPerSecond: number;
  readonly burst: number;
}

/** One grant or denial of the document, as far as it is about one caller: what explanations are made of. */
export interface Statement {
  readonly effect: 'grant' | 'denial';
  readonly place: { readonly path: string; readonly line: number };
  /** The group through which it is about the caller; undefined when it names the caller. */
  readonly group: string | undefined;
  /** A grant has one. Of a denial: the roles that it takes, or undefined. */
  readonly roles: readonly Role[] | undefined;
  /** Of a signer's grant, or of a denial. A denial without roles and signing keys takes everything. */
  readonly signingKeys: readonly SigningKeyName[] | undefined;
}

export interface CallerRights {
  /** A denial takes everything, whatever the grants say. */
  readonly isDenied: boolean;
  /** What the denials leave. */
  readonly roles: ReadonlySet<Role>;
  /** For the role signer; what the denials leave. */
  readonly signingKeys: ReadonlyMap<SigningKeyName, ClaimRules>;
  /** Undefined: as many requests as the daemon can take. */
  readonly rateLimit: RateLimit | undefined;
  /** In the order of the document. */
  readonly statements: readonly Statement[];
}

export interface AccessPolicy {
  /** By formatted identity; one caller each. */
  readonly callersByIdentity: ReadonlyMap<string, CallerName>;
  readonly rights: ReadonlyMap<CallerName, CallerRights>;
  /** SHA-256 of the document's bytes, in hexadecimal: says which one is in force. */
  readonly documentHash: string;
  /** Methods that need several security officers (approvals.ts). */
  readonly approvals: ReadonlyMap<ApprovableMethod, ApprovalRule>;
}

export function findCaller(policy: AccessPolicy, identity: CallerIdentity): CallerName | undefined {
  return policy.callersByIdentity.get(formatIdentity(identity));
}

/** Whether the caller may call the method at all. `fullMethod` is `/package.Service/Method`. */
export function decideMethod(policy: AccessPolicy, caller: CallerName | undefined, fullMethod: string): Decision {
  const rights = caller === undefined ? undefined : policy.rights.get(caller);
  if (rights === undefined)
    return deny('CALLER_UNKNOWN', "the access policy names no such caller; add it to the policy's callers");
  if (rights.isDenied)
    return deny('CALLER_DENIED', `caller ${caller} may not call ${fullMethod}: the access policy denies it everything`);
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

export function isSecurityOfficer(policy: AccessPolicy, caller: CallerName): boolean {
  return policy.rights.get(caller)?.roles.has('securityOfficer') === true;
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
