/**
 * Whether what the token says of a new private key proves that its value never was, and never will be, outside.
 * Pure. SENSITIVE and EXTRACTABLE are the present state, which some tokens let a caller change later (seen on a TPM);
 * ALWAYS_SENSITIVE and NEVER_EXTRACTABLE are history, which none does: all four must hold. CKA_LOCAL and
 * CKA_KEY_GEN_MECHANISM are recorded but not required, because real tokens leave them false or unreadable.
 */
import type { AttributeReading } from '../lifecycle/model.ts';

const REQUIRED = [
  ['CKA_SENSITIVE', true],
  ['CKA_EXTRACTABLE', false],
  ['CKA_ALWAYS_SENSITIVE', true],
  ['CKA_NEVER_EXTRACTABLE', true],
] as const;

/** What speaks against the proof, such as `CKA_SENSITIVE is false`; empty when the key is proven. */
export function proveBirth(attributes: Readonly<Record<string, AttributeReading>>): readonly string[] {
  const objections: string[] = [];
  for (const [name, wanted] of REQUIRED) {
    const reading = attributes[name] ?? 'unreadable';
    if (reading !== wanted) objections.push(`${name} is ${reading}`);
  }
  return objections;
}
