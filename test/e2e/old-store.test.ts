/**
 * Store and audit log of a real daemon are held against each other at the start (DESIGN: rule 9, its second half): an old
 * copy of the store that somebody put in place by hand, with a token that can't tell, is unmasked by the log alone.
 */
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JSONWebKeySet } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../cli/run-cli.ts';
import { readAuditFiles } from '../fixtures/audit-files.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';

const NAME = 'access-tokens';

let deployment: Deployment;
let daemon: DaemonProcess;
let auditDir: string;

beforeEach(async () => {
  deployment = await makeDeployment({ maxLifetime: '10s' });
  auditDir = join(deployment.dir, 'audit');
  daemon = await startDaemonProcess(deployment);
  const lifecyclePolicy = { signingPeriodMs: 3_600_000, maxJwtLifetimeMs: 3_000, rollbackWindowMs: 0 };
  await daemon.admin.applySigningKey({ name: NAME, algorithm: 'ES256', lifecyclePolicy });
  await waitFor('two standbys that verifiers know', async () => {
    return (await daemon.admin.getSigningKey({ name: NAME })).signingKey.propagatedStandbys === 2;
  });
});
afterEach(async () => {
  await daemon.stop();
  await deployment.dispose();
});

const sign = () => daemon.admin.signJwt({ signingKey: NAME, claims: { iss: ISSUER, aud: AUDIENCE } });

async function reasonOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'OK',
    (thrown: unknown) => (thrown instanceof Error && 'reason' in thrown ? String(thrown.reason) : String(thrown)),
  );
}

async function publishedKids(): Promise<{ readonly status: number; readonly kids: readonly unknown[] }> {
  const response = await fetch(`${daemon.httpUrl}/.well-known/jwks.json`);
  const { keys = [] } = (await response.json()) as Partial<JSONWebKeySet>;
  return { status: response.status, kids: keys.map(({ kid }) => kid) };
}

async function start(): Promise<void> {
  daemon = await startDaemonProcess(deployment);
  await waitFor('store and token to be compared', async () => (await reasonOf(sign())) !== 'TOKEN_UNAVAILABLE');
}

/** The database with its write-ahead log and its reserve, as a snapshot of the disk would have them. */
function copyStore(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const file of readdirSync(from).filter((name) => name.startsWith('keyturn.db')))
    cpSync(join(from, file), join(to, file));
}

function putBack(copy: string): void {
  for (const file of readdirSync(deployment.dir).filter((name) => name.startsWith('keyturn.db')))
    rmSync(join(deployment.dir, file));
  copyStore(copy, deployment.dir);
}

/** An officer halts the signing while somebody looks into it. No key is made for that: the token looks as before. */
async function haltAfterCopy(): Promise<{ readonly kid: string; readonly copy: string }> {
  const { kid } = await sign();
  await daemon.stop();
  const copy = join(deployment.dir, 'old-copy');
  copyStore(deployment.dir, copy);
  await start();
  await daemon.admin.suspend({ signingKey: NAME, halt: true, reason: 'was its private key seen outside?' });
  expect(await reasonOf(sign())).toBe('NO_ACTIVE_VERSION');
  return { kid, copy };
}

async function verifyLog(): Promise<unknown> {
  const cwd = deployment.dir;
  writeFileSync(join(cwd, 'audit.jwk'), (await runCli(['audit', 'key', auditDir], { cwd })).stdout);
  const { stdout } = await runCli(['audit', 'verify', auditDir, '--key', 'audit.jwk', '--json'], { cwd });
  return JSON.parse(stdout);
}

const eventTypes = (): readonly string[] =>
  readAuditFiles(auditDir).entries.flatMap((entry) => (entry.kind === 'EVENT' ? [entry.type] : []));

describe('an old copy of the store, put in place by hand', () => {
  for (const ending of ['stopped in order', 'killed'] as const)
    it(`is fenced by the audit log of a daemon that was ${ending}; recover leads out`, async () => {
      const { kid, copy } = await haltAfterCopy();
      await (ending === 'killed' ? daemon.kill() : daemon.stop());
      putBack(copy);
      await start();
      expect(await reasonOf(sign())).toBe('SIGNING_KEY_FENCED');
      expect(await reasonOf(daemon.admin.rotate({ signingKey: NAME }))).toBe('SIGNING_KEY_FENCED');
      expect(await publishedKids()).toMatchObject({ status: 503, kids: [] });
      expect(daemon.log()).toContain('the store is older than the audit log');
      expect(eventTypes()).toContain('STORE_FOUND_OLD');

      // It isn't forgotten over a restart, though store and log count the same by now.
      await daemon.kill();
      await start();
      expect(await reasonOf(sign())).toBe('SIGNING_KEY_FENCED');

      const words = ['recover', '--config', deployment.configFile, '--yes', '--reason', 'somebody put a copy back'];
      const recovered = await runCli([...words, '--compromised', kid], { cwd: deployment.dir });
      expect(recovered.code, recovered.stderr).toBe(0);
      await waitFor('signatures', async () => (await reasonOf(sign())) === 'OK');
      expect((await sign()).kid).not.toBe(kid);
      expect((await publishedKids()).kids).not.toContain(kid);
      await daemon.stop();
      expect(await verifyLog()).toMatchObject({ verified: true });
      await start();
      expect(await reasonOf(sign())).toBe('OK');
      expect(eventTypes().filter((type) => type === 'STORE_FOUND_OLD')).toHaveLength(1);
    });

  it('would sign again, were it not for the log', async () => {
    const { kid, copy } = await haltAfterCopy();
    await daemon.stop();
    putBack(copy);
    rmSync(auditDir, { recursive: true });
    await start();
    await waitFor('signatures', async () => (await reasonOf(sign())) === 'OK');
    expect((await sign()).kid).toBe(kid);
  });
});

describe('an old copy of the audit log, put in place by hand', () => {
  it('fences nothing, and says so in its first entry', async () => {
    await daemon.stop();
    cpSync(auditDir, join(deployment.dir, 'old-audit'), { recursive: true });
    await start();
    await daemon.admin.rotate({ signingKey: NAME });
    await daemon.stop();
    const { head } = readAuditFiles(auditDir);
    rmSync(auditDir, { recursive: true });
    cpSync(join(deployment.dir, 'old-audit'), auditDir, { recursive: true });
    chmodSync(auditDir, 0o700);
    const { head: found } = readAuditFiles(auditDir);
    await start();
    expect(await reasonOf(sign())).toBe('OK');
    const { entries } = readAuditFiles(auditDir);
    const missing = entries.filter(({ kind }) => kind === 'HISTORY_MISSING');
    expect(missing).toEqual([expect.objectContaining({ expected: head, found })]);
    // What the store has and the old log doesn't is there again.
    const late = entries.flatMap((entry) => (entry.kind === 'EVENT' && entry.late === true ? [entry.type] : []));
    expect(late).toContain('VERSION_ACTIVATED');
  });
});
