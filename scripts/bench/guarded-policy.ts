/**
 * An access policy as large as one gets, with every kind of rule in the way of the one caller that signs: what it wants
 * stands last in each list. The least policy that a daemon takes is one grant without claim rules.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AUDIENCE, type Deployment, ISSUER } from '../../test/fixtures/deployment.ts';

const CALLERS = 1_000;
const GROUPS = 32;
/** The most that a list takes. */
const VALUES = 64;
const RATE = 1_000_000;

function upTo(count: number, toText: (index: number) => string): string[] {
  return Array.from({ length: count }, (_, index) => toText(index));
}

/** Before its daemon starts. */
export async function guardWithEveryRule({ dir }: Deployment, signingKey: string): Promise<void> {
  const file = join(dir, 'access-policy.yaml');
  const least = JSON.parse(await readFile(file, 'utf8')) as { readonly callers: Readonly<Record<string, object>> };
  const names = upTo(CALLERS, (index) => `service-${index}`);
  const groups = upTo(GROUPS, (index) => `group-${index}`);
  const inGroup = (group: number): string[] => names.filter((_, index) => index % GROUPS === group);
  const claims = {
    iss: [...upTo(VALUES - 1, (index) => `https://issuer-${index}.example`), ISSUER],
    aud: [...upTo(VALUES - 1, (index) => `https://api-${index}.example`), AUDIENCE],
    typ: ['at+jwt', 'JWT'],
    sub: [...upTo(VALUES - 1, (index) => `service-${index}:*`), 'user-*'],
    required: ['sub', 'scope'],
    forbidden: upTo(VALUES, (index) => `forbidden_${index}`),
    maxLifetime: '1h',
  };
  const grantOf = (group: string, keys: readonly string[]) => ({
    role: 'signer',
    groups: [group],
    signingKeys: keys,
    claims,
  });
  const policy = {
    ...least,
    callers: {
      ...least.callers,
      ...Object.fromEntries(names.map((name) => [name, { identities: [`dns:${name}.example`] }])),
      'auth-service': {
        identities: ['dns:auth-service.example'],
        rateLimit: { maxRequestsPerSecond: RATE, burst: RATE },
      },
    },
    groups: {
      ...Object.fromEntries(groups.map((name, index) => [name, { callers: inGroup(index) }])),
      'auth-services': { callers: ['auth-service', ...names.slice(0, VALUES)] },
    },
    grants: [
      { role: 'operator', callers: ['admin'] },
      { role: 'auditor', groups },
      ...groups.map((group, index) =>
        grantOf(
          group,
          upTo(VALUES, (key) => `keys-${index}-${key}`),
        ),
      ),
      grantOf('auth-services', [...upTo(VALUES - 1, (key) => `others-${key}`), signingKey]),
    ],
    denials: [{ groups: groups.slice(1, 8), signingKeys: [signingKey] }],
  };
  await writeFile(file, JSON.stringify(policy));
}
