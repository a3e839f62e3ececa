/**
 * The claims' reader and the claim rules, held against JSON.parse and against a careless reader that takes names without
 * regard to case or form: whatever is let through must be within the grant to both.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { type ClaimRules, decideClaims } from '../../src/access/claim-rules.ts';
import { compileGlob } from '../../src/access/glob.ts';
import { type Claims, parseClaims, withTimes } from '../../src/jose/claims.ts';
import type { JsonValue } from '../../src/jose/strict-json.ts';
import { DECISIVE_CLAIMS, EVIL, goodMembers, namesLike } from '../../test/fixtures/red-team-names.ts';
import { mutatedText, tokenSoup } from './mutations.ts';
import { ACCEPTED, pureTarget, require, requireReason } from './target.ts';

const GRANT = {
  signingKey: 'access-tokens',
  iss: 'https://issuer.example',
  aud: 'https://api.example',
  sub: 'user:alice',
  typ: ['JWT'],
  maxLifetimeSeconds: 3_600,
};
const RULES: ClaimRules = {
  iss: [GRANT.iss],
  aud: [GRANT.aud],
  sub: [compileGlob('user:*')],
  typ: GRANT.typ,
  maxLifetimeMs: 3_600_000,
  required: [],
  forbidden: ['scope'],
};
const LIMITS = { maxBytes: 8_192, maxDepth: 16 };
const TIMES = { iatSeconds: 1_700_000_000, expSeconds: 1_700_000_900, jti: 'daemon' };
const DECISIVE: readonly string[] = DECISIVE_CLAIMS;

const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  ' ',
  '\n',
  '\t',
  '\u00a0',
  '\ufeff',
  '\0',
  '\u2028',
  '/*',
  '*/',
  '//',
  "'",
  '"iss"',
  '"aud"',
  '"sub"',
  '"exp"',
  '"nbf"',
  '"scope"',
  '"AUD"',
  '"Iss"',
  '"i\u017fs"',
  '"\\u0061ud"',
  '"\u0131ss"',
  '"a"',
  '"A"',
  '"__proto__"',
  '"constructor"',
  '""',
  `"${GRANT.iss}"`,
  `"${GRANT.aud}"`,
  `"${EVIL.aud}"`,
  `"${EVIL.iss}"`,
  '"user:x"',
  '0',
  '-0',
  '1',
  '-1',
  '1e400',
  '1e-400',
  '9007199254740991',
  '9007199254740993',
  '0.1',
  '01',
  '1.',
  '.5',
  '1E+2',
  '-',
  'e',
  '+',
  'true',
  'false',
  'null',
  'NaN',
  'undefined',
  '\\u0000',
  '\\ud800',
  '\\udc00',
  '\\u',
  '\\x',
  '\\"',
  '\\/',
  '\ud83d',
  '\u0301',
  '\u200d',
  ',"aud":',
  ',"AUD":',
  ',"exp":1',
  '{"aud":',
  '[[',
  ']]',
  '}}',
  '}{',
  '],"x":[',
];

const good = fc.shuffledSubarray([...goodMembers(GRANT), '"x":[1,{"y":null}]', '"n":1.5', '"aud2":"é"', '"":{}'], {
  minLength: 2,
});
/** Whole members, so that most are JSON: any name that looks like another, any value. */
const member = fc.tuple(
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...DECISIVE_CLAIMS.flatMap(namesLike)) },
    {
      weight: 2,
      arbitrary: fc.string({ unit: 'grapheme', maxLength: 6 }).map((name) => JSON.stringify(name).slice(1, -1)),
    },
  ),
  fc.oneof(
    fc.constantFrom(...TOKENS.filter((token) => /^["0-9tfn-].*[^:,]$/.test(token))),
    fc.json({ maxDepth: 2 }),
    fc.oneof(fc.double(), fc.integer(), fc.bigInt()).map(String),
  ),
);
const withMembers = fc
  .tuple(good, fc.array(member, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([members, more, isBefore]) => {
    const added = more.map(([name, value]) => `"${name}":${value}`);
    return `{${(isBefore ? [...added, ...members] : [...members, ...added]).join()}}`;
  });
const text = fc.oneof(
  { weight: 8, arbitrary: withMembers },
  {
    weight: 6,
    arbitrary: mutatedText(
      good.map((members) => `{${members.join()}}`),
      TOKENS,
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(good, tokenSoup(TOKENS, 10)).map(([members, soup]) => `{${members.join()},${soup}}`),
  },
  { weight: 1, arbitrary: tokenSoup(TOKENS) },
  { weight: 1, arbitrary: fc.json({ noUnicodeString: false }) },
);
/** Claims texts, as bytes. */
export const claimsBytes = fc.oneof(
  { weight: 12, arbitrary: text.map((one) => Buffer.from(one)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }).map((one) => Buffer.from(one)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(text, fc.nat(), fc.nat(255))
      .map(([one, place, byte]) => withByte(Buffer.from(one), place, byte)),
  },
);

function withByte(into: Buffer, place: number, byte: number): Buffer {
  if (into.length > 0) into.writeUInt8(byte, place % into.length);
  return into;
}

function judge(input: Buffer): string {
  let claims: Claims;
  try {
    claims = parseClaims(input, LIMITS);
  } catch (thrown) {
    const reason = requireReason(thrown);
    require(/^CLAIMS?_/.test(reason), `a refusal of other claims: ${reason}`);
    if (reason === 'CLAIMS_NOT_JSON') require(!isJson(input), 'JSON was refused as none');
    return reason;
  }
  const source = input.toString();
  require(isDeepStrictEqual(toPlain(claims.members), JSON.parse(source)), 'JSON.parse reads something else');
  requireExactNumbers(source);
  requireUniqueNames(source);
  const decision = decideClaims(RULES, claims, 'JWT');
  if (!decision.allowed) return decision.reason;
  requireWithinGrant(Buffer.from(withTimes(claims, TIMES)).toString());
  return ACCEPTED;
}

function isJson(input: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input));
    return true;
  } catch {
    return false;
  }
}

function toPlain(value: JsonValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, member]) => [name, toPlain(member)]));
  return Array.isArray(value) ? value.map(toPlain) : value;
}

/** By big integers, not by what the daemon's own check does. */
function requireExactNumbers(source: string): void {
  const look = (_name: string, value: unknown, context: { readonly source?: string }): unknown => {
    if (typeof value !== 'number') return value;
    require(Number.isFinite(value) && !Object.is(value, -0), `the number ${context.source} was let through`);
    if (/^-?\d+$/.test(context.source ?? ''))
      require(BigInt(context.source ?? '') === BigInt(value), `the number ${context.source} lost digits`);
    return value;
  };
  JSON.parse(source, look as (this: unknown, key: string, value: unknown) => unknown);
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** By tokens alone, of what JSON.parse has read, and takes the last of several for: names are unique, and no string ends early. */
function requireUniqueNames(source: string): void {
  const open: Set<string>[] = [];
  const tokens = source.match(TOKEN) ?? [];
  tokens.forEach((token, at) => {
    if (token === '{' || token === '[') open.push(new Set());
    if (token === '}' || token === ']') open.pop();
    if (!token.startsWith('"')) return;
    const text = String(JSON.parse(token));
    require(!text.includes('\0'), 'a string with U+0000 was let through');
    if (tokens[at + 1] !== ':') return;
    require(open.at(-1)?.has(text) === false, `the name ${text} was let through twice`);
    open.at(-1)?.add(text);
  });
}

function requireWithinGrant(payload: string): void {
  const read = JSON.parse(payload) as Record<string, unknown>;
  const { iss, aud, sub, exp, iat, jti, nbf, scope } = read;
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  require(iss === GRANT.iss, 'another issuer was let through');
  require(audiences.length === 1 && audiences[0] === GRANT.aud, 'another audience was let through');
  require(typeof sub === 'string' && sub.startsWith('user:'), 'another subject was let through');
  require(exp === TIMES.expSeconds &&
    iat === TIMES.iatSeconds &&
    jti === TIMES.jti, 'the times are not those of the daemon');
  require(nbf === undefined && scope === undefined, 'a forbidden claim was let through');
  for (const name of Object.keys(read)) {
    if (DECISIVE.includes(name)) continue;
    require(!looksDecisive(name), `the name ${name} was let through`);
  }
}

function looksDecisive(name: string): boolean {
  const forms = [name, name.normalize('NFC'), name.normalize('NFKC'), name.split('\0')[0] ?? ''];
  const cases = forms.flatMap((form) => [
    form.toLowerCase(),
    form.toUpperCase().toLowerCase(),
    form.toLocaleLowerCase('tr'),
  ]);
  return cases.some((form) => DECISIVE.includes(form));
}

export const claimsTargets = [pureTarget('claims', 450, claimsBytes, judge)];
