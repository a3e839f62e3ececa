/** What of a birth record speaks against a key that was born in the token and can't leave it. Pure. */
import type { AttributeReading, BirthRecord } from '../../lifecycle/model.ts';

/** PKCS#11 v3.1, section 4.9. CKA_LOCAL isn't asked for: some tokens don't tell it of their own keys. */
const REQUIRED: Readonly<Record<string, AttributeReading>> = {
  CKA_SENSITIVE: true,
  CKA_EXTRACTABLE: false,
  CKA_ALWAYS_SENSITIVE: true,
  CKA_NEVER_EXTRACTABLE: true,
};

export function doubtsAbout({ attributes }: BirthRecord): readonly string[] {
  return Object.entries(REQUIRED)
    .filter(([name, wanted]) => attributes[name] !== wanted)
    .map(([name]) => `${name} is ${String(attributes[name] ?? 'not recorded')}`);
}
