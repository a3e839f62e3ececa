/** Audit entries as people read them: one line each, nothing left out but the chain. Pure. */
import type { AuditEntry } from '../audit/entries.ts';

const CHAIN_MEMBERS = new Set(['seq', 'time', 'kind', 'prev']);
/** What needs no quotes: no blank, no quote, nothing that a terminal would act on. */
const PLAIN = /^[\w.:/@+=,~-]+$/;

export function describeEntry(entry: AuditEntry): string {
  const members = Object.entries(entry)
    .filter(([name]) => !CHAIN_MEMBERS.has(name))
    .map(([name, value]) => `${name}=${describeValue(value)}`);
  return [String(entry.seq), entry.time, entry.kind, ...members].join(' ');
}

function describeValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (typeof value !== 'string' || PLAIN.test(text)) return printable(text);
  return printable(JSON.stringify(text));
}

/** JSON leaves DEL, C1 and what turns the direction of writing as they are. */
function printable(text: string): string {
  return text.replaceAll(
    /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => String.raw`\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
