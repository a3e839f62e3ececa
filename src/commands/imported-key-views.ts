/** Imported public keys as people read them. Pure. */
import type { ImportedKey, ImportOutcome } from '../client/client.ts';
import type { OptionSpec } from './command.ts';
import { formatTable } from './table.ts';
import { formatTime } from './time.ts';

export const KEY_SET_OPTION: OptionSpec = {
  flags: '--key-set <name>',
  description: 'the key set (default: default)',
};

export function describeImportedKeys(importedKeys: readonly ImportedKey[], nowMs: number): string[] {
  const rows = importedKeys.map((key) => [
    key.kid,
    key.algorithm,
    key.published ? 'yes' : 'no',
    formatTime(key.expireTime.getTime(), nowMs),
    departureOf(key, nowMs),
    `${key.caller}: ${key.reason}`,
  ]);
  return formatTable(['KID', 'ALG', 'PUBLISHED', 'EXPIRES', 'LEFT', 'IMPORTED BY'], rows);
}

function departureOf({ departureCause, departureTime }: ImportedKey, nowMs: number): string {
  if (departureCause === undefined || departureTime === undefined) return '–';
  return `${departureCause.toLowerCase()} ${formatTime(departureTime.getTime(), nowMs)}`;
}

export function describeRemoval(
  { importedKey, changed }: ImportOutcome,
  { isDryRun, nowMs }: { readonly isDryRun: boolean; readonly nowMs: number },
): string {
  const { kid, keySet } = importedKey;
  if (!changed) return `kid ${kid} has left key set ${keySet} already: ${departureOf(importedKey, nowMs)}`;
  const does = isDryRun ? 'would leave' : 'has left';
  return `kid ${kid} ${does} key set ${keySet} for good: JWTs that it signed stop verifying as verifiers fetch the key set anew`;
}
