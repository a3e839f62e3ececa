import { describe, expect, it } from 'vitest';
import { parseEntry } from '../../src/audit/encoding.ts';
import { makeLog } from '../fixtures/audit-log.ts';

const { lines } = makeLog({ entries: 8, checkpointEvery: 4 });
const texts = lines.map((line) => Buffer.from(line).toString());
const checkpoint = texts.find((text) => text.includes('"kind":"CHECKPOINT"')) ?? '';

describe('a line of the audit log', () => {
  it('is an entry as it was written', () => {
    for (const text of texts) expect(JSON.stringify(parseEntry(Buffer.from(text)))).toBe(text);
  });

  it.each([
    ['a space', checkpoint.replace(',', ', ')],
    ['a member twice', checkpoint.replace('{', '{"seq":4,')],
    ['a byte order mark', `\ufeff${checkpoint}`],
    ['an escape that needn’t be', checkpoint.replace('CHECKPOINT', '\\u0043HECKPOINT')],
    ['an object nested deeper than it can be written again', deepened(checkpoint)],
  ])('is none with %s', (_what, text) => {
    expect(text).not.toBe(checkpoint);
    expect(() => parseEntry(Buffer.from(text))).toThrow(expect.objectContaining({ reason: 'AUDIT_LOG_DAMAGED' }));
  });
});

function deepened(text: string): string {
  const depth = 9_000;
  return text.replace(/"publicKey":\{[^}]*\}/, `"publicKey":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`);
}
