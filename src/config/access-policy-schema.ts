/** The form of the access policy document. What its members mean together is checked in access-policy-document.ts. */
import { z } from 'zod';
import { ROLES } from '../access/methods.ts';
import { parseCallerName, parseSigningKeyName } from '../base/ids.ts';
import { duration, invalid, list, member, text } from './schema-parts.ts';

const SECOND_MS = 1_000;
/** A year: longer-lived JWTs can't be called back and keep dead keys published. */
const MAX_LIFETIME_MS = 366 * 86_400 * SECOND_MS;
const MAX_CLAIM_VALUE_BYTES = 512;
const MAX_CLAIM_VALUES = 64;
const MAX_IDENTITIES = 16;
const MAX_NAMES = 1_024;
const MAX_IDENTITY_BYTES = 2_048;

/** The forms that a listener can find in a certificate: a name of another form could never match. */
const DNS_NAME = /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const SPIFFE_ID = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)+$/;
const COMMON_NAME = /^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?$/;
/** RFC 7515, section 4.1.9: a media type, with or without `application/`. */
const TYP = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}(?:\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126})?$/;

/** An identity as `formatIdentity` writes it; `spiffe://…` may stand without the kind. */
function parseIdentity(value: unknown, field: string): string {
  if (typeof value === 'string' && Buffer.byteLength(value) <= MAX_IDENTITY_BYTES) {
    if (SPIFFE_ID.test(value)) return `spiffe:${value}`;
    const [, kind, name = ''] = /^(dns|spiffe|cn|unix):(.+)$/u.exec(value) ?? [];
    if (kind === 'dns' && DNS_NAME.test(name)) return value;
    if (kind === 'spiffe' && SPIFFE_ID.test(name)) return value;
    if (kind === 'cn' && COMMON_NAME.test(name)) return value;
    if (kind === 'unix') return `unix:${parseCallerName(name, field)}`;
  }
  throw invalid(`${field} must be dns:NAME (lower case), spiffe://TRUST-DOMAIN/PATH, cn:NAME or unix:NAME`);
}

const callerList = list(member(parseCallerName), 1, MAX_NAMES);
const valueList = list(text(MAX_CLAIM_VALUE_BYTES), 1, MAX_CLAIM_VALUES);
const typ = member((value, field) => {
  if (typeof value === 'string' && TYP.test(value)) return value;
  throw invalid(`${field} must be a media type such as JWT or at+jwt`);
});

const claimRulesSchema = z.strictObject({
  iss: valueList,
  aud: valueList,
  typ: list(typ, 1, MAX_CLAIM_VALUES).default(['JWT']),
  maxLifetime: duration(SECOND_MS, MAX_LIFETIME_MS),
});

export const grantSchema = z
  .strictObject({
    role: z.enum(ROLES),
    callers: callerList,
    signingKeys: list(member(parseSigningKeyName), 1, MAX_NAMES).optional(),
    claims: claimRulesSchema.optional(),
  })
  .superRefine((grant, context) => {
    for (const name of ['signingKeys', 'claims'] as const) {
      const isWanted = grant.role === 'signer';
      if (isWanted && grant[name] === undefined)
        context.addIssue({ code: 'custom', path: [name], message: 'is missing: a signer needs it' });
      if (!isWanted && grant[name] !== undefined)
        context.addIssue({ code: 'custom', path: [name], message: 'belongs to the role signer only' });
    }
  });

export const callerSchema = z.strictObject({ identities: list(member(parseIdentity), 1, MAX_IDENTITIES) });

export const accessPolicySchema = z.strictObject({
  version: z.literal(1),
  callers: z.record(z.string(), callerSchema).default({}),
  grants: z.array(grantSchema).default([]),
});

/** Accepts anything, and finds in it what there is of callers and grants. */
export const looseDocumentSchema = z
  .object({ callers: z.record(z.string(), z.unknown()).catch({}), grants: z.array(z.unknown()).catch([]) })
  .catch({ callers: {}, grants: [] });

export type AccessPolicyDocument = z.infer<typeof accessPolicySchema>;
