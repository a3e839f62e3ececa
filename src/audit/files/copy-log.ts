/**
 * A copy of a log that somebody else writes, carried on where it ended: the same files, byte for byte. What came before
 * must still be there as it was copied: a log that was changed, or put back, since then is found out here.
 */
import { join } from 'node:path';
import { hasReason, KeyturnError } from '../../base/errors.ts';
import { findBreak, formatHead, type Head, hashLine } from '../chain.ts';
import { segmentName } from '../segments.ts';
import { findLink, openTail, type Tail } from './read-tail.ts';
import { SegmentFile } from './segment-file.ts';

/** The lines from an entry on, in batches, without line feeds; 0: from the first that is kept. */
export type LineSource = (fromSeq: number) => AsyncIterable<readonly Uint8Array[]>;

export interface CopyOutcome {
  readonly added: number;
  /** Of the whole copy. */
  readonly head: Head;
}

/**
 * Makes the directory when it isn't there. Errors: AUDIT_LOG_DAMAGED when the source isn't the log that was copied
 * before; AUDIT_UNAVAILABLE when the copy can't be read; those of the source. What had arrived by then is kept.
 */
export async function copyLog(directory: string, source: LineSource): Promise<CopyOutcome> {
  const copy = await LogCopy.open(directory);
  try {
    for await (const lines of source(copy.head.seq)) await copy.add(lines);
    copy.requireContinued();
    return { added: copy.added, head: copy.head };
  } catch (thrown) {
    // The daemon has no such entry yet, or any more.
    if (hasReason(thrown, 'FIELD_INVALID')) copy.requireContinued();
    throw thrown;
  } finally {
    await copy.close();
  }
}

class LogCopy {
  readonly #directory: string;
  #head: Head;
  #segment: SegmentFile | undefined;
  #added = 0;
  /** The last line of the copy has come again. */
  #isContinued: boolean;

  private constructor(directory: string, { head }: Tail, segment: SegmentFile | undefined) {
    this.#directory = directory;
    this.#head = head;
    this.#segment = segment;
    this.#isContinued = head.seq === 0;
  }

  static async open(directory: string): Promise<LogCopy> {
    const tail = await openTail(directory);
    const last = tail.segments.at(-1);
    // What breaks off at its end, an interrupted copy left behind: it comes again.
    return new LogCopy(
      directory,
      tail,
      last === undefined ? undefined : await SegmentFile.reopen(last.path, last.bytes),
    );
  }

  get head(): Head {
    return this.#head;
  }

  get added(): number {
    return this.#added;
  }

  async add(lines: readonly Uint8Array[]): Promise<void> {
    let written: Uint8Array[] = [];
    for (const line of lines) {
      if (!this.#isContinued) {
        this.#requireSame(line);
        continue;
      }
      const link = findLink(Buffer.from(line));
      const problem = link === undefined ? 'a line is no entry' : this.#findBreak(link);
      if (link === undefined || problem !== undefined) throw damaged(`after ${formatHead(this.#head)} ${problem}`);
      if (this.#segment === undefined || link.kind === 'SEGMENT_STARTED') {
        await this.#write(written);
        written = [];
        await this.#begin(link.seq);
      }
      written.push(line);
      this.#head = { seq: link.seq, hash: hashLine(line) };
      this.#added += 1;
    }
    await this.#write(written);
  }

  requireContinued(): void {
    if (!this.#isContinued) throw damaged(`ends before entry ${this.#head.seq}, which the copy has`);
  }

  async close(): Promise<void> {
    await this.#segment?.close();
  }

  #requireSame(line: Uint8Array): void {
    const { seq, hash } = this.#head;
    if (hashLine(line) !== hash)
      throw damaged(`has another entry ${seq} than the copy, which ends with ${seq}:${hash}`);
    this.#isContinued = true;
  }

  /** A copy may begin where the log begins by now: the hash before that isn't known. */
  #findBreak(link: { readonly seq: number; readonly prev: string }): string | undefined {
    return this.#head.seq === 0 ? undefined : findBreak(this.#head, link);
  }

  async #begin(seq: number): Promise<void> {
    await this.#segment?.close();
    this.#segment = undefined;
    this.#segment = await SegmentFile.create(join(this.#directory, segmentName(seq)), this.#directory);
  }

  async #write(lines: readonly Uint8Array[]): Promise<void> {
    if (lines.length > 0) await this.#segment?.write(Buffer.concat(lines.flatMap((line) => [line, LINE_FEED])));
  }
}

const LINE_FEED = Buffer.from('\n');

function damaged(problem: string): KeyturnError {
  return new KeyturnError(
    'AUDIT_LOG_DAMAGED',
    `the daemon's audit log ${problem}: it was changed or put back since it was copied; keep both as evidence`,
  );
}
