import { describe, expect, it } from 'vitest';
import type { Finding, Reconciliation } from '../../src/client/client.ts';
import { checkStore } from '../../src/commands/doctor-store.ts';

const NOW = Date.UTC(2026, 0, 31, 12);
const finding = (kind: Finding['kind']): Finding => {
  return { kind, ckaId: 'a', ckaLabel: 'keyturn/access-tokens/1', signingKey: 'access-tokens', version: 1 };
};
const AGREED: Reconciliation = {
  findings: [],
  fencedSigningKeys: [],
  restoreTime: undefined,
  knownUntilTime: undefined,
};
const told = (reconciliation: Reconciliation | undefined) =>
  checkStore(reconciliation, NOW).map(({ status, name, message }) => `${status} ${name}: ${message}`);

describe('doctor on the store', () => {
  it('is content when store and token agree, and says when they were not compared', () => {
    expect(told(AGREED)).toEqual(['ok store and token: they agree']);
    expect(told(undefined)).toEqual(['warn store and token: they were not compared: the token is unavailable']);
  });

  it('counts findings by kind; only a fence is a failure', () => {
    const findings = [finding('MISSING'), finding('ORPHAN'), finding('MISSING')];
    expect(told({ ...AGREED, findings })).toEqual(['warn store and token: 2 MISSING, 1 ORPHAN']);
    expect(told({ ...AGREED, findings, fencedSigningKeys: ['access-tokens'] })).toEqual([
      'fail store and token: 2 MISSING, 1 ORPHAN; fenced: access-tokens',
    ]);
  });

  it('says since when a restored store knows nothing', () => {
    const restored = { restoreTime: new Date(NOW - 60_000), knownUntilTime: new Date(NOW - 3_600_000) };
    expect(told({ ...AGREED, ...restored, fencedSigningKeys: ['access-tokens'] })).toEqual([
      'fail store and token: they agree; fenced: access-tokens',
      'fail restored store: restored at 2026-01-31T11:59:00Z (1 min ago), it knows nothing after 2026-01-31T11:00:00Z (1 h ago): nothing signs, and no key set is published',
    ]);
  });
});
