/** The example unit keeps what the documents say of it: no core dumps, no secrets for others, and how exposed it leaves the service. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const UNIT = fileURLToPath(new URL('../../deploy/keyturn.service', import.meta.url));
const unit = readFileSync(UNIT, 'utf8').split('\n');
const read = (page: string): string => readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
const FIGURE = /exposure level for keyturn\.service: (\d+\.\d)/;
/** systemd's own scale: from 0 (little can be done with the service) to 10. */
const isInstalled = spawnSync('systemd-analyze', ['--version']).status === 0;

describe('deploy/keyturn.service', () => {
  it.each([
    'LimitCORE=1',
    'UMask=0077',
    'NoNewPrivileges=yes',
    'CapabilityBoundingSet=',
    'RuntimeDirectoryMode=0700',
    'StateDirectoryMode=0700',
    'KillMode=mixed',
    'LoadCredentialEncrypted=pin:/etc/keyturn/pin.cred',
    'LoadCredentialEncrypted=tls-key:/etc/keyturn/tls-key.cred',
  ])('says %s', (line) => {
    expect(unit).toContain(line);
  });

  it('has no secret and no environment', () => {
    expect(unit.filter((line) => /^(?:Environment|SetCredential|PassEnvironment)/.test(line))).toEqual([]);
  });

  it.skipIf(!isInstalled)('is no more exposed than the documents say (skipped without systemd-analyze)', () => {
    const report = execFileSync('systemd-analyze', ['security', '--offline=true', UNIT], { encoding: 'utf8' });
    const exposure = Number(FIGURE.exec(report)?.[1]);
    expect(exposure).toBeGreaterThan(0);
    const documented = Number(FIGURE.exec(read('operate/start-stop.md'))?.[1]);
    expect(exposure).toBeLessThanOrEqual(documented);
  });
});
