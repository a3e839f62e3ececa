import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/commands/commands.ts';
import { runCli } from './run-cli.ts';

let cwd = '';
beforeAll(() => {
  cwd = mkdtempSync(path.join(tmpdir(), 'keyturn-cli-'));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe('keyturn', () => {
  it('prints help to stdout when asked, and lists every first word', async () => {
    const { code, stdout, stderr } = await runCli(['--help'], { cwd });
    expect(code).toBe(0);
    expect(stderr).toBe('');
    for (const word of new Set(COMMANDS.map(({ name }) => name.split(' ')[0])))
      expect(stdout).toMatch(new RegExp(`^  ${word} `, 'm'));
  });

  it('has help for every command', async () => {
    for (const { name, summary, options } of COMMANDS) {
      const { code, stdout } = await runCli([...name.split(' '), '--help'], { cwd });
      expect(code, name).toBe(0);
      expect(stdout.replace(/\s+/g, ' ')).toContain(summary);
      for (const { flags } of options ?? []) expect(stdout).toContain(flags);
    }
  });

  it('prints the version', async () => {
    expect(await runCli(['--version'], { cwd })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it.each([
    ['no command', []],
    ['half a command', ['key']],
    ['an unknown command', ['turn']],
    ['an unknown option', ['key', 'list', '--jsn']],
    ['a missing argument', ['key', 'rotate']],
    ['one argument too many', ['key', 'rotate', 'a', 'b']],
    ['a missing option', ['sign', 'access-tokens']],
    ['an option without its value', ['sign', 'access-tokens', '--claims']],
    ['a malformed duration', ['key', 'apply', 'a', '--algorithm', 'ES256', '--signing-period', '30 days']],
    ['a lifetime of half a second', ['sign', 'a', '--claims', '{}', '--lifetime', '500ms']],
    ['a count that is no number', ['key', 'apply', 'a', '--algorithm', 'ES256', '--standbys', 'two']],
    ['claims from a file that is not there', ['sign', 'a', '--claims', '@nowhere.json']],
    ['no reason for a compromise', ['key', 'declare-compromised', 'a', '--yes']],
    ['nobody who could confirm a compromise', ['key', 'declare-compromised', 'a', '--reason', 'x']],
    ['nobody who could confirm it for the token', ['token', 'declare-compromised', '--reason', 'x']],
    ['nobody who could confirm a halt', ['key', 'suspend', 'a', '--halt']],
    ['nobody who could confirm a retirement', ['key', 'retire', 'a']],
    ['a time without its offset', ['key', 'rotate', 'a', '--at', '2026-01-31T03:00:00']],
    ['a rotation at a time and at once', ['key', 'rotate', 'a', '--at', '2026-01-31T03:00:00Z', '--use-last-standby']],
    ['a version that is no number', ['key', 'reactivate', 'a', 'last']],
    [
      'a compromised version that is no number',
      ['key', 'declare-compromised', 'a', '--version', 'v3', '--reason', 'x'],
    ],
    ['the version asked of a command', ['key', 'list', '--version']],
    ['half of mTLS', ['key', 'list', '--address', '127.0.0.1:1', '--cert', 'a.pem']],
  ])('ends with 2 and says why for %s', async (_, words) => {
    const { code, stdout, stderr } = await runCli(words, { cwd });
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stderr.length).toBeGreaterThan(10);
  });

  it('says that there is no configuration, and how to get one', async () => {
    const { code, stderr } = await runCli(['key', 'list'], { cwd });
    expect(code).toBe(78);
    expect(stderr).toContain('error: no configuration found');
    expect(stderr).toContain('keyturn init');
  });

  it('ends with 69 when no daemon answers', async () => {
    const { code, stderr } = await runCli(['key', 'list', '--socket', 'nobody.sock'], { cwd });
    expect(stderr).toContain('(DAEMON_UNREACHABLE)');
    expect(stderr).toContain('hint: ');
    expect(code).toBe(69);
  });

  it('says which Node it needs when an old one runs it', () => {
    // The entry as an old Node would get it: compiled, with nothing beside it that could be imported.
    const compiled = path.join(cwd, 'cli.mjs');
    const source = stripTypeScriptTypes(readFileSync(path.resolve(import.meta.dirname, '../../src/cli.ts'), 'utf8'));
    expect(source).not.toMatch(/^import /m);
    writeFileSync(compiled, source.replace('process.versions.node.', "'18.20.4'."));
    const { status, stderr } = spawnSync(process.execPath, [compiled, '--help'], { encoding: 'utf8' });
    expect(status).toBe(78);
    expect(stderr).toContain('error: keyturn needs Node 24');
  });

  it('survives a reader that has seen enough', () => {
    const entry = path.resolve(import.meta.dirname, '../../src/cli.ts');
    const { stderr } = spawnSync('/bin/sh', ['-c', `"${process.execPath}" "${entry}" --help | true`], {
      cwd,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
  });
});
