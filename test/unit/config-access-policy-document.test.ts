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
    });
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
    ['a duplicate caller', DOCUMENT.replace('  admin:', '  auth-service:'), 'map keys must be unique'],
    ['an alias', DOCUMENT.replace('[admin]', '[*x]'), 'line 7'],
  ])('refuses %s', (_name, text, problem) => {
    expect(problemsOf(text).join('\n')).toContain(problem);
  });
});
