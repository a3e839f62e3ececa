/**
 * One entry as one line of JSON. There is exactly one way to write an entry (members in the order of entries.ts, nothing
 * between them), and the parser accepts only that: two readers never see different things in one line. Pure.
 */
import { KeyturnError } from '../base/errors.ts';
import { type AuditEntry, type AuditRecord, type EntryKind, isEntryKind, LAYOUTS, type Member } from './entries.ts';

/** Without the line feed. The largest entries are events with a policy or a birth record: some KiB. */
export const MAX_LINE_BYTES = 64 * 1024;

export interface EntryPlace {
  readonly seq: number;
  readonly time: string;
  readonly prev: string;
}

/** A kind's members with their forms, in order: made once. */
const MEMBERS: ReadonlyMap<string, readonly (readonly [string, Member])[]> = new Map(
  Object.entries(LAYOUTS).map(([kind, layout]) => [kind, Object.entries<Member>(layout)]),
);

function membersOf(kind: EntryKind): readonly (readonly [string, Member])[] {
  return MEMBERS.get(kind) ?? [];
}

/** Without a line feed. */
export function encodeEntry(record: AuditRecord, { seq, time, prev }: EntryPlace): string {
  const content: Readonly<Record<string, unknown>> = { ...record };
  const ordered: Record<string, unknown> = { seq, time, kind: record.kind };
  for (const [name] of membersOf(record.kind)) ordered[name] = content[name];
  ordered['prev'] = prev;
  return JSON.stringify(ordered);
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** `line`: without its line feed. Errors: AUDIT_LOG_DAMAGED, which says what is wrong with the line. */
export function parseEntry(line: Uint8Array): AuditEntry {
  if (line.length > MAX_LINE_BYTES) throw damaged(`is longer than ${MAX_LINE_BYTES} bytes`);
  const value = toObject(line);
  const { kind } = value;
  if (!isEntryKind(kind)) throw damaged('kind is not one that this version of keyturn knows');
  requirePlace(value);
  for (const [name, member] of membersOf(kind)) requireMember(value, name, member);
  // The forms were checked, member by member.
  const entry = value as unknown as AuditEntry;
  if (!isAsWritten(entry, line)) {
    throw damaged('is not written as keyturn writes it: members, their order or their spelling differ');
  }
  return entry;
}

/** Objects nested a thousand deep can be read, and are too much for whoever writes them again: nothing of ours has any. */
function isAsWritten(entry: AuditEntry, line: Uint8Array): boolean {
  try {
    return Buffer.from(encodeEntry(entry, entry)).equals(line);
  } catch (thrown) {
    if (thrown instanceof RangeError) return false;
    throw thrown;
  }
}

function toObject(line: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(line));
  } catch {
    throw damaged('is not a line of JSON in UTF-8');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw damaged('is not a JSON object');
}

function requirePlace(value: Readonly<Record<string, unknown>>): void {
  requireMember(value, 'seq', { form: 'count' });
  requireMember(value, 'time', { form: 'time' });
  requireMember(value, 'prev', { form: 'digest' });
  if (value['seq'] === 0) throw damaged('seq must be at least 1');
}

const DIGEST = /^[A-Za-z0-9_-]{43}$/;
const HEAD = /^(?:0|[1-9]\d{0,15}):[A-Za-z0-9_-]{43}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const FORMS: Readonly<Record<Member['form'], { readonly is: (value: unknown) => boolean; readonly what: string }>> = {
  text: { is: (value) => typeof value === 'string', what: 'a string' },
  digest: { is: (value) => typeof value === 'string' && DIGEST.test(value), what: '43 characters of base64url' },
  head: { is: (value) => typeof value === 'string' && HEAD.test(value), what: 'SEQ:HASH' },
  time: { is: isTime, what: 'a time as 2026-01-31T12:00:00.000Z' },
  count: { is: (value) => Number.isSafeInteger(value) && Number(value) >= 0, what: 'a whole number' },
  true: { is: (value) => value === true, what: 'true, or left out' },
  object: { is: (value) => typeof value === 'object' && value !== null && !Array.isArray(value), what: 'an object' },
};

function isTime(value: unknown): boolean {
  if (typeof value !== 'string' || !TIME.test(value)) return false;
  const timeMs = Date.parse(value);
  return Number.isFinite(timeMs) && new Date(timeMs).toISOString() === value;
}

function requireMember(value: Readonly<Record<string, unknown>>, name: string, member: Member): void {
  if (member.isOptional && !Object.hasOwn(value, name)) return;
  const { is, what } = FORMS[member.form];
  if (!is(value[name])) throw damaged(`${name} must be ${what}`);
}

function damaged(problem: string): KeyturnError {
  return new KeyturnError('AUDIT_LOG_DAMAGED', `the entry ${problem}`);
}
