/**
 * Which keys may be published together. Common verifiers lose a whole key set to one key of a type that they don't know:
 * AKP keys (ML-DSA) keep to themselves. Pure.
 */
import { KeyturnError } from '../base/errors.ts';
import { type Algorithm, specOf } from '../jose/algorithms.ts';
import type { SigningKeyState } from './signing-key-state.ts';
import type { KeySetState } from './fold-key-set.ts';

export interface Company {
  /** Of this key set; the one that is asked about left out. */
  readonly signingKeys: readonly SigningKeyState[];
  /** The request's field that names the key set. */
  readonly field: string;
}

/** Errors: FIELD_INVALID. */
export function requireCompanions(algorithm: Algorithm, keySet: KeySetState, { signingKeys, field }: Company): void {
  const present = [
    ...signingKeys.map(({ name, spec }) => ({ what: `of signing key ${name}`, algorithm: spec.algorithm })),
    ...keySet.imports
      .filter(({ departure }) => departure === undefined)
      .map((key) => ({ what: `imported as ${key.kid}`, algorithm: key.algorithm })),
  ];
  const stranger = present.find((other) => isAkp(other.algorithm) !== isAkp(algorithm));
  if (stranger === undefined) return;
  throw new KeyturnError(
    'FIELD_INVALID',
    `key set ${keySet.name} has ${stranger.algorithm} keys, ${stranger.what}: ML-DSA keys and others never share a key set, because verifiers that don't know ML-DSA would lose all of it; name another key set`,
    { field, rule: 'akp-apart', subject: keySet.name },
  );
}

function isAkp(algorithm: Algorithm): boolean {
  return specOf(algorithm).keyType === 'AKP';
}
