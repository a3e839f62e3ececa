/** Which entries somebody asked for. Pure. */
import { type AuditEntry, type EntryKind, isEntryKind, LAYOUTS } from './entries.ts';
import { KeyturnError } from '../base/errors.ts';

/** What is undefined accepts everything. */
export interface EntryFilter {
  readonly kinds: ReadonlySet<EntryKind> | undefined;
  readonly signingKey: string | undefined;
  readonly kid: string | undefined;
  readonly caller: string | undefined;
  readonly jti: string | undefined;
  /** Unix ms, inclusive. */
  readonly fromMs: number | undefined;
  /** Unix ms, exclusive. */
  readonly toMs: number | undefined;
}

export function isWanted(entry: AuditEntry, filter: EntryFilter): boolean {
  const { kinds, signingKey, kid, caller, jti, fromMs, toMs } = filter;
  if (kinds !== undefined && !kinds.has(entry.kind)) return false;
  if (fromMs !== undefined && Date.parse(entry.time) < fromMs) return false;
  if (toMs !== undefined && Date.parse(entry.time) >= toMs) return false;
  const wanted = { signingKey, kid, caller, jti };
  return Object.entries(wanted).every(([name, value]) => value === undefined || memberOf(entry, name) === value);
}

/** Of an event, what its data say as well: who gave the command. */
function memberOf(entry: AuditEntry, name: string): unknown {
  const members: Readonly<Record<string, unknown>> = { ...(entry.kind === 'EVENT' ? entry.data : {}), ...entry };
  return members[name];
}

/** Names of kinds, separated by commas. Errors: FIELD_INVALID. */
export function parseKinds(text: string, field: string): ReadonlySet<EntryKind> {
  return new Set(
    text.split(',').map((word) => {
      const kind = word.trim();
      if (isEntryKind(kind)) return kind;
      throw new KeyturnError('FIELD_INVALID', `${field} must be of ${Object.keys(LAYOUTS).join(', ')}`, { field });
    }),
  );
}
