/** Every way to tamper with one entry of a thousand, each tried at every entry: found, and the first bad entry named. */
import { describe, expect, it } from 'vitest';
import { EMPTY_HEAD, type Head, hashLine, linkRecord } from '../../src/audit/chain.ts';
import { encodeEntry, parseEntry } from '../../src/audit/encoding.ts';
import type { AuditEntry, AuditRecord } from '../../src/audit/entries.ts';
import { ChainVerifier, type Problem, type Verification, type VerifyOptions } from '../../src/audit/verify-chain.ts';
import { checkpointBy, makeAuditKey, makeLog, ordinaryRecord } from '../fixtures/audit-log.ts';

const ENTRIES = 1_000;
const BLOCK = 10;
const log = makeLog({ entries: ENTRIES, checkpointEvery: BLOCK });
const { lines, head, key, later } = log;
const hashes = [EMPTY_HEAD.hash, ...lines.map((line) => hashLine(line))];

function headAt(seq: number): Head {
  return { seq, hash: hashes[seq] ?? '' };
}

function lineOf(seq: number): Uint8Array {
  const line = lines[seq - 1];
  if (line === undefined) throw new Error(`the log has no entry ${seq}`);
  return line;
}

function entryOf(seq: number): AuditEntry {
  return parseEntry(lineOf(seq));
}

function verify(tampered: Iterable<Uint8Array>, options: VerifyOptions = { key, heads: [head] }): Verification {
  const verifier = new ChainVerifier(options);
  for (const line of tampered) {
    verifier.push(line);
    if (verifier.hasProblem) break;
  }
  return verifier.end();
}

/**
 * The problem of a log that is good up to the block in which `seq` is: that part is left out, and its head given, so
 * that a thousand logs of a thousand entries can be tried. What comes after is read as far as the problem.
 */
function problemFrom(seq: number, toTail: (from: number) => Iterable<Uint8Array>): Problem | undefined {
  // There is always a good entry before.
  const from = Math.max(0, Math.floor((seq - 2) / BLOCK)) * BLOCK + 1;
  const trusted = from > ENTRIES / 2 + BLOCK ? later : key;
  const heads = from === 1 ? [head] : [headAt(from - 1), head];
  return verify(toTail(from), { key: trusted, heads }).problem;
}

function* range(from: number, to = ENTRIES): Generator<Uint8Array> {
  for (let seq = from; seq <= to; seq += 1) yield lineOf(seq);
}

function tamperAt(seq: number, ...instead: readonly Uint8Array[]): Problem | undefined {
  return problemFrom(seq, function* (from) {
    yield* range(from, seq - 1);
    yield* instead;
    yield* range(seq + 1);
  });
}

/** The same entry with one member changed, written as keyturn would write it. */
function edited(seq: number, change: (entry: AuditEntry) => object): Uint8Array {
  const entry = entryOf(seq);
  const changed = { ...entry, ...change(entry) } as AuditEntry;
  return Buffer.from(encodeEntry(changed, changed));
}

function flipped(digest: string): string {
  return (digest.startsWith('A') ? 'B' : 'A') + digest.slice(1);
}

/** Of an entry's own content, whatever its kind. */
function otherContent(entry: AuditEntry): object {
  switch (entry.kind) {
    case 'CHECKPOINT':
      return { signature: flipped(entry.signature) };
    case 'JWT_DISPATCHED':
      return { exp: entry.exp + 1 };
    default:
      return ordinaryRecord(entry.seq, 'x');
  }
}

const EDITS: Readonly<Record<string, (entry: AuditEntry) => object>> = {
  'its content': otherContent,
  'its time': ({ time }) => ({ time: new Date(Date.parse(time) + 1).toISOString() }),
  'its seq, to the one before': ({ seq }) => ({ seq: Math.max(1, seq - 1) }),
  'its seq, to the one after': ({ seq }) => ({ seq: seq + 1 }),
  'its prev': ({ prev }) => ({ prev: flipped(prev) }),
};

function expectNamed(sequences: readonly number[], find: (seq: number) => Problem | undefined): void {
  const named = sequences.map((seq) => {
    const problem = find(seq);
    return problem?.sequence === problem?.through ? problem?.sequence : problem;
  });
  expect(named).toEqual(sequences);
}

const EVERY = Array.from({ length: ENTRIES }, (_, index) => index + 1);

describe('an untouched log of 1,000 entries', () => {
  it('verifies, up to its head, with both audit keys', () => {
    const expected = { problem: undefined, entries: ENTRIES, first: 1, head, checkpoints: ENTRIES / BLOCK };
    expect(verify(lines)).toMatchObject({ ...expected, signedThrough: ENTRIES - 1, knownThrough: ENTRIES, notes: [] });
    expect(verify(lines, { key: later, heads: [] })).toMatchObject({ ...expected, signedThrough: ENTRIES - 1 });
  });

  it('says how far nothing from outside vouches for it', () => {
    expect(verify(lines, { heads: [] })).toMatchObject({ problem: undefined, signedThrough: undefined });
    expect(verify(lines, { heads: [] }).notes).toEqual([
      'nothing from outside the files vouches for the entries from 1 on',
    ]);
  });

  it('verifies when its checkpoints sign for entries further back', () => {
    const slow = makeLog({ entries: 200, checkpointEvery: 20, lag: 15 });
    expect(verify(slow.lines, { key: slow.key, heads: [slow.head] }).problem).toBeUndefined();
  });
});

describe('of every entry of a log of 1,000', () => {
  it.each(Object.entries(EDITS))('an edit of %s is found, and the entry named', (_, change) => {
    // Entry 1 has none before it whose number it could take.
    const sequences = EVERY.filter((seq) => hashLine(edited(seq, change)) !== hashes[seq]);
    expect(sequences.length).toBeGreaterThanOrEqual(ENTRIES - 1);
    expectNamed(sequences, (seq) => tamperAt(seq, edited(seq, change)));
  });

  it('a change of any single byte of its line is found, and the entry named', () => {
    expectNamed(EVERY, (seq) => {
      const line = Buffer.from(lineOf(seq));
      const at = (seq * 31) % line.length;
      line[at] = (line[at] ?? 0) ^ 1;
      return tamperAt(seq, line);
    });
  });

  it('a deletion is found, and the entry named', () => {
    expectNamed(EVERY, (seq) => tamperAt(seq));
  });

  it('a swap with the next one is found, and the first of them named', () => {
    expectNamed(EVERY.slice(0, -1), (seq) =>
      problemFrom(seq, function* (from) {
        yield* range(from, seq - 1);
        yield lineOf(seq + 1);
        yield lineOf(seq);
        yield* range(seq + 2);
      }),
    );
  });

  it('a duplication is found, and the entry named', () => {
    expectNamed(EVERY, (seq) => tamperAt(seq, lineOf(seq), lineOf(seq)));
  });

  it('a copy in another place is found, and the place named', () => {
    expectNamed(EVERY.slice(BLOCK), (seq) => tamperAt(seq, lineOf(seq - BLOCK + 1), lineOf(seq)));
  });

  it('a truncation after it is found with the head, and the first missing entry named', () => {
    expectNamed(EVERY.slice(1), (seq) => problemFrom(seq, (from) => range(from, seq - 1)));
  });

  it('a second entry in its place, beside it, is found, and named', () => {
    expectNamed(EVERY, (seq) => {
      const other = linkRecord(headAt(seq - 1), ordinaryRecord(seq, ' forged'), Date.parse(entryOf(seq).time));
      return tamperAt(seq, lineOf(seq), Buffer.from(other.line));
    });
  });

  it('a fork from it on, every hash made anew, is found at the next checkpoint, and the entries in question named', () => {
    const found = EVERY.map((seq) => ({ seq, problem: problemFrom(seq, (from) => forked(from, seq)) }));
    const missed = found.filter(
      ({ seq, problem }) =>
        problem === undefined ||
        problem.sequence > seq ||
        problem.through < seq ||
        problem.sequence <= Math.floor((seq - 1) / BLOCK) * BLOCK - 1 ||
        problem.through > Math.ceil((seq + 1) / BLOCK) * BLOCK,
    );
    expect(missed).toEqual([]);
  });
});

/** From `seq` on other entries, linked as they must be; checkpoints can't be made without the key, and stay as they were. */
function* forked(from: number, seq: number): Generator<Uint8Array> {
  yield* range(from, seq - 1);
  let last = headAt(seq - 1);
  for (let next = seq; next <= ENTRIES; next += 1) {
    const { kind, ...entry } = entryOf(next);
    const record = (
      kind === 'CHECKPOINT' && next !== seq ? { kind, ...entry } : ordinaryRecord(next, ' forged')
    ) as AuditRecord;
    const link = linkRecord(last, record, Date.parse(entry.time));
    last = link.head;
    yield Buffer.from(link.line);
  }
}

describe('a forged log', () => {
  const forger = makeAuditKey();

  it('with checkpoints by a key of its own is refused with the right key, and not taken for proven without', () => {
    const forgery = makeLog({ entries: 100, checkpointEvery: BLOCK });
    expect(verify(forgery.lines, { key, heads: [] }).problem).toMatchObject({ kind: 'checkpoint', sequence: 1 });
    expect(verify(forgery.lines, { heads: [] }).signedThrough).toBeUndefined();
  });

  it('that goes on with a checkpoint by another key is refused at it', () => {
    const tail = linkRecord(headAt(600), checkpointBy(forger, headAt(600), 0), 0);
    const problem = verify([...range(1, 600), Buffer.from(tail.line)], { key, heads: [] }).problem;
    expect(problem).toMatchObject({ kind: 'checkpoint', sequence: 601, through: 601 });
  });

  it('that goes on with a new key which the old one didn’t sign for is refused at it', () => {
    const tail = linkRecord(headAt(600), checkpointBy(forger, headAt(600), 0, makeAuditKey()), 0);
    expect(verify([...range(1, 600), Buffer.from(tail.line)], { key, heads: [] }).problem?.sequence).toBe(601);
  });

  it('without any checkpoint is refused when a key is given', () => {
    expect(verify(range(1, BLOCK - 1), { key, heads: [] }).problem).toMatchObject({ kind: 'checkpoint', sequence: 1 });
  });
});

describe('a log that begins later', () => {
  it('is refused as long as nothing says why', () => {
    expect(verify(range(501), { key: later, heads: [head] }).problem).toMatchObject({ kind: 'missing', sequence: 1 });
  });

  it('verifies from a given head on', () => {
    expect(verify(range(501), { key: later, heads: [headAt(500), head] })).toMatchObject({
      problem: undefined,
      first: 501,
    });
    const other = { seq: 500, hash: hashes[499] ?? '' };
    expect(verify(range(501), { key: later, heads: [other, head] }).problem).toMatchObject({ through: 500 });
  });

  it('verifies when an entry says that the retention rule removed just that', () => {
    const removed = (through: Head): Uint8Array[] => {
      const record = {
        kind: 'SEGMENTS_REMOVED',
        through: `${through.seq}:${through.hash}`,
        segments: 1,
        bytes: 1,
      } as const;
      return [...range(501), Buffer.from(linkRecord(head, record, 0).line)];
    };
    expect(verify(removed(headAt(500)), { key: later, heads: [] }).problem).toBeUndefined();
    // Some of the segments, and then a crash.
    expect(verify(removed(headAt(600)), { key: later, heads: [] }).problem).toBeUndefined();
    expect(verify(removed(headAt(499)), { key: later, heads: [] }).problem).toMatchObject({ kind: 'missing' });
    expect(
      verify(removed({ seq: 500, hash: flipped(hashes[500] ?? '') }), { key: later, heads: [] }).problem,
    ).toMatchObject({ kind: 'missing' });
  });
});

describe('an empty log', () => {
  it('is good by itself, and truncated when a head is known', () => {
    expect(verify([], { heads: [] })).toMatchObject({ problem: undefined, entries: 0, first: 0, head: EMPTY_HEAD });
    expect(verify([], { heads: [head] }).problem).toMatchObject({ kind: 'truncated', sequence: 1 });
  });
});
