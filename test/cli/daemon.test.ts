/** The commands that talk to a daemon, against a real one: init, serve, and then as a user would. */
import { randomUUID } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMPILE_CACHE } from '../fixtures/compile-cache.ts';
import { makeOldSigner } from '../fixtures/old-signer.ts';
import { runCli, type CliResult } from './run-cli.ts';

const ENTRY = path.resolve(import.meta.dirname, '../../src/cli.ts');
const CLAIMS = { iss: 'https://issuer.example', aud: 'https://api.example', sub: 'alice' };
const READY_MS = 30_000;

let cwd = '';
let daemon: ChildProcess;
let daemonLog = '';
let jwksUrl = '';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

const run = (...words: string[]): Promise<CliResult> => runCli(words, { cwd });
const sign = (...words: string[]): Promise<CliResult> =>
  run('sign', 'access-tokens', '--as', 'auth-service', '--claims', JSON.stringify(CLAIMS), ...words);

/** Until it ends with 0, or the time is up. */
async function eventually(command: () => Promise<CliResult>): Promise<CliResult> {
  const untilMs = performance.now() + READY_MS;
  for (;;) {
    const result = await command();
    if (result.code === 0 || performance.now() > untilMs) return result;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

beforeAll(async () => {
  cwd = mkdtempSync(path.join(tmpdir(), 'keyturn-cli-'));
  const [grpcPort, httpPort] = [await freePort(), await freePort()];
  const made = await run(
    'init',
    '--demo',
    '--grpc-address',
    `127.0.0.1:${grpcPort}`,
    '--http-address',
    `127.0.0.1:${httpPort}`,
  );
  expect(made.code, made.stderr).toBe(0);
  jwksUrl = `http://127.0.0.1:${httpPort}/.well-known/jwks.json`;
  daemon = spawn(process.execPath, [ENTRY, 'serve'], {
    cwd,
    env: { PATH: process.env['PATH'], ...COMPILE_CACHE },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  daemon.stdout?.on('data', (chunk: Buffer) => (daemonLog += chunk.toString()));
  daemon.stderr?.on('data', (chunk: Buffer) => (daemonLog += chunk.toString()));
  const ready = await eventually(() => run('token', 'status'));
  expect(ready.code, ready.stderr + daemonLog).toBe(0);
});

afterAll(async () => {
  if (daemon.exitCode === null) {
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGTERM');
    await ended;
  }
  rmSync(cwd, { recursive: true, force: true });
});

describe('the CLI with a daemon', () => {
  it('shows an empty list, with a hint', async () => {
    const { code, stdout, stderr } = await run('key', 'list');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^NAME .*\n$/);
    expect(stderr).toContain('hint: ');
  });

  it('checks a new signing key without making it', async () => {
    const { code, stdout } = await run('key', 'apply', 'access-tokens', '--algorithm', 'ES256', '--dry-run', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ dryRun: true, changed: true });
    expect(code).toBe(0);
    expect((await run('key', 'show', 'access-tokens')).code).toBe(1);
  });

  it('makes a signing key, and nothing the second time', async () => {
    const words = [
      'key',
      'apply',
      'access-tokens',
      '--algorithm',
      'ES256',
      '--max-jwt-lifetime',
      '15m',
      '--signing-period',
      '7d',
    ];
    const first = await run(...words);
    expect(first, first.stderr).toMatchObject({ code: 0, stderr: 'applied\n' });
    expect(first.stdout).toContain('at most 15 min');
    const second = await run(...words, '--json');
    expect(JSON.parse(second.stdout)).toMatchObject({
      changed: false,
      signingKey: { algorithm: 'ES256', lifecyclePolicy: { signingPeriodMs: 604_800_000 } },
    });
  });

  it('signs over mTLS as auth-service, and verifies', async () => {
    const signed = await eventually(() => sign('--lifetime', '5m', '--typ', 'at+jwt'));
    expect(signed, signed.stderr).toMatchObject({ code: 0, stderr: '' });
    const words = [
      'verify',
      signed.stdout.trim(),
      '--jwks',
      jwksUrl,
      '--issuer',
      CLAIMS.iss,
      '--audience',
      CLAIMS.aud,
      '--json',
    ];
    const verified = await run(...words);
    expect(verified, verified.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(verified.stdout)).toMatchObject({ header: { alg: 'ES256', typ: 'at+jwt' }, claims: CLAIMS });
  });

  it('signs claims from a file and from stdin', async () => {
    writeFileSync(path.join(cwd, 'claims.json'), JSON.stringify(CLAIMS));
    expect((await run('sign', 'access-tokens', '--as', 'auth-service', '--claims', '@claims.json')).code).toBe(0);
    const words = ['sign', 'access-tokens', '--as', 'auth-service', '--claims', '-', '--json'];
    const { code, stdout } = await runCli(words, { cwd, input: JSON.stringify(CLAIMS) });
    expect(code).toBe(0);
    expect(Object.keys(JSON.parse(stdout) as object).toSorted()).toEqual(['expireTime', 'jwt', 'kid']);
  });

  it('ends with 77 for claims and methods that are not granted', async () => {
    const claim = await run(
      'sign',
      'access-tokens',
      '--as',
      'auth-service',
      '--claims',
      '{"iss":"https://evil.example","aud":"https://api.example"}',
    );
    expect(claim.stderr).toContain('(CLAIM_NOT_PERMITTED)');
    expect(claim.code).toBe(77);
    const method = await run('key', 'list', '--as', 'auth-service');
    expect(method.stderr).toContain('(METHOD_NOT_PERMITTED)');
    expect(method.code).toBe(77);
  });

  it('ends with 1 for claims that are no object', async () => {
    const { code, stderr } = await run('sign', 'access-tokens', '--as', 'auth-service', '--claims', '[]');
    expect(stderr).toContain('(CLAIMS_NOT_OBJECT)');
    expect(code).toBe(1);
  });

  it('rotates, and then refuses a rotation that comes too early, with the time', async () => {
    const words = ['key', 'rotate', 'access-tokens', '--reason', 'test', '--request-id', randomUUID(), '--json'];
    const rotated = await eventually(() => run(...words));
    expect(rotated, rotated.stderr).toMatchObject({ code: 0 });
    const change = { activated: { version: 2 }, suspended: { version: 1, published: true } };
    expect(JSON.parse(rotated.stdout)).toMatchObject(change);
    const repeated = await run(...words);
    expect(JSON.parse(repeated.stdout), 'the same request is done once').toMatchObject(change);
    const refused = await run('key', 'rotate', 'access-tokens');
    expect(refused.code, refused.stdout).toBe(1);
    expect(refused.stderr).toMatch(/\((LAST_STANDBY|NOT_PROPAGATED)\)/);
    expect(refused.stderr).toMatch(/allowed in .* \(\d{4}-\d{2}-\d{2}T.*\nhint: wait /);
  });

  it('shows the versions, what may happen next, and the birth records', async () => {
    const { code, stdout } = await run('key', 'show', 'access-tokens');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^2 +ACTIVE +yes /m);
    expect(stdout).toMatch(/^1 +SUSPENDED +yes /m);
    expect(stdout).toMatch(/^- rotate is allowed /m);
    const { keyVersions } = JSON.parse((await run('key', 'show', 'access-tokens', '--json')).stdout) as {
      keyVersions: { birthRecord: { attributes: Record<string, string> } }[];
    };
    for (const { birthRecord } of keyVersions) expect(birthRecord.attributes['CKA_NEVER_EXTRACTABLE']).toBe('true');
  });

  it('rolls the rotation back, and lets the other version sign again', async () => {
    const preview = await run('key', 'rollback', 'access-tokens', '--dry-run');
    expect(preview.stdout).toMatch(/^version 1 would sign, kid .*\nversion 2 would be suspended /);
    const back = await run('key', 'rollback', 'access-tokens', '--reason', 'test');
    expect(back, back.stderr).toMatchObject({ code: 0 });
    expect(back.stdout).toMatch(/^version 1 signs now, kid /);
    expect(back.stdout).toMatch(
      /rotation on schedule is held until \d{4}-.* or until the next `keyturn key rotate`\n$/,
    );
    expect((await run('key', 'show', 'access-tokens')).stdout).toContain('a rollback holds rotation until then');
    const again = await run('key', 'rollback', 'access-tokens');
    expect(again.code, again.stdout).toBe(1);
    expect(again.stderr).toMatch(/\(COMMAND_NOT_POSSIBLE\)\nhint: `keyturn key show` /);
    const forward = await run('key', 'reactivate', 'access-tokens', '2', '--json');
    expect(JSON.parse(forward.stdout)).toMatchObject({ dryRun: false, signingKey: { activeVersion: 2 } });
    const unknown = await run('key', 'reactivate', 'access-tokens', '77');
    expect(unknown.stderr).toMatch(/\(KEY_VERSION_NOT_FOUND\)\nhint: /);
  });

  it('stops signing only when told so at a terminal or with --yes, and starts again', async () => {
    const refused = await run('key', 'suspend', 'access-tokens', '--halt');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('nothing was changed: there is no terminal to ask at; give --yes');
    expect((await sign()).code).toBe(0);
    const halted = await run('key', 'suspend', 'access-tokens', '--halt', '--yes');
    expect(halted.stdout, halted.stderr).toMatch(/^signing key access-tokens has stopped signing; /);
    expect((await sign()).stderr).toContain('(NO_ACTIVE_VERSION)');
    expect((await run('key', 'show', 'access-tokens')).stdout).toContain('- signing is halted: ');
    expect((await run('key', 'reactivate', 'access-tokens', '2')).code).toBe(0);
    expect((await sign()).code).toBe(0);
  });

  it('takes a signing key out of service with --yes, and brings it back', async () => {
    expect((await run('key', 'retire', 'access-tokens', '--dry-run')).stdout).toContain(
      'would sign nothing from now on',
    );
    expect((await sign()).code).toBe(0);
    const retired = await run('key', 'retire', 'access-tokens', '--yes', '--reason', 'drill');
    expect(retired.stdout, retired.stderr).toMatch(
      /^signing key access-tokens signs nothing .*\nuntil .* brings it back/,
    );
    expect((await sign()).stderr).toMatch(/\(SIGNING_KEY_RETIRED\)\nhint: /);
    expect((await run('key', 'list')).stdout).toMatch(/^access-tokens .*  retired$/m);
    expect((await run('plan', 'access-tokens')).stdout).toMatch(/^unretire +now$/m);
    const back = await run('key', 'unretire', 'access-tokens');
    expect(back.stdout, back.stderr).toMatch(/^version 2 signs now, kid /);
    expect((await sign()).code).toBe(0);
  });

  it('schedules a rotation, tells of it, and takes it back', async () => {
    const at = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 86_400_000).toISOString().replace('.000Z', 'Z');
    const scheduled = await run('key', 'rotate', 'access-tokens', '--at', at);
    expect(scheduled.stdout, scheduled.stderr).toContain(`version 2 is due to be replaced at ${at} (in `);
    expect((await run('key', 'show', 'access-tokens')).stdout).toContain('as `keyturn key rotate --at` said');
    expect((await run('plan', 'access-tokens')).stdout).toContain(`admin has scheduled its rotation for ${at}`);
    const late = await run('key', 'rotate', 'access-tokens', '--at', '2999-01-01T00:00:00Z');
    expect(late.stderr).toMatch(/at most \(max_signing_period\) \(FIELD_INVALID\)/);
    expect((await run('key', 'rotate', 'access-tokens', '--cancel-at')).stdout).toMatch(/, by its policy\n$/);
  });

  it('withdraws a compromised version with --yes, tells who signs now, and does nothing the second time', async () => {
    await eventually(async () => {
      const { stdout } = await run('key', 'list');
      return { code: stdout.includes('2 of 2 ready') ? 0 : 1, stdout, stderr: '' };
    });
    const words = ['key', 'declare-compromised', 'access-tokens', '--version', '2', '--reason', 'drill'];
    const refused = await runCli(words, { cwd, input: 'access-tokens\n' });
    expect(refused.code, refused.stdout).toBe(2);
    const notPermitted = await run(...words, '--yes', '--as', 'operator');
    expect(notPermitted.code, notPermitted.stdout).toBe(77);
    const preview = await run(...words, '--dry-run');
    expect(preview.stdout).toMatch(
      /version 2 would be withdrawn for good, the private key destroyed\n- signing would go on with version \d/,
    );
    const done = await run(...words, '--yes');
    expect(done.stdout, done.stderr).toMatch(
      /- version 2 is withdrawn for good.*\n- signing goes on with version \d+\n/,
    );
    expect((await sign()).code).toBe(0);
    expect((await run('key', 'show', 'access-tokens')).stdout).toMatch(/^2 +COMPROMISED +no /m);
    expect((await run(...words, '--yes')).stdout).toContain('nothing falls: it was declared before');
  });

  it('shows what a stolen PIN would mean, without doing it', async () => {
    const { code, stdout } = await run('token', 'declare-compromised', '--reason', 'drill', '--dry-run', '--json');
    expect(code).toBe(0);
    const { dryRun, effects } = JSON.parse(stdout) as { dryRun: boolean; effects: { readyTime?: string }[] };
    expect({ dryRun, count: effects.length }).toEqual({ dryRun: true, count: 1 });
    expect(Date.parse(effects[0]?.readyTime ?? '')).toBeGreaterThan(Date.now());
    expect((await sign()).code).toBe(0);
  });

  it('prints and exports the key set byte for byte as over HTTP', async () => {
    const overHttp = await (await fetch(jwksUrl)).text();
    expect((await run('jwks', 'show', '--json')).stdout).toBe(`${overHttp}\n`);
    expect((await run('jwks', 'show')).stdout).toMatch(/^key set default, generation \d+/);
    writeFileSync(path.join(cwd, 'jwks.json'), 'the old one');
    expect((await run('jwks', 'export', '--output', 'jwks.json')).code).toBe(0);
    expect(readFileSync(path.join(cwd, 'jwks.json'), 'utf8')).toBe(overHttp);
    expect(readdirSync(cwd).filter((file) => file.endsWith('.tmp'))).toEqual([]);
    expect((await run('jwks', 'export', '--output', 'nowhere/jwks.json')).code).toBe(2);
    expect((await run('jwks', 'show', '--key-set', 'nobodys')).code).toBe(1);
  });

  it('takes over from an old signer: what it must sign, the import, the list, and its end', async () => {
    const signer = await makeOldSigner({ kid: '2024-07', alg: 'RS256' });
    writeFileSync(path.join(cwd, 'old.jwk'), JSON.stringify(signer.jwk));
    const wanted = await run('jwks', 'proof', '--jwk', 'old.jwk');
    expect(wanted.code, wanted.stderr).toBe(0);
    const claims = JSON.parse(wanted.stdout) as Record<string, unknown>;
    expect(claims).toMatchObject({ aud: 'keyturn:import:default', sub: signer.thumbprint });
    writeFileSync(path.join(cwd, 'proof.jwt'), `${await signer.sign({ ...claims })}\n`);
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const words = ['jwks', 'import', '--jwk', 'old.jwk', '--proof', 'proof.jwt', '--expires-at', expiresAt];
    const trial = await run(...words, '--reason', 'drill', '--dry-run');
    expect(trial.stdout).toMatch(/^key set default would publish kid 2024-07 \(RS256\) until .* \(in /);
    expect((await run(...words, '--reason', 'drill')).stdout).toMatch(/^key set default publishes kid 2024-07/);
    expect((await run(...words, '--reason', 'drill')).stderr).toContain('nothing changed');
    expect((await run('jwks', 'list')).stdout).toMatch(/^2024-07 +RS256 +yes +\d{4}-.* admin: drill$/m);
    expect((await run('jwks', 'show')).stdout).toMatch(/^2024-07 +RS256/m);
    const unconfirmed = await run('jwks', 'remove', '2024-07', '--reason', 'drill');
    expect(unconfirmed).toMatchObject({ code: 2, stdout: '' });
    const gone = await run('jwks', 'remove', '2024-07', '--compromised', '--reason', 'drill', '--yes');
    expect(gone.stdout).toContain('kid 2024-07 has left key set default for good');
    expect((await run('jwks', 'list')).stdout).toMatch(/^2024-07 +RS256 +no .* compromised /m);
    const again = await run(...words, '--reason', 'drill');
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toContain('(PUBLIC_KEY_KNOWN)');
  });

  it('tells how the token is, and the doctor finds nothing wrong', async () => {
    const { stdout } = await run('token', 'status');
    expect(stdout).toMatch(/^state: +ready$/m);
    const { code, stdout: findings } = await run('doctor', '--json');
    const { checks } = JSON.parse(findings) as { checks: { name: string; status: string; message: string }[] };
    expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['daemon', 'token', 'gRPC listener', 'HTTP listener']),
    );
    expect(code).toBe(0);
  });

  it('tries what the token can do, beside the running daemon, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await run('doctor', '--token');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^ok +token trial +".*" \(SoftHSM .*\) let us in, with 1 signing session$/m);
    expect(stdout).toMatch(/^ok +token sessions +the token tells no limit; 6 are used$/m);
    expect(stdout).toMatch(/^ES256 +CKM_ECDSA +works +\d+ ms +\d+\/s$/m);
    expect(stdout).toMatch(/^RS256 +4096 +CKM_RSA_PKCS +works/m);
    expect(stdout).toMatch(/^ML-DSA-87 +CKM_ML_DSA +missing$/m);
    expect((await run('token', 'reconcile')).code).toBe(0);
  });

  it('asks before it tries the PIN again', async () => {
    const refused = await runCli(['token', 'retry-login'], { cwd, input: 'retry-login\n' });
    expect(refused.stderr).toContain('there is no terminal to ask at; give --yes');
    expect(refused.code).toBe(2);
    const confirmed = await run('token', 'retry-login', '--yes');
    expect(confirmed.code, confirmed.stderr).toBe(0);
  });

  it('refuses to serve twice on one store', async () => {
    const second = await run('serve');
    expect(second.code).toBeGreaterThan(0);
    expect(second.stderr).toMatch(/\((STORE_IN_USE|ADDRESS_UNAVAILABLE)\)/);
  });

  it('shows no PIN anywhere', () => {
    const pin = readFileSync(path.join(cwd, '.keyturn/token/pin'), 'utf8').trim();
    expect(daemonLog.length).toBeGreaterThan(0);
    expect(daemonLog).not.toContain(pin);
  });

  it('ends with 0 on SIGTERM, and the socket is gone', async () => {
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGTERM');
    expect(await ended, daemonLog).toBe(0);
    expect(existsSync(path.join(cwd, '.keyturn/run/admin.sock'))).toBe(false);
    const { code, stderr } = await run('key', 'list');
    expect(stderr).toContain('(DAEMON_UNREACHABLE)');
    expect(code).toBe(69);
  });
});
