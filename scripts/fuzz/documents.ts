/** The YAML documents: access policy, configuration, signing keys. Whatever is accepted grants nothing that isn't written. */
import fc from 'fast-check';
import { parse as parseAnyYaml, stringify } from 'yaml';
import type { CallerRights } from '../../src/access/policy.ts';
import { toAccessPolicyDocument, toConfigurationDocument } from '../../src/commands/init-documents.ts';
import { parseAccessPolicy } from '../../src/config/access-policy-document.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { parseSigningKeys } from '../../src/config/signing-keys-document.ts';
import { mutatedData, mutatedText, tokenSoup } from './mutations.ts';
import { ACCEPTED, pureTarget, require, requireReason } from './target.ts';

const TOKENS = [
  ': ',
  '- ',
  '? ',
  '\n',
  '\n  ',
  '\n- ',
  '  ',
  '\t',
  '#',
  '---\n',
  '...\n',
  '%YAML 1.1\n',
  '|\n',
  '>-\n',
  '"',
  "'",
  '\\',
  ',',
  '{',
  '}',
  '[',
  ']',
  '&a ',
  '*a',
  '<<: *a\n',
  '!!str ',
  '!x ',
  '!!binary ',
  '~',
  'null',
  'yes',
  'on',
  '0o17',
  '0x1f',
  '1_000',
  '.inf',
  '.nan',
  '1e999',
  '"__proto__": 1\n',
  'version: 1\n',
  'callers:\n',
  'grants:\n',
  'role: signer\n',
  'callers: [admin]\n',
  '"*"',
  '\u2028',
  '\ufeff',
  '\0',
  '\ud800',
  '1h',
  '9999999d',
];

const ACCESS_POLICY = {
  version: 1,
  callers: {
    admin: { identities: ['unix:admin'] },
    auth: {
      identities: ['dns:auth.example', 'spiffe://example/auth'],
      rateLimit: { maxRequestsPerSecond: 5, burst: 9 },
    },
    other: { identities: ['cn:other'] },
  },
  groups: { all: { callers: ['auth', 'other'] } },
  grants: [
    { role: 'operator', callers: ['admin'] },
    {
      role: 'signer',
      groups: ['all'],
      signingKeys: ['access-tokens'],
      claims: { iss: ['i'], aud: ['a', 'b'], sub: ['user:*'], forbidden: ['act'], maxLifetime: '15m' },
    },
    {
      role: 'signer',
      callers: ['admin'],
      signingKeys: ['id-tokens', 'x'],
      claims: { iss: ['i'], aud: ['c'], typ: ['JWT'], required: ['t'], maxLifetime: '1h' },
    },
  ],
  denials: [
    { callers: ['other'], roles: ['operator'] },
    { groups: ['all'], signingKeys: ['x'] },
  ],
};
const CONFIGURATION: unknown = parseAnyYaml(
  toConfigurationDocument({
    tokenLabel: 'keyturn',
    moduleFile: '/usr/lib/softhsm/libsofthsm2.so',
    softhsmConfigFile: '/etc/softhsm2.conf',
    grpcAddress: '127.0.0.1:7443',
    httpAddress: '[::1]:8080',
    isDemo: false,
  }),
);
const SIGNING_KEYS = {
  version: 1,
  signingKeys: {
    'access-tokens': { algorithm: 'ES256', lifecyclePolicy: { preset: 'access-tokens', standbys: 2 } },
    'id-tokens': {
      keySet: 'default',
      algorithm: 'RS256',
      rsaBits: 3_072,
      lifecyclePolicy: { signingPeriod: '30d', maxJwtLifetime: '1h', addJti: true },
    },
  },
};

/** As JSON, which is YAML, or in YAML's own style; then changed as text. */
function documents(data: unknown, written: string): fc.Arbitrary<string> {
  const serialized = fc
    .tuple(mutatedData(data), fc.boolean())
    .map(([value, isJson]) => (isJson ? JSON.stringify(value) : stringify(value, { aliasDuplicateObjects: false })));
  return fc.oneof(
    { weight: 8, arbitrary: serialized },
    { weight: 2, arbitrary: mutatedText(serialized, TOKENS) },
    { weight: 2, arbitrary: mutatedText(fc.constant(written), TOKENS) },
    { weight: 1, arbitrary: tokenSoup(TOKENS) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  );
}

function judged(parse: (text: string) => void): (text: string) => string {
  return (text) => {
    try {
      parse(text);
    } catch (thrown) {
      const reason = requireReason(thrown);
      require(reason === 'CONFIG_INVALID', `a refusal of something else: ${reason}`);
      return reason;
    }
    return ACCEPTED;
  };
}

type Loose = Readonly<Record<string, unknown>>;

/** Who is named, as any YAML reader sees it. */
function isConcerned(statement: Loose, caller: string, groups: Loose): boolean {
  const names = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
  const ofGroups = names(statement['groups']).flatMap((group) =>
    names((groups[String(group)] as Loose | undefined)?.['callers']),
  );
  return [...names(statement['callers']), ...ofGroups].includes(caller);
}

function requireNothingMore(text: string): void {
  const { rights } = parseAccessPolicy(text);
  const document = parseAnyYaml(text) as Loose;
  const groups = (document['groups'] ?? {}) as Loose;
  const grants = (document['grants'] ?? []) as readonly Loose[];
  const denials = (document['denials'] ?? []) as readonly Loose[];
  for (const [caller, right] of rights) {
    const own = grants.filter((grant) => isConcerned(grant, caller, groups));
    const against = denials.filter((denial) => isConcerned(denial, caller, groups));
    requireWritten(right, own, against);
  }
}

function requireWritten(
  { roles, signingKeys, isDenied }: CallerRights,
  own: readonly Loose[],
  against: readonly Loose[],
): void {
  const lists = (statement: Loose, member: string, value: string): boolean => {
    const list = statement[member];
    return Array.isArray(list) && list.includes(value);
  };
  for (const role of roles) {
    require(own.some((grant) => grant['role'] === role), `the role ${role} is nowhere granted`);
    require(!against.some((denial) => lists(denial, 'roles', role)), `the role ${role} is denied`);
  }
  for (const [name, rules] of signingKeys) {
    const grant = own.find((one) => one['role'] === 'signer' && lists(one, 'signingKeys', name));
    require(grant !== undefined, `the signing key ${name} is nowhere granted`);
    require(!against.some((denial) => lists(denial, 'signingKeys', name)), `the signing key ${name} is denied`);
    const claims = grant?.['claims'] as Loose;
    for (const member of ['iss', 'aud'] as const)
      require(rules[member].length > 0 &&
        rules[member].every((value) => lists(claims, member, value)), `${member} is wider than granted`);
    require(rules.maxLifetimeMs > 0 && Number.isFinite(rules.maxLifetimeMs), 'the lifetime has no bound');
  }
  const takesAll = against.some((denial) => denial['roles'] === undefined && denial['signingKeys'] === undefined);
  require(isDenied === takesAll, 'a denial of everything is not what is written');
}

export const documentTargets = [
  pureTarget('access policies', 30, documents(ACCESS_POLICY, toAccessPolicyDocument()), judged(requireNothingMore)),
  pureTarget(
    'configurations',
    15,
    documents(CONFIGURATION, stringify(CONFIGURATION)),
    judged((text) => void parseConfig(text, '/k/keyturn.yaml')),
  ),
  pureTarget(
    'signing keys files',
    15,
    documents(SIGNING_KEYS, stringify(SIGNING_KEYS)),
    judged((text) => void parseSigningKeys(text)),
  ),
];
