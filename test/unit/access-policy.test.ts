import { describe, expect, it } from 'vitest';
import { METHOD_RULES, ROLES } from '../../src/access/methods.ts';
import { type ClaimRules, decideClaims } from '../../src/access/claim-rules.ts';
import { compileGlob } from '../../src/access/glob.ts';
import { type AccessPolicy, decideMethod, findCaller, requireGrant } from '../../src/access/policy.ts';
import { hasReason } from '../../src/base/errors.ts';
import { parseCallerName, parseSigningKeyName } from '../../src/base/ids.ts';
import { parseClaims } from '../../src/jose/claims.ts';

const RULES: ClaimRules = {
  iss: ['https://issuer.example'],
  aud: ['https://a.example', 'https://b.example'],
  typ: ['JWT', 'at+jwt'],
  maxLifetimeMs: 900_000,
  sub: undefined,
  required: [],
  forbidden: [],
};
const KEY = parseSigningKeyName('access-tokens');
const SIGNER = parseCallerName('auth-service');

const NOTHING = { isDenied: false, signingKeys: new Map(), rateLimit: undefined, statements: [] };
const DENIED = parseCallerName('denied');

const POLICY: AccessPolicy = {
  callersByIdentity: new Map([
    ['dns:auth.example', SIGNER],
    ...ROLES.map((role) => [`unix:${role.toLowerCase()}`, parseCallerName(role.toLowerCase())] as const),
  ]),
  rights: new Map([
    [SIGNER, { ...NOTHING, roles: new Set(['signer'] as const), signingKeys: new Map([[KEY, RULES]]) }],
    [DENIED, { ...NOTHING, isDenied: true, roles: new Set() }],
    ...ROLES.map((role) => [parseCallerName(role.toLowerCase()), { ...NOTHING, roles: new Set([role]) }] as const),
  ]),
  documentHash: '',
  approvals: new Map(),
};

describe('findCaller', () => {
  it('compares kind and name exactly', () => {
    expect(findCaller(POLICY, { kind: 'dns', name: 'auth.example' })).toBe(SIGNER);
    expect(findCaller(POLICY, { kind: 'cn', name: 'auth.example' })).toBeUndefined();
    expect(findCaller(POLICY, { kind: 'dns', name: 'auth.example.' })).toBeUndefined();
  });
});

describe('decideMethod', () => {
  it.each(Object.keys(METHOD_RULES))(
    'decides %s for each role as its row says, and refuses whoever is unknown or denied',
    (method) => {
      const allow = METHOD_RULES[method]?.allow;
      for (const role of ROLES) {
        const isAllowed = allow === 'anyCaller' || allow?.includes(role) === true;
        expect(decideMethod(POLICY, parseCallerName(role.toLowerCase()), method)).toMatchObject(
          isAllowed ? { allowed: true } : { allowed: false, reason: 'METHOD_NOT_PERMITTED' },
        );
      }
      expect(decideMethod(POLICY, DENIED, method)).toMatchObject({ allowed: false, reason: 'CALLER_DENIED' });
      expect(decideMethod(POLICY, undefined, method)).toMatchObject({ allowed: false, reason: 'CALLER_UNKNOWN' });
      expect(decideMethod(POLICY, parseCallerName('stranger'), method)).toMatchObject({
        allowed: false,
        reason: 'CALLER_UNKNOWN',
      });
    },
  );

  it.each(['/keyturn.v1.SigningService/Sign', 'toString', '__proto__', '', '/keyturn.v1.SigningService/signJwt'])(
    'refuses %j, which has no row',
    (method) => {
      expect(decideMethod(POLICY, SIGNER, method)).toMatchObject({ allowed: false, reason: 'METHOD_NOT_FOUND' });
    },
  );
});

describe('requireGrant', () => {
  it('gives the rules of the grant', () => {
    expect(requireGrant(POLICY, SIGNER, KEY)).toBe(RULES);
  });

  it('refuses a signing key of others and one that does not exist alike', () => {
    for (const [caller, key] of [
      [parseCallerName('operator'), KEY],
      [SIGNER, parseSigningKeyName('nowhere')],
      [parseCallerName('stranger'), KEY],
    ] as const) {
      expect(() => requireGrant(POLICY, caller, key)).toThrow(
        expect.toSatisfy((error) => hasReason(error, 'SIGNING_KEY_NOT_PERMITTED')),
      );
    }
  });
});

describe('decideClaims', () => {
  const good = { iss: 'https://issuer.example', aud: 'https://a.example' };
  const decide = (claims: object, typ = 'JWT') =>
    decideClaims(RULES, parseClaims(Buffer.from(JSON.stringify(claims)), { maxBytes: 8_192, maxDepth: 8 }), typ);

  it.each([
    ['one audience as a string', good],
    ['one audience as a list', { ...good, aud: ['https://b.example'] }],
    ['every audience of the grant', { ...good, aud: ['https://b.example', 'https://a.example'] }],
    ['further claims', { ...good, sub: 'x', scope: ['y'] }],
  ])('accepts %s', (_name, claims) => {
    expect(decide(claims)).toEqual({ allowed: true });
  });

  it.each([
    ['no iss', { aud: good.aud }, 'CLAIM_INVALID', 'claims.iss'],
    ['a list of iss', { ...good, iss: [good.iss] }, 'CLAIM_INVALID', 'claims.iss'],
    ['another iss', { ...good, iss: 'https://issuer.example/' }, 'CLAIM_NOT_PERMITTED', 'claims.iss'],
    ['an iss in capitals', { ...good, iss: 'HTTPS://issuer.example' }, 'CLAIM_NOT_PERMITTED', 'claims.iss'],
    ['no aud', { iss: good.iss }, 'CLAIM_INVALID', 'claims.aud'],
    ['null as aud', { ...good, aud: null }, 'CLAIM_INVALID', 'claims.aud'],
    ['an empty list of aud', { ...good, aud: [] }, 'CLAIM_INVALID', 'claims.aud'],
    ['a number among aud', { ...good, aud: [good.aud, 1] }, 'CLAIM_INVALID', 'claims.aud'],
    ['an aud twice', { ...good, aud: [good.aud, good.aud] }, 'CLAIM_INVALID', 'claims.aud'],
    [
      'an aud twice in a long list',
      { ...good, aud: [good.aud, good.aud, 'https://b.example'] },
      'CLAIM_INVALID',
      'claims.aud',
    ],
    ['an object as aud', { ...good, aud: { 0: good.aud } }, 'CLAIM_INVALID', 'claims.aud'],
    ['one aud too many', { ...good, aud: [good.aud, 'https://evil.example'] }, 'CLAIM_NOT_PERMITTED', 'claims.aud'],
    ['another aud', { ...good, aud: 'https://evil.example' }, 'CLAIM_NOT_PERMITTED', 'claims.aud'],
  ])('refuses %s', (_name, claims, reason, field) => {
    const decision = decide(claims);
    expect(decision).toMatchObject({ allowed: false, reason, field });
    expect(JSON.stringify(decision)).not.toContain('evil');
  });

  it('compares typ exactly', () => {
    expect(decide(good, 'at+jwt')).toEqual({ allowed: true });
    for (const typ of ['jwt', 'AT+JWT', 'application/at+jwt', ''])
      expect(decide(good, typ)).toMatchObject({ allowed: false, reason: 'TYP_NOT_PERMITTED', field: 'typ' });
  });

  describe('with rules for sub and for names', () => {
    const rules: ClaimRules = {
      ...RULES,
      sub: ['user:*', 'service'].map(compileGlob),
      required: ['tenant', 'constructor'],
      forbidden: ['act', '__proto_'],
    };
    const full = { ...good, sub: 'user:7', tenant: 't', constructor: 1 };
    const judge = (claims: object) =>
      decideClaims(rules, parseClaims(Buffer.from(JSON.stringify(claims)), { maxBytes: 8_192, maxDepth: 8 }), 'JWT');

    it.each([
      ['a sub that matches a glob', full],
      ['a sub that is a whole pattern', { ...full, sub: 'service' }],
      ['a required claim that is false, empty or 0', { ...full, tenant: false, constructor: '' }],
      ['a forbidden name within another claim', { ...full, tenant: { act: 1 } }],
      ['a name that only looks like a forbidden one', { ...full, 'act ': 1, '\u0430ct': 1 }],
    ])('accepts %s', (_name, claims) => {
      expect(judge(claims)).toEqual({ allowed: true });
    });

    it.each([
      ['no sub', { ...full, sub: undefined }, 'CLAIM_INVALID', 'claims.sub'],
      ['a list of sub', { ...full, sub: ['user:7'] }, 'CLAIM_INVALID', 'claims.sub'],
      ['another sub', { ...full, sub: 'evil' }, 'CLAIM_NOT_PERMITTED', 'claims.sub'],
      ['a sub that only contains an allowed one', { ...full, sub: 'evil user:7' }, 'CLAIM_NOT_PERMITTED', 'claims.sub'],
      [
        'a sub that only begins as an allowed one',
        { ...full, sub: 'service-evil' },
        'CLAIM_NOT_PERMITTED',
        'claims.sub',
      ],
      ['a sub in capitals', { ...full, sub: 'USER:evil' }, 'CLAIM_NOT_PERMITTED', 'claims.sub'],
      ['no required claim', { ...full, tenant: undefined }, 'CLAIM_INVALID', 'claims.tenant'],
      ['a required claim that is null', { ...full, tenant: null }, 'CLAIM_INVALID', 'claims.tenant'],
      ['a forbidden claim', { ...full, act: { sub: 'evil' } }, 'CLAIM_NOT_PERMITTED', 'claims.act'],
      ['what Go and .NET take for a forbidden claim', { ...full, Act: 1 }, 'CLAIM_NOT_PERMITTED', 'claims.act'],
      ['a forbidden claim that is null', { ...full, act: null }, 'CLAIM_NOT_PERMITTED', 'claims.act'],
    ])('refuses %s', (_name, claims, reason, field) => {
      const decision = judge(claims);
      expect(decision).toMatchObject({ allowed: false, reason, field });
      expect(JSON.stringify(decision)).not.toContain('evil');
    });

    it('takes no name of Object.prototype for a claim', () => {
      expect(judge({ ...full, constructor: undefined })).toMatchObject({ field: 'claims.constructor' });
    });
  });
});
