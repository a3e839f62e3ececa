/** Readiness tells the truth about a token that hangs or isn't there, and nobody restarts anything for it. */
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { kill } from 'node:process';
import { Client, credentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { type Deployment, makeDeployment } from '../fixtures/deployment.ts';

const HANG_MS = 5_000;
/** The pool looks for what is late 20 times a second, and a loaded machine is later still. */
const SLACK_MS = 500;
const SIGNING_KEY = 'signing-key/access-tokens';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function deploy(token: object): Promise<Deployment> {
  const deployment = await makeDeployment({ config: { token } });
  cleanups.push(() => deployment.dispose());
  return deployment;
}

async function start(deployment: Deployment): Promise<DaemonProcess> {
  const daemon = await startDaemonProcess(deployment);
  cleanups.push(() => daemon.stop());
  return daemon;
}

/** Each status that grpc.health.v1 tells a watcher, with the time at which it came. */
function watchHealth({ adminSocket }: Deployment, service: string): readonly { status: string; atMs: number }[] {
  const { Watch } = loadSync(protoPath, { enums: String, defaults: true })['grpc.health.v1.Health'] as unknown as {
    Watch: {
      path: string;
      requestSerialize: (request: object) => Buffer;
      responseDeserialize: (bytes: Buffer) => { status: string };
    };
  };
  const client = new Client(`unix:${adminSocket}`, credentials.createInsecure());
  const stream = client.makeServerStreamRequest(Watch.path, Watch.requestSerialize, Watch.responseDeserialize, {
    service,
  });
  const seen: { status: string; atMs: number }[] = [];
  stream.on('data', ({ status }: { status: string }) => seen.push({ status, atMs: performance.now() }));
  stream.on('error', () => undefined);
  cleanups.push(() => {
    client.close();
  });
  return seen;
}

describe('readiness', () => {
  it('goes within one canary period of a hang of 5 s, and comes back within one; liveness stays, nothing restarts', async () => {
    const periodMs = 1_000;
    // The workers outlive the hang: nothing is repaired by a new process.
    const deployment = await deploy({ canaryPeriod: `${periodMs}ms`, signTimeout: '20s' });
    const daemon = await start(deployment);
    await daemon.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
    const [ready, live] = [watchHealth(deployment, SIGNING_KEY), watchHealth(deployment, '')];
    await waitFor('the signing key to be ready', () => ready.at(-1)?.status === 'SERVING');
    const before = ready.length;

    const workers = await daemon.workerPids();
    for (const worker of workers) kill(worker, 'SIGSTOP');
    cleanups.push(() => {
      for (const worker of workers) kill(worker, 'SIGCONT');
    });
    const stoppedAtMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, HANG_MS));
    const { signingKey } = await daemon.admin.getSigningKey({ name: 'access-tokens' });
    expect(signingKey.lastProblem).toContain('DEADLINE_EXCEEDED');
    expect((await fetch(`${daemon.httpUrl}/healthz`)).status).toBe(200);
    for (const worker of workers) kill(worker, 'SIGCONT');
    const resumedAtMs = performance.now();
    await waitFor('the signing key to be ready again', () => ready.at(-1)?.status === 'SERVING');

    const [gone, back] = ready.slice(before);
    expect(ready.slice(before).map(({ status }) => status)).toEqual(['NOT_SERVING', 'SERVING']);
    expect((gone?.atMs ?? 0) - stoppedAtMs).toBeLessThan(periodMs + SLACK_MS);
    expect((back?.atMs ?? 0) - resumedAtMs).toBeLessThan(periodMs + SLACK_MS);
    expect(live.map(({ status }) => status)).toEqual(['SERVING']);
    expect(await daemon.workerPids()).toEqual(workers);
  });

  it('waits for a token that is not there when the daemon starts, and comes by itself', async () => {
    const deployment = await deploy({ canaryPeriod: '1s' });
    const first = await start(deployment);
    await first.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
    expect(await first.stop()).toBe(0);
    const tokens = join(dirname(deployment.token.environment['SOFTHSM2_CONF'] ?? ''), 'tokens');
    await rename(tokens, `${tokens}.away`);

    const daemon = await start(deployment);
    const [ready, live] = [watchHealth(deployment, SIGNING_KEY), watchHealth(deployment, '')];
    await waitFor('the token to be missed', async () => (await daemon.admin.getTokenStatus()).state === 'UNAVAILABLE');
    expect(ready.map(({ status }) => status)).toEqual(['NOT_SERVING']);
    await rename(`${tokens}.away`, tokens);
    await waitFor('the signing key to be ready', () => ready.at(-1)?.status === 'SERVING');
    expect(ready.map(({ status }) => status)).toEqual(['NOT_SERVING', 'SERVING']);
    expect(live.map(({ status }) => status)).toEqual(['SERVING']);
  });
});
