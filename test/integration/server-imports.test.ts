/** ImportPublicKey, RemovePublicKey and ListPublicKeys over real connections, with the typed client at the other end. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import { startTestServers, type TestServers } from '../fixtures/test-servers.ts';

let test: TestServers;
beforeAll(async () => {
  test = await startTestServers();
});
afterAll(() => test.dispose());
afterEach(() => {
  test.app.failure = undefined;
});

const jwk = { kty: 'EC', kid: 'old', x: 'ä' };
const expireTime = new Date('2026-06-30T00:00:00.250Z');
const whole = { keySet: 'b2b', jwk, proof: 'a.b.c', expireTime, validateOnly: true, reason: 'cut-over' };

describe('the methods for imported keys', () => {
  it('pass on what was sent, bytes unchanged, and the defaults of what was not', async () => {
    await test.admin.importPublicKey(whole);
    const { expireTime: _, jwk: __, ...same } = whole;
    const bytes = Buffer.from(JSON.stringify(jwk));
    expect(test.app.asked.at(-1)).toEqual({
      caller: 'admin',
      command: { ...same, jwk: bytes, expiresAtMs: expireTime.getTime() },
    });
    await test.admin.importPublicKey({ jwk: Buffer.from([0xff]), proof: '', expireTime, reason: '' });
    expect(test.app.asked.at(-1)?.command).toMatchObject({ keySet: '', jwk: Buffer.from([0xff]), validateOnly: false });

    await test.admin.removePublicKey({ keySet: 'b2b', kid: 'o l d', compromised: true, reason: 'why' });
    const removal = { keySet: 'b2b', kid: 'o l d', compromised: true, validateOnly: false, reason: 'why' };
    expect(test.app.asked.at(-1)).toEqual({ caller: 'admin', command: removal });
  });

  it('answer with the key as it is then', async () => {
    const { importedKey, changed } = await test.admin.importPublicKey({ ...whole, validateOnly: false });
    expect({ changed, ...importedKey }).toEqual({
      changed: true,
      keySet: 'default',
      kid: 'old signer, 2024',
      algorithm: 'RS256',
      thumbprint: 't'.repeat(43),
      published: true,
      importTime: new Date(1_700_000_000_123),
      expireTime,
      caller: 'security-officer',
      reason: 'cut-over',
      departureTime: undefined,
      departureCause: undefined,
    });
    const removed = await test.admin.removePublicKey({ kid: 'old', reason: 'why' });
    expect(removed.importedKey).toMatchObject({
      published: false,
      departureTime: new Date(1_700_000_000_124),
      departureCause: 'REMOVED',
    });
  });

  it('list page by page', async () => {
    const first = await test.admin.listPublicKeys();
    expect(first).toMatchObject({ importedKeys: [{ kid: 'old signer, 2024' }], nextPageToken: 'next' });
    expect(await test.admin.listPublicKeys({ pageToken: 'next' })).toEqual({ importedKeys: [], nextPageToken: '' });
  });

  it('are tried again by the client: twice is once', async () => {
    test.app.failure = new KeyturnError('STORE_UNAVAILABLE', 'the disk is full');
    const calls = [
      () => test.admin.importPublicKey(whole),
      () => test.admin.removePublicKey({ kid: 'old', reason: 'why' }),
    ];
    for (const call of calls) {
      const { length } = test.app.asked;
      await expect(call()).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
      expect(test.app.asked.length - length).toBe(4);
    }
  });
});
