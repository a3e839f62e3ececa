/**
 * What the whole e2e suite asked of the token, as pkcs11-spy wrote it down: no private value came out, nothing could
 * have. Runs after the e2e suite, on the logs in KEYTURN_TEST_SPY_DIR (scripts/test.sh does both).
 */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { makeSoftHsmToken } from '../fixtures/softhsm-token.ts';

const run = promisify(execFile);
const CHECK = fileURLToPath(new URL('../../scripts/spy-check.py', import.meta.url));
const LEAK = fileURLToPath(new URL('./leak.ts', import.meta.url));
const spyDir = process.env['KEYTURN_TEST_SPY_DIR'];

interface Verdict {
  readonly logs: number;
  readonly calls: number;
  readonly byFunction: Readonly<Record<string, number>>;
  readonly findings: readonly string[];
}

async function check(logs: readonly string[]): Promise<Verdict> {
  const { stdout } = await run('python3', [CHECK, ...logs]).catch((error: unknown) => error as { stdout: string });
  return JSON.parse(stdout) as Verdict;
}

describe('the spy log of the e2e suite', () => {
  it.skipIf(spyDir === undefined)(
    'shows no private value returned, no wrap, no copy, no extractable template',
    async () => {
      const dir = spyDir ?? '';
      const logs = readdirSync(dir).filter((file) => file.endsWith('.log'));
      const { calls, byFunction, findings } = await check(logs.map((file) => join(dir, file)));
      process.stdout.write(
        `pkcs11-spy: ${logs.length} logs, ${calls} calls, ${byFunction['C_GenerateKeyPair']} key pairs, ${byFunction['C_Sign']} signatures\n`,
      );
      expect(findings).toEqual([]);
      // The logs really are those of the suite.
      expect(byFunction['C_GenerateKeyPair']).toBeGreaterThan(50);
      expect(byFunction['C_Sign']).toBeGreaterThan(500);
      expect(byFunction['C_GetAttributeValue']).toBeGreaterThan(500);
    },
  );
});

describe('the check', () => {
  it('finds a planted leak: an extractable template and a private exponent that came out', async () => {
    const token = makeSoftHsmToken({ spy: true });
    const { moduleFile, pinFile, environment } = token.config;
    try {
      await run(process.execPath, [LEAK, moduleFile, pinFile], { env: { ...process.env, ...environment } });
      const { findings } = await check([token.spyLog]);
      expect(findings.some((finding) => finding.includes('CKA_PRIVATE_EXPONENT returned'))).toBe(true);
      expect(findings.some((finding) => finding.includes('CKA_EXTRACTABLE in the template'))).toBe(true);
      expect(findings.some((finding) => finding.includes('CKA_SENSITIVE in the template'))).toBe(true);
    } finally {
      token.dispose();
    }
  });
});
