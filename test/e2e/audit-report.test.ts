/**
 * What an auditor makes of a real daemon's audit log with the commands alone: a rotation, a compromise, a refusal, a restart
 * in order and a kill; on the files as the kill left them, and after the next start.
 */
import { appendFileSync, cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComplianceReport } from '../../src/audit/report/report.ts';
import { type CliResult, runCli } from '../cli/run-cli.ts';
import { readAuditFiles } from '../fixtures/audit-files.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { startSigningLoad } from '../fixtures/signing-load.ts';

const NAME = 'access-tokens';
const LANES = 8;
const HOUR_MS = 3_600_000;
const TORN = '{"seq":99999,"time":"2026-';

let deployment: Deployment;
let daemon: DaemonProcess;
let auditDir: string;
/** Kept by the auditor since the first checkpoint. */
let keyFile: string;
let received = 0;
let fallenKid = '';
const startedMs = Date.now();

async function run(...words: readonly string[]): Promise<CliResult> {
  return runCli(['audit', ...words], { cwd: deployment.dir });
}

async function report(directory: string, head: string): Promise<ComplianceReport> {
  const period = ['--from', new Date(startedMs - HOUR_MS).toISOString()];
  period.push('--to', new Date(Date.now() + HOUR_MS).toISOString());
  const { code, stdout, stderr } = await run(
    'report',
    directory,
    ...period,
    '--key',
    keyFile,
    '--head',
    head,
    '--json',
  );
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as ComplianceReport;
}

async function ready(): Promise<void> {
  await waitFor('two standbys that verifiers know', async () => {
    return (await daemon.admin.getSigningKey({ name: NAME })).signingKey.propagatedStandbys === 2;
  });
}

async function sign(): Promise<string> {
  const { kid } = await daemon.clientOf('auth-service').signJwt({
    signingKey: NAME,
    claims: { iss: ISSUER, aud: AUDIENCE },
  });
  received += 1;
  return kid;
}

beforeAll(async () => {
  deployment = await makeDeployment({ signingKeys: [NAME], config: { audit: { checkpointPeriod: '1s' } } });
  auditDir = join(deployment.dir, 'audit');
  keyFile = join(deployment.dir, 'checkpoints.jwk');
  daemon = await startDaemonProcess(deployment);
  await daemon.admin.applySigningKey({ name: NAME, algorithm: 'ES256', reason: 'CHG-1: first key' });
  await ready();
  await waitFor('a checkpoint', async () => (await run('key', auditDir)).code === 0);
  writeFileSync(keyFile, (await run('key', auditDir)).stdout);
  await sign();
  await daemon.clientOf('operator').rotate({ signingKey: NAME, reason: 'CHG-2: quarterly' });
  fallenKid = await sign();
  await daemon.stop();

  daemon = await startDaemonProcess(deployment);
  await ready();
  await daemon.clientOf('security-officer').declareCompromised({
    scope: { version: { signingKey: NAME, version: 2 } },
    reason: 'INC-7: dump found',
  });
  await daemon
    .clientOf('other-service')
    .signJwt({ signingKey: NAME, claims: { iss: ISSUER, aud: AUDIENCE } })
    .catch(() => undefined);
  await ready();
  const load = startSigningLoad(
    Array.from({ length: LANES }, () => daemon.clientOf('auth-service')),
    NAME,
  );
  await waitFor('JWTs', () => load.jwts.length > 10 * LANES);
  process.kill(daemon.pid, 'SIGKILL');
  await load.stop();
  await daemon.kill();
  received += load.jwts.length;
});
afterAll(async () => {
  await daemon.stop();
  await deployment.dispose();
});

/** What a report of either state of the log must hold. */
function expectHistory({
  coverage,
  turns,
  births,
  endings,
  commands,
  refusals,
  jwts,
  anomalies,
}: ComplianceReport): void {
  expect(coverage).toMatchObject({ isVerified: true, firstSequence: 1, knownThrough: coverage.lastSequence });
  expect(coverage.signedThrough).toBeGreaterThan(0);
  expect(turns).toMatchObject([
    { fromVersion: 1, toVersion: 2, cause: 'rotation', punctuality: 'onTime', caller: 'operator' },
    { fromVersion: 2, toVersion: 3, caller: 'security-officer', reason: 'INC-7: dump found' },
  ]);
  // Each key says of itself that it was born in the token and can't leave it.
  expect(births.length).toBeGreaterThanOrEqual(5);
  expect(births.flatMap(({ doubts }) => doubts)).toEqual([]);
  expect(endings).toContainEqual(
    expect.objectContaining({
      version: 2,
      kid: fallenKid,
      compromised: expect.objectContaining({ caller: 'security-officer', reason: 'INC-7: dump found' }),
    }),
  );
  expect(commands.map(({ caller, reason, outcome }) => `${caller} ${reason} ${outcome}`)).toEqual(
    expect.arrayContaining([
      'admin CHG-1: first key OK',
      'operator CHG-2: quarterly OK',
      'security-officer INC-7: dump found OK',
    ]),
  );
  expect(refusals).toMatchObject([{ caller: 'other-service', reason: 'SIGNING_KEY_NOT_PERMITTED', count: 1 }]);
  // Every JWT that somebody received is counted; some of those under way at the kill may be besides.
  const counted = jwts.reduce((sum, { dispatched, failed }) => sum + dispatched - failed, 0);
  expect(counted).toBeGreaterThanOrEqual(received);
  expect(counted).toBeLessThanOrEqual(received + LANES);
  // No JWT is one of an unknown or a fallen key.
  expect(anomalies.map(({ what }) => what)).toEqual([
    `version 2 of ${NAME} was declared compromised by security-officer: INC-7: dump found`,
  ]);
}

describe('the audit log of a daemon that was killed', () => {
  it('verifies and has the whole history, as the kill left it', async () => {
    const head = (await run('head', auditDir)).stdout.trim();
    const verified = await run('verify', auditDir, '--key', keyFile, '--head', head, '--json');
    expect(verified.code, verified.stderr).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({ verified: true, first: 1, head });
    expectHistory(await report(auditDir, head));
  });

  it('verifies with a last line that broke off, and with nothing else at its end', async () => {
    const head = (await run('head', auditDir)).stdout.trim();
    const copy = join(deployment.dir, 'torn');
    cpSync(auditDir, copy, { recursive: true });
    const last = readdirSync(copy).toSorted().at(-1) ?? '';
    appendFileSync(join(copy, last), TORN);
    const verified = await run('verify', copy, '--key', keyFile, '--head', head, '--json');
    expect(JSON.parse(verified.stdout)).toMatchObject({
      verified: true,
      notes: [`the last line breaks off after ${TORN.length} bytes: nobody was answered for it`],
    });
    appendFileSync(join(copy, last), '"}\n');
    expect((await run('verify', copy, '--key', keyFile, '--head', head)).code).toBe(1);
  });

  it('goes on in one chain, with the crash among its gaps, after the next start', async () => {
    const before = (await run('head', auditDir)).stdout.trim();
    daemon = await startDaemonProcess(deployment);
    await ready();
    await sign();
    await daemon.stop();
    const { head } = readAuditFiles(auditDir);
    // The head from before the start is still that of the same log.
    const heads = `${before},${head}`;
    expect((await run('verify', auditDir, '--key', keyFile, '--head', heads)).code).toBe(0);
    const after = await report(auditDir, heads);
    expectHistory(after);
    const crashes = after.gaps.filter(({ what }) => what.includes('had not stopped in order'));
    expect(crashes).toHaveLength(1);
    // From its files alone, without a daemon, and unchanged by being read.
    expect(readAuditFiles(auditDir).head).toBe(head);
  });
});
