import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseCallerName, parseSigningKeyName } from '../../src/base/ids.ts';
import { parseAccessPolicy } from '../../src/config/access-policy-document.ts';
import { ConfigError } from '../../src/config/problems.ts';

const DOCUMENT = `
version: 1
callers:
  auth-service: { identities: ["dns:auth-service.example", "spiffe://td.example/auth"] }
  admin: { identities: ["unix:admin"] }
grants:
  - { role: operator, callers: [admin] }
  - { role: signer, callers: [auth-service], signingKeys: [access-tokens], claims: { iss: ["https://issuer.example"], aud: ["https://api.example"], maxLifetime: 15m } }
`;

const GROUPED = `
version: 1
callers:
  a: { identities: ["dns:a"] }
  b: { identities: ["dns:b"] }
  c: { identities: ["dns:c"] }
groups:
  { all: { callers: [a, b] }, fired: { callers: [c] } }
grants:
  - { role: operator, groups: [all] }
  - { role: signer, groups: [all], signingKeys: [k, l], claims: { iss: [i], aud: [a], maxLifetime: 1m } }
denials:
  - { groups: [fired] }
  - { callers: [b], signingKeys: [l] }
`;

function problemsOf(text: string): readonly string[] {
  try {
    parseAccessPolicy(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

describe('parseAccessPolicy', () => {
  it('gives callers, roles and claim rules', () => {
    const policy = parseAccessPolicy(DOCUMENT);
    expect(Object.fromEntries(policy.callersByIdentity)).toEqual({
      'dns:auth-service.example': 'auth-service',
      'spiffe:spiffe://td.example/auth': 'auth-service',
      'unix:admin': 'admin',
    });
    const signer = policy.rights.get(parseCallerName('auth-service'));
    expect([...(signer?.roles ?? [])]).toEqual(['signer']);
    expect(signer?.signingKeys.get(parseSigningKeyName('access-tokens'))).toEqual({
      iss: ['https://issuer.example'],
      aud: ['https://api.example'],
      typ: ['JWT'],
      maxLifetimeMs: 900_000,
      sub: undefined,
      required: [],
      forbidden: [],
    });
  });

  it('is known by the SHA-256 of its bytes', () => {
    expect(parseAccessPolicy('version: 1\n').documentHash).toBe(
      createHash('sha256').update('version: 1\n').digest('hex'),
    );
  });

  it("gives a group's grants to each of its callers, and says through which group and from which line", () => {
    const policy = parseAccessPolicy(GROUPED);
    const shown = [...policy.rights].map(([caller, { roles, signingKeys, statements }]) => [
      caller,
      [...roles],
      [...signingKeys.keys()],
      statements.map(({ effect, place, group }) => [effect, place.path, place.line, group]),
    ]);
    expect(shown).toEqual([
      [
        'a',
        ['operator', 'signer'],
        ['k', 'l'],
        [
          ['grant', 'grants[0]', 10, 'all'],
          ['grant', 'grants[1]', 11, 'all'],
        ],
      ],
      [
        'b',
        ['operator', 'signer'],
        ['k'],
        [
          ['grant', 'grants[0]', 10, 'all'],
          ['grant', 'grants[1]', 11, 'all'],
          ['denial', 'denials[1]', 14, undefined],
        ],
      ],
      ['c', [], [], [['denial', 'denials[0]', 13, 'fired']]],
    ]);
  });

  it.each([
    ['everything', '{ callers: [a] }', { isDenied: true, roles: [], keys: [] }],
    ['one role', '{ callers: [a], roles: [operator] }', { isDenied: false, roles: ['signer'], keys: ['k', 'l'] }],
    ['the role of a signer', '{ groups: [all], roles: [signer] }', { isDenied: false, roles: ['operator'], keys: [] }],
    [
      'a signing key',
      '{ groups: [all], signingKeys: [l] }',
      { isDenied: false, roles: ['operator', 'signer'], keys: ['k'] },
    ],
    [
      'a role and a signing key',
      '{ callers: [a], roles: [operator], signingKeys: [k] }',
      { isDenied: false, roles: ['signer'], keys: ['l'] },
    ],
  ])('takes %s by a denial, whatever the grants say', (_what, denial, expected) => {
    const rights = parseAccessPolicy(`${GROUPED}  - ${denial}`).rights.get(parseCallerName('a'));
    expect({
      isDenied: rights?.isDenied,
      roles: [...(rights?.roles ?? [])],
      keys: [...(rights?.signingKeys.keys() ?? [])],
    }).toEqual(expected);
  });

  it('limits the rate of a caller, a second of which may come at once unless a burst is named', () => {
    const limitOf = (rateLimit: string) =>
      parseAccessPolicy(DOCUMENT.replace('["unix:admin"]', `["unix:admin"], rateLimit: ${rateLimit}`)).rights.get(
        parseCallerName('admin'),
      )?.rateLimit;
    expect(limitOf('{ maxRequestsPerSecond: 5 }')).toEqual({ maxRequestsPerSecond: 5, burst: 5 });
    expect(limitOf('{ maxRequestsPerSecond: 5, burst: 50 }')).toEqual({ maxRequestsPerSecond: 5, burst: 50 });
  });

  it('grants nothing when it says nothing', () => {
    const policy = parseAccessPolicy('version: 1');
    expect([policy.callersByIdentity.size, policy.rights.size]).toEqual([0, 0]);
  });

  it('tells what is wrong in members and between them at once', () => {
    const text = `
version: 2
callers:
  a: { identities: ["dns:x"], groups: [] }
  b: { identities: ["dns:y"] }
  c: { identities: ["dns:y"] }
  Bad: { identities: ["cn:Bad"] }
grants:
  - { role: boss, callers: [a] }
  - { role: signer, callers: [b] }
  - { role: auditor, callers: [b, nobody], signingKeys: [k] }
  - { role: operator, callers: [a, missing] }
`;
    expect(
      problemsOf(text)
        .map((problem) => problem.slice(0, problem.indexOf(':')))
        .toSorted(),
    ).toEqual([
      'callers.Bad',
      'callers.a.groups',
      'callers.c.identities[0]',
      'grants[0].role',
      'grants[1].claims',
      'grants[1].signingKeys',
      'grants[2].signingKeys',
      'grants[3].callers[1]',
      'version',
    ]);
  });

  it.each([
    [
      'a second grant for the same caller and signing key',
      `${DOCUMENT}  - { role: signer, callers: [auth-service], signingKeys: [access-tokens], claims: { iss: [x], aud: [x], maxLifetime: 1m } }`,
      'grants[2].signingKeys[0]: caller auth-service has a grant for access-tokens already',
    ],
    [
      'an empty list of iss',
      DOCUMENT.replace('iss: ["https://issuer.example"]', 'iss: []'),
      'grants[1].claims.iss: must have from 1 to 64 members',
    ],
    ['an empty list of aud', DOCUMENT.replace('aud: ["https://api.example"]', 'aud: []'), 'grants[1].claims.aud: '],
    ['an empty list of typ', DOCUMENT.replace('maxLifetime', 'typ: [], maxLifetime'), 'grants[1].claims.typ: '],
    ['no maxLifetime', DOCUMENT.replace(', maxLifetime: 15m', ''), 'grants[1].claims.maxLifetime: is missing'],
    [
      'a maxLifetime below a second',
      DOCUMENT.replace('15m', '999ms'),
      'grants[1].claims.maxLifetime: must be from 1 s to 366 d',
    ],
    [
      'one identity twice at one caller',
      DOCUMENT.replace('"unix:admin"', '"unix:admin", "unix:admin"'),
      'callers.admin.identities[1]: stands in the list twice',
    ],
    [
      'an identity without its kind',
      DOCUMENT.replace('dns:auth-service.example', 'auth-service.example'),
      'callers.auth-service.identities[0]: must be dns:NAME',
    ],
    [
      'a DNS name in capitals',
      DOCUMENT.replace('dns:auth', 'dns:Auth'),
      'callers.auth-service.identities[0]: must be dns:NAME',
    ],
    [
      'a wildcard',
      DOCUMENT.replace('dns:auth-service', 'dns:*'),
      'callers.auth-service.identities[0]: must be dns:NAME',
    ],
    [
      'a grant for nobody',
      DOCUMENT.replace('role: operator, callers: [admin]', 'role: operator'),
      'grants[0]: must have callers, groups or both',
    ],
    [
      'a denial for nobody',
      `${DOCUMENT}denials: [{ roles: [signer] }]`,
      'denials[0]: must have callers, groups or both',
    ],
    [
      'a denial of a caller that is not there',
      `${DOCUMENT}denials: [{ callers: [x] }]`,
      'denials[0].callers[0]: no caller x',
    ],
    ['a group that is not there', `${DOCUMENT}denials: [{ groups: [x] }]`, 'denials[0].groups[0]: no group x'],
    [
      'a group of a caller that is not there',
      `${DOCUMENT}groups: { g: { callers: [x] } }`,
      'groups.g.callers[0]: no caller x',
    ],
    [
      'a second grant for the same signing key through a group',
      `${DOCUMENT}  - { role: signer, groups: [g], signingKeys: [access-tokens], claims: { iss: [x], aud: [x], maxLifetime: 1m } }\ngroups: { g: { callers: [auth-service] } }`,
      'grants[2].signingKeys[0]: caller auth-service has a grant for access-tokens already',
    ],
    [
      'a required claim that the daemon adds',
      DOCUMENT.replace('maxLifetime', 'required: [exp], maxLifetime'),
      'grants[1].claims.required[0]: exp is added by the daemon',
    ],
    [
      'a claim that is required and forbidden',
      DOCUMENT.replace('maxLifetime', 'required: [a], forbidden: [b, a], maxLifetime'),
      'grants[1].claims.forbidden[1]: a is required already',
    ],
    [
      'a forbidden sub with globs for it',
      DOCUMENT.replace('maxLifetime', 'sub: [x], forbidden: [sub], maxLifetime'),
      'grants[1].claims.forbidden[0]: sub must be there',
    ],
    [
      'a rate of nothing',
      DOCUMENT.replace('["unix:admin"]', '["unix:admin"], rateLimit: { maxRequestsPerSecond: 0 }'),
      'callers.admin.rateLimit.maxRequestsPerSecond: must be a whole number from 1',
    ],
    ['a duplicate caller', DOCUMENT.replace('  admin:', '  auth-service:'), 'map keys must be unique'],
    ['an alias', DOCUMENT.replace('[admin]', '[*x]'), 'line 7'],
  ])('refuses %s', (_name, text, problem) => {
    expect(problemsOf(text).join('\n')).toContain(problem);
  });
});
