/**
 * Everything that a daemon says or writes in an eventful life, searched for its secrets: the PIN, a wrong PIN, TLS private
 * keys, claims and JWTs. And no crash of an HSM worker leaves its memory in a file.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kill } from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import { runCli } from '../cli/run-cli.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { makeOldSigner } from '../fixtures/old-signer.ts';

const NAME = 'access-tokens';
const CLAIM = 'marker-claim-90210';
const WRONG_PIN = 'marker-wrong-pin-31337';

let deployment: Deployment;
let daemon: DaemonProcess;
/** By name: what must be nowhere. */
const secrets: Record<string, string> = {};
const outputs: Record<string, string> = {};

/** A line of a PEM file's body: the whole of it is never in one piece anywhere. */
const lineOf = (pemFile: string): string => readFileSync(pemFile, 'utf8').split('\n')[1] ?? '';

async function replacePinFile(pin: string): Promise<void> {
  const { pinFile } = deployment.token;
  await writeFile(`${pinFile}.new`, pin, { mode: 0o600 });
  await rename(`${pinFile}.new`, pinFile);
}

async function errorOf(work: Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify(await work);
  } catch (thrown) {
    if (!(thrown instanceof KeyturnError)) throw thrown;
    return JSON.stringify([thrown.message, thrown.reason, thrown.details]);
  }
}

beforeAll(async () => {
  // Never over pkcs11-spy: it writes the PIN into its log.
  deployment = await makeDeployment({
    spy: false,
    config: { log: { level: 'debug' }, metrics: { address: '127.0.0.1:0' } },
  });
  daemon = await startDaemonProcess(deployment);
  await daemon.admin.applySigningKey({ name: NAME, algorithm: 'ES256' });
});
afterAll(async () => {
  await daemon.stop();
  await deployment.dispose();
});

describe('secrets', () => {
  it.skipIf(process.getuid?.() !== 0)('stay out of core files when the module crashes its worker', async () => {
    // As in a service whose unit forgets it: the daemon itself may dump.
    execFileSync('prlimit', ['--pid', String(daemon.pid), '--core=unlimited:unlimited']);
    const dumps = (): string[] => readdirSync('.').filter((name) => /^core(?:\.\d+)?$/.test(name));
    const before = dumps();
    const known = await daemon.workerPids();
    const { workers } = await daemon.admin.getTokenStatus();
    kill(workers[0]?.pid ?? 0, 'SIGKILL');
    let successor = 0;
    await waitFor('a worker that was started under that limit, and allows no core file', async () => {
      successor = (await daemon.workerPids()).find((pid) => !known.includes(pid)) ?? 0;
      const limits = successor === 0 ? '' : await readFile(`/proc/${successor}/limits`, 'utf8').catch(() => '');
      return /^Max core file size\s+1\s+1/m.test(limits);
    });
    kill(successor, 'SIGSEGV');
    await waitFor('it is gone', () => !existsSync(`/proc/${successor}`));
    expect(dumps()).toEqual(before);
  });

  it('are in no output and in no file, whatever goes wrong', async () => {
    const pin = readFileSync(deployment.token.pinFile, 'utf8').trim();
    const signer = daemon.clientOf('auth-service');
    const claims = { iss: ISSUER, aud: AUDIENCE, sub: CLAIM };
    const { jwt } = await signer.signJwt({ signingKey: NAME, claims });
    outputs['refused claims'] = await errorOf(signer.signJwt({ signingKey: NAME, claims: { ...claims, aud: CLAIM } }));
    outputs['broken claims'] = await errorOf(
      signer.signJwt({ signingKey: NAME, claims: Buffer.from(`{"sub":"${CLAIM}"`) }),
    );
    outputs['refused key'] = await errorOf(signer.signJwt({ signingKey: 'other-tokens', claims }));
    const old = await makeOldSigner();
    const privateJwk = { jwk: old.privateJwk, proof: await old.proof(), expireTime: new Date(), reason: 'a mistake' };
    outputs['private JWK'] = await errorOf(daemon.clientOf('security-officer').importPublicKey(privateJwk));

    const [worker = 0] = await daemon.workerPids();
    kill(worker, 'SIGSEGV');
    await replacePinFile(WRONG_PIN);
    kill(daemon.pid, 'SIGHUP');
    await waitFor('the PIN is refused', () => daemon.log().includes('PIN_INCORRECT'));
    outputs['token status'] = JSON.stringify(await daemon.admin.getTokenStatus());
    await replacePinFile(pin);
    const cli = { cwd: deployment.dir };
    for (const words of [
      ['token', 'status', '--json'],
      ['doctor', '--json'],
      ['config', 'check', '--json'],
    ]) {
      const { stdout, stderr } = await runCli([...words, '--config', deployment.configFile], cli);
      outputs[`keyturn ${words.join(' ')}`] = stdout + stderr;
    }
    await daemon.admin.retryLogin({ reason: 'corrected' });
    await waitFor('two workers', async () => {
      const { workers } = await daemon.admin.getTokenStatus();
      return workers.filter(({ state }) => state === 'ready').length === 2;
    });
    const metricsUrl = /"metricsUrl":"([^"]+)"/.exec(daemon.log())?.[1] ?? '';
    outputs['metrics'] = await (await fetch(`${metricsUrl}/metrics`)).text();
    outputs['key set'] = await (await fetch(`${daemon.httpUrl}/.well-known/jwks.json`)).text();
    let backup = '';
    await daemon.admin.backUpStore((chunk) => {
      backup += Buffer.from(chunk).toString('latin1');
    });
    outputs['backup'] = backup;
    outputs['log'] = daemon.log();
    for (const name of readdirSync(deployment.dir).filter((file) => /^keyturn\.db|\.yaml$/.test(file)))
      outputs[name] = readFileSync(join(deployment.dir, name), 'latin1');
    for (const name of readdirSync(join(deployment.dir, 'audit')))
      outputs[`audit/${name}`] = readFileSync(join(deployment.dir, 'audit', name), 'latin1');
    expect(Object.keys(outputs).filter((name) => name.startsWith('audit/'))).not.toEqual([]);
    for (const pid of [daemon.pid, ...(await daemon.workerPids())]) {
      outputs[`arguments of ${pid}`] = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      outputs[`environment of ${pid}`] = readFileSync(`/proc/${pid}/environ`, 'latin1');
    }

    Object.assign(secrets, {
      pin,
      wrongPin: WRONG_PIN,
      serverKey: lineOf(deployment.tls.privateKeyOf('server')),
      clientKey: lineOf(deployment.tls.privateKeyOf('auth-service')),
      privateJwk: String(old.privateJwk.d),
      claim: CLAIM,
      claims: Buffer.from(JSON.stringify(claims)).toString('base64url').slice(0, 40),
      jwt,
      signature: jwt.split('.')[2] ?? '',
    });
    for (const [name, secret] of Object.entries(secrets)) {
      expect(secret.length, name).toBeGreaterThan(10);
      for (const [where, text] of Object.entries(outputs)) {
        expect(text.length, where).toBeGreaterThan(0);
        expect(text.includes(secret), `${name} in ${where}`).toBe(false);
      }
    }
    expect(outputs['log']).toContain('request refused');
    expect(outputs['metrics']).toContain('keyturn_jwts_signed_total');
  });
});
