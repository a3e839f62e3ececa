/**
 * *May this be signed*: what a grant accepts of a caller's claims. Messages name what is allowed, never what was sent.
 * This runs for each JWT: the lists are short, and nothing here is a regular expression.
 */
import type { Claims } from '../jose/claims.ts';
import { foldName } from '../jose/fold-name.ts';
import { ALLOWED, type Decision, deny } from './decision.ts';
import { type Glob, matchesGlob } from './glob.ts';

/** What a grant lets a caller put into the JWTs of one signing key. Lists of allowed values are never empty. */
export interface ClaimRules {
  readonly iss: readonly string[];
  readonly aud: readonly string[];
  /** Compared exactly, case included. */
  readonly typ: readonly string[];
  readonly maxLifetimeMs: number;
  /** Undefined: any `sub`, or none. */
  readonly sub: readonly Glob[] | undefined;
  /** Names of claims that must be there, and not `null`. */
  readonly required: readonly string[];
  /** Names of claims that must not be there, whatever their value, nor any that some reader takes for one of them. */
  readonly forbidden: readonly string[];
}

/** Whether the grant accepts these claims and this `typ`. */
export function decideClaims(rules: ClaimRules, claims: Claims, typ: string): Decision {
  const { members } = claims;
  if (!rules.typ.includes(typ))
    return deny('TYP_NOT_PERMITTED', `typ must be ${oneOf(rules.typ)}, as the grant says`, 'typ');
  return (
    decideIssuer(rules.iss, members.get('iss')) ??
    decideAudience(rules.aud, members.get('aud')) ??
    (rules.sub === undefined ? undefined : decideSubject(rules.sub, members.get('sub'))) ??
    decideNames(rules, members) ??
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

function decideSubject(allowed: readonly Glob[], sub: unknown): Decision | undefined {
  if (typeof sub !== 'string') return deny('CLAIM_INVALID', 'claims.sub must be present and a string', 'claims.sub');
  if (allowed.some((glob) => matchesGlob(glob, sub))) return undefined;
  const patterns = oneOf(allowed.map(({ pattern }) => pattern));
  return deny('CLAIM_NOT_PERMITTED', `claims.sub must match ${patterns}, as the grant says`, 'claims.sub');
}

function decideNames({ required, forbidden }: ClaimRules, members: Claims['members']): Decision | undefined {
  for (const name of required) {
    // Many readers take null for absent.
    if ((members.get(name) ?? null) === null)
      return deny('CLAIM_INVALID', `claims.${name} must be present, as the grant says`, `claims.${name}`);
  }
  if (forbidden.length === 0) return undefined;
  const present = new Set([...members.keys()].map(foldName));
  const name = forbidden.find((one) => present.has(foldName(one)));
  if (name === undefined) return undefined;
  return deny('CLAIM_NOT_PERMITTED', `claims.${name} must not be there, as the grant says`, `claims.${name}`);
}

/** How many allowed values a message shows. */
const MAX_SHOWN = 5;

function oneOf(allowed: readonly string[]): string {
  const rest = allowed.length > MAX_SHOWN ? ` or one of ${allowed.length - MAX_SHOWN} more` : '';
  return allowed.slice(0, MAX_SHOWN).join(' or ') + rest;
}
