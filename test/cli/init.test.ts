import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from './run-cli.ts';

let cwd = '';
let folder = '';
beforeAll(async () => {
  cwd = mkdtempSync(path.join(tmpdir(), 'keyturn-init-'));
  folder = path.join(cwd, '.keyturn');
  const made = await runCli(['init'], { cwd });
  expect(made, made.stderr).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

describe('keyturn init', () => {
  it('makes a folder that only its owner can enter, with no secret that others can read', () => {
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const secrets = filesIn(folder).filter((file) => /(\.key|pin)$/.test(file));
    expect(secrets.length).toBeGreaterThanOrEqual(6);
    for (const file of secrets) expect(statSync(file).mode & 0o777, file).toBe(0o600);
    expect(filesIn(folder).filter((file) => file.endsWith('.key'))).toHaveLength(4);
  });

  it('makes a configuration that has nothing to complain about', async () => {
    const { code, stdout, stderr } = await runCli(['config', 'check'], { cwd });
    expect(stderr + stdout).toContain('keyturn.yaml is good');
    expect(code).toBe(0);
  });

  it('makes certificates that chain to the development CA, each for its purpose, for 90 days', () => {
    const tls = (name: string): string => path.join(folder, 'tls', name);
    for (const [name, purpose] of [
      ['server', 'sslserver'],
      ['auth-service', 'sslclient'],
      ['operator', 'sslclient'],
    ] as const) {
      const verified = execFileSync('openssl', [
        'verify',
        '-x509_strict',
        '-purpose',
        purpose,
        '-CAfile',
        tls('development-ca.pem'),
        tls(`${name}.pem`),
      ]);
      expect(String(verified)).toContain('OK');
      const certificate = new X509Certificate(readFileSync(tls(`${name}.pem`)));
      const days = (certificate.validToDate.getTime() - Date.now()) / 86_400_000;
      expect(Math.round(days)).toBe(90);
    }
    const server = new X509Certificate(readFileSync(tls('server.pem')));
    expect(server.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
    expect(new X509Certificate(readFileSync(tls('development-ca.pem'))).subject).toContain('development-ca');
  });

  it('makes a token whose PIN is shown nowhere', async () => {
    const other = path.join(cwd, 'shown');
    const { stdout, stderr } = await runCli(['init', '--dir', other], { cwd });
    const pin = readFileSync(path.join(other, 'token', 'pin'), 'utf8').trim();
    expect(pin.length).toBeGreaterThanOrEqual(8);
    for (const text of [
      stdout,
      stderr,
      ...filesIn(other)
        .filter((file) => /\.(yaml|conf)$/.test(file))
        .map((file) => readFileSync(file, 'utf8')),
    ]) {
      expect(text).not.toContain(pin);
    }
  });

  it('overwrites nothing', async () => {
    const before = filesIn(folder).map((file) => [file, readFileSync(file, 'hex')]);
    const { code, stderr } = await runCli(['init'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('is not empty');
    expect(filesIn(folder).map((file) => [file, readFileSync(file, 'hex')])).toEqual(before);
  });

  it('leaves nothing behind when it fails', async () => {
    const target = path.join(cwd, 'failed');
    const { code, stderr } = await runCli(['init', '--dir', target], {
      cwd,
      environment: { PATH: path.dirname(process.execPath) },
    });
    expect(code).toBeGreaterThan(0);
    expect(stderr).toContain('no SoftHSM2 token could be made');
    expect(existsSync(target)).toBe(false);
  });

  it('says loudly that the demo promise is one for demonstration, in the file and in the output', async () => {
    const { code, stdout } = await runCli(['init', '--dir', 'demo', '--demo'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('!!! DEMONSTRATION');
    expect(readFileSync(path.join(cwd, 'demo', 'keyturn.yaml'), 'utf8')).toContain('!!! FOR DEMONSTRATION ONLY !!!');
    expect((await runCli(['config', 'check', '--config', 'demo/keyturn.yaml'], { cwd })).code).toBe(0);
  });

  it('refuses a folder whose sockets would have too long a path', async () => {
    const { code, stderr } = await runCli(['init', '--dir', 'x'.repeat(100)], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('107 bytes');
    expect(existsSync(path.join(cwd, 'x'.repeat(100)))).toBe(false);
  });

  it.each([
    ['--token-label', '"'],
    ['--token-label', 'x'.repeat(33)],
    ['--grpc-address', '8443'],
    ['--http-address', 'http://127.0.0.1:8080'],
  ])('refuses %s %s', async (option, value) => {
    const { code, stderr } = await runCli(['init', '--dir', 'never', option, value], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain(option);
    expect(existsSync(path.join(cwd, 'never'))).toBe(false);
  });
});

describe('keyturn config check', () => {
  it('finds problems of the text, all at once', async () => {
    writeFileSync(path.join(cwd, 'bad.yaml'), 'grpc: {}\nhttp: { address: nowhere }\nplanted: 1\n');
    const { code, stdout } = await runCli(['config', 'check', '--config', 'bad.yaml'], { cwd });
    expect(code).toBe(78);
    expect(stdout).toContain('http.address');
    expect(stdout).toContain('planted');
    expect(stdout).toContain('token');
  });

  it('finds problems of the files that it names, and prints them as JSON', async () => {
    await runCli(['init', '--dir', 'exposed'], { cwd });
    chmodSync(path.join(cwd, 'exposed/token/pin'), 0o644);
    appendFileSync(path.join(cwd, 'exposed/access-policy.yaml'), '\nplanted: 1\n');
    const { code, stdout } = await runCli(['config', 'check', '--config', 'exposed/keyturn.yaml', '--json'], { cwd });
    expect(code).toBe(78);
    const answer = JSON.parse(stdout) as { ok: boolean; problems: { path: string; message: string }[] };
    expect(answer.ok).toBe(false);
    expect(answer.problems.map(({ path: where }) => where)).toContain('token.pinFile');
    expect(answer.problems.length).toBeGreaterThanOrEqual(2);
  });

  it('says so when the file is not there', async () => {
    const { code, stdout, stderr } = await runCli(['config', 'check', '--config', 'nowhere.yaml'], { cwd });
    expect(code).toBe(78);
    expect(stdout + stderr).toContain('nowhere.yaml');
  });
});

describe('keyturn doctor', () => {
  it('warns that no daemon runs, and finds nothing wrong with what init made', async () => {
    const { code, stdout } = await runCli(['doctor', '--json'], { cwd });
    const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: { name: string; status: string }[] };
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(checks.filter(({ status }) => status === 'warn').map(({ name }) => name)).toEqual(['daemon']);
    expect({ ok, code }).toEqual({ ok: true, code: 0 });
  });

  it('names the failed check and what to do', async () => {
    await runCli(['init', '--dir', 'broken'], { cwd });
    const broken = path.join(cwd, 'broken');
    writeFileSync(path.join(broken, 'tls/server.key'), readFileSync(path.join(broken, 'tls/operator.key')));
    const { code, stdout, stderr } = await runCli(['doctor', '--config', 'broken/keyturn.yaml'], { cwd });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^fail {2}configuration +grpc.tls.privateKey: .*\n +hint: /m);
    expect(stderr).toContain('error: 1 check failed');
  });
});
