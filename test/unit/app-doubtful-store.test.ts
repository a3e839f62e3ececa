/** A store that may have forgotten something (rule 9): restored, or lost. Nothing signs, and nothing doubtful is published. */
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/lifecycle/reconcile.ts';
import { OPERATOR } from '../fixtures/app-harness.ts';
import { markRestored, NOTICE_MS, refusalOf, running, STEP_MS, withStore } from '../fixtures/doubtful-store.ts';
import { HOUR, KEY_SET, MINUTE } from '../fixtures/lifecycle.ts';
import { MemoryStore } from '../fakes/memory-store.ts';

const tidy = (findings: readonly Finding[] | undefined) => findings?.map(({ kind, version }) => [kind, version]);

describe('a store that keyturn restore put in place', () => {
  it('signs nothing, changes nothing and publishes nothing, though it agrees with the token', async () => {
    const before = await running();
    const harness = await withStore(before, await markRestored(before.store.reopened(), before.clock.wallMs()));
    expect(harness.app.latestFindings()).toEqual([]);
    expect(await refusalOf(harness.sign())).toMatchObject({
      reason: 'SIGNING_KEY_FENCED',
      message: expect.stringMatching(/restored from a copy that knows nothing of what happened after \d{4}-/),
    });
    expect((await refusalOf(harness.rotate())).reason).toBe('SIGNING_KEY_FENCED');
    expect((await refusalOf(harness.apply('other-tokens'))).reason).toBe('SIGNING_KEY_FENCED');
    expect(harness.app.findKeySet(KEY_SET)).toBeUndefined();
    expect(harness.app.isKeySetWithheld(KEY_SET)).toBe(true);
    expect(harness.app.getSigningKey('access-tokens')).toMatchObject({ isFenced: true });
    await harness.clock.advanceAsync(2 * HOUR, MINUTE);
    expect(harness.published()).toEqual([]);
    expect(harness.stateOf(1)).toBe('ACTIVE');
  });

  it('is one before the token is ready, and after the next restart', async () => {
    const before = await running();
    before.hsm.makeUnavailable();
    const harness = await withStore(before, await markRestored(before.store.reopened(), before.clock.wallMs()));
    expect(harness.published()).toEqual([]);
    expect((await harness.restart()).published()).toEqual([]);
  });
});

describe('a store that is gone', () => {
  it('makes no signing key while the token holds objects of a store before it, whatever its name', async () => {
    const harness = await withStore(await running(), new MemoryStore());
    expect(tidy(harness.app.latestFindings())).toEqual([
      ['orphan', 1],
      ['orphan', 2],
      ['orphan', 3],
    ]);
    expect((await refusalOf(harness.apply('access-tokens'))).reason).toBe('SIGNING_KEY_FENCED');
    expect((await refusalOf(harness.apply('other-tokens'))).reason).toBe('SIGNING_KEY_FENCED');
    expect(harness.app.isKeySetWithheld(KEY_SET)).toBe(true);
    expect(harness.hsm.keys.size).toBe(3);
  });

  it('makes no first generation of a signing key that was asked for before anyone looked at the token', async () => {
    const before = await running();
    before.hsm.makeUnavailable();
    const harness = await withStore(before, new MemoryStore());
    await harness.app.applySigningKey(OPERATOR, {
      name: 'other-tokens',
      keySet: '',
      algorithm: 'ES256',
      rsaBits: 0,
      lifecyclePolicy: {},
      etag: '',
      validateOnly: false,
      reason: '',
      deadlineMs: 0,
    });
    before.hsm.makeAvailable();
    await harness.clock.advanceAsync(MINUTE, STEP_MS);
    expect((await refusalOf(harness.sign('other-tokens'))).reason).toBe('SIGNING_KEY_FENCED');
    expect(harness.hsm.keys.size, 'no key was made').toBe(3);
  });

  it('has no first generation after its objects were resolved: copies of the key set may be in use', async () => {
    const harness = await withStore(await running(), new MemoryStore());
    for (const { ckaId } of harness.app.latestFindings() ?? [])
      await harness.app.resolveObject(OPERATOR, { ckaId, action: 'destroy', reason: 'a new beginning' });
    await harness.apply();
    expect(harness.published()).toHaveLength(3);
    expect((await refusalOf(harness.sign())).reason).toBe('NO_ACTIVE_VERSION');
    await harness.clock.advanceAsync(HOUR + MINUTE, STEP_MS);
    await harness.sign();
  });
});

describe('an old store that nobody marked', () => {
  it('does not publish a version whose private key is gone while its signing key is fenced', async () => {
    const before = await running();
    const old = before.store.reopened();
    const [first = ''] = before.published();
    await before.app.declareCompromised(OPERATOR, {
      scope: { kind: 'version', signingKey: 'access-tokens', version: 1 },
      retain: false,
      validateOnly: false,
      reason: 'leaked',
      requestId: '',
    });
    await before.clock.advanceAsync(NOTICE_MS, STEP_MS);
    const harness = await withStore(before, old);
    expect(tidy(harness.app.latestFindings())).toEqual([
      ['orphan', 4],
      ['missing', 1],
    ]);
    expect(harness.published()).toHaveLength(2);
    expect(harness.published()).not.toContain(first);
  });

  it('publishes on what the token lost: its JWTs are good', async () => {
    const before = await running();
    const [first] = before.app.listKeyVersions('access-tokens', 100, '').items.toReversed();
    if (first !== undefined) before.hsm.keys.delete(first.ckaId);
    const harness = await withStore(before, before.store.reopened());
    expect(tidy(harness.app.latestFindings())).toEqual([['missing', 1]]);
    expect(harness.published()).toContain(first?.kid);
  });
});
