/** StoreService through real servers and the client: backups that arrive whole or not at all, and recover as asked for. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import { DEFAULT_KEY_SET, parseCkaId, parseKid, parseSigningKeyName } from '../../src/base/ids.ts';
import { MAX_CHUNK_BYTES } from '../../src/store/store.ts';
import { startTestServers, type TestServers } from '../fixtures/test-servers.ts';

const CHUNKS = 64;
const KID = 'k'.repeat(43);

let test: TestServers;

beforeAll(async () => {
  test = await startTestServers();
});
afterAll(() => test.dispose());
beforeEach(() => {
  test.app.backup = [];
});

it('sends a backup of several megabytes in parts, to a reader that takes its time', async () => {
  const parts = Array.from({ length: CHUNKS }, () => randomBytes(MAX_CHUNK_BYTES));
  test.app.backup = parts;
  const received: Uint8Array[] = [];
  const { sha256 } = await test.admin.backUpStore(async (chunk) => {
    received.push(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  });
  const whole = Buffer.concat(parts);
  expect(Buffer.concat(received).equals(whole)).toBe(true);
  expect(sha256).toBe(createHash('sha256').update(whole).digest('hex'));
  expect(test.app.asked.at(-1)).toMatchObject({ caller: 'admin', command: 'backUpStore' });
});

it('is no backup when the store fails in the middle', async () => {
  test.app.backup = (function* failing(): Generator<Uint8Array> {
    yield randomBytes(MAX_CHUNK_BYTES);
    throw new KeyturnError('STORE_UNAVAILABLE', 'the disk is gone (planted)');
  })();
  await expect(test.admin.backUpStore(() => undefined)).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
});

it('ends when the reader stops', async () => {
  let sent = 0;
  let isEnded = false;
  test.app.backup = (function* endless(): Generator<Uint8Array> {
    try {
      for (; ; sent += 1) yield Buffer.alloc(MAX_CHUNK_BYTES);
    } finally {
      isEnded = true;
    }
  })();
  const stopping = test.admin.backUpStore(() => {
    throw new Error('the disk of the reader is full (planted)');
  });
  await expect(stopping).rejects.toThrow('the disk of the reader is full');
  await expect.poll(() => isEnded).toBe(true);
  expect(sent, 'no more than fits on the way').toBeLessThan(1_000);
});

it('recovers as asked for, and shows all of the plan', async () => {
  test.app.recovery = {
    restoration: { atMs: 2_000, knownUntilMs: 1_000 },
    signingKeys: [
      {
        name: parseSigningKeyName('access-tokens'),
        keySet: DEFAULT_KEY_SET,
        isCreated: true,
        activeVersion: undefined,
        readyAtMs: 9_000,
      },
    ],
    versions: [
      {
        signingKey: parseSigningKeyName('access-tokens'),
        version: 3,
        kid: parseKid(KID),
        ckaId: parseCkaId('0'.repeat(32)),
        ckaLabel: 'keyturn/access-tokens/3',
        fate: 'deactivated',
        why: 'without history',
        recordedState: undefined,
        state: 'DEACTIVATED',
        isPublished: true,
        publishedUntilMs: 8_000,
      },
    ],
    imports: [],
    etag: 'planned',
  };
  const plan = await test.admin.recover({
    signingKeys: [{ name: 'access-tokens', algorithm: 'ES256', lifecyclePolicy: { maxJwtLifetimeMs: 60_000 } }],
    compromisedKids: [KID],
    longestJwtLifetimeMs: 3_600_000,
    etag: 'planned',
    reason: 'the disk died',
  });
  expect(test.app.asked.at(-1)).toMatchObject({
    caller: 'admin',
    command: {
      signingKeys: [{ name: 'access-tokens', algorithm: 'ES256', lifecyclePolicy: { maxJwtLifetimeMs: 60_000 } }],
      compromisedKids: [KID],
      keptKids: [],
      longestJwtLifetimeMs: 3_600_000,
      isTokenRestored: false,
      validateOnly: false,
      etag: 'planned',
      reason: 'the disk died',
    },
  });
  expect(plan).toEqual({
    restoreTime: new Date(2_000),
    knownUntilTime: new Date(1_000),
    signingKeys: [
      {
        name: 'access-tokens',
        keySet: 'default',
        created: true,
        activeVersion: undefined,
        readyTime: new Date(9_000),
      },
    ],
    versions: [
      {
        signingKey: 'access-tokens',
        version: 3,
        kid: KID,
        ckaId: '0'.repeat(32),
        ckaLabel: 'keyturn/access-tokens/3',
        fate: 'DEACTIVATED',
        why: 'without history',
        recordedState: undefined,
        state: 'DEACTIVATED',
        published: true,
        publishEndTime: new Date(8_000),
      },
    ],
    imports: [],
    etag: 'planned',
  });
});
