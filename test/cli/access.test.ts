/** The commands that look at an access policy without a daemon. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from './run-cli.ts';

const PAGE = readFileSync(path.resolve(import.meta.dirname, '../../docs/reference/access-policy.md'), 'utf8');
/** What the reference page shows. */
const [policy = '', cases = ''] = [...PAGE.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text);

let cwd = '';
beforeAll(() => {
  cwd = mkdtempSync(path.join(tmpdir(), 'keyturn-access-'));
  writeFileSync(path.join(cwd, 'policy.yaml'), policy);
  writeFileSync(path.join(cwd, 'cases.yaml'), cases);
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const access = (...words: string[]) => runCli(['access', ...words], { cwd });

describe('keyturn access', () => {
  it('check shows who has what, and every problem with its place', async () => {
    const good = await access('check', 'policy.yaml');
    expect([good.code, good.stderr]).toEqual([0, '']);
    expect(good.stdout).toMatch(/^auth-eu +signer +access-tokens$/m);
    expect(good.stdout).toMatch(/^auth-us +signer +-$/m);
    writeFileSync(
      path.join(cwd, 'bad.yaml'),
      policy.replace('role: operator', 'role: boss').replace('[auth-us], s', '[x], s'),
    );
    const bad = await access('check', 'bad.yaml', '--json');
    expect(bad.code).toBe(78);
    expect(JSON.parse(bad.stdout)).toMatchObject({
      ok: false,
      problems: [{ path: 'grants[0].role' }, { path: 'denials[0].callers[0]' }],
    });
  });

  it('explain answers one question with yes or no, and with the lines that say so', async () => {
    const question = ['--policy', 'policy.yaml', '--action', 'SignJwt', '--signing-key', 'access-tokens', '--caller'];
    const line = policy.split('\n').findIndex((text) => text.includes('callers: [auth-us], signingKeys')) + 1;
    const refused = await access('explain', ...question, 'dns:auth-us.example');
    expect(refused.code).toBe(1);
    expect(refused.stdout).toMatch(/^no: .*\(SIGNING_KEY_NOT_PERMITTED\)$/m);
    expect(refused.stdout).toContain(`policy.yaml:${line}  denials[0] takes access-tokens`);
    const allowed = await access('explain', ...question, 'auth-eu');
    expect([allowed.code, allowed.stdout]).toEqual([0, expect.stringMatching(/^ {2}sub: +user:\*$/m)]);
    expect((await access('explain', '--policy', 'policy.yaml')).code).toBe(2);
  });

  it('test is silent about cases as expected, and shows what is decided differently', async () => {
    const good = await access('test', 'cases.yaml', '--policy', 'policy.yaml');
    expect([good.code, good.stdout, good.stderr]).toEqual([0, '3 of 3 cases as expected\n', '']);
    writeFileSync(path.join(cwd, 'wrong.yaml'), cases.replace('expect: CLAIM_NOT_PERMITTED', 'expect: allowed'));
    const wrong = await access('test', 'wrong.yaml', '--policy', 'policy.yaml');
    expect(wrong.code).toBe(1);
    expect(wrong.stdout.split('\n').slice(0, 3)).toEqual([
      expect.stringMatching(/^wrong\.yaml:11 {2}nobody signs for another audience$/),
      '  expected: allowed',
      expect.stringMatching(/^ {2}decided: {2}CLAIM_NOT_PERMITTED: claims\.aud must be /),
    ]);
    expect(wrong.stderr).toContain('decides 1 of 3 cases differently');
  });
});
