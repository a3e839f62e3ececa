/** A new user PIN while callers sign without a pause: written to the token, then to the file, then SIGHUP. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { kill } from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { type Deployment, makeDeployment } from '../fixtures/deployment.ts';
import { type SigningLoad, startSigningLoad } from '../fixtures/signing-load.ts';
import { changePin } from '../fixtures/token-objects.ts';

const CALLERS = 8;

let deployment: Deployment;
let daemon: DaemonProcess;
let load: SigningLoad;

beforeEach(async () => {
  deployment = await makeDeployment();
  daemon = await startDaemonProcess(deployment);
  await daemon.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
  await waitFor('two workers', async () => (await readyPids()).length === 2);
  const client = daemon.clientOf('auth-service');
  load = startSigningLoad(
    Array.from({ length: CALLERS }, () => client),
    'access-tokens',
  );
});

afterEach(async () => {
  await load.stop();
  await daemon.stop();
  await deployment.dispose();
});

async function readyPids(): Promise<number[]> {
  const { workers } = await daemon.admin.getTokenStatus();
  return workers.filter(({ state }) => state === 'ready').map(({ pid }) => pid);
}

/** As an editor or a configuration manager does it: another file takes the place of the first. */
async function replacePinFile(pin: string): Promise<void> {
  const { pinFile } = deployment.token;
  await writeFile(`${pinFile}.new`, pin, { mode: 0o600 });
  await rename(`${pinFile}.new`, pinFile);
}

async function waitForSuccessors(old: readonly number[]): Promise<void> {
  await waitFor('two workers with a new login', async () => {
    const pids = await readyPids();
    return pids.length === 2 && pids.every((pid) => !old.includes(pid));
  });
}

describe('a new PIN', () => {
  it('is taken up on SIGHUP by new workers, without one failed request', async () => {
    const old = await readyPids();
    await changePin(deployment, '87654321');
    await replacePinFile('87654321');
    kill(daemon.pid, 'SIGHUP');
    await waitForSuccessors(old);
    const { length } = load.jwts;
    await waitFor('signatures of the new workers', () => load.jwts.length > length + CALLERS);
    expect(load.failures).toEqual([]);
    expect((await daemon.admin.getTokenStatus()).workerRestarts).toBe(0);
  });

  it('that is wrong is tried once; the workers that are logged in go on, and retry-login takes the right one', async () => {
    const old = await readyPids();
    const pin = await readFile(deployment.token.pinFile, 'utf8');
    await replacePinFile('not the PIN');
    kill(daemon.pid, 'SIGHUP');
    await waitFor('the refusal', () => daemon.log().includes('PIN_INCORRECT'));
    const { length } = load.jwts;
    await waitFor('signatures after the refusal', () => load.jwts.length > length + CALLERS);
    expect(new Set(await readyPids())).toEqual(new Set(old));
    await replacePinFile(pin);
    await daemon.admin.retryLogin({ reason: 'PIN file mended' });
    await waitForSuccessors(old);
    expect(load.failures).toEqual([]);
    expect(daemon.log().match(/the token refused the PIN/g)).toHaveLength(1);
  });
});
