/** What applying a signing keys file would change, as people read it. Pure. */
import type { SigningKey } from '../client/client.ts';

/** As the file has it; nothing is rounded, so that no difference is lost. */
const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** What becomes of one signing key of the file. */
export type KeyChange =
  | { readonly kind: 'create'; readonly name: string; readonly after: SigningKey }
  | { readonly kind: 'change'; readonly name: string; readonly fields: readonly FieldChange[]; readonly etag: string }
  | { readonly kind: 'unchanged'; readonly name: string }
  | { readonly kind: 'refused'; readonly name: string; readonly reason: string; readonly message: string };

export interface FieldChange {
  /** As the file names it. */
  readonly field: string;
  readonly from: string;
  readonly to: string;
}

export function describeKeyChanges(changes: readonly KeyChange[], unlisted: readonly string[]): string[] {
  return [
    ...changes.flatMap(describeKeyChange),
    ...(unlisted.length === 0 ? [] : [`not in the file, and left as they are: ${unlisted.join(', ')}`]),
  ];
}

function describeKeyChange(change: KeyChange): string[] {
  switch (change.kind) {
    case 'create':
      return [`+ ${change.name}: is made`, ...fieldsOf(change.after).map(([field, value]) => `    ${field}: ${value}`)];
    case 'change':
      return [
        `~ ${change.name}: changes`,
        ...change.fields.map(({ field, from, to }) => `    ${field}: ${from} → ${to}`),
      ];
    case 'unchanged':
      return [`= ${change.name}: is like that already`];
    case 'refused':
      return [`! ${change.name}: is refused: ${change.message} (${change.reason})`];
  }
}

/** What differs, by the file's names. */
export function compareKeys(before: SigningKey, after: SigningKey): readonly FieldChange[] {
  const former = new Map(fieldsOf(before));
  return fieldsOf(after).flatMap(([field, to]) => {
    const from = former.get(field) ?? '–';
    return from === to ? [] : [{ field, from, to }];
  });
}

function fieldsOf(key: SigningKey): readonly (readonly [field: string, value: string])[] {
  const policy = key.lifecyclePolicy;
  const inPolicy = (field: string, value: string): readonly [string, string] => [`lifecyclePolicy.${field}`, value];
  return [
    ['keySet', key.keySet],
    ['algorithm', key.algorithm],
    ...(key.rsaBits === undefined ? [] : [['rsaBits', String(key.rsaBits)] as const]),
    inPolicy('signingPeriod', toFileDuration(policy.signingPeriodMs)),
    inPolicy('maxSigningPeriod', toFileDuration(policy.maxSigningPeriodMs)),
    inPolicy('maxJwtLifetime', toFileDuration(policy.maxJwtLifetimeMs)),
    inPolicy('rollbackWindow', toFileDuration(policy.rollbackWindowMs)),
    inPolicy('standbys', String(policy.standbys)),
    inPolicy('addJti', String(policy.addJti)),
    inPolicy('addNbf', String(policy.addNbf)),
  ];
}

function toFileDuration(durationMs: number): string {
  let restMs = durationMs;
  const parts = UNITS.map(([unit, unitMs]) => {
    const count = Math.floor(restMs / unitMs);
    restMs -= count * unitMs;
    return count === 0 ? '' : `${count}${unit}`;
  });
  return durationMs === 0 ? '0s' : parts.join('');
}
