import { describe, expect, it } from 'vitest';
import { METHOD_RULES, ROLES } from '../../src/access/methods.ts';
import {
  type AccessPolicy,
  type ClaimRules,
  decideClaims,
  decideMethod,
  findCaller,
  requireGrant,
} from '../../src/access/policy.ts';
import { hasReason } from '../../src/base/errors.ts';
import { parseCallerName, parseSigningKeyName } from '../../src/base/ids.ts';
import { parseClaims } from '../../src/jose/claims.ts';

const RULES: ClaimRules = {
  iss: ['https://issuer.example'],
  aud: ['https://a.example', 'https://b.example'],
  typ: ['JWT', 'at+jwt'],
  maxLifetimeMs: 900_000,
};
const KEY = parseSigningKeyName('access-tokens');
const SIGNER = parseCallerName('auth-service');

const POLICY: AccessPolicy = {
  callersByIdentity: new Map([
    ['dns:auth.example', SIGNER],
    ...ROLES.map((role) => [`unix:${role.toLowerCase()}`, parseCallerName(role.toLowerCase())] as const),
  ]),
  rights: new Map([
    [SIGNER, { roles: new Set(['signer'] as const), signingKeys: new Map([[KEY, RULES]]) }],
    ...ROLES.map(
      (role) => [parseCallerName(role.toLowerCase()), { roles: new Set([role]), signingKeys: new Map() }] as const,
    ),
  ]),
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
    'decides %s for each role as its row says, and refuses whoever is unknown',
    (method) => {
      const allow = METHOD_RULES[method]?.allow;
      for (const role of ROLES) {
        const isAllowed = allow === 'anyCaller' || allow?.includes(role) === true;
        expect(decideMethod(POLICY, parseCallerName(role.toLowerCase()), method)).toMatchObject(
          isAllowed ? { allowed: true } : { allowed: false, reason: 'METHOD_NOT_PERMITTED' },
        );
      }
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
});
