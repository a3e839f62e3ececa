/** `recover` over fakes: what becomes of each version when the store was restored or lost, and that nothing else does. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { RecoverStoreCommand } from '../../src/app/application.ts';
import { KeyturnError } from '../../src/base/errors.ts';
import { type AppHarness, OPERATOR } from '../fixtures/app-harness.ts';
import { markRestored, NOTICE_MS, refusalOf, running, STEP_MS, withStore } from '../fixtures/doubtful-store.ts';
import { HOUR, MINUTE } from '../fixtures/lifecycle.ts';
import { MemoryStore } from '../fakes/memory-store.ts';

const POLICY_FILE = [
  { name: 'access-tokens', keySet: '', algorithm: 'ES256', rsaBits: 0, lifecyclePolicy: { maxJwtLifetimeMs: HOUR } },
];

const recover = (harness: AppHarness, command: Partial<RecoverStoreCommand> = {}) =>
  harness.app.recover(OPERATOR, {
    signingKeys: [],
    compromisedKids: [],
    keptKids: [],
    longestJwtLifetimeMs: undefined,
    isTokenRestored: false,
    validateOnly: false,
    etag: '',
    reason: 'a test',
    ...command,
  });

const pass = (harness: AppHarness, durationMs = NOTICE_MS) => harness.clock.advanceAsync(durationMs, STEP_MS);

const compromise = (harness: AppHarness, version: number, retain = false) =>
  harness.app.declareCompromised(OPERATOR, {
    scope: { kind: 'version', signingKey: 'access-tokens', version },
    retain,
    validateOnly: false,
    requestId: '',
    reason: 'leaked',
  });

async function fatesOf(planned: ReturnType<typeof recover>): Promise<object> {
  const { versions } = await planned;
  return Object.fromEntries(versions.map(({ version, fate }) => [version, fate]));
}

function kidOf(harness: AppHarness, version: number): string {
  const { items } = harness.app.listKeyVersions('access-tokens', 100, '');
  return items.find((candidate) => candidate.version === version)?.kid ?? '';
}

describe('recover, with a copy of the time before version 1 was declared compromised', () => {
  let kids: readonly string[];

  /** Version 1 signed in the copy; since then 2 took over, and 4 was made. */
  async function restored(retain: boolean): Promise<AppHarness> {
    const before = await running();
    const copy = before.store.reopened();
    const copiedAtMs = before.clock.wallMs();
    await compromise(before, 1, retain);
    await pass(before);
    kids = [1, 2, 3, 4].map((version) => kidOf(before, version));
    return withStore(before, await markRestored(copy, copiedAtMs));
  }

  it('plans it and changes nothing, and does as planned', async () => {
    const harness = await restored(false);
    const commits = harness.store.commitCount;
    const plan = await recover(harness, { validateOnly: true });
    expect(harness.store.commitCount).toBe(commits);
    expect(plan.versions.map(({ kid, fate, recordedState, state }) => [kid, fate, recordedState, state])).toEqual([
      [kids[0], 'withdrawn', 'ACTIVE', 'DESTROYED'],
      [kids[1], 'stays', 'PRE_ACTIVE', 'PRE_ACTIVE'],
      [kids[2], 'stays', 'PRE_ACTIVE', 'PRE_ACTIVE'],
      [kids[3], 'deactivated', undefined, 'DEACTIVATED'],
    ]);
    await recover(harness, { etag: plan.etag });
    await pass(harness);
    expect((await harness.sign()).kid, 'the standby that every verifier knows').toBe(kids[1]);
    expect(harness.published()).toEqual(expect.arrayContaining(kids.slice(1)));
    expect(harness.published()).not.toContain(kids[0]);
    expect(await harness.app.reconcile()).toEqual([]);
    const again = await harness.restart();
    await pass(again);
    expect((await again.sign()).kid).toBe(kids[1]);
  });

  it('goes on with a retained version when nobody says that it was compromised, and withdraws it when somebody does', async () => {
    const harness = await restored(true);
    expect(await fatesOf(recover(harness, { validateOnly: true }))).toMatchObject({ 1: 'stays' });
    await recover(harness, { compromisedKids: [kids[0] ?? ''] });
    await pass(harness);
    expect(harness.stateOf(1)).toBe('COMPROMISED');
    expect((await harness.sign()).kid).toBe(kids[1]);
    expect(harness.published()).not.toContain(kids[0]);
    expect(harness.hsm.keys.size, 'of 2, 3 and a new standby, and not of 1 and 4').toBe(3);
  });

  it('never publishes a version without history that is named as compromised', async () => {
    const harness = await restored(false);
    await recover(harness, { compromisedKids: [kids[3] ?? ''] });
    await pass(harness);
    expect(harness.stateOf(4)).toBe('COMPROMISED');
    expect(harness.published()).not.toContain(kids[3]);
  });

  it('keeps a version published whose private key is gone when it was good, for as long as its JWTs may live', async () => {
    const harness = await restored(false);
    await recover(harness, { keptKids: [kids[0] ?? ''], longestJwtLifetimeMs: 3 * HOUR });
    await pass(harness);
    expect(harness.stateOf(1)).toBe('DEACTIVATED');
    await pass(harness, 3 * HOUR);
    expect(harness.published()).toContain(kids[0]);
    await pass(harness, 10 * MINUTE);
    expect(harness.published()).not.toContain(kids[0]);
  });

  it('lets nothing that matches sign when the token was restored as well', async () => {
    const harness = await restored(false);
    expect(await fatesOf(recover(harness, { isTokenRestored: true, validateOnly: true }))).toEqual({
      1: 'withdrawn',
      2: 'deactivated',
      3: 'deactivated',
      4: 'deactivated',
    });
    await recover(harness, { isTokenRestored: true });
    await pass(harness, 30 * MINUTE);
    expect((await refusalOf(harness.sign())).reason).toBe('NO_ACTIVE_VERSION');
    await pass(harness, HOUR);
    expect(kids).not.toContain((await harness.sign()).kid);
  });

  it.each([
    ['compromised_kids', () => ({ compromisedKids: ['x'.repeat(43)] })],
    ['kept_kids', () => ({ keptKids: [kids[1] ?? ''] })],
    ['reason', () => ({ reason: '' })],
  ])('is refused for a slip in %s', async (field, slip) => {
    const harness = await restored(false);
    const refusal = await refusalOf(recover(harness, slip()));
    expect([refusal.reason, refusal.details.field]).toEqual(['FIELD_INVALID', field]);
    expect(harness.published()).toEqual([]);
  });

  it('is refused when the plan is not the one that was looked at', async () => {
    const harness = await restored(false);
    const { etag } = await recover(harness, { validateOnly: true });
    const refusal = await refusalOf(recover(harness, { etag, compromisedKids: [kids[1] ?? ''] }));
    expect(refusal.reason).toBe('ETAG_MISMATCH');
  });

  it('is done or not done: a commit that fails leaves everything fenced', async () => {
    const harness = await restored(false);
    harness.store.failNextCommits(1, new KeyturnError('STORE_UNAVAILABLE', 'the disk is full (planted)'));
    expect((await refusalOf(recover(harness))).reason).toBe('STORE_UNAVAILABLE');
    expect((await refusalOf(harness.sign())).reason).toBe('SIGNING_KEY_FENCED');
    expect(harness.published()).toEqual([]);
    await recover(harness);
    await pass(harness);
    await harness.sign();
  });
});

it('begins the quiet time of a suspended version anew, also for a daemon that counted before', async () => {
  const before = await running();
  await before.rotate();
  await pass(before, 30 * MINUTE);
  const copy = before.store.reopened();
  const harness = await withStore(before, await markRestored(copy, before.clock.wallMs()));
  await recover(harness);
  await pass(harness, 40 * MINUTE);
  expect(harness.stateOf(1), 'it may have been ACTIVE in between').toBe('SUSPENDED');
  await pass(harness, 25 * MINUTE);
  expect(harness.stateOf(1)).not.toBe('SUSPENDED');
});

describe('recover, without a store', () => {
  let harness: AppHarness;
  let kids: readonly string[];

  beforeEach(async () => {
    const before = await running();
    kids = before.published();
    harness = await withStore(before, new MemoryStore());
  });

  it('wants the policy of what it finds', async () => {
    const refusal = await refusalOf(recover(harness, { validateOnly: true }));
    expect([refusal.reason, refusal.message]).toEqual(['FIELD_INVALID', expect.stringContaining('--policy')]);
  });

  it('publishes what verifiers may need, and signs with fresh versions when they are propagated', async () => {
    const { signingKeys, versions } = await recover(harness, { signingKeys: POLICY_FILE });
    expect(versions.map(({ kid, fate, state }) => [kid, fate, state])).toEqual(
      kids.map((kid) => [kid, 'deactivated', 'DEACTIVATED']),
    );
    expect(signingKeys).toMatchObject([{ name: 'access-tokens', isCreated: true, activeVersion: undefined }]);
    await pass(harness);
    expect(harness.published()).toEqual(expect.arrayContaining([...kids]));
    expect(harness.published()).toHaveLength(6);
    expect((await refusalOf(harness.sign())).reason).toBe('NO_ACTIVE_VERSION');
    expect(harness.hsm.keys.size, 'private keys without history are destroyed').toBe(3);
    await pass(harness, HOUR);
    expect(kids).not.toContain((await harness.sign()).kid);
    await pass(harness, 10 * MINUTE);
    expect(harness.published().filter((kid) => kids.includes(kid))).toEqual([]);
    expect(harness.app.getSigningKey('access-tokens')).toMatchObject({ propagatedStandbys: 2, lastProblem: '' });
  });

  it('gives a new signing key in the key set no first generation either', async () => {
    await recover(harness, { signingKeys: POLICY_FILE });
    await harness.apply('other-tokens');
    expect((await refusalOf(harness.sign('other-tokens'))).reason).toBe('NO_ACTIVE_VERSION');
  });

  it('publishes nothing that was named as compromised, and an empty key set when that was everything', async () => {
    await recover(harness, { signingKeys: POLICY_FILE, compromisedKids: kids });
    expect(harness.published()).toEqual([]);
    expect(harness.app.isKeySetWithheld('default')).toBe(false);
    await pass(harness);
    expect(harness.hsm.keys.size).toBe(3);
    expect(harness.published()).toHaveLength(3);
    expect((await refusalOf(harness.sign())).reason).toBe('NO_ACTIVE_VERSION');
  });

  it('leaves alone what is not proven to be a key of ours, for good', async () => {
    const [planted] = harness.hsm.keys.keys();
    if (planted !== undefined) harness.hsm.unproven.add(planted);
    const { versions } = await recover(harness, { signingKeys: POLICY_FILE });
    expect(versions.filter(({ fate }) => fate === 'ignored')).toMatchObject([{ ckaId: planted, isPublished: false }]);
    await pass(harness);
    expect(harness.published()).not.toContain(kids[0]);
    expect([...harness.hsm.keys.keys()]).toContain(planted);
    const again = await harness.restart();
    await pass(again, HOUR + MINUTE);
    await again.sign();
  });
});

it('is refused when there is nothing to recover', async () => {
  const harness = await running();
  expect((await refusalOf(recover(harness))).reason).toBe('COMMAND_NOT_POSSIBLE');
});
