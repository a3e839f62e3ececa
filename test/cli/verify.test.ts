import { createServer, type Server } from 'node:http';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from './run-cli.ts';

const ISSUER = 'https://issuer.example';
const AUDIENCE = 'https://api.example';
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const JWKS = JSON.stringify({
  keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' }],
});

function makeJwt(claims: object): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode({ alg: 'ES256', kid: 'k1', typ: 'JWT' })}.${encode(claims)}`;
  return `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

const GOOD = makeJwt({ iss: ISSUER, aud: AUDIENCE, exp: Math.floor(Date.now() / 1_000) + 3_600 });
let cwd = '';
let server: Server;
let url = '';

beforeAll(async () => {
  cwd = mkdtempSync(path.join(tmpdir(), 'keyturn-verify-'));
  writeFileSync(path.join(cwd, 'jwks.json'), JWKS);
  server = createServer((request, response) => {
    if (request.url === '/jwks.json') response.end(JWKS);
    else if (request.url === '/large') response.end('x'.repeat(2 * 1024 * 1024));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(cwd, { recursive: true, force: true });
});

describe('keyturn verify', () => {
  it('verifies against a key set over HTTP, with issuer and audience', async () => {
    const words = ['verify', GOOD, '--jwks', `${url}/jwks.json`, '--issuer', ISSUER, '--audience', AUDIENCE];
    const { code, stdout, stderr } = await runCli(words, { cwd });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^verified\n/);
    expect(stdout).toMatch(/expires: .*\(in (1 h|59 min)/);
    expect(code).toBe(0);
  });

  it('verifies a JWT from stdin against a file, and prints JSON', async () => {
    const { code, stdout } = await runCli(['verify', '-', '--jwks', 'jwks.json', '--json'], {
      cwd,
      input: `${GOOD}\n`,
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      verified: true,
      header: { alg: 'ES256', kid: 'k1' },
      claims: { iss: ISSUER },
    });
  });

  it.each([
    ['another audience', GOOD, ['--audience', 'https://other.example']],
    ['another issuer', GOOD, ['--issuer', 'https://other.example']],
    ['a changed signature', `${GOOD.slice(0, -4)}AAAA`, []],
    ['an expired JWT', makeJwt({ iss: ISSUER, aud: AUDIENCE, exp: 1 }), []],
    ['no JWT at all', 'abc', []],
  ])('ends with 1 for %s', async (_, jwt, more) => {
    const { code, stdout, stderr } = await runCli(['verify', jwt, '--jwks', 'jwks.json', ...more], { cwd });
    expect(stderr).toContain('(JWT_NOT_VERIFIED)');
    expect(stdout).toBe('');
    expect(code).toBe(1);
  });

  it.each([
    ['answers 404', '/nowhere', 69],
    ['is endless', '/large', 69],
  ])('says so when the address %s', async (_, where, expected) => {
    const { code, stderr } = await runCli(['verify', GOOD, '--jwks', url + where], { cwd });
    expect(stderr).toContain("can't be fetched");
    expect(code).toBe(expected);
  });

  it('ends with 2 when the key set is a file that is not there or no JSON', async () => {
    writeFileSync(path.join(cwd, 'text.txt'), 'not json');
    for (const file of ['nowhere.json', 'text.txt']) {
      expect((await runCli(['verify', GOOD, '--jwks', file], { cwd })).code).toBe(2);
    }
  });
});
