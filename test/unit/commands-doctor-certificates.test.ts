import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createDevelopmentAuthority } from '../../src/commands/development-certificates.ts';
import { checkCertificates } from '../../src/commands/doctor-certificates.ts';
import { VALID } from '../fixtures/certificates.ts';
import { issueRevocationList } from '../fixtures/revocation-list.ts';
import { TLS_LISTENER } from '../fixtures/test-servers.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'keyturn-doctor-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it.each([
  ['for a day', 86_400_000, 'ok'],
  ['for an hour', 3_600_000, 'warn'],
  ['no more', -1_000, 'fail'],
])('the doctor tells whether a revocation list is good: %s', async (_how, leftMs, status) => {
  const authority = await createDevelopmentAuthority('test CA', VALID);
  const [ca, list] = [join(dir, 'ca.pem'), join(dir, 'list.pem')];
  writeFileSync(ca, authority.certificatePem);
  writeFileSync(list, await issueRevocationList(authority, [], new Date(Date.now() + leftMs)));
  const files = { certificateFile: ca, privateKeyFile: ca, clientCaFile: ca, revocationListFiles: [list] };
  const findings = checkCertificates({ ...TLS_LISTENER, port: 0, ...files }, Date.now());
  expect(findings.map(({ name }) => name)).toEqual(['server certificate', 'client CA', 'revocation list']);
  expect(findings[2]?.status).toBe(status);
});
