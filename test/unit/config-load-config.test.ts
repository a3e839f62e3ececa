import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load-config.ts';
import { ConfigError } from '../../src/config/problems.ts';

const MINIMAL = `
grpc: { unix: [{ path: run/admin.sock, caller: admin }] }
token: { module: /usr/lib/module.so, label: keyturn, pinFile: token/pin }
store: { file: keyturn.db }
accessPolicy: access-policy.yaml
`;
const parse = (text: string) => parseConfig(text, '/etc/keyturn/keyturn.yaml');

function problemsOf(text: string): readonly string[] {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

describe('parseConfig', () => {
  it('fills in the defaults and resolves paths against the file', () => {
    const config = parse(MINIMAL);
    expect(config).toMatchObject({
      file: '/etc/keyturn/keyturn.yaml',
      grpcListeners: [{ kind: 'unix', path: '/etc/keyturn/run/admin.sock', caller: 'admin' }],
      http: { host: '127.0.0.1', port: 8080 },
      token: {
        moduleFile: '/usr/lib/module.so',
        selector: { label: 'keyturn' },
        pinFile: '/etc/keyturn/token/pin',
        environment: {},
        workers: 2,
        signTimeoutMs: 2_000,
      },
      storeFile: '/etc/keyturn/keyturn.db',
      accessPolicyFile: '/etc/keyturn/access-policy.yaml',
      clockStepLimitMs: 60_000,
      limits: {
        maxQueuedRequests: 1_024,
        maxClaimsBytes: 8_192,
        maxClaimsDepth: 16,
        maxRequestMs: 10_000,
        drainMs: 10_000,
      },
      logLevel: 'info',
    });
    expect(Object.fromEntries(config.keySets)).toEqual({
      default: {
        jwksMaxAgeMs: 300_000,
        verifierCacheCeilingMs: 3_600_000,
        verifierSkewMs: 300_000,
        sharedCaches: 'assumed',
        maxPublishedVersions: 16,
      },
    });
  });

  it('keeps the default key set beside others', () => {
    expect([...parse(`${MINIMAL}keySets: { internal: {} }`).keySets.keys()]).toEqual(['default', 'internal']);
  });

  it('tells every problem at once, each with its path', () => {
    const problems = problemsOf(`
grpc: { tls: { address: "8443", certificate: a, privateKey: b, clientCa: c, callerName: ip } }
http: { address: "127.0.0.1:70000" }
token: { module: m, label: a, serial: b, workers: 0, signTimeout: 5 }
keySets: { Bad: {}, slow: { jwksMaxAge: 1h } }
log: { level: trace, file: x }
extra: 1
`);
    expect(problems.map((problem) => problem.slice(0, problem.indexOf(':'))).toSorted()).toEqual([
      'accessPolicy',
      'extra',
      'grpc.tls.address',
      'grpc.tls.callerName',
      'http.address',
      'keySets.Bad',
      'keySets.slow.verifierCacheCeiling',
      'log.file',
      'log.level',
      'store',
      'token',
      'token.pinFile',
      'token.signTimeout',
      'token.workers',
    ]);
  });

  it('is one error with CONFIG_INVALID and a line for each problem', () => {
    expect(() => parse(`${MINIMAL}extra: 1\nlog: 5\n`)).toThrow(
      expect.objectContaining({
        reason: 'CONFIG_INVALID',
        message: "/etc/keyturn/keyturn.yaml can't be used:\n  log: must be a mapping\n  extra: is not an option here",
      }),
    );
  });

  it.each([
    [
      'none of grpc.tls and grpc.unix',
      MINIMAL.replace(/grpc:.*/, 'grpc: { unix: [] }'),
      'grpc: must have tls, unix or both',
    ],
    ['neither label nor serial', MINIMAL.replace('label: keyturn, ', ''), 'token: must have label or serial'],
    [
      'a relative SOFTHSM2_CONF',
      MINIMAL.replace('pinFile', 'environment: { SOFTHSM2_CONF: softhsm2.conf }, pinFile'),
      'token.environment.SOFTHSM2_CONF: must be an absolute path',
    ],
    [
      'a ceiling below twice the max-age',
      `${MINIMAL}keySets: { default: { jwksMaxAge: 31m } }`,
      'at least 2 × jwksMaxAge = 1 h 2 min',
    ],
    [
      'a ceiling below the max-age without caches',
      `${MINIMAL}keySets: { default: { jwksMaxAge: 61m, sharedCaches: none } }`,
      'at least 1 × jwksMaxAge = 1 h 1 min',
    ],
    [
      'a fraction of a second that is sent in seconds',
      `${MINIMAL}keySets: { default: { jwksMaxAge: 1500ms } }`,
      'whole number of seconds',
    ],
    [
      'a label of 33 bytes',
      MINIMAL.replace('keyturn,', `${'ü'.repeat(16)}x,`),
      'token.label: must have at most 32 bytes',
    ],
    [
      'a socket path of 108 bytes',
      MINIMAL.replace('run/admin.sock', `/${'x'.repeat(107)}`),
      'grpc.unix[0].path: must have at most 107 bytes',
    ],
    [
      'a socket given twice',
      MINIMAL.replace('[{', '[{ path: run/../run/admin.sock, caller: other }, {'),
      'grpc.unix[1].path: /etc/keyturn/run/admin.sock is another',
    ],
    [
      'a caller name in capitals',
      MINIMAL.replace('caller: admin', 'caller: Admin'),
      'grpc.unix[0].caller: must be 1 to 63',
    ],
    ['an empty document', '', ': is missing'],
    ['a list', '[]', ': must be a mapping'],
    ['a duplicate key', `${MINIMAL}store: { file: x }`, 'line 6, column 1: map keys must be unique'],
    ['an alias', `${MINIMAL}http: &a { address: "127.0.0.1:1" }\nlog: *a`, 'aliases are not allowed'],
    ['a merge key', `${MINIMAL}log: { <<: { level: info } }`, 'merge keys are not allowed'],
    ['a tag', `${MINIMAL}log: !!map { level: info }`, 'tags are not allowed'],
    ['__proto__', `${MINIMAL}__proto__: { x: 1 }`, '__proto__ is not allowed'],
    ['two documents', `${MINIMAL}---\na: 1`, 'one YAML document only'],
    ['broken YAML', 'grpc: {', 'line 1'],
  ])('refuses %s', (_name, text, problem) => {
    expect(problemsOf(text).join('\n')).toContain(problem);
  });

  it.each([
    'NODE_OPTIONS',
    'LD_PRELOAD',
    'ld_library_path',
    'OPENSSL_CONF',
    'GCONV_PATH',
    'PATH',
    'KEYTURN_CONFIG',
    'USER_PIN',
    'PASSWORD',
    '1A',
    'A-B',
  ])('refuses %s in the environment of the workers', (name) => {
    expect(problemsOf(MINIMAL.replace('pinFile', `environment: { "${name}": x }, pinFile`)).join()).toContain(
      `token.environment.${name}: `,
    );
  });

  it('accepts what modules need in the environment of the workers', () => {
    const environment =
      '{ SOFTHSM2_CONF: /etc/softhsm2.conf, ChrystokiConfigurationPath: /etc, PKCS11SPY: /usr/lib/x.so, LEVEL: "3" }';
    expect(parse(MINIMAL.replace('pinFile', `environment: ${environment}, pinFile`)).token.environment).toMatchObject({
      LEVEL: '3',
      ChrystokiConfigurationPath: '/etc',
    });
  });

  it('accepts exactly the bounds', () => {
    expect(parse(`${MINIMAL}keySets: { default: { jwksMaxAge: 30m } }`).keySets.size).toBe(1);
    expect(parse(`${MINIMAL}keySets: { default: { jwksMaxAge: 1h, sharedCaches: none } }`).keySets.size).toBe(1);
    expect(parse(MINIMAL.replace('run/admin.sock', `/${'x'.repeat(106)}`)).grpcListeners).toHaveLength(1);
    expect(parse(`${MINIMAL}http: { address: "[::1]:0" }`).http).toEqual({ host: '::1', port: 0 });
  });

  it('counts nothing and listens nowhere for metrics unless it says where, and never where anybody may connect', () => {
    expect(parse(MINIMAL).metrics).toBeUndefined();
    expect(parse(`${MINIMAL}metrics: { address: "127.0.0.1:9464" }`).metrics).toEqual({
      host: '127.0.0.1',
      port: 9464,
    });
    expect(problemsOf(`${MINIMAL}metrics: {}`)).toEqual(['metrics.address: is missing']);
    expect(problemsOf(`${MINIMAL}metrics: { address: "127.0.0.1:8080" }`)).toEqual([
      'metrics.address: is http.address already',
    ]);
  });

  it('refuses the same address twice, but port 0 as often as you like', () => {
    const tls = (address: string) =>
      MINIMAL.replace(
        'grpc: {',
        `grpc: { tls: { address: "${address}", certificate: a, privateKey: b, clientCa: c, callerName: dns },`,
      );
    expect(problemsOf(`${tls('127.0.0.1:1')}http: { address: "127.0.0.1:1" }`)).toEqual([
      'http.address: is the address of grpc.tls already',
    ]);
    expect(problemsOf(`${tls('127.0.0.1:0')}http: { address: "127.0.0.1:0" }`)).toEqual([]);
  });
});
