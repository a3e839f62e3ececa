/** HSM workers that die or hang under load: every caller still gets a valid JWT within its deadline. */
import { kill } from 'node:process';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';

const IN_FLIGHT = 64;
const DEADLINE_MS = 5_000;

let deployment: Deployment;
let daemon: DaemonProcess;
let jwks: JSONWebKeySet;

beforeEach(async () => {
  deployment = await makeDeployment();
  daemon = await startDaemonProcess(deployment);
  // RSA: slow enough that a volley is really in flight when the worker goes.
  await daemon.admin.applySigningKey({ name: 'access-tokens', algorithm: 'RS256', rsaBits: 4096 });
  jwks = (await (await fetch(`${daemon.httpUrl}/.well-known/jwks.json`)).json()) as JSONWebKeySet;
});

afterEach(async () => {
  await daemon.stop();
  await deployment.dispose();
});

/** Sends a volley, does something to a worker while it is in flight, and checks every answer. */
async function volley(meanwhile: (worker: number) => void): Promise<number> {
  const client = daemon.clientOf('auth-service');
  await client.signJwt({ signingKey: 'access-tokens', claims: { iss: ISSUER, aud: AUDIENCE } });
  const [worker] = await daemon.workerPids();
  if (worker === undefined) throw new Error('no worker');
  const startedMs = performance.now();
  const answers = Array.from({ length: IN_FLIGHT }, async (_, index) => {
    const { jwt } = await client.signJwt(
      { signingKey: 'access-tokens', claims: { iss: ISSUER, aud: AUDIENCE, index } },
      { deadlineMs: DEADLINE_MS },
    );
    const { payload } = await jwtVerify(jwt, createLocalJWKSet(jwks), { issuer: ISSUER, audience: AUDIENCE });
    expect(payload['index']).toBe(index);
    return performance.now() - startedMs;
  });
  await waitFor(
    'requests in flight in the worker',
    async () => {
      const { workers } = await daemon.admin.getTokenStatus();
      return workers.some((candidate) => candidate.pid === worker && candidate.inFlight > 0);
    },
    2_000,
  );
  meanwhile(worker);
  const latencies = await Promise.all(answers);
  return Math.max(...latencies);
}

async function expectReplaced(worker: number): Promise<void> {
  await waitFor('the worker to be replaced', async () => {
    const { state, workers } = await daemon.admin.getTokenStatus();
    return (
      state === 'READY' &&
      workers.length === 2 &&
      workers.every((candidate) => candidate.pid !== worker && candidate.state === 'ready')
    );
  });
}

describe('an HSM worker with 64 requests in flight', () => {
  it('killed: all 64 get valid JWTs within 5 s, and it is replaced', async () => {
    let victim = 0;
    const slowestMs = await volley((worker) => {
      victim = worker;
      kill(worker, 'SIGKILL');
    });
    expect(slowestMs).toBeLessThan(DEADLINE_MS);
    await expectReplaced(victim);
  });

  it('stopped: all 64 get valid JWTs within 5 s, and it is killed and replaced', async () => {
    let victim = 0;
    const slowestMs = await volley((worker) => {
      victim = worker;
      kill(worker, 'SIGSTOP');
    });
    expect(slowestMs).toBeLessThan(DEADLINE_MS);
    await expectReplaced(victim);
  });

  it('killed together with the other one: they are replaced and signing goes on', async () => {
    const workers = await daemon.workerPids();
    for (const worker of workers) kill(worker, 'SIGKILL');
    const client = daemon.clientOf('auth-service');
    await waitFor('signing to go on', () =>
      client
        .signJwt({ signingKey: 'access-tokens', claims: { iss: ISSUER, aud: AUDIENCE } }, { deadlineMs: DEADLINE_MS })
        .then(
          () => true,
          () => false,
        ),
    );
    for (const worker of workers) await expectReplaced(worker);
  });
});

describe('the daemon', () => {
  it('takes its workers with it when it is killed', async () => {
    const workers = await daemon.workerPids();
    expect(workers).toHaveLength(2);
    await daemon.kill();
    await waitFor('the workers to be gone', () => workers.every((pid) => !isAlive(pid)), 3_000);
    daemon = await startDaemonProcess(deployment);
  });

  it('drains on SIGTERM: what is in flight is answered, and it exits with 0', async () => {
    const client = daemon.clientOf('auth-service');
    await client.signJwt({ signingKey: 'access-tokens', claims: { iss: ISSUER, aud: AUDIENCE } });
    const answers = Array.from({ length: IN_FLIGHT }, () =>
      client.signJwt(
        { signingKey: 'access-tokens', claims: { iss: ISSUER, aud: AUDIENCE } },
        { deadlineMs: DEADLINE_MS },
      ),
    );
    await waitFor(
      'requests in flight',
      async () => (await daemon.admin.getTokenStatus()).workers.some((worker) => worker.inFlight > 0),
      2_000,
    );
    const workers = await daemon.workerPids();
    kill(daemon.pid, 'SIGTERM');
    const outcomes = await Promise.allSettled(answers);
    expect(outcomes.filter((outcome) => outcome.status === 'rejected')).toEqual([]);
    expect(await daemon.stop()).toBe(0);
    expect(workers.some(isAlive)).toBe(false);
    daemon = await startDaemonProcess(deployment);
  });
});

function isAlive(pid: number): boolean {
  try {
    return kill(pid, 0);
  } catch {
    return false;
  }
}
