/**
 * Whether a log is what its daemon wrote, judged from its lines, a public key and heads alone; one line at a time, so
 * that its size doesn't matter. Pure. The format's rules are shared with the writer; test/e2e/python/verify_audit.py
 * has its own.
 */
import { hasReason } from '../base/errors.ts';
import { EMPTY_HEAD, formatHead, type Head, hashLine, parseHead } from './chain.ts';
import { findCheckpointProblem, type TrustedKey } from './checkpoints.ts';
import { parseEntry } from './encoding.ts';
import type { AuditEntry } from './entries.ts';

/** A checkpoint signs a head that is this far back at most: the token takes its time while entries come. */
const MAX_RECENT_HASHES = 131_072;

export interface VerifyOptions {
  /** A checkpoint key that is known from elsewhere. Without it checkpoints are held against each other alone. */
  readonly key?: TrustedKey | undefined;
  /** Known from elsewhere: from a sink, a metric, a former verification. */
  readonly heads: readonly Head[];
}

export type ProblemKind =
  /** The line is no entry. */
  | 'malformed'
  /** Entries were removed. */
  | 'missing'
  /** The same entry twice, or another one in its place. */
  | 'repeated'
  | 'misplaced'
  /** Two entries that follow the same one. */
  | 'forked'
  /** The entry is not what the one after it, a checkpoint or a head says. */
  | 'changed'
  /** A checkpoint that isn't signed as it must be. */
  | 'checkpoint'
  /** The log ends before a given head. */
  | 'truncated';

export interface Problem {
  readonly kind: ProblemKind;
  /** The first entry that is not as it was written; when `through` differs, the first that may not be. */
  readonly sequence: number;
  /** At this entry at the latest. */
  readonly through: number;
  readonly message: string;
}

export interface Verification {
  readonly problem: Problem | undefined;
  readonly entries: number;
  /** Sequence of the first entry; 0 without one. */
  readonly first: number;
  /** The latest entry before the problem; what the whole log comes to without one. */
  readonly head: Head;
  readonly checkpoints: number;
  /** The latest entry that a signature by the given key, or by one that it signed for, vouches for. */
  readonly signedThrough: number | undefined;
  /** The latest entry that a given head vouches for. */
  readonly knownThrough: number | undefined;
  readonly notes: readonly string[];
}

interface Link extends Head {
  readonly prev: string;
}

export class ChainVerifier {
  readonly #options: VerifyOptions;
  readonly #heads: ReadonlyMap<number, Head>;
  readonly #recent: string[] = [];
  readonly #notes: string[] = [];
  #problem: Problem | undefined;
  #entries = 0;
  #first: Link | undefined;
  #last: Link | undefined;
  /** The latest entry doesn't fit the one before: the next one tells which of the two was changed. */
  #broken: { readonly before: Link } | undefined;
  #isBeginningExplained = false;
  #checkpoints = 0;
  #firstCheckpoint: number | undefined;
  /** Of the latest checkpoint. */
  #trusted: TrustedKey | undefined;
  /** Whether it is the given key, or one that this signed for, directly or not. */
  #isKeyFound = false;
  #signedThrough: number | undefined;
  #knownThrough: number | undefined;

  constructor(options: VerifyOptions) {
    this.#options = options;
    this.#heads = new Map(options.heads.map((head) => [head.seq, head]));
  }

  get hasProblem(): boolean {
    return this.#problem !== undefined;
  }

  /** `line`: without its line feed. Returns what it says, also after a problem; undefined when it is no entry. */
  push(line: Uint8Array): AuditEntry | undefined {
    this.#entries += 1;
    const entry = this.#parse(line);
    if (entry === undefined || this.#problem !== undefined) return entry;
    const link = { seq: entry.seq, hash: hashLine(line), prev: entry.prev };
    if (this.#last === undefined) this.#begin(link);
    else if (this.#resolveBreak(link) && this.#follows(this.#last, link)) this.#checkLink(this.#last, link);
    if (this.#problem !== undefined) return entry;
    this.#last = link;
    this.#recent[link.seq % MAX_RECENT_HASHES] = link.hash;
    if (this.#broken === undefined) this.#check(entry, link);
    return entry;
  }

  /** The end of a file within a line: a daemon that was killed while it wrote leaves that, and cuts it off when it starts. */
  noteTorn(bytes: number): void {
    this.#notes.push(`the last line breaks off after ${bytes} bytes: nobody was answered for it`);
  }

  end(): Verification {
    if (this.#problem === undefined) this.#checkEnd();
    const { seq, hash } = this.#last ?? EMPTY_HEAD;
    return {
      problem: this.#problem,
      entries: this.#entries,
      first: this.#first?.seq ?? 0,
      head: { seq, hash },
      checkpoints: this.#checkpoints,
      signedThrough: this.#signedThrough,
      knownThrough: this.#knownThrough,
      notes: this.#notes,
    };
  }

  #parse(line: Uint8Array): AuditEntry | undefined {
    try {
      return parseEntry(line);
    } catch (thrown) {
      if (!hasReason(thrown, 'AUDIT_LOG_DAMAGED')) throw thrown;
      const sequence = (this.#last?.seq ?? 0) + 1;
      this.#fail('malformed', sequence, `where entry ${sequence} must be: ${thrown.message}`);
      return undefined;
    }
  }

  #begin(link: Link): void {
    this.#first = link;
    if (link.seq === 1) {
      if (link.prev !== EMPTY_HEAD.hash) this.#fail('changed', 1, 'entry 1 must follow none, and says that it does');
      this.#isBeginningExplained = true;
      return;
    }
    this.#vouch({ seq: link.seq - 1, hash: link.prev });
    if (this.#knownThrough !== undefined) this.#isBeginningExplained = true;
  }

  #follows(last: Link, link: Link): boolean {
    const expected = last.seq + 1;
    if (link.seq === expected) return true;
    if (link.seq > expected) {
      const what = link.seq === expected + 1 ? `entry ${expected} is` : `entries ${expected} to ${link.seq - 1} are`;
      this.#fail('missing', expected, `${what} missing: entry ${link.seq} follows entry ${last.seq}`);
    } else if (link.seq === last.seq && link.hash === last.hash) {
      this.#fail('repeated', link.seq, `entry ${link.seq} is there twice`);
    } else if (link.seq === last.seq && link.prev === last.prev) {
      this.#fail('forked', link.seq, `there are two entries ${link.seq}, and they differ`);
    } else if (link.seq <= (this.#first?.seq ?? 1) && !this.#isBeginningExplained) {
      this.#fail('misplaced', 1, `the log begins with entry ${this.#first?.seq}, and an entry ${link.seq} comes later`);
    } else {
      this.#fail('misplaced', expected, `where entry ${expected} must be there is an entry ${link.seq}`);
    }
    return false;
  }

  #checkLink(last: Link, link: Link): void {
    if (link.prev !== last.hash) this.#broken = { before: last };
  }

  /** False when it is a problem. An entry that the next one knows was not changed, so the one before it was. */
  #resolveBreak(next: Link | undefined): boolean {
    if (this.#broken === undefined || this.#last === undefined) return true;
    const { before } = this.#broken;
    const known = next?.seq === this.#last.seq + 1 ? next.prev : this.#heads.get(this.#last.seq)?.hash;
    const sequence = known === this.#last.hash ? before.seq : this.#last.seq;
    this.#fail(
      'changed',
      sequence,
      `entry ${sequence} was changed: its hash, or what it says of the entry before, differs`,
    );
    return false;
  }

  #check(entry: AuditEntry, link: Link): void {
    // What it signs for narrows down what a head that differs puts in question.
    if (entry.kind === 'CHECKPOINT') this.#checkCheckpoint(entry);
    if (entry.kind === 'SEGMENTS_REMOVED') this.#explainBeginning(parseHead(entry.through));
    if (this.#problem === undefined) this.#vouch(link);
  }

  /** Holds an entry against the given head of its sequence, if there is one. */
  #vouch({ seq, hash }: Head): void {
    const head = this.#heads.get(seq);
    if (head === undefined) return;
    if (head.hash === hash) this.#knownThrough = seq;
    else this.#failSince(seq, `entry ${seq} is not the one of the head ${formatHead(head)}`);
  }

  #checkCheckpoint(entry: AuditEntry & { readonly kind: 'CHECKPOINT' }): void {
    const { seq, kid, publicKey, formerKid } = entry;
    const { key } = this.#options;
    const isSuccessor = key !== undefined && formerKid === key.kid;
    const problem = findCheckpointProblem(entry, this.#trusted ?? (isSuccessor ? key : undefined));
    if (problem !== undefined) {
      this.#fail('checkpoint', seq, `checkpoint ${seq}: ${problem}`);
      return;
    }
    this.#checkpoints += 1;
    this.#firstCheckpoint ??= seq;
    this.#trusted = { kid, publicKey };
    if (isSuccessor || kid === key?.kid) this.#isKeyFound = true;
    const head = parseHead(entry.head);
    const known = this.#hashOf(head.seq);
    if (head.seq >= seq || (known !== undefined && known !== head.hash)) {
      const through = Math.min(head.seq, seq - 1);
      this.#failSince(through, `checkpoint ${seq} signs another entry ${head.seq} than the one that is there`);
    } else if (known !== undefined && this.#isKeyFound) {
      this.#signedThrough = head.seq;
    }
  }

  /** Of the one before the first, or of one that isn't too far back; undefined before and beyond. */
  #hashOf(seq: number): string | undefined {
    const first = this.#first;
    const last = this.#last;
    if (first === undefined || last === undefined || seq > last.seq) return undefined;
    if (seq === first.seq - 1) return first.prev;
    return seq < first.seq || seq <= last.seq - MAX_RECENT_HASHES ? undefined : this.#recent[seq % MAX_RECENT_HASHES];
  }

  #explainBeginning(through: Head): void {
    const first = this.#first;
    if (first === undefined || through.seq < first.seq - 1) return;
    // When only some of the segments were removed before a crash, the log begins earlier.
    if (through.seq > first.seq - 1 || through.hash === first.prev) this.#isBeginningExplained = true;
  }

  #checkEnd(): void {
    if (!this.#resolveBreak(undefined)) return;
    const last = this.#last?.seq ?? 0;
    const first = this.#first?.seq ?? 1;
    if (!this.#isBeginningExplained && first > 1) {
      this.#fail(
        'missing',
        1,
        `entries 1 to ${first - 1} are missing, and no entry says that the retention rule removed them`,
      );
      return;
    }
    const latest = this.#options.heads.reduce((max, { seq }) => Math.max(max, seq), 0);
    if (latest > last) {
      this.#fail('truncated', last + 1, `the log ends with entry ${last}, and a given head is of entry ${latest}`);
      return;
    }
    if (this.#options.key !== undefined && !this.#isKeyFound) {
      const { kid } = this.#options.key;
      this.#failSince(
        this.#firstCheckpoint ?? last,
        `no checkpoint is by the given key ${kid}, or by one that it signed for`,
        'checkpoint',
      );
      return;
    }
    const vouchedFor = Math.max(this.#signedThrough ?? 0, this.#knownThrough ?? 0);
    if (vouchedFor < last)
      this.#notes.push(
        `nothing from outside the files vouches for the entries from ${Math.max(vouchedFor + 1, first)} on`,
      );
  }

  /** Everything since the latest entry that something vouches for may have been written anew. */
  #failSince(through: number, message: string, kind: ProblemKind = 'changed'): void {
    const since = Math.max(this.#signedThrough ?? 0, this.#knownThrough ?? 0, (this.#first?.seq ?? 1) - 1) + 1;
    const sequence = Math.min(since, through);
    this.#problem ??= { kind, sequence, through, message };
  }

  #fail(kind: ProblemKind, sequence: number, message: string): void {
    this.#problem ??= { kind, sequence, through: sequence, message };
  }
}
