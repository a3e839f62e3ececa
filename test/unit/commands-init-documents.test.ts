import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAccessPolicy } from '../../src/config/access-policy-document.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { EXAMPLE, toAccessPolicyDocument, toConfigurationDocument } from '../../src/commands/init-documents.ts';

const CHOICES = {
  tokenLabel: 'keyturn',
  moduleFile: '/usr/lib/softhsm/libsofthsm2.so',
  softhsmConfigFile: '/srv/keyturn/token/softhsm2.conf',
  grpcAddress: '127.0.0.1:8443',
  httpAddress: '127.0.0.1:8080',
  isDemo: false,
};
const FILE = '/srv/keyturn/keyturn.yaml';
const REFERENCE = readFileSync(path.resolve(import.meta.dirname, '../../docs/reference/configuration.md'), 'utf8');

/** The same choices with nothing said that has a default. */
const SHORTEST = {
  grpc: {
    tls: {
      address: CHOICES.grpcAddress,
      certificate: 'tls/server.pem',
      privateKey: 'tls/server.key',
      clientCa: 'tls/development-ca.pem',
      callerName: 'dns',
    },
    unix: [{ path: 'run/admin.sock', caller: 'admin' }],
  },
  token: {
    module: CHOICES.moduleFile,
    label: CHOICES.tokenLabel,
    pinFile: 'token/pin',
    environment: { SOFTHSM2_CONF: CHOICES.softhsmConfigFile },
  },
  store: { file: 'keyturn.db' },
  accessPolicy: 'access-policy.yaml',
};

describe('the configuration that init writes', () => {
  it('says of each option what its default is', () => {
    expect(parseConfig(toConfigurationDocument(CHOICES), FILE)).toEqual(parseConfig(JSON.stringify(SHORTEST), FILE));
  });

  it('has every option of the reference', () => {
    const options = [...REFERENCE.matchAll(/^\| `([A-Za-z.{}[\]]+)` \|/gm)].map(([, option]) => option ?? '');
    expect(options.length).toBeGreaterThan(30);
    const leaves = options.filter(
      (option) => !options.some((other) => other.startsWith(`${option}.`) || other.startsWith(`${option}[`)),
    );
    const document = toConfigurationDocument(CHOICES);
    const missing = leaves.filter((option) => !new RegExp(`\\b${option.split('.').at(-1)}:`).test(document));
    expect(missing).toEqual([]);
  });

  it('promises a few seconds with --demo, and nothing else differs', () => {
    const { keySets, clockStepLimitMs, ...rest } = parseConfig(
      toConfigurationDocument({ ...CHOICES, isDemo: true }),
      FILE,
    );
    const {
      keySets: usualKeySets,
      clockStepLimitMs: usualLimit,
      ...usual
    } = parseConfig(JSON.stringify(SHORTEST), FILE);
    expect(rest).toEqual(usual);
    expect([...keySets.values()].map((promise) => promise.verifierCacheCeilingMs)).toEqual([3_000]);
    expect([...usualKeySets.values()].map((promise) => promise.verifierCacheCeilingMs)).toEqual([3_600_000]);
    expect([clockStepLimitMs, usualLimit]).toEqual([1_000, 60_000]);
  });

  it('survives a token label and paths that YAML would read differently', () => {
    const strange = parseConfig(
      toConfigurationDocument({ ...CHOICES, tokenLabel: 'no', softhsmConfigFile: '/a: b/#c' }),
      FILE,
    );
    expect(strange.token.selector).toEqual({ label: 'no' });
    expect(strange.token.environment).toEqual({ SOFTHSM2_CONF: '/a: b/#c' });
  });
});

describe('the access policy that init writes', () => {
  it('lets auth-service sign the example, and operators administer but not sign; only admin declares a compromise', () => {
    const { rights, callersByIdentity } = parseAccessPolicy(toAccessPolicyDocument());
    expect([...callersByIdentity.keys()].toSorted()).toEqual(['dns:auth-service', 'dns:operator', 'unix:admin']);
    const shown = [...rights].map(([caller, { roles, signingKeys }]) => [caller, [...roles], [...signingKeys.keys()]]);
    expect(shown).toEqual([
      ['admin', ['operator', 'securityOfficer'], []],
      ['operator', ['operator'], []],
      ['auth-service', ['signer'], [EXAMPLE.signingKey]],
    ]);
  });
});
