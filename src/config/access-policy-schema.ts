/** The form of the access policy document. What its members mean together is checked in access-policy-document.ts. */
import { z } from 'zod';
import { APPROVABLE_METHODS } from '../access/approval-log.ts';
import { MAX_OFFICERS, MIN_OFFICERS } from '../access/approvals.ts';
import { ROLES } from '../access/methods.ts';
import { parseCallerName, parseGroupName, parseSigningKeyName } from '../base/ids.ts';
import { RESERVED_CLAIMS } from '../jose/claims.ts';
import { duration, integer, invalid, list, member, NAME_SHAPE, text, TEXT_SHAPE } from './schema-parts.ts';

const SECOND_MS = 1_000;
/** A year: longer-lived JWTs can't be called back and keep dead keys published. */
const MAX_LIFETIME_MS = 366 * 86_400 * SECOND_MS;
const MAX_CLAIM_VALUE_BYTES = 512;
const MAX_CLAIM_NAME_BYTES = 256;
const MAX_CLAIM_VALUES = 64;
const MAX_REQUESTS_PER_SECOND = 1_000_000;
const MAX_IDENTITIES = 16;
const MAX_NAMES = 1_024;
const DAY_MS = 86_400 * SECOND_MS;
/** Whoever approves should still know why it was proposed. */
const MAX_EXPIRY_MS = 7 * DAY_MS;
const MAX_IDENTITY_BYTES = 2_048;

/** The forms that a listener can find in a certificate: a name of another form could never match. */
const DNS_NAME = /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const SPIFFE_ID = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)+$/;
const COMMON_NAME = /^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?$/;
/** RFC 7515, section 4.1.9: a media type, with or without `application/`. */
const TYP = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}(?:\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126})?$/;

/** What editors are told; the rest is parseIdentity's. */
const IDENTITY_SHAPE = { type: 'string', pattern: '^(dns:|spiffe:|cn:|unix:)' } as const;

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

const callerName = member(parseCallerName, NAME_SHAPE);
const callerList = list(callerName, 1, MAX_NAMES);
const groupList = list(member(parseGroupName, NAME_SHAPE), 1, MAX_NAMES);
const signingKeyList = list(member(parseSigningKeyName, NAME_SHAPE), 1, MAX_NAMES);
const valueList = list(text(MAX_CLAIM_VALUE_BYTES), 1, MAX_CLAIM_VALUES);
/** Any text can name a claim; a URI often does. */
const claimNames = list(text(MAX_CLAIM_NAME_BYTES), 1, MAX_CLAIM_VALUES);
const typ = member((value, field) => {
  if (typeof value === 'string' && TYP.test(value)) return value;
  throw invalid(`${field} must be a media type such as JWT or at+jwt`);
}, TEXT_SHAPE);

/** What the daemon adds itself is never in a caller's claims, and `iss` and `aud` always are. */
const claimRulesSchema = z
  .strictObject({
    iss: valueList,
    aud: valueList,
    typ: list(typ, 1, MAX_CLAIM_VALUES).default(['JWT']),
    sub: valueList.optional(),
    required: claimNames.optional(),
    forbidden: claimNames.optional(),
    maxLifetime: duration(SECOND_MS, MAX_LIFETIME_MS),
  })
  .superRefine(({ sub, required = [], forbidden = [] }, context) => {
    const contradict = (member: 'required' | 'forbidden', name: string, message: string): void => {
      const index = (member === 'required' ? required : forbidden).indexOf(name);
      if (index >= 0) context.addIssue({ code: 'custom', path: [member, index], message });
    };
    for (const name of RESERVED_CLAIMS) {
      contradict('required', name, `${name} is added by the daemon: no caller may send it`);
      contradict('forbidden', name, `${name} is added by the daemon, and never a caller's`);
    }
    for (const name of ['iss', 'aud', ...(sub === undefined ? [] : ['sub'])])
      contradict('forbidden', name, `${name} must be there, as claims.${name} says`);
    for (const name of required) contradict('forbidden', name, `${name} is required already`);
  });

/** Whom a grant or a denial is about. */
const concerned = { callers: callerList.optional(), groups: groupList.optional() };

function requireSomebody(
  { callers, groups }: { readonly callers?: unknown; readonly groups?: unknown },
  context: z.RefinementCtx,
): void {
  if (callers === undefined && groups === undefined)
    context.addIssue({ code: 'custom', message: 'must have callers, groups or both' });
}

export const grantSchema = z
  .strictObject({
    role: z.enum(ROLES),
    ...concerned,
    signingKeys: signingKeyList.optional(),
    claims: claimRulesSchema.optional(),
  })
  .superRefine((grant, context) => {
    requireSomebody(grant, context);
    for (const name of ['signingKeys', 'claims'] as const) {
      const isWanted = grant.role === 'signer';
      if (isWanted && grant[name] === undefined)
        context.addIssue({ code: 'custom', path: [name], message: 'is missing: a signer needs it' });
      if (!isWanted && grant[name] !== undefined)
        context.addIssue({ code: 'custom', path: [name], message: 'belongs to the role signer only' });
    }
  });

export const approvalSchema = z.strictObject({
  methods: list(z.enum(APPROVABLE_METHODS), 1, APPROVABLE_METHODS.length),
  officers: integer(MIN_OFFICERS, MAX_OFFICERS).default(MIN_OFFICERS),
  expiry: duration(SECOND_MS, MAX_EXPIRY_MS).default(DAY_MS),
});

export const denialSchema = z
  .strictObject({
    ...concerned,
    roles: list(z.enum(ROLES), 1, ROLES.length).optional(),
    signingKeys: signingKeyList.optional(),
  })
  .superRefine(requireSomebody);

export const callerSchema = z.strictObject({
  identities: list(member(parseIdentity, IDENTITY_SHAPE), 1, MAX_IDENTITIES),
  rateLimit: z
    .strictObject({
      maxRequestsPerSecond: integer(1, MAX_REQUESTS_PER_SECOND),
      burst: integer(1, MAX_REQUESTS_PER_SECOND).optional(),
    })
    .optional(),
});

export const groupSchema = z.strictObject({ callers: callerList });

export const accessPolicySchema = z.strictObject({
  version: z.literal(1),
  callers: z.record(z.string(), callerSchema).default({}),
  groups: z.record(z.string(), groupSchema).default({}),
  grants: z.array(grantSchema).default([]),
  denials: z.array(denialSchema).default([]),
  approvals: z.array(approvalSchema).default([]),
});

/** Accepts anything, and finds in it what there is of each section. */
export const looseDocumentSchema = z
  .object({
    callers: z.record(z.string(), z.unknown()).catch({}),
    groups: z.record(z.string(), z.unknown()).catch({}),
    grants: z.array(z.unknown()).catch([]),
    denials: z.array(z.unknown()).catch([]),
    approvals: z.array(z.unknown()).catch([]),
  })
  .catch({ callers: {}, groups: {}, grants: [], denials: [], approvals: [] });

export type AccessPolicyDocument = z.infer<typeof accessPolicySchema>;
export type CallerDocument = z.infer<typeof callerSchema>;
export type GrantDocument = z.infer<typeof grantSchema>;
export type DenialDocument = z.infer<typeof denialSchema>;
export type ApprovalDocument = z.infer<typeof approvalSchema>;
