/** `keyturn plan` and `keyturn apply` against a real daemon, as a user would. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMPILE_CACHE } from '../fixtures/compile-cache.ts';
import { runCli, type CliResult } from './run-cli.ts';

const ENTRY = path.resolve(import.meta.dirname, '../../src/cli.ts');
const READY_MS = 30_000;
const WEEKLY = `version: 1
signingKeys:
  access-tokens: { algorithm: ES256, lifecyclePolicy: { preset: access-tokens } }
`;

let cwd = '';
let daemon: ChildProcess;

const run = (...words: string[]): Promise<CliResult> => runCli(words, { cwd });
const write = (text: string): void => writeFileSync(path.join(cwd, 'keys.yaml'), text);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

beforeAll(async () => {
  cwd = mkdtempSync(path.join(tmpdir(), 'keyturn-cli-'));
  const [grpc, http] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const made = await run('init', '--grpc-address', grpc, '--http-address', http);
  expect(made.code, made.stderr).toBe(0);
  daemon = spawn(process.execPath, [ENTRY, 'serve'], {
    cwd,
    env: { PATH: process.env['PATH'], ...COMPILE_CACHE },
    stdio: 'ignore',
  });
  const untilMs = performance.now() + READY_MS;
  while ((await run('token', 'status')).code !== 0 && performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
});

afterAll(async () => {
  if (daemon.exitCode === null) {
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGTERM');
    await ended;
  }
  rmSync(cwd, { recursive: true, force: true });
});

describe('plan and apply', () => {
  it('tell what a file would lead to, and change nothing', async () => {
    write(WEEKLY);
    const planned = await run('plan', '-f', 'keys.yaml', '--days', '14');
    expect(planned, planned.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(planned.stdout).toMatch(/^1 {8}█{31,32}[▒·]$/m);
    expect(planned.stdout).toMatch(/in 6 d \d+ h +3 +version 2 signs from here on, instead of version 1$/m);
    const previewed = await run('apply', '-f', 'keys.yaml', '--dry-run');
    expect(previewed, previewed.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(previewed.stdout).toMatch(/^\+ access-tokens: is made$/m);
    expect(JSON.parse((await run('key', 'list', '--json')).stdout)).toEqual({ signingKeys: [] });
  });

  it('need a confirmation that a pipe is not', async () => {
    const piped = await runCli(['apply', '-f', 'keys.yaml'], { cwd, input: 'apply\n' });
    expect(piped.code).toBe(2);
    expect(piped.stderr).toContain('nothing was changed');
    expect(JSON.parse((await run('key', 'list', '--json')).stdout)).toEqual({ signingKeys: [] });
  });

  it('apply the file, and find nothing to do the second time', async () => {
    const first = await run('apply', '-f', 'keys.yaml', '--yes', '--reason', 'test');
    expect(first, first.stderr).toMatchObject({ code: 0, stderr: 'applied access-tokens\n' });
    const second = await run('apply', '-f', 'keys.yaml', '--json');
    expect(JSON.parse(second.stdout)).toEqual({
      dryRun: false,
      changes: [{ kind: 'unchanged', name: 'access-tokens' }],
      unlisted: [],
      applied: [],
    });
  });

  it('change what differs, and leave what the file lacks', async () => {
    write(WEEKLY.replace('preset: access-tokens', 'preset: access-tokens, rollbackWindow: 4h'));
    const changed = await run('apply', '-f', 'keys.yaml', '--yes');
    expect(changed.stdout).toContain('~ access-tokens: changes\n    lifecyclePolicy.rollbackWindow: 1h → 4h\n');
    expect(changed.code).toBe(0);
    write(WEEKLY.replaceAll('access-tokens:', 'id-tokens:'));
    const other = await run('apply', '-f', 'keys.yaml', '--dry-run');
    expect(other.stdout).toContain('not in the file, and left as they are: access-tokens');
  });

  it('refuse all of a file when the daemon refuses one of it, or all of it together', async () => {
    write(`${WEEKLY}  new-tokens: { algorithm: ES256, lifecyclePolicy: { signingPeriod: 30m, rollbackWindow: 1m } }\n`);
    const refused = await run('apply', '-f', 'keys.yaml', '--yes');
    expect(refused.code, refused.stdout).toBe(1);
    expect(refused.stdout).toMatch(
      /^! new-tokens: is refused: signing_period 30 min must be longer .*\(POLICY_UNSAFE\)$/m,
    );
    expect(refused.stderr).toContain('nothing was changed');
    const many = Array.from({ length: 5 }, (_, index) => `  k${index}: { algorithm: ES256 }\n`);
    write(WEEKLY + many.join(''));
    const tooMany = await run('apply', '-f', 'keys.yaml', '--yes');
    expect(tooMany.code, tooMany.stdout).toBe(1);
    expect(tooMany.stderr).toContain('(KEY_SET_FULL)');
    const { signingKeys } = JSON.parse((await run('key', 'list', '--json')).stdout) as { signingKeys: unknown[] };
    expect(signingKeys).toHaveLength(1);
  });

  it('tell every problem of a file', async () => {
    write('version: 2\nsigningKeys:\n  a: { algorithm: none }\n');
    for (const words of [
      ['apply', '-f', 'keys.yaml'],
      ['plan', '-f', 'keys.yaml'],
    ]) {
      const { code, stderr } = await run(...words);
      expect(code).toBe(78);
      expect(stderr).toMatch(/^ {2}version: must be 1\n {2}signingKeys\.a\.algorithm: must be one of /m);
    }
  });

  it('explain a signing key as it is, as text, JSON and SVG', async () => {
    const text = await run('plan', 'access-tokens', '--svg', 'plan.svg');
    expect(text, text.stderr).toMatchObject({ code: 0 });
    expect(text.stdout).toMatch(/^version 1 is ACTIVE: it signs, since /m);
    expect(text.stdout).toMatch(/^- ACTIVE by `keyturn key rotate access-tokens`$/m);
    expect(readFileSync(path.join(cwd, 'plan.svg'), 'utf8')).toMatch(/^<svg [^]*<\/svg>\n$/);
    const plan = JSON.parse((await run('plan', 'access-tokens', '--days', '8', '--json')).stdout) as {
      moments: { toState: string; published: unknown[] }[];
    };
    expect(plan.moments.map(({ toState }) => toState).slice(0, 2)).toEqual(['SUSPENDED', 'ACTIVE']);
    expect(plan.moments[0]?.published).toHaveLength(3);
  });

  it.each([
    ['nothing to plan', []],
    ['two subjects', ['access-tokens', '-f', 'keys.yaml']],
    ['no days', ['access-tokens', '--days', '0']],
    ['a drawing that cannot be written', ['access-tokens', '--svg', 'nowhere/plan.svg']],
  ])('refuse %s', async (_, words) => {
    expect((await run('plan', ...words)).code).toBe(2);
  });
});
