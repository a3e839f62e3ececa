import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EMPTY_HEAD,
  findBreak,
  formatHead,
  type Head,
  hashLine,
  linkRecord,
  parseHead,
} from '../../src/audit/chain.ts';
import { MAX_LINE_BYTES, parseEntry } from '../../src/audit/encoding.ts';
import type { AuditRecord } from '../../src/audit/entries.ts';
import { parseSegmentName, segmentName, toSegments } from '../../src/audit/segments.ts';
import { hasReason } from '../../src/base/errors.ts';
import { anyRecord } from '../fixtures/audit-records.ts';

const TIME_MS = Date.parse('2026-01-31T12:00:00.000Z');

function writeChain(records: readonly AuditRecord[]): string[] {
  let head = EMPTY_HEAD;
  return records.map((record, index) => {
    const link = linkRecord(head, record, TIME_MS + index);
    head = link.head;
    return link.line;
  });
}

/** The sequence at which the lines stop to be one chain from the beginning; undefined when they are, up to `end`. */
function firstBad(lines: readonly (string | Uint8Array)[], end?: Head): number | undefined {
  let head = EMPTY_HEAD;
  for (const line of lines) {
    const bytes = Buffer.from(line);
    try {
      if (findBreak(head, parseEntry(bytes)) !== undefined) return head.seq + 1;
    } catch {
      return head.seq + 1;
    }
    head = { seq: head.seq + 1, hash: hashLine(bytes) };
  }
  return end === undefined || formatHead(end) === formatHead(head) ? undefined : Math.min(head.seq, end.seq);
}

function refusal(line: string | Uint8Array): string {
  try {
    parseEntry(Buffer.from(line));
  } catch (thrown) {
    if (hasReason(thrown, 'AUDIT_LOG_DAMAGED')) return thrown.message;
    throw thrown;
  }
  return 'accepted';
}

describe('an audit entry', () => {
  it('of any kind and content is one line, and is read as it was written', () => {
    fc.assert(
      fc.property(anyRecord, fc.integer({ min: 0, max: TIME_MS }), (record, timeMs) => {
        const { line, head } = linkRecord(EMPTY_HEAD, record, timeMs);
        expect(line).not.toContain('\n');
        const entry = parseEntry(Buffer.from(line));
        expect(findBreak(EMPTY_HEAD, entry)).toBeUndefined();
        expect(linkRecord(EMPTY_HEAD, entry, Date.parse(entry.time))).toEqual({ line, head });
      }),
    );
  });

  it('is refused with any other spelling: blanks, order, duplicates, further members, other escapes', () => {
    const { line } = linkRecord(
      EMPTY_HEAD,
      { kind: 'JWT_FAILED', dispatched: 7, reason: 'DEADLINE_EXCEEDED' },
      TIME_MS,
    );
    expect(refusal(line)).toBe('accepted');
    for (const other of [
      ` ${line}`,
      line.replace(',', ', '),
      line.replace('"dispatched":7,"reason":"DEADLINE_EXCEEDED"', '"reason":"DEADLINE_EXCEEDED","dispatched":7'),
      line.replace('"dispatched":7', '"dispatched":6,"dispatched":7'),
      line.replace('"prev"', '"more":1,"prev"'),
      line.replace('"reason"', String.raw`"r\u0065ason"`),
      line.replace('"dispatched":7', '"dispatched":7.0'),
    ])
      expect(refusal(other)).toContain('is not written as keyturn writes it');
  });

  it.each([
    ['"dispatched":7', '"dispatched":-7', 'dispatched must be a whole number'],
    ['"dispatched":7', '"dispatched":"7"', 'dispatched must be a whole number'],
    ['"reason":"X"', '"reason":null', 'reason must be a string'],
    [',"reason":"X"', '', 'reason must be a string'],
    ['"kind":"JWT_FAILED"', '"kind":"toString"', 'kind is not one that'],
    ['"seq":1', '"seq":0', 'seq must be at least 1'],
    ['12:00:00.000Z', '12:00:00Z', 'time must be a time'],
    ['2026-01-31T', '2026-02-31T', 'time must be a time'],
    ['"prev":"A', '"prev":"=', 'prev must be 43 characters'],
    ['}', '', 'is not a line of JSON'],
  ])('is refused with the member that is wrong: %s as %s', (from, to, problem) => {
    const { line } = linkRecord(EMPTY_HEAD, { kind: 'JWT_FAILED', dispatched: 7, reason: 'X' }, TIME_MS);
    expect(line).toContain(from);
    expect(refusal(line.replace(from, to))).toContain(problem);
  });

  it('is refused when it is no object, no UTF-8, or longer than any that keyturn writes', () => {
    expect(refusal('[]')).toContain('is not a JSON object');
    expect(refusal(Buffer.from([0x7b, 0xff, 0x7d]))).toContain('UTF-8');
    expect(refusal(Buffer.alloc(MAX_LINE_BYTES + 1, 0x20))).toContain('is longer than');
  });
});

describe('the chain', () => {
  const lines = fc.array(anyRecord, { minLength: 2, maxLength: 12 }).map(writeChain);

  it('holds as it was written', () => {
    fc.assert(
      fc.property(lines, (written) => {
        expect(firstBad(written)).toBeUndefined();
      }),
    );
  });

  it('breaks at a changed byte, or right after it', () => {
    fc.assert(
      fc.property(lines, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (written, which, at, flip) => {
        // The last line is what a head is for.
        const index = which % (written.length - 1);
        const bytes = Buffer.from(written[index] ?? '');
        const position = at % bytes.length;
        bytes.writeUInt8(bytes.readUInt8(position) ^ flip, position);
        expect([index + 1, index + 2]).toContain(firstBad(written.toSpliced(index, 1, bytes.toString('latin1'))));
        const changed: (string | Uint8Array)[] = [...written];
        changed[index] = bytes;
        expect([index + 1, index + 2]).toContain(firstBad(changed));
      }),
    );
  });

  it('breaks at the first entry that was removed, doubled or swapped', () => {
    fc.assert(
      fc.property(lines, fc.nat(), (written, which) => {
        const index = which % (written.length - 1);
        const [line = '', next = ''] = written.slice(index);
        expect(firstBad(written.toSpliced(index, 1))).toBe(index + 1);
        expect(firstBad(written.toSpliced(index, 0, line))).toBe(index + 2);
        expect(firstBad(written.toSpliced(index, 2, next, line))).toBe(index + 1);
      }),
    );
  });

  it('ends elsewhere than at its head when it was truncated or forked', () => {
    fc.assert(
      fc.property(lines, fc.nat(), anyRecord, (written, which, other) => {
        const end: Head = { seq: written.length, hash: hashLine(written.at(-1) ?? '') };
        expect(firstBad(written, end)).toBeUndefined();
        const index = which % written.length;
        const kept = written.slice(0, index);
        expect(firstBad(kept, end)).toBe(index);
        let head: Head = kept.length === 0 ? EMPTY_HEAD : { seq: index, hash: hashLine(kept.at(-1) ?? '') };
        const forked = written.slice(index).map(() => {
          const link = linkRecord(head, other, 0);
          head = link.head;
          return link.line;
        });
        expect(firstBad([...kept, ...forked], end)).toBe(written.length);
      }),
    );
  });
});

describe('a head', () => {
  it('is read as it is printed', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.string(), (seq, text) => {
        const head = { seq, hash: hashLine(text) };
        expect(parseHead(formatHead(head))).toEqual(head);
      }),
    );
  });

  it.each(['', '1', '01:' + 'A'.repeat(43), '1:' + 'A'.repeat(42), '9007199254740993:' + 'A'.repeat(43), 7])(
    'is refused when it is %s',
    (value) => {
      expect(() => parseHead(value)).toThrow('head must be SEQ:HASH');
    },
  );
});

describe('segments', () => {
  it('sort as they follow, and nothing else is one', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 50 }), { maxLength: 5 }), (seqs) => {
        const names = seqs.map(segmentName);
        expect(
          toSegments([...names, 'head', '1.jsonl', `${segmentName(1)}.gz`]).map(({ firstSeq }) => firstSeq),
        ).toEqual(seqs.toSorted((left, right) => left - right));
        expect(names.toSorted().map(parseSegmentName)).toEqual(seqs.toSorted((left, right) => left - right));
      }),
    );
    expect(parseSegmentName(segmentName(0))).toBeUndefined();
  });
});
