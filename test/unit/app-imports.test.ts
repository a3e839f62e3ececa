/** Verify-only public keys of an old signer: the use cases on real keys and proofs, with a clock that tests turn. */
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ImportPublicKeyCommand } from '../../src/app/application.ts';
import { type AppHarness, OPERATOR, startApp } from '../fixtures/app-harness.ts';
import { DAY, HOUR, KEY_SET, MINUTE } from '../fixtures/lifecycle.ts';
import { makeOldSigner, type OldSigner, type OldSignerOptions } from '../fixtures/old-signer.ts';

let harness: AppHarness;
beforeEach(async () => {
  harness = await startApp();
});

const oldSigner = (options: OldSignerOptions = {}): Promise<OldSigner> =>
  makeOldSigner({ now: () => harness.clock.wallMs(), ...options });

async function importKey(signer: OldSigner, command: Partial<ImportPublicKeyCommand> = {}, into = harness) {
  return into.app.importPublicKey(OPERATOR, {
    keySet: '',
    jwk: Buffer.from(JSON.stringify(signer.jwk)),
    proof: await signer.proof(),
    expiresAtMs: into.clock.wallMs() + HOUR,
    validateOnly: false,
    reason: 'cut-over',
    ...command,
  });
}

const remove = (kid: string, compromised = false) =>
  harness.app.removePublicKey(OPERATOR, { keySet: '', kid, compromised, validateOnly: false, reason: 'over' });
const listed = (from = harness) => from.app.listPublicKeys('', 0, '').items;

async function verifies(jwt: string): Promise<boolean> {
  const jwks = JSON.parse(harness.app.findKeySet(KEY_SET)?.body.toString() ?? '{"keys":[]}') as JSONWebKeySet;
  const options = { currentDate: new Date(harness.clock.wallMs()) };
  return jwtVerify(jwt, createLocalJWKSet(jwks), options).then(
    () => true,
    () => false,
  );
}

describe('importing the public key of an old signer', () => {
  it('publishes it beside the versions, so that JWTs of both verify', async () => {
    await harness.apply();
    const signer = await oldSigner({ alg: 'RS256' });
    const { importedKey, changed } = await importKey(signer);
    expect({ changed, ...importedKey }).toMatchObject({
      changed: true,
      kid: signer.jwk.kid,
      algorithm: 'RS256',
      thumbprint: signer.thumbprint,
      isPublished: true,
      departure: undefined,
    });
    expect(harness.published()).toHaveLength(4);
    expect(harness.app.findKeySet(KEY_SET)?.generation).toBe(2);
    expect(await verifies(await signer.sign({ sub: 'alice' }))).toBe(true);
    expect(await verifies((await harness.sign()).jwt)).toBe(true);
  });

  it('changes nothing when it is only validated', async () => {
    const signer = await oldSigner();
    const { importedKey, changed } = await importKey(signer, { validateOnly: true });
    expect({ changed, kid: importedKey.kid }).toEqual({ changed: true, kid: signer.jwk.kid });
    expect(harness.app.findKeySet(KEY_SET)).toBeUndefined();
    expect(listed()).toEqual([]);
  });

  it('ends the first generation: a new signing key waits until it is propagated', async () => {
    await importKey(await oldSigner(), { expiresAtMs: harness.clock.wallMs() + DAY });
    expect(harness.published()).toHaveLength(1);
    const { signingKey } = await harness.apply();
    expect(signingKey.active).toBeUndefined();
    expect(signingKey.readyAtMs).toBeGreaterThan(harness.clock.wallMs() + 59 * MINUTE);
    await expect(harness.sign()).rejects.toMatchObject({ reason: 'NO_ACTIVE_VERSION' });
    await harness.clock.advanceAsync(HOUR + MINUTE, 10_000);
    await harness.sign();
  });

  it.each<[string, (signer: OldSigner) => Promise<Partial<ImportPublicKeyCommand>>, string]>([
    ['no reason', async () => ({ reason: ' ' }), 'FIELD_INVALID'],
    ['an unknown key set', async () => ({ keySet: 'partners' }), 'KEY_SET_NOT_FOUND'],
    [
      'a private key',
      async (signer) => ({ jwk: Buffer.from(JSON.stringify(signer.privateJwk)) }),
      'PUBLIC_KEY_INVALID',
    ],
    ['no proof', async () => ({ proof: '' }), 'PROOF_INVALID'],
    ['a JWT of the old signer', async (signer) => ({ proof: await signer.sign({ aud: 'api' }) }), 'PROOF_INVALID'],
    ["another key's proof", async () => ({ proof: await (await oldSigner()).proof() }), 'PROOF_INVALID'],
    ['an expiry that is over', async () => ({ expiresAtMs: harness.clock.wallMs() }), 'FIELD_INVALID'],
  ])('is refused with %s, and changes nothing', async (_, change, reason) => {
    const signer = await oldSigner();
    const commits = harness.store.commitCount;
    await expect(importKey(signer, await change(signer))).rejects.toMatchObject({ reason });
    expect(harness.store.commitCount).toBe(commits);
    expect(harness.app.findKeySet(KEY_SET)).toBeUndefined();
  });

  it("is refused for keyturn's own keys, under any name", async () => {
    await harness.apply();
    const { keys } = JSON.parse(harness.app.findKeySet(KEY_SET)?.body.toString() ?? '') as { keys: { kid: string }[] };
    // Nobody can prove it; whoever could must still be refused: the decision is tested without proof in lifecycle-imports.
    const jwk = Buffer.from(JSON.stringify(keys[0]));
    await expect(importKey(await oldSigner(), { jwk })).rejects.toMatchObject({ reason: 'PROOF_INVALID' });
  });

  it('is refused while the clock is not believed', async () => {
    const rightMs = harness.clock.wallMs();
    const signer = await oldSigner({ now: () => rightMs });
    harness.clock.stepWall(30 * MINUTE);
    await expect(importKey(signer), 'the proof is fresh, and the clock is wrong').rejects.toMatchObject({
      reason: 'CLOCK_UNTRUSTED',
    });
  });

  it('is refused when the key set is full, with the sum', async () => {
    harness = await startApp({ promise: { maxPublishedVersions: 5 } });
    await harness.apply();
    await importKey(await oldSigner({ kid: 'one' }));
    await expect(importKey(await oldSigner({ kid: 'two' }))).rejects.toMatchObject({
      reason: 'KEY_SET_FULL',
      message: expect.stringContaining('it would be 6') as string,
    });
  });

  it('is not visible before it is durable', async () => {
    const signer = await oldSigner();
    harness.store.fillDisk();
    await expect(importKey(signer)).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
    expect(harness.app.findKeySet(KEY_SET)).toBeUndefined();
  });

  it('of the same key again lets it stay longer', async () => {
    const signer = await oldSigner();
    await importKey(signer);
    expect(await importKey(signer, { validateOnly: true })).toMatchObject({ changed: false });
    const expiresAtMs = harness.clock.wallMs() + 3 * HOUR;
    expect(await importKey(signer, { expiresAtMs })).toMatchObject({ changed: true, importedKey: { expiresAtMs } });
    await harness.clock.advanceAsync(2 * HOUR, 5_000);
    expect(harness.published()).toEqual([signer.jwk.kid]);
    await harness.clock.advanceAsync(HOUR + MINUTE, 5_000);
    expect(harness.published()).toEqual([]);
  });
});

describe('a doubtful store', () => {
  const lose = async (): Promise<void> => {
    void harness.app.stop();
    harness = await startApp({ clock: harness.clock, hsm: harness.hsm });
    await harness.clock.advanceAsync(MINUTE, 2_000);
  };

  it('takes no import when it is new and the token is not: that would pass for a first generation', async () => {
    await harness.apply();
    await lose();
    await expect(importKey(await oldSigner())).rejects.toMatchObject({ reason: 'KEY_SET_WITHHELD' });
    expect(harness.app.isKeySetWithheld(KEY_SET)).toBe(true);
  });

  it('takes no import as long as nobody has looked at the token', async () => {
    await harness.apply();
    harness.hsm.makeUnavailable();
    await lose();
    await expect(importKey(await oldSigner())).rejects.toMatchObject({ reason: 'TOKEN_UNAVAILABLE' });
    harness.hsm.makeAvailable();
    await harness.clock.advanceAsync(MINUTE, 2_000);
    await expect(importKey(await oldSigner())).rejects.toMatchObject({ reason: 'KEY_SET_WITHHELD' });
  });

  it('ends no import while it is a restored one: it may have forgotten that it was to stay longer', async () => {
    await importKey(await oldSigner());
    const restored = harness.store.reopened();
    const event = { type: 'STORE_RESTORED', atMs: 0, knownUntilMs: 0, sha256: '' };
    await restored.commit([{ stream: 'token', expectedSequence: 0, events: [event] }]);
    void harness.app.stop();
    harness = await startApp({ clock: harness.clock, hsm: harness.hsm, store: restored });
    await harness.clock.advanceAsync(2 * HOUR, 5_000);
    expect(listed()).toMatchObject([{ departure: undefined }]);
    await expect(importKey(await oldSigner({ kid: 'new' }))).rejects.toMatchObject({ reason: 'KEY_SET_WITHHELD' });
    const [{ kid } = { kid: '' }] = listed();
    expect(await remove(kid, true), 'what was removed since can be removed before anything is published').toMatchObject(
      {
        changed: true,
      },
    );
  });
});

describe('the end of an import', () => {
  it('comes by itself, for good, and is listed', async () => {
    const signer = await oldSigner();
    await importKey(signer);
    await harness.clock.advanceAsync(HOUR - MINUTE, 5_000);
    expect(harness.published()).toHaveLength(1);
    await harness.clock.advanceAsync(MINUTE + 10_000, 5_000);
    expect(harness.published()).toEqual([]);
    expect(listed()).toMatchObject([{ isPublished: false, departure: { cause: 'expired' } }]);
    await expect(importKey(signer)).rejects.toMatchObject({ reason: 'PUBLIC_KEY_KNOWN' });
  });

  it('is not brought about by a clock that leapt ahead with a reboot', async () => {
    // Up-time before the import, counted for another one, counts nothing.
    await importKey(await oldSigner({ kid: 'other' }), { expiresAtMs: harness.clock.wallMs() + DAY });
    await harness.clock.advanceAsync(30 * MINUTE, 5_000);
    const signer = await oldSigner();
    await importKey(signer);
    await harness.clock.advanceAsync(10 * MINUTE, 5_000);
    harness.clock.stepWall(30 * DAY);
    harness.clock.reboot();
    harness = await harness.restart();
    await harness.clock.advanceAsync(45 * MINUTE, 5_000);
    expect(harness.published()).toContain(signer.jwk.kid);
    // What a crash lost of the up-time, a twentieth of the hour, comes on top.
    await harness.clock.advanceAsync(10 * MINUTE, 5_000);
    expect(harness.published()).toEqual(['other']);
  });

  it('is put off by downtime, and by nothing else: up-time is summed over restarts', async () => {
    await importKey(await oldSigner());
    for (let restarts = 0; restarts < 3; restarts += 1) {
      await harness.clock.advanceAsync(15 * MINUTE, 5_000);
      await harness.app.stop();
      harness.clock.advance(20 * MINUTE);
      harness = await harness.restart();
    }
    expect(harness.published()).toHaveLength(1);
    await harness.clock.advanceAsync(16 * MINUTE, 5_000);
    expect(harness.published()).toEqual([]);
  });

  it('waits for a clock that is believed', async () => {
    await importKey(await oldSigner());
    harness.clock.stepWall(-2 * MINUTE);
    await harness.clock.advanceAsync(HOUR + 10 * MINUTE, 5_000);
    expect(harness.published()).toHaveLength(1);
  });
});

describe('removing an import', () => {
  it('takes it out at once and for good, durably', async () => {
    const signer = await oldSigner();
    await importKey(signer);
    expect(await remove(signer.jwk.kid, true)).toMatchObject({ changed: true, importedKey: { isPublished: false } });
    expect(harness.published()).toEqual([]);
    expect(harness.app.findKeySet(KEY_SET)?.body.toString()).toBe('{"keys":[]}');
    expect(await remove(signer.jwk.kid)).toMatchObject({ changed: false });
    expect(listed(await harness.restart())).toMatchObject([{ departure: { cause: 'compromised' } }]);
  });

  it('is in effect though the disk is broken, and is tried again until it is durable', async () => {
    const signer = await oldSigner();
    await importKey(signer);
    harness.store.failNextCommits(100);
    await expect(remove(signer.jwk.kid)).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
    expect(harness.published()).toEqual([]);
    expect(listed()).toMatchObject([{ isPublished: false, departure: undefined }]);
    harness.store.failNextCommits(0);
    await harness.clock.advanceAsync(10_000);
    expect(listed(await harness.restart())).toMatchObject([{ departure: { cause: 'removed' } }]);
  });

  it('is recorded on a full disk', async () => {
    const signer = await oldSigner();
    await importKey(signer);
    harness.store.fillDisk();
    await remove(signer.jwk.kid);
    expect(listed(await harness.restart())).toMatchObject([{ departure: { cause: 'removed' } }]);
  });

  it('tells what it would do, and does nothing, when it is only validated', async () => {
    const signer = await oldSigner();
    await importKey(signer);
    const command = { keySet: '', kid: signer.jwk.kid, compromised: false, validateOnly: true, reason: 'why' };
    expect(await harness.app.removePublicKey(OPERATOR, command)).toMatchObject({ changed: true });
    expect(harness.published()).toHaveLength(1);
  });

  it('is refused for what was never imported', async () => {
    await expect(remove('nobody')).rejects.toMatchObject({ reason: 'IMPORTED_KEY_NOT_FOUND' });
  });
});

describe('the list of imports', () => {
  it('sums up what is published, and says when the next one leaves', async () => {
    expect(harness.app.summarizeImports('nobodys')).toBeUndefined();
    expect(harness.app.summarizeImports(KEY_SET)).toEqual({ importedKeys: 0, nextExpiryInMs: undefined });
    await importKey(await oldSigner({ kid: 'a' }), { expiresAtMs: harness.clock.wallMs() + DAY });
    await importKey(await oldSigner({ kid: 'b' }));
    await harness.clock.advanceAsync(10 * MINUTE, 5_000);
    expect(harness.app.summarizeImports(KEY_SET)).toEqual({ importedKeys: 2, nextExpiryInMs: 50 * MINUTE });
    await remove('b');
    expect(harness.app.summarizeImports(KEY_SET)).toEqual({ importedKeys: 1, nextExpiryInMs: DAY - 10 * MINUTE });
  });

  it('has pages, newest first', async () => {
    for (const kid of ['a', 'b', 'c']) await importKey(await oldSigner({ kid }));
    const first = harness.app.listPublicKeys('', 2, '');
    expect(first.items.map(({ kid }) => kid)).toEqual(['c', 'b']);
    expect(harness.app.listPublicKeys('', 2, first.nextPageToken).items.map(({ kid }) => kid)).toEqual(['a']);
  });
});
