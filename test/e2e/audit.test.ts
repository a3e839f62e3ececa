/**
 * The audit log of a real daemon: what is in it, what a full and a broken disk do, and what is left after kills. A disk of
 * its own for the log; the store has another.
 */
import { hash } from 'node:crypto';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseHead } from '../../src/audit/chain.ts';
import type { AuditEntry, EntryKind } from '../../src/audit/entries.ts';
import { crashAgainAndAgain } from '../../scripts/audit/crash.ts';
import { readAuditFiles } from '../fixtures/audit-files.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { runCli } from '../cli/run-cli.ts';
import { mountSmallDisk, NO_SMALL_DISK, type SmallDisk } from '../fixtures/small-disk.ts';

const NAME = 'access-tokens';
const claims = { iss: ISSUER, aud: AUDIENCE };

function ofKind<K extends EntryKind>(directory: string, kind: K): (AuditEntry & { readonly kind: K })[] {
  return readAuditFiles(directory).entries.filter(
    (entry): entry is AuditEntry & { readonly kind: K } => entry.kind === kind,
  );
}

async function reasonOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'OK',
    (thrown: unknown) => (thrown instanceof Error && 'reason' in thrown ? String(thrown.reason) : String(thrown)),
  );
}

async function valueOf(daemon: DaemonProcess, metric: string): Promise<string | undefined> {
  const { metricsUrl } = JSON.parse(
    daemon
      .log()
      .split('\n')
      .find((line) => line.includes('"keyturn is listening"')) ?? '{}',
  ) as { metricsUrl: string };
  const text = await (await fetch(`${metricsUrl}/metrics`)).text();
  return text.split('\n').find((line) => line.startsWith(metric));
}

describe.skipIf(NO_SMALL_DISK !== undefined)('the audit log', () => {
  let disk: SmallDisk;
  let deployment: Deployment;
  let daemon: DaemonProcess;
  let directory: string;

  beforeAll(async () => {
    disk = mountSmallDisk(4);
    directory = join(disk.dir, 'audit');
    deployment = await makeDeployment({
      signingKeys: [NAME],
      config: { audit: { directory, checkpointPeriod: '1s' }, metrics: { address: '127.0.0.1:0' } },
    });
    daemon = await startDaemonProcess(deployment);
    await daemon.admin.applySigningKey({ name: NAME, algorithm: 'ES256', reason: 'first key' });
  });
  afterAll(async () => {
    await daemon.stop();
    await deployment.dispose();
    disk.dispose();
  });

  const sign = () => daemon.clientOf('auth-service').signJwt({ signingKey: NAME, claims });

  it('has commands, refusals, events, JWTs and the access policy, each as it was', async () => {
    const { jwt, kid } = await sign();
    expect(await reasonOf(daemon.clientOf('other-service').signJwt({ signingKey: NAME, claims }))).toBe(
      'SIGNING_KEY_NOT_PERMITTED',
    );
    expect(await reasonOf(daemon.clientOf('auditor').rotate({ signingKey: NAME }))).toBe('METHOD_NOT_PERMITTED');
    const sha256 = hash('sha256', jwt.slice(0, jwt.lastIndexOf('.')), 'base64url');
    expect(ofKind(directory, 'JWT_DISPATCHED').at(-1)).toMatchObject({ caller: 'auth-service', kid, sha256 });
    expect(ofKind(directory, 'CALL')[0]).toMatchObject({
      caller: 'admin',
      method: '/keyturn.v1.KeyAdminService/ApplySigningKey',
      signingKey: NAME,
      comment: 'first key',
      outcome: 'OK',
    });
    expect(ofKind(directory, 'ACCESS_POLICY_LOADED')).toHaveLength(1);
    expect(ofKind(directory, 'EVENT').map(({ type }) => type)).toEqual(
      expect.arrayContaining(['SIGNING_KEY_CREATED', 'VERSION_MADE', 'VERSION_ACTIVATED']),
    );
    await waitFor('the refusals', () => ofKind(directory, 'REFUSED').length === 2);
  });

  it('is signed by the token, and each checkpoint is in the daemon’s log and its metrics', async () => {
    await waitFor('a checkpoint', () => ofKind(directory, 'CHECKPOINT').length > 0);
    const checkpoint = ofKind(directory, 'CHECKPOINT')[0];
    expect(daemon.log()).toContain(checkpoint?.head);
    const line = await valueOf(daemon, 'keyturn_audit_checkpoint_sequence{');
    const [, digest, seq] = /hash="([^"]+)"} (\d+)/.exec(line ?? '') ?? [];
    const heads = ofKind(directory, 'CHECKPOINT').map(({ head }) => head);
    expect(heads).toContain(`${Number(seq)}:${digest}`);
  });

  it('refuses on a full disk, lets a compromise through, and recovers by itself', async () => {
    disk.fill();
    await waitFor('a refusal', async () => (await reasonOf(sign())) === 'AUDIT_UNAVAILABLE');
    expect(await reasonOf(daemon.admin.applySigningKey({ name: 'other', algorithm: 'ES256' }))).toBe(
      'AUDIT_UNAVAILABLE',
    );
    expect(await valueOf(daemon, 'keyturn_audit_unwritable')).toMatch(/ 1$/);
    const scope = { version: { signingKey: NAME, version: 1 } };
    await daemon.admin.declareCompromised({ scope, reason: 'drill on a full disk' });
    disk.free();
    await waitFor('signatures again', async () => (await reasonOf(sign())) === 'OK');
    expect(ofKind(directory, 'LOG_INTERRUPTED').at(-1)?.refused).toBeGreaterThan(0);
    expect(ofKind(directory, 'EVENT').map(({ type }) => type)).toContain('VERSION_COMPROMISED');
    expect(ofKind(directory, 'CALL').map(({ comment }) => comment)).toContain('drill on a full disk');
  });

  it('refuses when its file is taken away, and recovers when it is back', async () => {
    disk.fill();
    await waitFor('a refusal', async () => (await reasonOf(sign())) === 'AUDIT_UNAVAILABLE');
    renameSync(directory, `${directory}.away`);
    disk.free();
    await waitFor('another try', () => /audit log takes no entries/.test(daemon.log()));
    expect(await reasonOf(sign())).toBe('AUDIT_UNAVAILABLE');
    renameSync(`${directory}.away`, directory);
    await waitFor('signatures again', async () => (await reasonOf(sign())) === 'OK');
  });

  it('can be copied by an auditor, who needs nothing of the daemon’s machine', async () => {
    const copy = join(deployment.dir, 'copy');
    const tls = deployment.tls;
    const address = `127.0.0.1:${daemon.grpcAddress.port}`;
    const as = (caller: string): string[] =>
      [
        ['--address', address, '--ca', tls.ca, '--json'],
        ['--cert', tls.certificateOf(caller), '--key', tls.privateKeyOf(caller)],
      ].flat();
    const run = (command: readonly string[]) => runCli(['audit', ...command], { cwd: deployment.dir });
    expect((await run(['copy', copy, ...as('auditor')])).code).toBe(0);
    await sign();
    const { stdout } = await run(['copy', copy, ...as('auditor')]);
    const { added, head } = JSON.parse(stdout) as { added: number; head: string };
    expect(added).toBeGreaterThan(0);
    expect(readAuditFiles(copy)).toMatchObject({ head });
    const { entries } = readAuditFiles(directory);
    expect(readAuditFiles(copy).entries).toEqual(entries.slice(0, parseHead(head).seq));
    const checkpoint = JSON.parse((await run(['checkpoint', ...as('operator')])).stdout) as { head: string };
    expect(parseHead(checkpoint.head).seq).toBeGreaterThanOrEqual(parseHead(head).seq);
    const refused = await run(['copy', copy, ...as('operator')]);
    expect([refused.code, refused.stderr]).toEqual([77, expect.stringContaining('METHOD_NOT_PERMITTED')]);
  });

  it('ends with a checkpoint when the daemon stops, and goes on from there', async () => {
    await daemon.stop();
    const { entries, head } = readAuditFiles(directory);
    const [stopped, last] = entries.slice(-2);
    expect(stopped?.kind).toBe('LOG_STOPPED');
    expect(last?.kind === 'CHECKPOINT' && parseHead(last.head).seq).toBe(stopped?.seq);
    daemon = await startDaemonProcess(deployment);
    await waitFor('the next start', () => ofKind(directory, 'LOG_STARTED').length === 2);
    expect(readAuditFiles(directory).entries[parseHead(head).seq]?.kind).toBe('LOG_STARTED');
  });
});

describe('kill -9 under load', () => {
  it('leaves every JWT that was received with its entry, in one chain, torn ends noted', {
    timeout: 240_000,
  }, async () => {
    const outcome = await crashAgainAndAgain(3, () => undefined);
    expect(outcome).toMatchObject({ unaccounted: 0, tornEnds: 1, notedEnds: 1 });
    expect(outcome.received).toBeGreaterThan(0);
  });
});
