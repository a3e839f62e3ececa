/** The audit log, changed anywhere: with its head known from elsewhere, no change goes unnoticed, and none breaks the reader. */
import fc from 'fast-check';
import { parseEntry } from '../../src/audit/encoding.ts';
import { ChainVerifier } from '../../src/audit/verify-chain.ts';
import { makeLog } from '../../test/fixtures/audit-log.ts';
import { mutatedText } from './mutations.ts';
import { ACCEPTED, pureTarget, require, requireReason } from './target.ts';

const { lines, head, key } = makeLog({ entries: 24, checkpointEvery: 8 });
const WRITTEN = lines.map((line) => Buffer.from(line).toString());
/** Deeper than a reader of JSON goes by recursion. */
const DEEP = `${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`;
const TOKENS = [
  ...'{}[]:,"\\'.split(''),
  ' ',
  '\t',
  '\0',
  '\u2028',
  'null',
  'true',
  '1e3',
  '-0',
  '01',
  '\\u0000',
  '\\ud800',
  '"__proto__":1,',
  '"seq":2,',
  '"kind":"EVENT",',
  '"data":{},',
  '"late":true,',
  '9007199254740993',
  '2026-01-31T24:00:00.000Z',
  DEEP,
];

/** One member with another value, all else as it was written. */
const otherValue = fc
  .tuple(
    fc.constantFrom(...WRITTEN),
    fc.nat(),
    fc.oneof(fc.constantFrom('{}', '[]', '""', '0', 'true', 'null', DEEP), fc.json()),
  )
  .map(([text, place, value]) => {
    const members = Object.entries(JSON.parse(text) as object);
    const changed = place % members.length;
    return `{${members.map(([name, old], at) => `"${name}":${at === changed ? value : JSON.stringify(old)}`).join()}}`;
  });
const line = fc.oneof(mutatedText(fc.constantFrom(...WRITTEN), TOKENS), otherValue);
const position = fc.nat({ max: WRITTEN.length - 1 });
const tampering = fc.record({
  how: fc.constantFrom('insert', 'replace', 'remove', 'repeat', 'move'),
  at: position,
  from: position,
  text: line,
});
type Tampering = typeof tampering extends fc.Arbitrary<infer T> ? T : never;

function tamper(log: string[], { how, at, from, text }: Tampering): void {
  if (how === 'insert') log.splice(at, 0, text);
  else if (how === 'replace') log.splice(at, 1, text);
  else if (how === 'remove') log.splice(at, 1 + (from % 3));
  else if (how === 'repeat') log.splice(at, from % 2, log[from] ?? '');
  else log.splice(at, 0, ...log.splice(from, 1));
}

function judgeLine(text: string): string {
  try {
    parseEntry(Buffer.from(text));
  } catch (thrown) {
    const reason = requireReason(thrown);
    require(reason === 'AUDIT_LOG_DAMAGED', `a refusal of something else: ${reason}`);
    return reason;
  }
  JSON.parse(text);
  return ACCEPTED;
}

function judgeLog(tamperings: readonly Tampering[]): string {
  const log = [...WRITTEN];
  for (const one of tamperings) tamper(log, one);
  const verifier = new ChainVerifier({ key, heads: [head] });
  for (const text of log) verifier.push(Buffer.from(text));
  const { problem } = verifier.end();
  const isWhole = log.join('\n') === WRITTEN.join('\n');
  require(isWhole === (problem === undefined), isWhole ? 'a whole log has a problem' : 'a changed log has none');
  return problem?.kind ?? ACCEPTED;
}

export const auditTargets = [
  pureTarget('audit entries', 40, line, judgeLine),
  pureTarget('audit logs', 10, fc.array(tampering, { maxLength: 2 }), judgeLog),
];
