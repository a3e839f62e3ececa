/** Memory stays where it is: many signatures over mTLS, with resident sizes read from /proc along the way. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemonProcess } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { residentMiB } from '../fixtures/proc.ts';

/** Twice as many for a closer look: KEYTURN_TEST_SIGNATURES=100000. */
const SIGNATURES = Number(process.env['KEYTURN_TEST_SIGNATURES'] ?? 50_000);
const SAMPLES = 10;
const LANES = 64;
const DAEMON_LIMIT_MIB = 150;
const WORKER_LIMIT_MIB = 60;
const SESSION_LIMIT_MIB = 12;
/** Heaps breathe; a leak of 400 bytes a signature in the second half would be 10 MiB. */
const GROWTH_LIMIT_MIB = 8;

let deployment: Deployment;
let daemon: DaemonProcess;

beforeAll(async () => {
  deployment = await makeDeployment({ spy: false });
  daemon = await startDaemonProcess(deployment);
  await daemon.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
});

afterAll(async () => {
  await daemon.stop();
  await deployment.dispose();
});

async function sign(count: number): Promise<void> {
  const client = daemon.clientOf('auth-service');
  let left = count;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await client.signJwt({ signingKey: 'access-tokens', claims: { iss: ISSUER, aud: AUDIENCE } });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

describe('memory', () => {
  it(`stays within its limits and doesn't grow over ${SIGNATURES} signatures`, { timeout: 300_000 }, async () => {
    const workers = await daemon.workerPids();
    const { workers: status } = await daemon.admin.getTokenStatus();
    const samples: { daemon: number; workers: number[] }[] = [];
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      await sign(SIGNATURES / SAMPLES);
      samples.push({ daemon: residentMiB(daemon.pid), workers: workers.map(residentMiB) });
    }
    const peak = (values: readonly number[]): number => Math.max(...values);
    const half = SAMPLES / 2;
    const series = [{ name: 'daemon', limit: DAEMON_LIMIT_MIB, values: samples.map((sample) => sample.daemon) }];
    workers.forEach((pid, index) => {
      // Every thread with a session counts: those that sign, and the one for administration.
      const sessions = (status.find((worker) => worker.pid === pid)?.sessions ?? 0) + 1;
      series.push({
        name: `worker ${index}`,
        limit: WORKER_LIMIT_MIB + SESSION_LIMIT_MIB * sessions,
        values: samples.map((sample) => sample.workers[index] ?? Number.NaN),
      });
    });
    for (const { name, limit, values } of series) {
      const rounded = values.map((value) => Math.round(value)).join(' ');
      process.stdout.write(`${name}: ${rounded} MiB, limit ${limit} MiB\n`);
      expect(peak(values), `${name}: ${rounded} MiB`).toBeLessThanOrEqual(limit);
      expect(
        peak(values.slice(half)) - peak(values.slice(0, half)),
        `${name} grows: ${rounded} MiB`,
      ).toBeLessThanOrEqual(GROWTH_LIMIT_MIB);
    }
  });
});
