/** Two-person control on the real daemon: every way around the second officer is tried, over gRPC and over a crash. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import type { CommandToPropose, KeyturnClient, Proposal } from '../../src/client/client.ts';
import { runCli } from '../cli/run-cli.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { type Deployment, makeDeployment } from '../fixtures/deployment.ts';
import { makeOldSigner } from '../fixtures/old-signer.ts';

const HOUR_MS = 3_600_000;
const NAME = 'access-tokens';

let deployment: Deployment;
let daemon: DaemonProcess;
/** The two officers. */
let admin: KeyturnClient;
let officer: KeyturnClient;

function connect(): void {
  admin = daemon.admin;
  officer = daemon.clientOf('security-officer');
}

beforeAll(async () => {
  deployment = await makeDeployment({
    approvals: [
      { methods: ['DeclareCompromised', 'ImportPublicKey', 'ResolveObject', 'Recover'] },
      { methods: ['RemovePublicKey'], expiry: '1s' },
    ],
  });
  daemon = await startDaemonProcess(deployment);
  connect();
  await admin.applySigningKey({ name: NAME, algorithm: 'ES256' });
});
afterAll(async () => {
  await daemon.stop();
  await deployment.dispose();
});

async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof KeyturnError) return thrown.reason;
    throw thrown;
  }
  return 'accepted';
}

const declare = (version: number): CommandToPropose => ({
  declareCompromised: { scope: { version: { signingKey: NAME, version } }, reason: 'dump found' },
});

const approve = (by: KeyturnClient, { id, requestSha256, effectSha256 }: Proposal, more: object = {}) =>
  by.approve({ id, requestSha256, effectSha256, ...more });

const find = async (id: string): Promise<Proposal | undefined> =>
  (await admin.listProposals()).proposals.find((proposal) => proposal.id === id);

const publishedKids = async (): Promise<unknown[]> => {
  const response = await fetch(`${daemon.httpUrl}/.well-known/jwks.json`);
  return ((await response.json()) as { keys: { kid: unknown }[] }).keys.map(({ kid }) => kid);
};

async function importKey(): Promise<CommandToPropose> {
  const signer = await makeOldSigner();
  const expireTime = new Date(Date.now() + HOUR_MS);
  const proof = await signer.proof();
  return { importPublicKey: { jwk: signer.jwk, proof, expireTime, reason: 'cut-over' } };
}

describe('two-person control', () => {
  it('refuses each of its commands to one officer alone', async () => {
    const { importPublicKey } = (await importKey()) as Extract<CommandToPropose, { importPublicKey: unknown }>;
    const attempts = [
      () => officer.declareCompromised({ scope: { wholeToken: true }, reason: 'dump found' }),
      () => officer.importPublicKey(importPublicKey),
      () => officer.removePublicKey({ kid: 'k', reason: 'over' }),
      () => officer.resolveObject({ ckaId: '0'.repeat(32), action: 'destroy', reason: 'looked at it' }),
      () => officer.recover({ reason: 'the disk died' }),
    ];
    for (const attempt of attempts) expect(await reasonOf(attempt())).toBe('APPROVAL_REQUIRED');
    expect(await publishedKids()).toHaveLength(3);
  });

  it('refuses every shortcut, and then does what two officers agreed on, once', async () => {
    const { proposal } = await admin.propose(declare(1));
    const { proposal: other } = await admin.propose(declare(3));
    const tampered = createHash('sha256').update(proposal.request.replace('"version":1', '"version":2')).digest('hex');
    const shortcuts: readonly [string, () => Promise<unknown>, string][] = [
      ['the same officer twice', () => approve(admin, proposal), 'SECOND_OFFICER_REQUIRED'],
      ['an operator', () => approve(daemon.clientOf('operator'), proposal), 'METHOD_NOT_PERMITTED'],
      ['an auditor', () => approve(daemon.clientOf('auditor'), proposal), 'METHOD_NOT_PERMITTED'],
      ['a changed request', () => approve(officer, proposal, { requestSha256: tampered }), 'PROPOSAL_MISMATCH'],
      ['no digest', () => approve(officer, proposal, { requestSha256: '', effectSha256: '' }), 'PROPOSAL_MISMATCH'],
      [
        "another proposal's effect",
        () => approve(officer, proposal, { effectSha256: other.effectSha256 }),
        'PROPOSAL_MISMATCH',
      ],
      ["another proposal's id", () => approve(officer, proposal, { id: other.id }), 'PROPOSAL_MISMATCH'],
      ['an id that nobody gave', () => approve(officer, proposal, { id: 'x' }), 'PROPOSAL_NOT_FOUND'],
    ];
    for (const [what, attempt, refusal] of shortcuts) expect(await reasonOf(attempt()), what).toBe(refusal);
    expect(await publishedKids()).toHaveLength(3);

    const [, again] = await Promise.all([approve(officer, proposal), reasonOf(approve(officer, proposal))]);
    expect(again, 'two approvals at once').toBe('PROPOSAL_CLOSED');
    expect(await find(proposal.id)).toMatchObject({ state: 'EXECUTED', approvals: [{ caller: 'security-officer' }] });
    expect(await reasonOf(approve(officer, proposal)), 'a replay').toBe('PROPOSAL_CLOSED');
    const { keyVersions } = await admin.listKeyVersions({ signingKey: NAME });
    expect(keyVersions.find(({ version }) => version === 1)?.published).toBe(false);
    expect(await reasonOf(approve(officer, other)), 'version 2 signs by now').toBe('EFFECT_CHANGED');
    await admin.cancelProposal({ id: other.id, reason: 'no longer wanted' });
    expect(await reasonOf(approve(officer, other)), 'a cancelled one').toBe('PROPOSAL_CLOSED');
  });

  it('lets a proposal survive kill -9, and no expired one', async () => {
    const { proposal: importing } = await officer.propose(await importKey());
    await daemon.kill();
    daemon = await startDaemonProcess(deployment);
    connect();
    expect(await find(importing.id)).toMatchObject({ state: 'OPEN', effect: importing.effect });
    expect(await reasonOf(approve(officer, importing)), 'the same officer after a restart').toBe(
      'SECOND_OFFICER_REQUIRED',
    );
    expect((await approve(admin, importing)).proposal.state).toBe('EXECUTED');
    const { importedKeys } = await admin.listPublicKeys();
    const kid = importedKeys[0]?.kid ?? '';
    expect(importedKeys).toMatchObject([{ published: true, caller: 'security-officer' }]);

    const { proposal: removing } = await officer.propose({ removePublicKey: { kid, reason: 'over' } });
    await waitFor('the proposal has expired', async () => (await find(removing.id))?.state === 'EXPIRED');
    expect(await reasonOf(approve(admin, removing))).toBe('PROPOSAL_CLOSED');
    expect(await publishedKids()).toContain(kid);
  });

  it('shows approvers the hash of the access policy, and works from the command line', async () => {
    const cwd = deployment.dir;
    const config = ['--config', deployment.configFile];
    const version = (await admin.getSigningKey({ name: NAME })).signingKey.activeVersion ?? 0;
    const words = ['key', 'declare-compromised', NAME, '--version', String(version), '--reason', 'dump found'];
    const alone = await runCli([...words, '--yes', ...config], { cwd });
    expect([alone.code, alone.stderr]).toEqual([77, expect.stringContaining('--propose')]);
    const proposed = await runCli([...words, '--propose', '--json', ...config], { cwd });
    const { proposal } = JSON.parse(proposed.stdout) as { proposal: Proposal };
    const hash = createHash('sha256')
      .update(await readFile(`${cwd}/access-policy.yaml`))
      .digest('hex');
    expect(proposal.currentAccessPolicySha256).toBe(hash);
    expect((await runCli(['approval', 'list', ...config], { cwd })).stdout).toContain(proposal.id);

    const tls = ['--address', `127.0.0.1:${daemon.grpcAddress.port}`, '--ca', deployment.tls.ca];
    const as = [
      ...tls,
      '--cert',
      deployment.tls.certificateOf('security-officer'),
      '--key',
      deployment.tls.privateKeyOf('security-officer'),
    ];
    const approved = await runCli(['approval', 'approve', proposal.id, '--yes', ...as], { cwd });
    expect([approved.code, approved.stdout]).toEqual([0, 'approved, and executed\n']);
    expect(approved.stderr, 'what was approved is told').toContain(hash);
    const shown = await runCli(['approval', 'show', proposal.id, ...config], { cwd });
    expect(shown.stdout).toContain('by security-officer');
  });

  it('leaves its evidence in the audit log: who proposed, approved and cancelled what', () => {
    const folder = join(deployment.dir, 'audit');
    const entries = readdirSync(folder)
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
      .map((line) => JSON.parse(line) as { kind: string; type?: string; method?: string; outcome?: string });
    const types = new Set(entries.map(({ type }) => type));
    for (const type of ['COMMAND_PROPOSED', 'PROPOSAL_APPROVED', 'PROPOSAL_EXECUTED', 'PROPOSAL_CANCELLED'])
      expect(types).toContain(type);
    expect(entries).toContainEqual(
      expect.objectContaining({ kind: 'CALL', method: expect.stringContaining('Approve'), outcome: 'EFFECT_CHANGED' }),
    );
    expect(entries).toContainEqual(
      expect.objectContaining({ kind: 'CALL', outcome: 'SECOND_OFFICER_REQUIRED', caller: 'admin' }),
    );
  });
});
