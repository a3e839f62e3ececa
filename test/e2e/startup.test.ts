/** What keeps the daemon from starting, and what it starts in spite of: each with its documented reason, nothing changed. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { type DaemonProcess, StartFailure, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, type DeploymentOptions, ISSUER, makeDeployment } from '../fixtures/deployment.ts';

const running: { stop(): Promise<unknown> }[] = [];
const made: Deployment[] = [];

afterEach(async () => {
  for (const daemon of running.splice(0)) await daemon.stop();
  for (const deployment of made.splice(0)) await deployment.dispose();
});

async function deploy(options: DeploymentOptions = {}): Promise<Deployment> {
  const deployment = await makeDeployment(options);
  made.push(deployment);
  return deployment;
}

async function start(deployment: Deployment): Promise<DaemonProcess> {
  const daemon = await startDaemonProcess(deployment);
  running.push(daemon);
  return daemon;
}

async function failureOf(deployment: Deployment): Promise<StartFailure> {
  try {
    running.push(await startDaemonProcess(deployment));
  } catch (thrown) {
    if (thrown instanceof StartFailure) return thrown;
    throw thrown;
  }
  throw new Error('the daemon started');
}

async function editConfig(deployment: Deployment, section: string, values: object): Promise<void> {
  const config = JSON.parse(await readFile(deployment.configFile, 'utf8')) as Record<string, object>;
  config[section] = { ...config[section], ...values };
  await writeFile(deployment.configFile, JSON.stringify(config));
}

describe('the daemon does not start', () => {
  it('with a configuration that is wrong in several places, and names them all at once', async () => {
    const deployment = await deploy();
    await editConfig(deployment, 'http', { address: 'nowhere', colour: 'red' });
    await editConfig(deployment, 'token', { workers: 0 });
    const { exitCode, output } = await failureOf(deployment);
    expect(exitCode).toBe(78);
    for (const path of ['http.address', 'http', 'colour', 'token.workers']) expect(output).toContain(path);
  });

  it('as a second daemon on the store, and leaves the first alone', async () => {
    const deployment = await deploy();
    const first = await start(deployment);
    await editConfig(deployment, 'grpc', { unix: [] });
    const { exitCode, output } = await failureOf(deployment);
    expect(exitCode).toBe(69);
    expect(output).toContain('STORE_IN_USE');
    expect((await first.admin.getTokenStatus()).state).toBe('READY');
  });

  it.each([
    ['text', (file: string) => writeFile(file, 'shopping list: milk, bread, and more than sixteen bytes')],
    [
      'the database of another program',
      (file: string) => {
        const database = new DatabaseSync(file);
        database.exec('CREATE TABLE other (id INTEGER)');
        database.close();
        return Promise.resolve();
      },
    ],
  ])('on a store file that holds %s, and leaves it as it is', async (_what, make) => {
    const deployment = await deploy();
    const file = join(deployment.dir, 'keyturn.db');
    await make(file);
    const before = await readFile(file);
    const { output } = await failureOf(deployment);
    expect(output).toContain('STORE_NOT_KEYTURN');
    expect(await readFile(file)).toEqual(before);
  });

  it('with a PIN file that others can read, and says how to mend it', async () => {
    const deployment = await deploy();
    await chmod(deployment.token.pinFile, 0o644);
    const { output } = await failureOf(deployment);
    expect(output).toContain('SECRET_FILE_EXPOSED');
    expect(output).toContain('chmod');
  });

  it('without a PIN file', async () => {
    const deployment = await deploy();
    await editConfig(deployment, 'token', { pinFile: 'no-such-pin' });
    const { output } = await failureOf(deployment);
    expect(output).toContain('SECRET_FILE_UNREADABLE');
  });
});

describe('the daemon starts and serves the key set, but is not ready', () => {
  /** A deployment that already has a signing key, so that there is a key set to serve. */
  async function deployWithKey(options: DeploymentOptions = {}): Promise<Deployment> {
    const deployment = await deploy(options);
    const daemon = await startDaemonProcess(deployment);
    await daemon.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
    await daemon.stop();
    return deployment;
  }

  async function expectUnavailable(daemon: DaemonProcess, reason: string): Promise<void> {
    await waitFor(`status ${reason}`, async () => (await daemon.admin.getTokenStatus()).reason === reason);
    const signing = daemon.admin.signJwt(
      { signingKey: 'access-tokens', claims: { iss: ISSUER, aud: AUDIENCE } },
      { deadlineMs: 2_000 },
    );
    await expect(signing).rejects.toMatchObject({ reason: 'TOKEN_UNAVAILABLE' });
    expect((await fetch(`${daemon.httpUrl}/.well-known/jwks.json`)).status).toBe(200);
    const { signingKey } = await daemon.admin.getSigningKey({ name: 'access-tokens' });
    expect(signingKey.activeKid).toBeDefined();
  }

  it('with a module that is no PKCS#11 library', async () => {
    const deployment = await deployWithKey();
    await editConfig(deployment, 'token', { module: process.execPath });
    await expectUnavailable(await start(deployment), 'MODULE_NOT_LOADABLE');
  });

  it('with a token label that matches none', async () => {
    const deployment = await deployWithKey();
    await editConfig(deployment, 'token', { label: 'no-such-token' });
    const daemon = await start(deployment);
    await expectUnavailable(daemon, 'TOKEN_NOT_FOUND');
    expect((await daemon.admin.getTokenStatus()).message).toContain(deployment.token.label);
  });

  it('with a token label that matches two', async () => {
    const deployment = await deployWithKey();
    deployment.token.addTokenOfSameLabel();
    await expectUnavailable(await start(deployment), 'TOKEN_AMBIGUOUS');
  });

  it('with a wrong PIN, tried once over all workers and restarts; and recovers by retry-login', async () => {
    const deployment = await deployWithKey({ spy: true });
    const pin = await readFile(deployment.token.pinFile, 'utf8');
    await writeFile(deployment.token.pinFile, 'not the PIN');
    const before = deployment.token.countLogins();
    expect(before, 'the count works: each worker logged in').toBeGreaterThanOrEqual(2);
    const first = await startDaemonProcess(deployment);
    await expectUnavailable(first, 'PIN_INCORRECT');
    await first.stop();
    for (let restart = 0; restart < 3; restart += 1) {
      const daemon = await startDaemonProcess(deployment);
      await expectUnavailable(daemon, 'LOGIN_LATCHED');
      await daemon.kill();
    }
    expect(deployment.token.countLogins() - before).toBe(1);
    await writeFile(deployment.token.pinFile, pin);
    const daemon = await start(deployment);
    await expectUnavailable(daemon, 'LOGIN_LATCHED');
    await daemon.admin.retryLogin({ reason: 'PIN file mended' });
    await waitFor('the token to be ready', async () => (await daemon.admin.getTokenStatus()).state === 'READY');
  });
});
