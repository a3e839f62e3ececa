/**
 * The whole daemon as a Python service meets it: JWTs of every algorithm over mTLS, verified by two libraries that share
 * nothing with keyturn; with the proto files, and with nothing but reflection.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROTO_DIRECTORY } from '../../src/base/proto-loading.ts';
import { ALGORITHMS } from '../../src/jose/algorithms.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment, SHORT_PROMISE } from '../fixtures/deployment.ts';
import { HAS_PYTHON_PACKAGES, runPython } from '../fixtures/python-program.ts';

const CALLER = 'auth-service';
const KEYS = ALGORITHMS.map((algorithm) => ({ algorithm, name: `${algorithm.toLowerCase()}-tokens` }));
/** Both libraries of Debian 12 are older than RFC 9864: they verify Ed25519 keys under the name EdDSA. */
const NAME_OF_RFC_9864 = 'Ed25519';
const READY_TIMEOUT_MS = 90_000;

describe.skipIf(!HAS_PYTHON_PACKAGES)('a Python client', () => {
  let deployment: Deployment;
  let daemon: DaemonProcess;
  let target: string[];

  beforeAll(async () => {
    deployment = await makeDeployment({
      signingKeys: KEYS.map(({ name }) => name),
      config: { keySets: { default: { ...SHORT_PROMISE, maxPublishedVersions: 64 } } },
    });
    daemon = await startDaemonProcess(deployment);
    const { host, port } = daemon.grpcAddress;
    const { tls } = deployment;
    target = [`${host}:${port}`, tls.ca, tls.certificateOf(CALLER), tls.privateKeyOf(CALLER)];
    for (const { name, algorithm } of KEYS) {
      const rsaBits = /^[RP]S/.test(algorithm) ? { rsaBits: 2_048 } : {};
      await daemon.admin.applySigningKey({ name, algorithm, ...rsaBits, lifecyclePolicy: { standbys: 1 } });
    }
    const isActive = async ({ name }: { name: string }): Promise<boolean> =>
      (await daemon.admin.getSigningKey({ name })).signingKey.activeKid !== undefined;
    await waitFor(
      'every signing key to sign',
      async () => (await Promise.all(KEYS.map(isActive))).every(Boolean),
      READY_TIMEOUT_MS,
    );
  });

  afterAll(async () => {
    await daemon.stop();
    await deployment.dispose();
  });

  const request = (signingKey: string): string =>
    JSON.stringify({ signingKey, claims: { iss: ISSUER, aud: AUDIENCE, sub: 'zoë' }, lifetimeSeconds: 60 });

  async function verify(jwts: readonly string[]): Promise<Record<string, unknown>[]> {
    const source = `${daemon.httpUrl}/.well-known/jwks.json`;
    const [, , ...verdicts] = await runPython('verify_jwts.py', [source, ISSUER, AUDIENCE], jwts);
    return verdicts;
  }

  it('signs with every algorithm, knowing only the proto files, and PyJWT and jwcrypto verify', async () => {
    const answers = await runPython(
      'sign_with_protos.py',
      [...target, PROTO_DIRECTORY],
      KEYS.map(({ name }) => request(name)),
    );
    expect(answers.filter(({ jwt }) => jwt === undefined)).toEqual([]);
    const verdicts = await verify(answers.map(({ jwt }) => String(jwt)));
    for (const library of ['PyJWT', 'jwcrypto']) {
      const own = verdicts.filter((verdict) => verdict['library'] === library);
      const verified = own.filter(({ verdict }) => verdict === 'verified').map(({ alg }) => String(alg));
      const unsupported = own.filter(({ verdict }) => verdict === 'unsupported').map(({ alg }) => String(alg));
      expect([library, [...verified, ...unsupported].toSorted()]).toEqual([library, [...ALGORITHMS].toSorted()]);
      expect([library, unsupported.filter((alg) => alg !== NAME_OF_RFC_9864)]).toEqual([library, []]);
    }
  });

  it('lists and signs without a proto file of keyturn', async () => {
    const [first, signed] = await runPython('sign_by_reflection.py', target, [request('es256-tokens')]);
    expect(first?.['services']).toMatchObject({ 'keyturn.v1.SigningService': ['SignJwt'] });
    const verdicts = await verify([String(signed?.['jwt'])]);
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['verified', 'verified']);
  });
});
