import { describe, expect, it } from 'vitest';
import { decide, findMethods, findStatements, type Question } from '../../src/access/explain.ts';
import { METHOD_RULES } from '../../src/access/methods.ts';
import { KeyturnError } from '../../src/base/errors.ts';
import { parseAccessPolicy } from '../../src/config/access-policy-document.ts';
import { findNamedCaller, parseAccessCases } from '../../src/config/access-cases-document.ts';
import { ConfigError } from '../../src/config/problems.ts';
import { startApp } from '../fixtures/app-harness.ts';

const POLICY = parseAccessPolicy(`
version: 1
callers:
  auth-service: { identities: ["dns:auth-service.example", "spiffe://td/auth"] }
  operator: { identities: ["dns:operator"] }
  fired: { identities: ["dns:fired"] }
grants:
  - { role: operator, callers: [operator, fired] }
  - { role: auditor, callers: [operator] }
  - role: signer
    callers: [auth-service]
    signingKeys: [access-tokens, frozen]
    claims: { iss: [i], aud: [a], sub: ["user:*"], required: [tenant], forbidden: [act], maxLifetime: 10m }
denials:
  - { callers: [fired] }
  - { callers: [auth-service], signingKeys: [frozen] }
  - { callers: [operator], roles: [auditor] }
`);

const cases = (text: string) => parseAccessCases(`version: 1\ncases:\n${text}`);
const GOOD = '{ iss: i, aud: a, sub: "user:1", tenant: t }';
const SIGNING = 'name: n, caller: auth-service, action: SignJwt, signingKey: access-tokens';

function reasonOf(question: Question): string {
  const decision = decide(POLICY, question);
  return decision.allowed ? 'allowed' : decision.reason;
}

describe('decide', () => {
  it.each([
    [`{ ${SIGNING}, expect: allowed }`],
    [`{ ${SIGNING}, claims: ${GOOD}, lifetime: 10m, expect: allowed }`],
    [`{ ${SIGNING}, claims: ${GOOD}, lifetime: 11m, expect: LIFETIME_NOT_PERMITTED }`],
    [`{ ${SIGNING}, claims: ${GOOD}, typ: at+jwt, expect: TYP_NOT_PERMITTED }`],
    [`{ ${SIGNING}, claims: ${GOOD.replace('user:1', 'root')}, expect: CLAIM_NOT_PERMITTED }`],
    [`{ ${SIGNING}, claims: ${GOOD.replace(', tenant: t', '')}, expect: CLAIM_INVALID }`],
    [`{ ${SIGNING}, claims: ${GOOD.replace('tenant: t', 'tenant: t, act: 1')}, expect: CLAIM_NOT_PERMITTED }`],
    ['{ name: n, caller: auth-service, action: SignJwt, signingKey: frozen, expect: SIGNING_KEY_NOT_PERMITTED }'],
    ['{ name: n, caller: auth-service, action: SignJwt, signingKey: none, expect: SIGNING_KEY_NOT_PERMITTED }'],
    ['{ name: n, caller: auth-service, action: Rotate, expect: METHOD_NOT_PERMITTED }'],
    ['{ name: n, caller: "spiffe://td/auth", action: GetKeySet, expect: allowed }'],
    ['{ name: n, caller: "dns:operator", action: KeyAdminService/Rotate, expect: allowed }'],
    ['{ name: n, caller: fired, action: GetKeySet, expect: CALLER_DENIED }'],
    ['{ name: n, caller: "dns:stranger", action: GetKeySet, expect: CALLER_UNKNOWN }'],
  ])('%s', (text) => {
    const [one] = cases(`  - ${text}`);
    expect(one).toBeDefined();
    if (one !== undefined)
      expect(reasonOf({ ...one.question, caller: findNamedCaller(POLICY, one.caller) })).toBe(one.expect);
  });

  it('says of claims what the daemon itself says', async () => {
    const harness = await startApp({ accessPolicy: () => POLICY });
    await harness.apply('access-tokens');
    const documents = [
      { iss: 'i', aud: 'a', sub: 'user:1', tenant: 't' },
      { iss: 'x', aud: 'a', sub: 'user:1', tenant: 't' },
      { iss: 'i', aud: ['a', 'b'], sub: 'user:1', tenant: 't' },
      { iss: 'i', aud: 'a', sub: 'admin', tenant: 't' },
      { iss: 'i', aud: 'a', sub: 'user:1' },
      { iss: 'i', aud: 'a', sub: 'user:1', tenant: 't', Act: 1 },
    ];
    const questions = documents.flatMap((claims) =>
      ['access-tokens', 'frozen'].flatMap((signingKey) =>
        ['JWT', 'at+jwt'].flatMap((typ) => ['5m', '20m'].map((lifetime) => ({ claims, signingKey, typ, lifetime }))),
      ),
    );
    const told = new Set<string>();
    for (const { claims, signingKey, typ, lifetime } of questions) {
      const text = JSON.stringify({
        name: 'n',
        caller: 'auth-service',
        action: 'SignJwt',
        expect: 'allowed',
        signingKey,
        claims,
        typ,
        lifetime,
      });
      const [one] = cases(`  - ${text}`);
      const caller = findNamedCaller(POLICY, 'auth-service');
      if (one === undefined || caller === undefined) throw new Error('unreachable');
      const lifetimeMs = lifetime === '5m' ? 300_000 : 1_200_000;
      const answer = await harness.app
        .signJwt(caller, {
          signingKey,
          claims: Buffer.from(JSON.stringify(claims)),
          typ,
          lifetimeMs,
          deadlineMs: undefined,
        })
        .then(
          () => 'allowed',
          (error: unknown) => (error instanceof KeyturnError ? error.reason : 'defect'),
        );
      expect(reasonOf({ ...one.question, caller }), text).toBe(answer);
      told.add(answer);
    }
    expect(told.size).toBe(6);
  });
});

describe('findStatements', () => {
  const placesOf = (caller: string, method: string, signingKey?: string): readonly string[] => {
    const [one] = cases(
      `  - { name: n, caller: ${caller}, action: ${method}${signingKey === undefined ? '' : `, signingKey: ${signingKey}`}, expect: allowed }`,
    );
    if (one === undefined) throw new Error('unreachable');
    return findStatements(POLICY, { ...one.question, caller: findNamedCaller(POLICY, caller) }).map(
      ({ place: { path, line } }) => `${path}:${line}`,
    );
  };

  it.each([
    ['auth-service', 'SignJwt', 'access-tokens', ['grants[2]:10']],
    ['auth-service', 'SignJwt', 'frozen', ['grants[2]:10', 'denials[1]:16']],
    ['auth-service', 'SignJwt', undefined, ['grants[2]:10', 'denials[1]:16']],
    ['auth-service', 'Rotate', undefined, []],
    ['operator', 'Rotate', undefined, ['grants[0]:8']],
    ['operator', 'ListSigningKeys', undefined, ['grants[0]:8', 'grants[1]:9', 'denials[2]:17']],
    ['operator', 'GetKeySet', undefined, []],
    ['fired', 'GetKeySet', undefined, ['denials[0]:15']],
    ['stranger', 'GetKeySet', undefined, []],
  ])('of %s, %s, %s are %j', (caller, method, signingKey, places) => {
    expect(placesOf(caller, method, signingKey)).toEqual(places);
  });
});

it('a method is found by its own name, by the end of its full name, and by that', () => {
  const full = '/keyturn.v1.KeyAdminService/Rotate';
  for (const word of ['Rotate', 'KeyAdminService/Rotate', 'keyturn.v1.KeyAdminService/Rotate', full])
    expect(findMethods(word)).toEqual([full]);
  expect(findMethods('rotate')).toEqual([]);
  expect(findMethods('Service/Rotate')).toEqual([]);
  for (const method of Object.keys(METHOD_RULES)) expect(findMethods(method)).toEqual([method]);
});

it.each([
  [
    'a method that is none',
    '{ name: n, caller: c, action: Sign, expect: allowed }',
    'cases[0].action: must be a gRPC method',
  ],
  [
    'a word for two methods',
    '{ name: n, caller: c, action: ServerReflectionInfo, expect: allowed }',
    'must be one method',
  ],
  [
    'an expectation that is none',
    '{ name: n, caller: c, action: Rotate, expect: NO }',
    'cases[0].expect: must be allowed',
  ],
  ['claims that no daemon accepts', `{ ${SIGNING}, claims: { exp: 1 }, expect: allowed }`, 'CLAIM_RESERVED'],
])('refuses a case with %s', (_what, text, message) => {
  expect(() => cases(`  - ${text}`)).toThrow(ConfigError);
  expect(() => cases(`  - ${text}`)).toThrow(message);
});
