import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import type { KeyturnError } from '../../src/base/errors.ts';
import { settle } from '../fakes/fake-clock.ts';
import { type AppHarness, OPERATOR, startApp } from '../fixtures/app-harness.ts';
import { DAY, HOUR, KEY_SET, MINUTE } from '../fixtures/lifecycle.ts';

/** Long enough for the rotator to notice what time made due. */
const NOTICE_MS = 10_000;
const STEP_MS = 5_000;
const COMMAND = { signingKey: 'access-tokens', validateOnly: false, etag: '', reason: 'test', requestId: '' };

async function refusalOf(promise: Promise<unknown>): Promise<KeyturnError> {
  return promise.then(
    () => {
      throw new Error('nothing was refused');
    },
    (thrown: unknown) => thrown as KeyturnError,
  );
}

const declare = (harness: AppHarness, version?: number) =>
  harness.app.declareCompromised(OPERATOR, {
    scope:
      version === undefined
        ? { kind: 'signingKey', signingKey: 'access-tokens' }
        : { kind: 'version', signingKey: 'access-tokens', version },
    retain: false,
    validateOnly: false,
    reason: 'found in a log',
    requestId: '',
  });

describe('the first generation', () => {
  it('signs at once, and not before the HTTP server has answered with it', async () => {
    const harness = await startApp();
    harness.isServing = false;
    await harness.apply();
    expect(harness.published()).toHaveLength(3);
    expect((await refusalOf(harness.sign())).reason).toBe('NO_ACTIVE_VERSION');
    harness.isServing = true;
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    expect((await harness.sign()).kid).toBe(harness.published()[0]);
  });

  it('is not what a second signing key of the key set gets', async () => {
    const harness = await startApp();
    await harness.apply();
    const { signingKey } = await harness.apply('other-tokens');
    expect(signingKey.active).toBeUndefined();
    await harness.clock.advanceAsync(HOUR - MINUTE, STEP_MS);
    expect((await refusalOf(harness.sign('other-tokens'))).reason).toBe('NO_ACTIVE_VERSION');
    await harness.clock.advanceAsync(2 * MINUTE, STEP_MS);
    await harness.sign('other-tokens');
  });
});

describe('served time', () => {
  it('does not grow while the HTTP server is down, nor by the wall clock, and adds up over restarts', async () => {
    let harness = await startApp();
    await harness.apply();
    await harness.rotate();
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    await harness.clock.advanceAsync(30 * MINUTE, STEP_MS);
    harness.isServing = false;
    harness.clock.stepWall(DAY);
    await harness.clock.advanceAsync(HOUR, STEP_MS);
    harness.clock.stepWall(-DAY);
    expect((await refusalOf(harness.rotate())).reason).toBe('LAST_STANDBY');
    harness = await harness.restart();
    await harness.clock.advanceAsync(20 * MINUTE, STEP_MS);
    expect((await refusalOf(harness.rotate())).reason).toBe('LAST_STANDBY');
    // One recording step is lost at most (1/20 of the ceiling).
    await harness.clock.advanceAsync(15 * MINUTE, STEP_MS);
    await harness.rotate();
  });
});

describe('a key set', () => {
  it('never holds ML-DSA keys and others together', async () => {
    const harness = await startApp();
    await harness.apply('access-tokens');
    const apply = (name: string, algorithm: string) =>
      harness.app.applySigningKey(OPERATOR, {
        name,
        algorithm,
        keySet: '',
        rsaBits: 0,
        lifecyclePolicy: {},
        etag: '',
        reason: '',
        validateOnly: true,
        deadlineMs: undefined,
      });
    const refusal = await refusalOf(apply('post-quantum', 'ML-DSA-44'));
    expect(refusal).toMatchObject({ reason: 'FIELD_INVALID', details: { field: 'signing_key.key_set' } });
    await apply('other-tokens', 'ES256K');
  });
});

describe('scheduled rotation', () => {
  const POLICY = {
    signingPeriodMs: 4 * HOUR,
    maxSigningPeriodMs: 8 * HOUR,
    rollbackWindowMs: HOUR,
    maxJwtLifetimeMs: HOUR,
  };

  it('happens when the signing period is over, and destroys what is no longer needed', async () => {
    const harness = await startApp();
    await harness.apply('access-tokens', POLICY);
    const [first] = harness.published();
    const dueMs = harness.app.getSigningKey('access-tokens').rotationDueAtMs ?? 0;
    await harness.clock.advanceAsync(dueMs - harness.clock.wallMs() - MINUTE, STEP_MS);
    expect((await harness.sign()).kid).toBe(first);
    await harness.clock.advanceAsync(2 * MINUTE, STEP_MS);
    expect(harness.stateOf(1)).toBe('SUSPENDED');
    expect((await harness.sign()).kid).toBe(harness.published()[1]);
    await harness.clock.advanceAsync(3 * HOUR, STEP_MS);
    expect(harness.stateOf(1)).toBe('DESTROYED');
    expect(harness.published()).not.toContain(first);
    expect(harness.hsm.keys.size).toBe(3);
  });

  it('goes on with the old version while the token makes no keys, refuses at max_signing_period, and catches up', async () => {
    const harness = await startApp();
    await harness.apply('access-tokens', POLICY);
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    // From here on no standby can be made: rotations use up those that are there.
    for (let i = 0; i < 10_000; i += 1) harness.hsm.failNext('generate');
    await harness.clock.advanceAsync(4 * HOUR + MINUTE, STEP_MS);
    expect(harness.stateOf(2), 'two standbys were propagated').toBe('ACTIVE');
    await harness.clock.advanceAsync(4 * HOUR + MINUTE, STEP_MS);
    expect(harness.stateOf(2), 'the last standby is kept for an emergency').toBe('ACTIVE');
    expect(harness.app.getSigningKey('access-tokens').lastProblem).toContain('makeVersion');
    await harness.sign();
    await harness.clock.advanceAsync(4 * HOUR, STEP_MS);
    expect(harness.stateOf(3), 'at max_signing_period it is taken').toBe('ACTIVE');
    await harness.clock.advanceAsync(8 * HOUR + MINUTE, STEP_MS);
    expect((await refusalOf(harness.sign())).message).toContain('max_signing_period');
  });
});

describe('a compromise', () => {
  it('is in effect at once: another version signs, the key set lacks the fallen one, its private key is destroyed', async () => {
    const harness = await startApp();
    await harness.apply();
    const [first, second] = harness.published();
    const effects = await declare(harness, 1);
    expect(effects).toMatchObject([{ withdrawnVersions: [1], activeVersion: 2, readyAtMs: undefined }]);
    expect(harness.published()).not.toContain(first);
    expect((await harness.sign()).kid).toBe(second);
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    expect(harness.stateOf(1)).toBe('COMPROMISED');
    expect(harness.hsm.keys.size).toBe(3);
  });

  it('shortens max-age until no copy with the fallen version can be in use, over a restart too', async () => {
    let harness = await startApp();
    const maxAge = () => harness.app.findKeySet(KEY_SET)?.maxAgeSeconds;
    await harness.apply();
    expect(maxAge()).toBe(300);
    harness.store.failNextCommits(1_000);
    expect((await refusalOf(declare(harness, 1))).reason).toBe('STORE_UNAVAILABLE');
    expect(maxAge(), 'before it is durable').toBe(60);
    harness.store.failNextCommits(0);
    await harness.clock.advanceAsync(30 * MINUTE, STEP_MS);
    harness = await harness.restart();
    expect(maxAge()).toBe(60);
    await harness.clock.advanceAsync(29 * MINUTE, STEP_MS);
    expect(maxAge()).toBe(60);
    await harness.clock.advanceAsync(2 * MINUTE, STEP_MS);
    expect(maxAge(), 'the ceiling, 1 h, is over').toBe(300);
  });

  it('takes effect before it is durable, and stays in effect while the disk is full', async () => {
    const harness = await startApp();
    await harness.apply();
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    const [first, second] = harness.published();
    harness.store.failNextCommits(3);
    expect((await refusalOf(declare(harness, 1))).reason).toBe('STORE_UNAVAILABLE');
    expect(harness.published()).not.toContain(first);
    expect((await harness.sign()).kid, 'a propagated standby signs before its commit').toBe(second);
    expect(harness.stateOf(1), 'nothing is durable yet').toBe('ACTIVE');
    await harness.clock.advanceAsync(60_000, STEP_MS);
    expect(harness.stateOf(1)).toBe('COMPROMISED');
    expect(harness.stateOf(2)).toBe('ACTIVE');
  });

  it('never releases a signature that was under way with the fallen version', async () => {
    const harness = await startApp();
    await harness.apply();
    const [first, second] = harness.published();
    harness.hsm.latencyMs = 50;
    const signing = harness.sign();
    await settle();
    await declare(harness, 1);
    await harness.clock.advanceAsync(200, 10);
    const { kid } = await signing;
    expect(kid).not.toBe(first);
    expect(kid).toBe(second);
  });

  it('never releases a JWT whose times are by a clock that was set while the token signed', async () => {
    const harness = await startApp();
    await harness.apply();
    harness.hsm.latencyMs = 50;
    const signing = harness.sign();
    await settle();
    harness.clock.stepWall(-20_000);
    const setAtMs = harness.clock.wallMs();
    await harness.clock.advanceAsync(200, 10);
    const { iat } = decodeJwt((await signing).jwt);
    expect(iat).toBe(Math.floor((setAtMs + 50) / 1_000));
  });

  it('of the whole signing key empties the key set, stops signing, says until when, and heals by itself', async () => {
    const harness = await startApp();
    await harness.apply();
    const effects = await declare(harness);
    expect(effects).toMatchObject([{ withdrawnVersions: [1, 2, 3], activeVersion: undefined }]);
    expect(effects[0]?.readyAtMs).toBe(harness.clock.wallMs() + HOUR);
    expect(harness.published()).toEqual([]);
    expect(harness.app.findKeySet(KEY_SET)?.body.toString()).toBe('{"keys":[]}');
    expect((await refusalOf(harness.sign())).reason).toBe('NO_ACTIVE_VERSION');
    await harness.clock.advanceAsync(HOUR + MINUTE, STEP_MS);
    await harness.sign();
  });

  it('declared twice changes nothing the second time', async () => {
    const harness = await startApp();
    await harness.apply();
    await declare(harness, 1);
    expect(await declare(harness, 1)).toMatchObject([{ withdrawnVersions: [], activeVersion: 2 }]);
  });
});

describe('suspend, reactivate and rollback', () => {
  it('suspend lets a standby take over, and reactivate brings the version back', async () => {
    const harness = await startApp();
    await harness.apply();
    const [first, second] = harness.published();
    await harness.app.suspend(OPERATOR, { ...COMMAND, halt: false });
    expect((await harness.sign()).kid).toBe(second);
    expect(harness.published()).toContain(first);
    await harness.app.reactivate(OPERATOR, { ...COMMAND, version: 1 });
    expect((await harness.sign()).kid).toBe(first);
    expect(harness.stateOf(2)).toBe('SUSPENDED');
  });

  it('suspend with halt stops signing until a version is activated by command', async () => {
    const harness = await startApp();
    await harness.apply();
    await harness.app.suspend(OPERATOR, { ...COMMAND, halt: true });
    await harness.clock.advanceAsync(2 * HOUR, STEP_MS);
    expect((await refusalOf(harness.sign())).message).toContain('halted');
    await harness.app.reactivate(OPERATOR, { ...COMMAND, version: 1 });
    await harness.sign();
  });

  it('rollback undoes a rotation within its window, and holds the next scheduled one', async () => {
    const harness = await startApp();
    await harness.apply('access-tokens', { signingPeriodMs: 4 * HOUR, rollbackWindowMs: HOUR });
    const [first] = harness.published();
    await harness.clock.advanceAsync(HOUR, STEP_MS);
    await harness.rotate();
    await harness.app.rollback(OPERATOR, COMMAND);
    expect((await harness.sign()).kid).toBe(first);
    expect(harness.stateOf(2)).toBe('SUSPENDED');
    await harness.clock.advanceAsync(4 * HOUR, STEP_MS);
    expect(harness.stateOf(1), 'held beyond its signing period').toBe('ACTIVE');
    await harness.rotate();
    expect((await refusalOf(harness.app.rollback(OPERATOR, { ...COMMAND, signingKey: 'other-tokens' }))).reason).toBe(
      'SIGNING_KEY_NOT_FOUND',
    );
  });

  it('rollback is refused when the window is over', async () => {
    const harness = await startApp();
    await harness.apply();
    await harness.rotate();
    await harness.clock.advanceAsync(HOUR + MINUTE, STEP_MS);
    expect((await refusalOf(harness.app.rollback(OPERATOR, COMMAND))).reason).toBe('COMMAND_NOT_POSSIBLE');
  });
});

describe('a standby that is missing from the token', () => {
  it('is not activated, the refusal says how to take it out, and then rotation goes on', async () => {
    const harness = await startApp();
    await harness.apply();
    const [, standby] = harness.app.listKeyVersions('access-tokens', 10, '').items.toReversed();
    if (standby === undefined) throw new Error('no standby');
    harness.hsm.keys.delete(standby.ckaId);
    const refusal = await refusalOf(harness.rotate());
    expect(refusal.reason).toBe('VERSION_UNUSABLE');
    expect(refusal.message).toContain(`declare-compromised --version ${standby.version}`);
    expect(await harness.app.reconcile()).toMatchObject([{ kind: 'missing', version: standby.version }]);
    await declare(harness, standby.version);
    await harness.clock.advanceAsync(HOUR + MINUTE, STEP_MS);
    await harness.rotate();
    expect(harness.stateOf(3)).toBe('ACTIVE');
  });
});

describe('a full key set', () => {
  it('does not keep old versions from leaving it', async () => {
    const harness = await startApp({ promise: { maxPublishedVersions: 6, verifierCacheCeilingMs: 10 * MINUTE } });
    await harness.apply('access-tokens', { signingPeriodMs: 30 * DAY, rollbackWindowMs: 0, maxJwtLifetimeMs: HOUR });
    for (let rotation = 0; rotation < 3; rotation += 1) {
      await harness.clock.advanceAsync(11 * MINUTE, STEP_MS);
      await harness.rotate();
    }
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    expect(harness.published()).toHaveLength(6);
    await harness.clock.advanceAsync(11 * MINUTE, STEP_MS);
    await harness.rotate();
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    expect(harness.app.getSigningKey('access-tokens').lastProblem).toContain('KEY_SET_FULL');
    await harness.clock.advanceAsync(4 * HOUR, STEP_MS);
    expect(harness.stateOf(1)).toBe('DESTROYED');
    expect(harness.app.getSigningKey('access-tokens')).toMatchObject({ lastProblem: '', propagatedStandbys: 2 });
  });
});

describe('an old store', () => {
  /** The store of an hour ago meets the token of now: a rotation happened in between. */
  async function restoredOldStore(): Promise<AppHarness> {
    const harness = await startApp();
    await harness.apply();
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    const backup = harness.store.reopened();
    await harness.rotate();
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    void harness.app.stop();
    const restored = await startApp({ clock: harness.clock, hsm: harness.hsm, store: backup });
    await restored.clock.advanceAsync(NOTICE_MS, STEP_MS);
    return restored;
  }

  it('fences its signing keys: no signing, no change, and nothing is deleted', async () => {
    const harness = await restoredOldStore();
    expect((await refusalOf(harness.sign())).reason).toBe('SIGNING_KEY_FENCED');
    expect((await refusalOf(harness.rotate())).reason).toBe('SIGNING_KEY_FENCED');
    await harness.clock.advanceAsync(2 * HOUR, STEP_MS);
    expect(harness.hsm.keys.size).toBe(4);
    expect(await harness.app.reconcile()).toMatchObject([{ kind: 'orphan', signingKey: 'access-tokens', version: 4 }]);
  });

  it.each(['destroy', 'ignore'] as const)('goes on when an operator decides to %s the orphan', async (action) => {
    const harness = await restoredOldStore();
    const [orphan] = await harness.app.reconcile();
    await harness.app.resolveObject(OPERATOR, { ckaId: orphan?.ckaId ?? '', action, reason: 'looked at it' });
    await harness.sign();
    expect(harness.hsm.keys.size).toBe(action === 'destroy' ? 3 : 4);
    const again = await harness.restart();
    await again.clock.advanceAsync(NOTICE_MS, STEP_MS);
    await again.sign();
  });

  it('does not let an operator resolve an object that the store explains', async () => {
    const harness = await startApp();
    await harness.apply();
    const [version] = harness.app.listKeyVersions('access-tokens', 1, '').items;
    const command = { ckaId: version?.ckaId ?? '', action: 'destroy', reason: '' } as const;
    const refusal = await refusalOf(harness.app.resolveObject(OPERATOR, command));
    expect(refusal.reason).toBe('KEY_VERSION_NOT_FOUND');
    expect(harness.hsm.keys.size).toBe(3);
  });
});

describe('the clock guard', () => {
  const POLICY = { signingPeriodMs: 4 * HOUR, rollbackWindowMs: HOUR, maxJwtLifetimeMs: HOUR };
  const YEAR = 365 * DAY;

  it.each([
    ['a year ahead', [YEAR]],
    ['a day back', [-DAY]],
    ['a year ahead in small steps', Array.from({ length: 60 }, () => YEAR / 60)],
  ])(
    'stops signing and everything final while the clock is %s, while running and over a restart',
    async (_how, steps) => {
      let harness = await startApp();
      await harness.apply('access-tokens', POLICY);
      await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
      await harness.rotate();
      await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
      for (const step of steps) {
        harness.clock.stepWall(step);
        await harness.clock.advanceAsync(1_000, 500);
      }
      expect((await refusalOf(harness.sign())).reason).toBe('CLOCK_UNTRUSTED');
      expect(harness.app.isSigningKeyReady('access-tokens')).toBe(false);
      expect(harness.app.getSigningKey('access-tokens').lastProblem).toContain('keyturn clock confirm');
      const published = harness.published();
      const keys = harness.hsm.keys.size;
      harness = await harness.restart();
      await harness.clock.advanceAsync(6 * HOUR, STEP_MS);
      expect((await refusalOf(harness.sign())).reason).toBe('CLOCK_UNTRUSTED');
      expect((await refusalOf(harness.rotate())).reason).toBe('CLOCK_UNTRUSTED');
      expect(harness.published(), 'nothing is withdrawn').toEqual(published);
      expect(harness.hsm.keys.size, 'nothing is destroyed').toBe(keys);
      expect(harness.stateOf(1)).toBe('SUSPENDED');
      for (const step of steps) harness.clock.stepWall(-step);
      await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
      await harness.sign();
      expect(harness.stateOf(1), 'and what was due is done').toBe('DESTROYED');
    },
  );

  it('tells whoever watches the health of signing keys that the clock stepped, and that it is right again', async () => {
    const harness = await startApp();
    await harness.apply();
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    const seen: (boolean | undefined)[] = [];
    harness.app.onReadinessChange(() => seen.push(harness.app.isSigningKeyReady('access-tokens')));
    harness.clock.stepWall(YEAR);
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    expect(seen.at(-1)).toBe(false);
    harness.clock.stepWall(-YEAR);
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    expect(seen.at(-1)).toBe(true);
  });

  it('goes on with a clock that an operator confirmed, and refuses a time that is not the time', async () => {
    const harness = await startApp();
    await harness.apply();
    harness.clock.stepWall(DAY);
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    const now = harness.clock.wallMs();
    expect((await refusalOf(harness.app.confirmClock(OPERATOR, now - HOUR, 'x'))).reason).toBe('FIELD_INVALID');
    expect((await refusalOf(harness.sign())).reason).toBe('CLOCK_UNTRUSTED');
    await harness.app.confirmClock(OPERATOR, now + 20_000, 'looked at my phone');
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    await harness.sign();
  });

  it('judges every try of a request: what is made anew gets no time that stepped meanwhile', async () => {
    const harness = await startApp();
    await harness.apply();
    harness.hsm.latencyMs = 50;
    const refusal = refusalOf(harness.sign());
    await settle();
    await declare(harness, 1);
    harness.clock.stepWall(YEAR);
    await harness.clock.advanceAsync(200, 10);
    expect((await refusal).reason).toBe('CLOCK_UNTRUSTED');
  });

  it('judges a due step again when it is decided: it may have waited for the disk while the clock stepped', async () => {
    const harness = await startApp();
    await harness.apply('access-tokens', POLICY);
    // Away from the heartbeats, which would wait for the disk, too.
    await harness.clock.advanceAsync(5 * MINUTE, STEP_MS);
    await harness.rotate();
    await harness.clock.advanceAsync(HOUR - NOTICE_MS, STEP_MS);
    const release = harness.store.holdCommits();
    const waitedFor = harness.app.retryLogin(OPERATOR, 'a commit that takes its time');
    await harness.clock.advanceAsync(2 * NOTICE_MS, STEP_MS);
    harness.clock.stepWall(YEAR);
    release();
    await waitedFor;
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    expect(harness.stateOf(1)).toBe('SUSPENDED');
    harness.clock.stepWall(-YEAR);
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    expect(harness.stateOf(1)).toBe('DEACTIVATED');
  });

  it('does not keep a compromise from taking effect', async () => {
    const harness = await startApp();
    await harness.apply();
    const [first] = harness.published();
    harness.clock.stepWall(-DAY);
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    await declare(harness, 1);
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    expect(harness.published()).not.toContain(first);
    expect(harness.stateOf(1)).toBe('COMPROMISED');
  });
});
