/** What the use cases leave in the audit log, and what waits for it. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AuditTrail } from '../../src/app/audit-trail.ts';
import { FakeClock, settle } from '../fakes/fake-clock.ts';
import { FakeHsm } from '../fakes/fake-hsm.ts';
import { MemoryAuditLog } from '../fakes/memory-audit-log.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { type AppHarness, OPERATOR, SIGNER, startApp } from '../fixtures/app-harness.ts';
import { silentLog } from '../fixtures/hsm-pool.ts';
import { KEY_SET, T0 } from '../fixtures/lifecycle.ts';
import { readAll } from '../fixtures/read-all.ts';

async function start(): Promise<{ readonly harness: AppHarness; readonly log: MemoryAuditLog }> {
  const log = new MemoryAuditLog();
  const harness = await startApp({ auditLog: log });
  await harness.apply();
  return { harness, log };
}

function claimsOf(jwt: string): { readonly exp: number; readonly jti?: string } {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as { exp: number };
}

describe('a JWT', () => {
  it('has an entry with its caller, key, signing input, jti and exp', async () => {
    const { harness, log } = await start();
    const { jwt, kid } = await harness.sign();
    const { exp, jti } = claimsOf(jwt);
    const signingInput = jwt.slice(0, jwt.lastIndexOf('.'));
    expect(log.ofKind('JWT_DISPATCHED')).toMatchObject([
      {
        caller: SIGNER,
        signingKey: 'access-tokens',
        kid,
        alg: 'ES256',
        sha256: createHash('sha256').update(signingInput).digest('base64url'),
        jti,
        exp,
      },
    ]);
  });

  it('leaves only when its entry is durable', async () => {
    const { harness, log } = await start();
    const release = log.hold();
    let isThere = false;
    const signed = harness.sign().then((answer) => {
      isThere = true;
      return answer;
    });
    await settle();
    expect(harness.hsm.signatures).toBeGreaterThan(0);
    expect(isThere).toBe(false);
    release();
    await signed;
  });

  it('that is compromised while it waits for its entry is taken back and made anew', async () => {
    const { harness, log } = await start();
    const release = log.hold();
    const signing = harness.sign();
    await settle();
    await harness.app.declareCompromised(OPERATOR, {
      scope: { kind: 'version', signingKey: 'access-tokens', version: 1 },
      retain: false,
      validateOnly: false,
      reason: 'stolen',
      requestId: '',
    });
    release();
    const { kid } = await signing;
    const [fallen, good] = log.ofKind('JWT_DISPATCHED');
    expect(good?.kid).toBe(kid);
    expect(fallen?.kid).not.toBe(kid);
    expect(log.ofKind('JWT_FAILED')).toMatchObject([{ dispatched: fallen?.seq, reason: 'VERSION_UNUSABLE' }]);
  });

  it('that the token does not sign is taken back by another entry', async () => {
    const { harness, log } = await start();
    harness.hsm.failNext('sign');
    await expect(harness.sign()).rejects.toMatchObject({ reason: 'TOKEN_OPERATION_FAILED' });
    await settle();
    const [dispatched] = log.ofKind('JWT_DISPATCHED');
    expect(log.ofKind('JWT_FAILED')).toMatchObject([{ dispatched: dispatched?.seq, reason: 'TOKEN_OPERATION_FAILED' }]);
  });

  it('is refused without asking the token while the log takes no entries, and signed when it does again', async () => {
    const { harness, log } = await start();
    const before = harness.hsm.signatures;
    log.isFailing = true;
    await expect(harness.sign()).rejects.toMatchObject({ reason: 'AUDIT_UNAVAILABLE' });
    expect(harness.hsm.signatures).toBe(before);
    log.recover();
    await harness.sign();
  });
});

describe('the store’s events', () => {
  it('are all entered, whole and in order, but for bookkeeping', async () => {
    const { harness, log } = await start();
    await harness.clock.advanceAsync(20 * 60_000, 1_000);
    await harness.app.stop();
    const streams = await readAll(harness.store.reopened());
    const expected = streams
      .flatMap(({ stream, events }) => events.map((event, index) => `${stream} ${index + 1} ${JSON.stringify(event)}`))
      .filter(
        (text) =>
          !/"type":"(?:EXP_CEILING_RAISED|METERS_RECORDED|KEY_SET_SERVED|UP_TIME_RECORDED|CLOCK_SEEN)"/.test(text),
      );
    const entered = log
      .ofKind('EVENT')
      .map(({ stream, sequence, data }) => `${stream} ${sequence} ${JSON.stringify(data)}`);
    // Bookkeeping was there to be left out.
    expect(streams.flatMap(({ events }) => events).length).toBeGreaterThan(expected.length);
    expect(entered.toSorted()).toEqual(expected.toSorted());
    const born = log.ofKind('EVENT').find(({ type }) => type === 'VERSION_MADE');
    expect(born).toMatchObject({ signingKey: 'access-tokens', version: 1, data: { birth: { tokenLabel: 'fake' } } });
    expect(born?.kid).toMatch(/^[\w-]{43}$/);
  });

  it('that a crash kept from the log are entered late, at the next start', async () => {
    const { harness, log } = await start();
    log.isFailing = true;
    await harness.app.suspend(OPERATOR, {
      signingKey: 'access-tokens',
      halt: true,
      validateOnly: false,
      etag: '',
      reason: 'look into it',
      requestId: '',
    });
    const cut = new MemoryAuditLog(log.reopened().start, log.lines);
    const store = harness.store.reopened();
    harness.isServing = false;
    void harness.app.stop();
    await startApp({ auditLog: cut, store, clock: harness.clock, hsm: new FakeHsm({ keys: harness.hsm.keys }) });
    const late = cut.ofKind('EVENT').filter((entry) => entry.late === true);
    expect(late.map(({ type }) => type)).toEqual(expect.arrayContaining(['VERSION_SUSPENDED', 'SIGNING_HALTED']));
    const places = cut.ofKind('EVENT').map(({ stream, sequence }) => `${stream} ${sequence}`);
    expect(new Set(places).size).toBe(places.length);
  });

  it('are marked as an old store’s when the log knows more of them, until an operator decides', async () => {
    const { harness, log } = await start();
    const old = harness.store.reopened();
    await harness.apply('other-tokens');
    harness.isServing = false;
    void harness.app.stop();
    const hsm = new FakeHsm({ clock: harness.clock, keys: harness.hsm.keys });
    const restarted = await startApp({ auditLog: log.reopened(), store: old, clock: harness.clock, hsm });
    await expect(restarted.sign()).rejects.toMatchObject({ reason: 'SIGNING_KEY_FENCED' });
    expect(restarted.app.isKeySetWithheld(KEY_SET)).toBe(true);
    expect(restarted.app.restoration()).toBeDefined();
    await restarted.app.recover(OPERATOR, {
      signingKeys: [{ name: 'other-tokens', keySet: '', algorithm: 'ES256', rsaBits: 0, lifecyclePolicy: {} }],
      compromisedKids: [],
      keptKids: [],
      longestJwtLifetimeMs: undefined,
      isTokenRestored: false,
      validateOnly: false,
      etag: '',
      reason: 'the disk was put back',
    });
    // It is the present store again, for the log too.
    const again = await restarted.restart();
    expect(again.app.restoration()).toBeUndefined();
    await again.clock.advanceAsync(5_000);
    await again.sign();
  });

  it('are marked as an old store’s on a full disk, too', async () => {
    const { harness, log } = await start();
    const old = harness.store.reopened();
    await harness.apply('other-tokens');
    harness.isServing = false;
    void harness.app.stop();
    old.fillDisk();
    const hsm = new FakeHsm({ clock: harness.clock, keys: harness.hsm.keys });
    const restarted = await startApp({ auditLog: log.reopened(), store: old, clock: harness.clock, hsm });
    await expect(restarted.sign()).rejects.toMatchObject({ reason: 'SIGNING_KEY_FENCED' });
    expect(restarted.app.restoration()).toBeDefined();
  });

  it('are believed after a restart with the same store and log', async () => {
    const { harness, log } = await start();
    const again = await harness.restart();
    expect(again.app.restoration()).toBeUndefined();
    await again.clock.advanceAsync(5_000);
    await again.sign();
    expect(log.ofKind('EVENT').some((entry) => entry.late === true)).toBe(false);
  });
});

describe('refusals', () => {
  it('are bounded: a flood gets a hundred entries, and the next one says how many have none', () => {
    const clock = new FakeClock(T0);
    const log = new MemoryAuditLog();
    const trail = new AuditTrail({ auditLog: log, clock, log: silentLog });
    const refusal = { caller: 'cn:stranger', method: '/m', reason: 'CALLER_UNKNOWN', signingKey: undefined } as const;
    for (let index = 0; index < 1_000; index += 1) trail.refused(refusal);
    expect(log.ofKind('REFUSED')).toHaveLength(100);
    clock.advance(100);
    trail.refused(refusal);
    expect(log.ofKind('REFUSED').at(-1)?.omitted).toBe(900);
  });

  it('hold no more of what a stranger made up than fits a line', () => {
    const log = new MemoryAuditLog();
    const trail = new AuditTrail({ auditLog: log, clock: new FakeClock(T0), log: silentLog });
    trail.refused({ caller: 'x'.repeat(100_000), method: '/m', reason: 'CALLER_UNKNOWN', signingKey: undefined });
    expect(log.ofKind('REFUSED')[0]?.caller).toHaveLength(256);
  });
});

describe('a store that was never audited', () => {
  it('begins with its count, and its past stays where it is', async () => {
    const store = new MemoryStore();
    const before = await startApp({ store });
    await before.apply();
    const log = new MemoryAuditLog();
    const hsm = new FakeHsm({ clock: before.clock, keys: before.hsm.keys });
    before.isServing = false;
    void before.app.stop();
    await startApp({ store: store.reopened(), auditLog: log, clock: before.clock, hsm });
    expect(log.entries[0]?.kind).toBe('LOG_STARTED');
    expect(log.ofKind('EVENT').some((entry) => entry.late === true)).toBe(false);
  });
});
