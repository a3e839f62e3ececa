import { describe, expect, it } from 'vitest';
import { proveBirth } from '../../src/hsm/prove-birth.ts';

const PROVEN = {
  CKA_SENSITIVE: true,
  CKA_EXTRACTABLE: false,
  CKA_ALWAYS_SENSITIVE: true,
  CKA_NEVER_EXTRACTABLE: true,
} as const;

describe('the proof of birth', () => {
  it('accepts a key that is and always was sensitive, and is and always was non-exportable', () => {
    expect(proveBirth({ ...PROVEN, CKA_LOCAL: false, CKA_KEY_GEN_MECHANISM: 'unreadable' })).toEqual([]);
  });

  it.each(Object.entries(PROVEN))('refuses a key whose %s is the opposite, unreadable, or not told', (name, value) => {
    expect(proveBirth({ ...PROVEN, [name]: !value })).toEqual([`${name} is ${!value}`]);
    expect(proveBirth({ ...PROVEN, [name]: 'unreadable' })).toEqual([`${name} is unreadable`]);
    expect(proveBirth(Object.fromEntries(Object.entries(PROVEN).filter(([other]) => other !== name)))).toEqual([
      `${name} is unreadable`,
    ]);
  });

  it('takes no number for a boolean', () => {
    expect(proveBirth({ ...PROVEN, CKA_SENSITIVE: 1, CKA_EXTRACTABLE: 0 })).toEqual([
      'CKA_SENSITIVE is 1',
      'CKA_EXTRACTABLE is 0',
    ]);
  });
});
