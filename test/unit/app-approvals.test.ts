/** Two-person control over the use cases: what waits has no effect, and what is approved has exactly the effect that was shown. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AccessPolicy } from '../../src/access/policy.ts';
import type { ProposalView, ProposedCommand } from '../../src/app/proposals.ts';
import { parseCallerName } from '../../src/base/ids.ts';
import { parseAccessPolicy } from '../../src/config/access-policy-document.ts';
import { type AppHarness, type HarnessOptions, startApp } from '../fixtures/app-harness.ts';
import { markRestored, NOTICE_MS, refusalOf, STEP_MS } from '../fixtures/doubtful-store.ts';
import { DAY, HOUR, KEY_SET, MINUTE } from '../fixtures/lifecycle.ts';
import { makeOldSigner } from '../fixtures/old-signer.ts';

const ALICE = parseCallerName('alice');
const BOB = parseCallerName('bob');
const CAROL = parseCallerName('carol');
const KEY = 'access-tokens';
const ALL_METHODS = 'DeclareCompromised, ImportPublicKey, RemovePublicKey, ResolveObject, Recover';

function policy(methods: string, officers: readonly string[] = ['alice', 'bob', 'carol'], needed = 2): AccessPolicy {
  const claims = '{ iss: ["https://issuer.example"], aud: ["https://api.example"], maxLifetime: 1h }';
  return parseAccessPolicy(`
version: 1
callers:
  auth-service: { identities: ["dns:auth-service.example"] }
  ${['alice', 'bob', 'carol'].map((name) => `${name}: { identities: ["dns:${name}.example"] }`).join('\n  ')}
grants:
  - { role: signer, callers: [auth-service], signingKeys: [${KEY}], claims: ${claims} }
  - { role: securityOfficer, callers: [${officers.join(', ')}] }
approvals: [${methods === '' ? '' : `{ methods: [${methods}], officers: ${needed}, expiry: 1d }`}]
`);
}

async function running(options: HarnessOptions = {}): Promise<AppHarness> {
  const harness = await startApp({ accessPolicy: () => policy(ALL_METHODS), ...options });
  await harness.apply();
  return harness;
}

const compromise = (version = 1): ProposedCommand => ({
  method: 'DeclareCompromised',
  command: { scope: { kind: 'version', signingKey: KEY, version }, retain: false, reason: 'dump found' },
});

const approve = ({ app }: AppHarness, by: typeof ALICE, proposal: ProposalView): Promise<ProposalView> => {
  const { id, requestSha256, effectSha256 } = proposal;
  return app.approveProposal(by, { id, requestSha256, effectSha256, reason: 'seen' });
};

const find = ({ app }: AppHarness, id: string): ProposalView | undefined =>
  app.listProposals(0, '').items.find((proposal) => proposal.id === id);

async function importOf(harness: AppHarness, keySet = ''): Promise<ProposedCommand> {
  const signer = await makeOldSigner({ now: () => harness.clock.wallMs() });
  const command = {
    keySet,
    jwk: JSON.stringify(signer.jwk),
    proof: await signer.proof(),
    expiresAtMs: harness.clock.wallMs() + 2 * DAY,
    reason: 'cut-over',
  };
  return { method: 'ImportPublicKey', command };
}

describe('a command that the access policy puts under two-person control', () => {
  const ckaId = '0'.repeat(32);
  it.each<[string, (harness: AppHarness) => Promise<unknown>]>([
    [
      'DeclareCompromised',
      ({ app }) => {
        const { command } = compromise() as Extract<ProposedCommand, { method: 'DeclareCompromised' }>;
        return app.declareCompromised(ALICE, { ...command, validateOnly: false, requestId: '' });
      },
    ],
    [
      'ImportPublicKey',
      async (harness) => {
        const { command } = (await importOf(harness)) as Extract<ProposedCommand, { method: 'ImportPublicKey' }>;
        const jwk = Buffer.from(command.jwk);
        return harness.app.importPublicKey(ALICE, { ...command, jwk, validateOnly: false });
      },
    ],
    [
      'RemovePublicKey',
      ({ app }) => {
        const command = { keySet: '', kid: 'k', compromised: false, validateOnly: false, reason: 'over' };
        return app.removePublicKey(ALICE, command);
      },
    ],
    ['ResolveObject', ({ app }) => app.resolveObject(ALICE, { ckaId, action: 'ignore', reason: 'known' })],
    [
      'Recover',
      ({ app }) =>
        app.recover(ALICE, {
          signingKeys: [],
          compromisedKids: [],
          keptKids: [],
          longestJwtLifetimeMs: undefined,
          isTokenRestored: false,
          validateOnly: false,
          etag: '',
          reason: 'why',
        }),
    ],
  ])('%s is refused when one officer asks for it, and has no effect', async (method, ask) => {
    const harness = await running();
    const commits = harness.store.commitCount;
    expect(await refusalOf(ask(harness))).toMatchObject({
      reason: 'APPROVAL_REQUIRED',
      details: { subject: method },
    });
    expect(harness.store.commitCount).toBe(commits);
    expect(harness.published()).toHaveLength(3);
  });

  it('may be previewed by one, and is free when the access policy leaves it out', async () => {
    const harness = await running();
    const preview = {
      scope: { kind: 'token' },
      retain: false,
      validateOnly: true,
      reason: 'x',
      requestId: '',
    } as const;
    expect(await harness.app.declareCompromised(ALICE, preview)).toHaveLength(1);
    const free = await running({ accessPolicy: () => policy('ImportPublicKey') });
    await free.app.declareCompromised(ALICE, { ...preview, validateOnly: false });
    expect(free.published()).toEqual([]);
  });

  it('tells its effect, waits, and has exactly this effect when a second officer approves', async () => {
    const harness = await running();
    const proposal = await harness.app.proposeCommand(ALICE, compromise());
    expect(proposal).toMatchObject({ state: 'open', method: 'DeclareCompromised', officers: 2, proposer: ALICE });
    expect(proposal.effect).toEqual([
      `signing key ${KEY}: version 1 is withdrawn for good, its private key destroyed`,
      `signing key ${KEY}: version 2 signs afterwards`,
    ]);
    expect(createHash('sha256').update(proposal.request).digest('hex')).toBe(proposal.requestSha256);
    expect(createHash('sha256').update(proposal.effect.join('\n')).digest('hex')).toBe(proposal.effectSha256);
    expect(proposal.currentAccessPolicyHash).toBe(policy(ALL_METHODS).documentHash);
    expect(harness.stateOf(1)).toBe('ACTIVE');
    expect(harness.app.openProposals()).toBe(1);

    expect(await approve(harness, BOB, proposal)).toMatchObject({
      state: 'executed',
      approvals: [{ caller: BOB, reason: 'seen', accessPolicyHash: proposal.currentAccessPolicyHash }],
    });
    expect(harness.stateOf(1)).toBe('COMPROMISED');
    expect(harness.stateOf(2)).toBe('ACTIVE');
    expect(harness.app.openProposals()).toBe(0);
    const again = await harness.restart();
    expect(find(again, proposal.id)).toMatchObject({ state: 'executed' });
    expect((await refusalOf(approve(again, CAROL, proposal))).reason).toBe('PROPOSAL_CLOSED');
  });

  it('is refused when its effect changed meanwhile, and nothing happens', async () => {
    const harness = await running();
    const proposal = await harness.app.proposeCommand(ALICE, compromise(2));
    await harness.rotate();
    const refusal = await refusalOf(approve(harness, BOB, proposal));
    expect(refusal.reason).toBe('EFFECT_CHANGED');
    expect(refusal.message).toContain(`no longer "signing key ${KEY}: version 1 signs afterwards"`);
    expect(refusal.message).toContain(`now "signing key ${KEY}: version 3 signs afterwards"`);
    expect(harness.stateOf(2)).toBe('ACTIVE');
    expect(find(harness, proposal.id)).toMatchObject({ state: 'open', approvals: [] });
  });

  it('is refused when its effect changes in the very moment of its approval', async () => {
    const harness = await running();
    const proposal = await harness.app.proposeCommand(ALICE, compromise(2));
    const release = harness.store.holdCommits();
    const rotating = harness.rotate();
    await harness.clock.advanceAsync(STEP_MS);
    const refused = refusalOf(approve(harness, BOB, proposal));
    release();
    await rotating;
    expect((await refused).reason).toBe('EFFECT_CHANGED');
    expect(harness.stateOf(2)).toBe('ACTIVE');
    expect(find(harness, proposal.id)).toMatchObject({
      state: 'failed',
      remark: expect.stringContaining('EFFECT_CHANGED'),
    });
  });

  it('expires, also over a restart, and however the clock is set', async () => {
    const harness = await running();
    const proposal = await harness.app.proposeCommand(ALICE, compromise());
    await harness.clock.advanceAsync(DAY - MINUTE, HOUR);
    const restarted = await harness.restart();
    await restarted.clock.advanceAsync(NOTICE_MS, STEP_MS);
    expect(find(restarted, proposal.id)).toMatchObject({ state: 'open' });
    await restarted.clock.advanceAsync(MINUTE, STEP_MS);
    expect(find(restarted, proposal.id)).toMatchObject({ state: 'expired' });
    restarted.clock.stepWall(-HOUR);
    expect((await refusalOf(approve(restarted, BOB, proposal))).reason).toBe('CLOCK_UNTRUSTED');
    restarted.clock.stepWall(HOUR);
    expect((await refusalOf(approve(restarted, BOB, proposal))).reason).toBe('PROPOSAL_CLOSED');
  });

  it('of this run of the daemon can be approved though the clock is not believed: a compromise must not wait', async () => {
    const harness = await running();
    harness.clock.stepWall(HOUR);
    const proposal = await harness.app.proposeCommand(ALICE, compromise());
    expect(await approve(harness, BOB, proposal)).toMatchObject({ state: 'executed' });
  });

  it('is executed on a full disk when it takes power from a key', async () => {
    const harness = await running();
    harness.store.fillDisk();
    const proposal = await harness.app.proposeCommand(ALICE, compromise());
    await approve(harness, BOB, proposal);
    expect((await harness.restart()).stateOf(1)).toBe('COMPROMISED');
    expect(
      (await refusalOf(importOf(harness).then((command) => harness.app.proposeCommand(ALICE, command)))).reason,
    ).toBe('STORE_UNAVAILABLE');
  });

  it('is executed at most once: an approval that is not durable executes nothing', async () => {
    const harness = await running();
    const proposal = await harness.app.proposeCommand(ALICE, compromise());
    harness.store.failNextCommits();
    expect((await refusalOf(approve(harness, BOB, proposal))).reason).toBe('STORE_UNAVAILABLE');
    expect(harness.stateOf(1)).toBe('ACTIVE');
    expect(await approve(harness, BOB, proposal)).toMatchObject({ state: 'executed' });
  });

  it('says that nobody knows what came of it when the daemon stopped meanwhile, and is not tried again', async () => {
    const harness = await running();
    const proposal = await harness.app.proposeCommand(ALICE, compromise());
    let commits = 0;
    const commit = harness.store.commit.bind(harness.store);
    // The approval becomes durable; of what follows, nothing does.
    harness.store.commit = (...how) => {
      commits += 1;
      return commits === 1 ? commit(...how) : new Promise(() => undefined);
    };
    void approve(harness, BOB, proposal);
    await harness.clock.advanceAsync(MINUTE, STEP_MS);
    const restarted = await harness.restart();
    expect(find(restarted, proposal.id)).toMatchObject({ state: 'unknown', approvals: [{ caller: BOB }] });
    expect((await refusalOf(approve(restarted, CAROL, proposal))).reason).toBe('PROPOSAL_CLOSED');
    expect(restarted.stateOf(1)).toBe('ACTIVE');
  });

  it('is over when its proposer loses the role, under the access policy in force then', async () => {
    let inForce = policy(ALL_METHODS);
    const harness = await running({ accessPolicy: () => inForce });
    const proposal = await harness.app.proposeCommand(ALICE, compromise());
    inForce = policy(ALL_METHODS, ['bob', 'carol']);
    expect((await refusalOf(approve(harness, BOB, proposal))).message).toContain('no security officer any more');
    expect(find(harness, proposal.id)?.currentAccessPolicyHash).not.toBe(proposal.accessPolicyHash);
  });
});

describe('what is proposed', () => {
  it('is an import whose proof was fresh then, and is published when it is approved hours later', async () => {
    const harness = await running();
    const proposal = await harness.app.proposeCommand(ALICE, await importOf(harness));
    await harness.clock.advanceAsync(5 * HOUR, HOUR);
    await approve(harness, BOB, proposal);
    expect(harness.published()).toHaveLength(4);
    expect(harness.app.listPublicKeys('', 0, '').items).toMatchObject([{ caller: ALICE, reason: 'cut-over' }]);

    const removal = { keySet: '', kid: harness.published().at(-1) ?? '', compromised: true, reason: 'stolen' };
    const removing = await harness.app.proposeCommand(BOB, { method: 'RemovePublicKey', command: removal });
    expect(removing.effect[0]).toContain('leaves for good, and is recorded as compromised');
    await approve(harness, ALICE, removing);
    expect(harness.published()).toHaveLength(3);
  });

  it('is refused as it would be by itself: an old proof, an unknown key set, no reason', async () => {
    const harness = await running();
    const old = await importOf(harness);
    await harness.clock.advanceAsync(HOUR, MINUTE);
    expect((await refusalOf(harness.app.proposeCommand(ALICE, old))).reason).toBe('PROOF_INVALID');
    const elsewhere = await importOf(harness, 'b2b');
    expect((await refusalOf(harness.app.proposeCommand(ALICE, elsewhere))).reason).toBe('KEY_SET_NOT_FOUND');
    const mute = { ...compromise(), command: { ...compromise().command, reason: ' ' } } as ProposedCommand;
    expect((await refusalOf(harness.app.proposeCommand(ALICE, mute))).reason).toBe('FIELD_INVALID');
    expect(harness.app.listProposals(0, '').items).toEqual([]);
  });

  it('is an object of the token to be resolved, and a store to be recovered', async () => {
    const older = await running();
    await older.clock.advanceAsync(NOTICE_MS, STEP_MS);
    const backup = older.store.reopened();
    await older.rotate();
    await older.clock.advanceAsync(NOTICE_MS, STEP_MS);
    void older.app.stop();
    const shared = { accessPolicy: () => policy(ALL_METHODS), clock: older.clock, hsm: older.hsm };
    const before = await startApp({ ...shared, store: backup });
    await before.clock.advanceAsync(NOTICE_MS, STEP_MS);
    const [orphan] = await before.app.reconcile();
    const ckaId = orphan?.ckaId ?? '';
    const resolution = await before.app.proposeCommand(ALICE, {
      method: 'ResolveObject',
      command: { ckaId, action: 'destroy', reason: 'looked at it' },
    });
    expect(resolution.effect).toEqual([expect.stringContaining(`the object ${ckaId}`)]);
    await approve(before, BOB, resolution);
    expect(before.app.latestFindings()).toEqual([]);

    const waiting = await before.app.proposeCommand(ALICE, compromise());
    const store = await markRestored(before.store.reopened(), before.clock.wallMs());
    void before.app.stop();
    const harness = await startApp({ ...shared, store });
    await harness.clock.advanceAsync(NOTICE_MS, STEP_MS);
    expect((await refusalOf(approve(harness, BOB, waiting))).message, 'the copy may be old').toContain('restored');
    await harness.clock.advanceAsync(2 * HOUR, MINUTE);
    const recovery = await harness.app.proposeCommand(ALICE, {
      method: 'Recover',
      command: {
        signingKeys: [],
        compromisedKids: [],
        keptKids: [],
        longestJwtLifetimeMs: undefined,
        isTokenRestored: false,
        reason: 'the disk died',
      },
    });
    expect(recovery.effect).toContain(`signing key ${KEY}: version 1 signs`);
    expect(harness.app.isKeySetWithheld(KEY_SET)).toBe(true);
    expect(await approve(harness, BOB, recovery)).toMatchObject({ state: 'executed' });
    expect(harness.app.isKeySetWithheld(KEY_SET)).toBe(false);
    expect(find(harness, waiting.id), 'nobody knows whether it was decided').toMatchObject({ state: 'cancelled' });
  });
});
