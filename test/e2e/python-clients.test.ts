/**
 * The whole daemon as a Python service meets it: JWTs of every algorithm over mTLS, verified by two libraries that share
 * nothing with keyturn; with the proto files, and with nothing but reflection.
 */
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROTO_DIRECTORY } from '../../src/base/proto-loading.ts';
import { ALGORITHMS, specOf } from '../../src/jose/algorithms.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment, SHORT_PROMISE } from '../fixtures/deployment.ts';
import { HAS_PYTHON_PACKAGES, runPython } from '../fixtures/python-program.ts';

const CALLER = 'auth-service';
/** SoftHSM2 has no ML-DSA. */
const OF_TOKEN = ALGORITHMS.filter((algorithm) => specOf(algorithm).keyType !== 'AKP');
const KEYS = OF_TOKEN.map((algorithm) => ({ algorithm, name: `${algorithm.toLowerCase()}-tokens` }));
/** Debian 12's jwcrypto is older than RFC 9864 and verifies Ed25519 keys under the name EdDSA only; the others know both. */
const UNKNOWN_TO: Readonly<Record<string, readonly string[]>> = { PyJWT: [], jwcrypto: ['Ed25519'] };
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

  it('signs with every algorithm, knowing only the proto files, and PyJWT, jwcrypto and jose verify', async () => {
    const answers = await runPython(
      'sign_with_protos.py',
      [...target, PROTO_DIRECTORY],
      KEYS.map(({ name }) => request(name)),
    );
    expect(answers.filter(({ jwt }) => jwt === undefined)).toEqual([]);
    const jwts = answers.map(({ jwt }) => String(jwt));
    const verdicts = await verify(jwts);
    for (const [library, unknown] of Object.entries(UNKNOWN_TO)) {
      const own = verdicts.filter((verdict) => verdict['library'] === library);
      const verified = own.filter(({ verdict }) => verdict === 'verified').map(({ alg }) => String(alg));
      expect([library, verified.toSorted()]).toEqual([
        library,
        OF_TOKEN.filter((alg) => !unknown.includes(alg)).toSorted(),
      ]);
    }
    const jwks = (await (await fetch(`${daemon.httpUrl}/.well-known/jwks.json`)).json()) as JSONWebKeySet;
    const headers = [];
    // jose 6 builds on WebCrypto, which has no secp256k1.
    const toJose = OF_TOKEN.filter((algorithm) => algorithm !== 'ES256K');
    for (const jwt of jwts.filter((_, index) => OF_TOKEN[index] !== 'ES256K')) {
      const { protectedHeader } = await jwtVerify(jwt, createLocalJWKSet(jwks), { issuer: ISSUER, audience: AUDIENCE });
      headers.push(protectedHeader.alg);
    }
    expect(headers).toEqual(toJose);
  });

  it('signs a batch: results in order, one that fails fails alone with its reason', async () => {
    const wanted = (name: string): object => JSON.parse(request(name)) as object;
    const batch = [wanted('es256-tokens'), wanted('of-nobody'), wanted('eddsa-tokens')];
    const [answer] = await runPython('sign_with_protos.py', [...target, PROTO_DIRECTORY], [JSON.stringify(batch)]);
    const results = answer?.['results'] as readonly Readonly<Record<string, unknown>>[];
    expect(results[1]).toMatchObject({ code: 'PERMISSION_DENIED', reason: 'SIGNING_KEY_NOT_PERMITTED' });
    const verdicts = await verify([String(results[0]?.['jwt']), String(results[2]?.['jwt'])]);
    expect(verdicts.map(({ alg, verdict }) => [alg, verdict])).toEqual([
      ['ES256', 'verified'],
      ['ES256', 'verified'],
      ['EdDSA', 'verified'],
      ['EdDSA', 'verified'],
    ]);
    expect(results).toHaveLength(3);
  });

  it('lists and signs without a proto file of keyturn', async () => {
    const [first, signed] = await runPython('sign_by_reflection.py', target, [request('es256-tokens')]);
    expect(first?.['services']).toMatchObject({ 'keyturn.v1.SigningService': ['SignJwt', 'BatchSignJwt'] });
    const verdicts = await verify([String(signed?.['jwt'])]);
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['verified', 'verified']);
  });
});
