/** Against lists that OpenSSL made. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elementsOf } from '../../src/config/der.ts';
import { parseRevocationLists, subjectOf } from '../../src/config/revocation-lists.ts';
import { createDevelopmentAuthority } from '../../src/commands/development-certificates.ts';
import { issueRevocationList } from '../fixtures/revocation-list.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
const openssl = (...words: string[]): Buffer => execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-crl-'));
  writeFileSync(at('index.txt'), '');
  writeFileSync(
    at('ca.cnf'),
    `[ca]\ndefault_ca = x\n[x]\ndatabase = ${at('index.txt')}\ndefault_md = sha256\ncrl_extensions = e\n[e]\nauthorityKeyIdentifier = keyid\n`,
  );
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  openssl(...request, '-subj', '/C=CH/O=Example/CN=CA', '-keyout', 'ca.key', '-out', 'ca.pem');
  openssl(
    'ca',
    '-config',
    'ca.cnf',
    '-gencrl',
    '-keyfile',
    'ca.key',
    '-cert',
    'ca.pem',
    '-crldays',
    '7',
    '-out',
    'l.pem',
  );
  openssl('crl', '-in', 'l.pem', '-outform', 'DER', '-out', 'l.der');
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('parseRevocationLists', () => {
  it('finds issuer and nextUpdate, in PEM and in DER alike', () => {
    const text = openssl('crl', '-in', 'l.pem', '-noout', '-nextupdate').toString().trim();
    const [list] = parseRevocationLists(readFileSync(at('l.pem')));
    expect(list?.nextUpdateMs).toBe(Date.parse(text.replace('nextUpdate=', '')));
    expect(list?.issuer).toEqual(subjectOf(new X509Certificate(readFileSync(at('ca.pem')))));
    expect(parseRevocationLists(readFileSync(at('l.der')))).toEqual([list]);
  });

  it('gives what OpenSSL reads as the same list', () => {
    const [list] = parseRevocationLists(readFileSync(at('l.der')));
    writeFileSync(at('again.pem'), list?.pem ?? '');
    expect(openssl('crl', '-in', 'again.pem', '-outform', 'DER')).toEqual(readFileSync(at('l.der')));
  });

  it('finds every list of a file', () => {
    const text = readFileSync(at('l.pem'), 'utf8');
    expect(parseRevocationLists(Buffer.from(`${text}comment\n${text}`))).toHaveLength(2);
  });

  it('refuses a list that never goes out of date', async () => {
    const validity = { notBefore: new Date(), notAfter: new Date(Date.now() + 60_000) };
    const authority = await createDevelopmentAuthority('x', validity);
    const withoutEnd = await issueRevocationList(authority, [], null);
    expect(() => parseRevocationLists(Buffer.from(withoutEnd))).toThrow('without nextUpdate');
  });

  it.each([
    ['a certificate', () => readFileSync(at('ca.pem')), 'holds no certificate revocation list'],
    ['nothing', () => Buffer.alloc(0), 'holds no certificate revocation list'],
    ['half a list', () => readFileSync(at('l.der')).subarray(0, 60), 'malformed'],
    ['DER of something else', () => Buffer.from('3003020101', 'hex'), 'malformed'],
    ['an indefinite length', () => Buffer.from('3080020101', 'hex'), 'malformed'],
  ])('refuses %s', (_what, bytes, message) => {
    expect(() => parseRevocationLists(bytes())).toThrow(message);
  });

  it('ends with an error, never with another, wherever a list is cut or changed', () => {
    const der = readFileSync(at('l.der'));
    for (let index = 0; index < der.length; index += 1) {
      for (const value of [0x00, 0x7f, 0x84, 0xff]) {
        const changed = Buffer.from(der);
        changed[index] = value;
        try {
          parseRevocationLists(changed);
        } catch (error) {
          expect(error).toMatchObject({ message: expect.stringMatching(/^holds /) as string });
        }
      }
    }
  });

  it('does not read beyond the end of what holds an element', () => {
    expect(() => elementsOf(Buffer.from('020501', 'hex'))).toThrow(RangeError);
    expect(() => elementsOf(Buffer.from('02', 'hex'))).toThrow(RangeError);
  });
});
