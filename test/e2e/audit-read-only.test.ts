/**
 * The audit log's file system becomes read-only under load, with a real daemon that writes to it: refused or counted, as
 * configured, gone on by itself when it is writable again, and a log that verifies afterwards and tells of the gap.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { runCli } from '../cli/run-cli.ts';
import { readAuditFiles } from '../fixtures/audit-files.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { READ_ONLY_DISKS, type ReadOnlyDisk } from '../fixtures/read-only-disk.ts';
import { type SigningLoad, startSigningLoad } from '../fixtures/signing-load.ts';

const NAME = 'access-tokens';
const LANES = 8;

let disk: ReadOnlyDisk;
let deployment: Deployment;
let daemon: DaemonProcess;
let directory: string;
let load: SigningLoad;

async function start(mount: () => ReadOnlyDisk, onFailure: 'refuse' | 'continue'): Promise<void> {
  disk = mount();
  directory = join(disk.dir, 'audit');
  deployment = await makeDeployment({
    signingKeys: [NAME],
    config: { audit: { directory, onFailure, checkpointPeriod: '1s' }, metrics: { address: '127.0.0.1:0' } },
  });
  daemon = await startDaemonProcess(deployment);
  await daemon.admin.applySigningKey({ name: NAME, algorithm: 'ES256' });
  load = startSigningLoad(
    Array.from({ length: LANES }, () => daemon.clientOf('auth-service')),
    NAME,
  );
  await waitFor('JWTs', () => load.jwts.length > LANES);
}

afterEach(async () => {
  await load.stop();
  await daemon.stop();
  await deployment.dispose();
  disk.dispose();
});

async function metric(name: string): Promise<number> {
  const [, metricsUrl = ''] = /"metricsUrl":"([^"]+)"/.exec(daemon.log()) ?? [];
  const text = await (await fetch(`${metricsUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

async function signOnce(): Promise<string> {
  const claims = { iss: ISSUER, aud: AUDIENCE };
  return daemon
    .clientOf('auth-service')
    .signJwt({ signingKey: NAME, claims })
    .then(
      () => 'OK',
      (thrown: unknown) =>
        thrown instanceof Error && 'reason' in thrown ? `${String(thrown.reason)}: ${thrown.message}` : '',
    );
}

/** With what an auditor has: the files, a key and a head. */
async function verify(): Promise<unknown> {
  const cwd = deployment.dir;
  const key = await runCli(['audit', 'key', directory], { cwd });
  writeFileSync(join(cwd, 'audit.jwk'), key.stdout);
  const head = (await runCli(['audit', 'head', directory], { cwd })).stdout.trim();
  const { stdout } = await runCli(['audit', 'verify', directory, '--key', 'audit.jwk', '--head', head, '--json'], {
    cwd,
  });
  return JSON.parse(stdout);
}

const interruptions = () => readAuditFiles(directory).entries.filter((entry) => entry.kind === 'LOG_INTERRUPTED');

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

for (const { name, mount, problem } of READ_ONLY_DISKS) {
  describe.skipIf(problem !== undefined)(`the audit log on ${name}`, () => {
    it('refuses with the reason, and goes on by itself when it can write', async () => {
      await start(mount, 'refuse');
      await disk.makeReadOnly();
      await waitFor('a refusal', async () => /^AUDIT_UNAVAILABLE: .*(?:read-only|EROFS)/.test(await signOnce()));
      const signedBefore = load.jwts.length;
      expect(await metric('keyturn_audit_unwritable')).toBe(1);
      await waitFor('more refusals', async () => (await metric('keyturn_audit_refused_total')) > LANES);
      expect(load.jwts.length).toBe(signedBefore);

      await disk.makeWritable();
      await waitFor('JWTs again', () => load.jwts.length > signedBefore + LANES);
      await load.stop();
      await waitFor('the end of the alarm', async () => (await metric('keyturn_audit_unwritable')) === 0);
      expect(await metric('keyturn_audit_lost_entries_total')).toBe(0);
      await daemon.stop();
      expect(await verify()).toMatchObject({ verified: true });
      expect(interruptions()).not.toEqual([]);
      expect(sum(interruptions().map(({ lost }) => lost))).toBe(0);
      expect(sum(interruptions().map(({ refused }) => refused))).toBeGreaterThan(LANES);
      // Every JWT that a caller has is in the log.
      const { entries } = readAuditFiles(directory);
      expect(entries.filter(({ kind }) => kind === 'JWT_DISPATCHED').length).toBeGreaterThanOrEqual(load.jwts.length);
    });

    it('with `continue` signs on, counts what has no entry and raises the alarm', async () => {
      await start(mount, 'continue');
      await disk.makeReadOnly();
      await waitFor('the alarm', async () => (await metric('keyturn_audit_unwritable')) === 1);
      const signedBefore = load.jwts.length;
      await waitFor('JWTs without entries', () => load.jwts.length > signedBefore + LANES);
      expect(await metric('keyturn_audit_lost_entries_total')).toBeGreaterThan(0);

      await disk.makeWritable();
      await waitFor('the end of it', async () => (await metric('keyturn_audit_unwritable')) === 0);
      await load.stop();
      expect(load.failures).toEqual([]);
      // Neither one fewer nor one more than the metric says, which is up to a second old.
      const noted = (): number => sum(interruptions().map(({ lost }) => lost));
      await waitFor('every loss noted', async () => (await metric('keyturn_audit_lost_entries_total')) === noted());
      await daemon.stop();
      expect(await verify()).toMatchObject({ verified: true });
      const { entries } = readAuditFiles(directory);
      const dispatched = entries.filter(({ kind }) => kind === 'JWT_DISPATCHED').length;
      expect(dispatched + noted()).toBeGreaterThanOrEqual(load.jwts.length);
    });
  });
}
