import { describe, expect, it } from 'vitest';
import { auditOf } from '../../src/access/audited-methods.ts';
import { METHOD_RULES } from '../../src/access/methods.ts';

describe('the audit log', () => {
  it('has an entry for every method but those that look, and those that sign, which have their own', () => {
    const unaudited = Object.keys(METHOD_RULES).filter((method) => auditOf(method) === 'unaudited');
    expect(unaudited.length).toBeGreaterThan(10);
    for (const method of unaudited)
      expect(method).toMatch(/^\/grpc\.|\/(?:Get|List|Watch)\w+$|\/(?:Plan|Reconcile|SignJwt|BatchSignJwt)$/);
    for (const method of Object.keys(METHOD_RULES).filter((name) => !unaudited.includes(name)))
      expect(method).not.toMatch(/\/(?:Get|List|Watch)\w+$|\/SignJwt$/);
  });

  it('never holds up what withdraws a key', () => {
    const names = Object.keys(METHOD_RULES).filter((method) => auditOf(method) === 'narrows');
    expect(names.map((method) => String(method.split('/')[2])).toSorted()).toEqual([
      'Approve',
      'DeclareCompromised',
      'Propose',
      'RemovePublicKey',
      'Retire',
      'Suspend',
    ]);
  });

  it('has an entry for a method that nobody has thought of yet', () => {
    expect(auditOf('/keyturn.v1.KeyAdminService/Whatever')).toBe('waits');
  });
});
