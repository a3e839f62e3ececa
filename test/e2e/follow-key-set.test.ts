/** `keyturn jwks export --follow`: a file that follows a real daemon's key set, over the daemon's outages, until it is told to stop. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { builtFile } from '../fixtures/built.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { type Deployment, makeDeployment } from '../fixtures/deployment.ts';

let deployment: Deployment;
let daemon: DaemonProcess;
let follower: ChildProcess;
let file: string;
let said = '';

beforeAll(async () => {
  deployment = await makeDeployment();
  file = join(deployment.dir, 'jwks.json');
});

afterAll(async () => {
  follower.kill('SIGKILL');
  await daemon.stop();
  await deployment.dispose();
});

function startFollower(...options: readonly string[]): ChildProcess {
  const words = ['jwks', 'export', '--follow', '--output', file, '--socket', deployment.adminSocket, ...options];
  said = '';
  const child = spawn(process.execPath, [builtFile('cli.js'), ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return child;
}

async function isAsOverHttp(): Promise<boolean> {
  const response = await fetch(`${daemon.httpUrl}/.well-known/jwks.json`);
  return response.ok && existsSync(file) && readFileSync(file).equals(Buffer.from(await response.arrayBuffer()));
}

it('waits for a daemon that is not there yet, and for the first generation', async () => {
  follower = startFollower();
  await waitFor('an attempt', () => said.includes('next attempt in 1 s'));
  expect(said).toContain('the file stays as it is');
  daemon = await startDaemonProcess(deployment);
  await daemon.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
  await waitFor('the file', isAsOverHttp);
  expect(statSync(file).mode & 0o777).toBe(0o644);
});

it('writes each change, whole', async () => {
  const before = readFileSync(file);
  await daemon.admin.rotate({ signingKey: 'access-tokens' });
  await waitFor('another generation', async () => !readFileSync(file).equals(before) && (await isAsOverHttp()));
  const { ino } = statSync(file);
  await daemon.admin.declareCompromised({
    scope: { version: { signingKey: 'access-tokens', version: 1 } },
    reason: 'drill',
  });
  await waitFor('the compromise', isAsOverHttp);
  expect(statSync(file).ino, 'another file took its place').not.toBe(ino);
  expect(readdirSync(deployment.dir).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

it('leaves the file as it is while the daemon is gone, and goes on when it is back', async () => {
  await waitFor('the file', isAsOverHttp);
  const before = readFileSync(file);
  await daemon.stop();
  await waitFor('the news', () => said.includes('SHUTTING_DOWN'));
  expect(readFileSync(file)).toEqual(before);
  daemon = await startDaemonProcess(deployment);
  await daemon.admin.applySigningKey({ name: 'other-tokens', algorithm: 'ES256' });
  await waitFor('the file', async () => !readFileSync(file).equals(before) && (await isAsOverHttp()), 30_000);
});

it.each(['SIGTERM', 'SIGINT'] as const)('ends on %s with 0', async (signal) => {
  if (follower.exitCode !== null) {
    follower = startFollower();
    await waitFor('the file', () => said.includes('wrote generation'));
  }
  follower.kill(signal);
  expect((await once(follower, 'close'))[0]).toBe(0);
  expect(said).toContain(`interrupted; ${file} stays as it is`);
});

it('ends when the daemon refuses it', async () => {
  follower = startFollower('--key-set', 'nowhere');
  expect((await once(follower, 'close'))[0]).toBe(1);
  expect(said).toContain('there is no key set nowhere; ');
});
