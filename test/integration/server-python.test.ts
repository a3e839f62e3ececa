/** Clients that aren't ours: Python's grpcio with compiled proto files, and with reflection alone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { METHOD_RULES } from '../../src/access/methods.ts';
import { PROTO_DIRECTORY } from '../../src/base/proto-loading.ts';
import type { LeafFiles } from '../fixtures/certificates.ts';
import { HAS_PYTHON_PACKAGES, runPython } from '../fixtures/python-program.ts';
import { startTestServers, type TestServers } from '../fixtures/test-servers.ts';

const ISSUER = 'https://issuer.example';
const AUDIENCE = 'https://api.example';
const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'zoë' };

describe.skipIf(!HAS_PYTHON_PACKAGES)('a Python client', () => {
  let test: TestServers;
  let leaf: LeafFiles;
  beforeAll(async () => {
    test = await startTestServers();
    for (const [name, algorithm] of [
      ['access-tokens', 'ES256'],
      ['edwards', 'Ed25519'],
      ['edwards-old-name', 'EdDSA'],
      ['rsa', 'PS256'],
    ] as const) {
      await test.admin.applySigningKey({ name, algorithm });
    }
    leaf = await test.authority.issueClient('python', { dnsNames: ['auth-service.example'] });
  });
  afterAll(() => test.dispose());

  const target = (): string[] => [test.address, test.authority.caFile, leaf.certificateFile, leaf.privateKeyFile];

  it('signs with the proto files alone, and two libraries verify what they know', async () => {
    const requests = ['access-tokens', 'edwards', 'edwards-old-name', 'rsa'].map((signingKey) =>
      JSON.stringify({ signingKey, claims, lifetimeSeconds: 60 }),
    );
    const answers = await runPython('sign_with_protos.py', [...target(), PROTO_DIRECTORY], requests);
    const jwts = answers.map(({ jwt }) => String(jwt));
    expect(jwts.map((jwt) => jwt.split('.').length)).toEqual([3, 3, 3, 3]);
    const [pyJwt, jwCrypto, ...verdicts] = await runPython(
      'verify_jwts.py',
      [`${test.servers.httpUrl}/.well-known/jwks.json`, ISSUER, AUDIENCE],
      jwts,
    );
    expect(pyJwt).toMatchObject({ library: 'PyJWT' });
    expect(jwCrypto).toMatchObject({ library: 'jwcrypto' });
    const by = (library: string): unknown[] =>
      verdicts.filter((verdict) => verdict['library'] === library).map(({ alg, verdict }) => [alg, verdict]);
    const newName = (supported: unknown): string =>
      (supported as string[]).includes('Ed25519') ? 'verified' : 'unsupported';
    expect(by('PyJWT')).toEqual([
      ['ES256', 'verified'],
      ['Ed25519', newName(pyJwt?.['algorithms'])],
      ['EdDSA', 'verified'],
      ['PS256', 'verified'],
    ]);
    expect(by('jwcrypto')).toEqual([
      ['ES256', 'verified'],
      ['Ed25519', newName(jwCrypto?.['algorithms'])],
      ['EdDSA', 'verified'],
      ['PS256', 'verified'],
    ]);
    expect(verdicts[0]?.['claims']).toMatchObject(claims);
  });

  it('gets a JWT refused by both libraries when a bit of it changes', async () => {
    const [answer] = await runPython(
      'sign_with_protos.py',
      [...target(), PROTO_DIRECTORY],
      [JSON.stringify({ signingKey: 'access-tokens', claims })],
    );
    const [header, , signature] = String(answer?.['jwt']).split('.');
    const forged = `${header}.${Buffer.from(JSON.stringify({ ...claims, sub: 'mallory', iat: 1, exp: 4_000_000_000 })).toString('base64url')}.${signature}`;
    const [, , ...verdicts] = await runPython(
      'verify_jwts.py',
      [`${test.servers.httpUrl}/.well-known/jwks.json`, ISSUER, AUDIENCE],
      [forged],
    );
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['refused', 'refused']);
  });

  it('reads the reason of an error from the status details', async () => {
    const answers = await runPython(
      'sign_with_protos.py',
      [...target(), PROTO_DIRECTORY],
      [
        JSON.stringify({ signingKey: 'none', claims }),
        JSON.stringify({ signingKey: 'access-tokens', claims, lifetimeSeconds: -1 }),
        JSON.stringify({ signingKey: 'access-tokens', claims: { ...claims, x: 'y'.repeat(300_000) } }),
      ],
    );
    expect(answers.map(({ code, reason }) => [code, reason])).toEqual([
      ['NOT_FOUND', 'SIGNING_KEY_NOT_FOUND'],
      ['INVALID_ARGUMENT', 'FIELD_INVALID'],
      ['INVALID_ARGUMENT', 'REQUEST_TOO_LARGE'],
    ]);
  });

  it('without any proto file lists every method of the access table and signs', async () => {
    const [first, signed] = await runPython('sign_by_reflection.py', target(), [
      JSON.stringify({ signingKey: 'access-tokens', claims, lifetimeSeconds: 60 }),
    ]);
    const services = first?.['services'] as Record<string, string[]>;
    const methods = Object.entries(services).flatMap(([service, names]) => names.map((name) => `/${service}/${name}`));
    const withoutReflection = Object.keys(METHOD_RULES).filter((path) => !path.startsWith('/grpc.reflection.'));
    expect(methods.toSorted()).toEqual(withoutReflection.toSorted());
    const [, , ...verdicts] = await runPython(
      'verify_jwts.py',
      [`${test.servers.httpUrl}/.well-known/jwks.json`, ISSUER, AUDIENCE],
      [String(signed?.['jwt'])],
    );
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['verified', 'verified']);
  });
});
