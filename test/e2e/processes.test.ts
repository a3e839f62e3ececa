/** Who maps the PKCS#11 module, who listens, and where the PIN is: read from /proc, not from keyturn. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemonProcess } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { argumentsOf, countInMemory, environmentOf, listeningOn, mappedFiles } from '../fixtures/proc.ts';

let deployment: Deployment;
let daemon: DaemonProcess;
let workers: number[];

beforeAll(async () => {
  // Never over pkcs11-spy: it writes the PIN into its log.
  deployment = await makeDeployment({ spy: false });
  daemon = await startDaemonProcess(deployment);
  await daemon.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
  await daemon
    .clientOf('auth-service')
    .signJwt({ signingKey: 'access-tokens', claims: { iss: ISSUER, aud: AUDIENCE } });
  workers = await daemon.workerPids();
});

afterAll(async () => {
  await daemon.stop();
  await deployment.dispose();
});

describe('processes', () => {
  it('map the PKCS#11 module and its addon in the workers only', () => {
    const isModule = (file: string): boolean => /softhsm|pkcs11/.test(file);
    expect(workers.length).toBeGreaterThanOrEqual(2);
    for (const pid of workers) expect([...mappedFiles(pid)].some((file) => file.endsWith('libsofthsm2.so'))).toBe(true);
    expect([...mappedFiles(daemon.pid)].filter(isModule)).toEqual([]);
  });

  it('listen on the configured addresses and on nothing else', () => {
    const httpPort = new URL(daemon.httpUrl).port;
    const expected = [`tcp:${daemon.grpcAddress.port}`, `tcp:${httpPort}`, `unix:${deployment.adminSocket}`];
    expect(listeningOn(daemon.pid)).toEqual(expected.toSorted());
    for (const pid of workers) expect(listeningOn(pid)).toEqual([]);
  });

  it('keep the PIN out of arguments, environment, log and the memory of the daemon', () => {
    const pin = readFileSync(deployment.token.pinFile, 'utf8').trim();
    expect(pin.length).toBeGreaterThanOrEqual(16);
    for (const pid of [daemon.pid, ...workers]) {
      expect(argumentsOf(pid)).not.toContain(pin);
      expect(environmentOf(pid)).not.toContain(pin);
    }
    expect(daemon.log()).not.toContain(pin);
    // The search finds what is there: the path of the PIN file, which the daemon does know.
    expect(countInMemory(daemon.pid, deployment.token.pinFile)).toBeGreaterThan(0);
    expect(countInMemory(daemon.pid, pin)).toBe(0);
  });

  it('would find the PIN if it were in memory: this process has it', () => {
    const pin = readFileSync(deployment.token.pinFile, 'utf8').trim();
    expect(countInMemory(process.pid, pin)).toBeGreaterThan(0);
  });
});
