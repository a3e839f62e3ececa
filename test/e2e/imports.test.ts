/** A migration from an old signer, over gRPC and HTTP, with a jose remote key set as its verifier; and imports that must not be. */
import { createRemoteJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImportPublicKeyRequest, KeyturnClient } from '../../src/client/client.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { makeOldSigner, type OldSigner } from '../fixtures/old-signer.ts';

const HOUR_MS = 3_600_000;
const CLAIMS = { iss: ISSUER, aud: AUDIENCE, sub: 'alice' };

let deployment: Deployment;
let daemon: DaemonProcess;
let officer: KeyturnClient;
let oldSigner: OldSigner;

beforeAll(async () => {
  deployment = await makeDeployment();
  daemon = await startDaemonProcess(deployment);
  // A key set without content takes imports once store and token have been compared.
  await daemon.admin.reconcile();
  officer = daemon.clientOf('security-officer');
  oldSigner = await makeOldSigner({ alg: 'RS256', kid: 'old signer/2024' });
});
afterAll(async () => {
  await daemon.stop();
  await deployment.dispose();
});

const wish = async (
  signer: OldSigner,
  more: Partial<ImportPublicKeyRequest> = {},
): Promise<ImportPublicKeyRequest> => ({
  jwk: signer.jwk,
  proof: await signer.proof(),
  expireTime: new Date(Date.now() + HOUR_MS),
  reason: 'cut-over',
  ...more,
});

const fetchJwks = (): Promise<Response> => fetch(`${daemon.httpUrl}/.well-known/jwks.json`);

/** As a verifier that has just been started. */
async function verify(jwt: string): Promise<string | undefined> {
  const keys = createRemoteJWKSet(new URL(`${daemon.httpUrl}/.well-known/jwks.json`));
  return (await jwtVerify(jwt, keys, { issuer: ISSUER, audience: AUDIENCE })).protectedHeader.kid;
}

const signOld = (): Promise<string> => {
  const iat = Math.floor(Date.now() / 1_000);
  return oldSigner.sign({ ...CLAIMS, iat, exp: iat + 60 });
};

describe('an import that must not be', () => {
  it.each<[string, () => Promise<ImportPublicKeyRequest>, string]>([
    ['a private key', () => wish(oldSigner, { jwk: oldSigner.privateJwk }), 'PUBLIC_KEY_INVALID'],
    ['a key set', () => wish(oldSigner, { jwk: { keys: [oldSigner.jwk] } }), 'PUBLIC_KEY_INVALID'],
    ['no JSON', () => wish(oldSigner, { jwk: Buffer.from('kty') }), 'PUBLIC_KEY_INVALID'],
    ['no kid', () => wish(oldSigner, { jwk: { ...oldSigner.jwk, kid: undefined } }), 'PUBLIC_KEY_INVALID'],
    [
      "another key's proof",
      async () => wish(oldSigner, { proof: await (await makeOldSigner()).proof() }),
      'PROOF_INVALID',
    ],
    ['a JWT of the old signer', async () => wish(oldSigner, { proof: await signOld() }), 'PROOF_INVALID'],
    [
      'the proof for another key set',
      async () => wish(oldSigner, { proof: await oldSigner.proof('b2b') }),
      'PROOF_INVALID',
    ],
    [
      'an old proof',
      async () => wish(oldSigner, { proof: await oldSigner.proof('default', { iat: 1 }) }),
      'PROOF_INVALID',
    ],
    ['an expiry that is over', () => wish(oldSigner, { expireTime: new Date(0) }), 'FIELD_INVALID'],
    [
      'an expiry in ten years',
      () => wish(oldSigner, { expireTime: new Date(Date.now() + 87_600 * HOUR_MS) }),
      'FIELD_INVALID',
    ],
    ['no reason', () => wish(oldSigner, { reason: '' }), 'FIELD_INVALID'],
    ['an unknown key set', () => wish(oldSigner, { keySet: 'b2b' }), 'KEY_SET_NOT_FOUND'],
  ])('is refused and changes nothing: %s', async (_, request, reason) => {
    await expect(officer.importPublicKey(await request())).rejects.toMatchObject({ reason });
    expect((await officer.listPublicKeys()).importedKeys).toEqual([]);
    expect((await fetchJwks()).status).toBe(404);
  });

  it("is refused to whoever isn't a security officer", async () => {
    const request = await wish(oldSigner);
    for (const caller of ['operator', 'auditor', 'auth-service']) {
      await expect(daemon.clientOf(caller).importPublicKey(request)).rejects.toMatchObject({
        reason: 'METHOD_NOT_PERMITTED',
      });
    }
  });
});

describe('a migration', () => {
  it('imports the old key: its JWTs verify at the new address', async () => {
    const { changed, importedKey } = await officer.importPublicKey(await wish(oldSigner));
    expect({ changed, ...importedKey }).toMatchObject({ changed: true, published: true, caller: 'security-officer' });
    expect(await verify(await signOld())).toBe('old signer/2024');
    const { keys } = (await (await fetchJwks()).json()) as JSONWebKeySet;
    const { kty, n, e, kid, alg } = oldSigner.jwk;
    expect(keys).toEqual([{ kty, n, e, kid, alg, use: 'sig' }]);
  });

  it('makes a new signing key wait until every verifier knows it; then JWTs of both verify', async () => {
    const { signingKey } = await daemon.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
    expect(signingKey.activeVersion).toBeUndefined();
    expect(signingKey.readyTime?.getTime()).toBeGreaterThan(signingKey.createTime.getTime());
    await waitFor('the new signing key to be propagated', async () => {
      return (await daemon.admin.getSigningKey({ name: 'access-tokens' })).signingKey.activeVersion !== undefined;
    });
    const { jwt, kid } = await daemon.admin.signJwt({ signingKey: 'access-tokens', claims: CLAIMS });
    expect(await verify(jwt)).toBe(kid);
    expect(await verify(await signOld())).toBe('old signer/2024');
  });

  it('exports what the HTTP server answers, byte for byte', async () => {
    const { jwks } = await daemon.admin.getKeySet();
    expect(Buffer.from(jwks).equals(Buffer.from(await (await fetchJwks()).arrayBuffer()))).toBe(true);
    expect(Buffer.from(jwks).toString()).toContain('old signer/2024');
  });

  it('outlives a kill of the daemon, and an import never comes twice', async () => {
    await daemon.kill();
    daemon = await startDaemonProcess(deployment);
    officer = daemon.clientOf('security-officer');
    expect(await verify(await signOld())).toBe('old signer/2024');
    const same = await makeOldSigner({ alg: 'ES256', kid: 'old signer/2024' });
    await expect(officer.importPublicKey(await wish(same))).rejects.toMatchObject({ reason: 'PUBLIC_KEY_KNOWN' });
    const renamed = { ...oldSigner, jwk: { ...oldSigner.jwk, kid: 'other' } };
    const proof = await oldSigner.proof('default', {}, { kid: 'other' });
    await expect(officer.importPublicKey(await wish(renamed, { proof }))).rejects.toMatchObject({
      reason: 'PUBLIC_KEY_KNOWN',
    });
  });

  it('removes the old key: the HTTP server is without it when the answer is there, and for good', async () => {
    const { importedKey } = await officer.removePublicKey({ kid: 'old signer/2024', reason: 'the last JWT expired' });
    expect(importedKey).toMatchObject({ published: false, departureCause: 'REMOVED' });
    expect(await (await fetchJwks()).text()).not.toContain('old signer/2024');
    await expect(verify(await signOld())).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    await expect(officer.importPublicKey(await wish(oldSigner))).rejects.toMatchObject({ reason: 'PUBLIC_KEY_KNOWN' });
    const { jwt, kid } = await daemon.admin.signJwt({ signingKey: 'access-tokens', claims: CLAIMS });
    expect(await verify(jwt)).toBe(kid);
  });

  it('lets a key go by itself when its time is over', async () => {
    const brief = await makeOldSigner({ kid: 'brief' });
    await officer.importPublicKey(await wish(brief, { expireTime: new Date(Date.now() + 1_500) }));
    expect(await (await fetchJwks()).text()).toContain('"brief"');
    await waitFor('the import to expire', async () => !(await (await fetchJwks()).text()).includes('"brief"'));
    const [{ departureCause } = { departureCause: undefined }] = (await officer.listPublicKeys()).importedKeys;
    expect(departureCause).toBe('EXPIRED');
  });
});
