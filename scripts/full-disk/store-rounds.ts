/**
 * The store on a small disk that fills up at any moment, under processes that are killed or closed at any other: on the
 * full disk, while they open, while they write. What was called durable must be there at each start, and no start may
 * find the store damaged. The writer is the store itself in a process of its own; every round is decided by its seed.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { mountSmallDisk, type SmallDisk } from '../../test/fixtures/small-disk.ts';
import { Prng } from '../../test/simulation/prng.ts';

const WRITER = resolve(import.meta.dirname, '../../test/fixtures/store-writer.ts');
/** The reserve alone takes 4. */
const DISK_MEBIBYTES = 12;
/** Rounds that share a store: a commit takes 8 KiB and more. */
const ROUNDS_PER_DISK = 12;
const MAX_LEFT_BYTES = 128 * 1024;
const MAX_COMMITS = 24;
const MAX_MOMENT_MS = 60;
/** Of a process that opens its store: a kill within strikes at any step of it. */
const MAX_OPENING_MS = 400;

export interface StoreOutcome {
  readonly rounds: number;
  readonly starts: number;
  /** Starts that failed for want of room. */
  readonly refusedStarts: number;
  readonly kills: number;
  readonly durable: number;
  readonly refused: number;
  /** What must not be. */
  readonly problems: readonly string[];
}

type Counts = { -readonly [Key in keyof Omit<StoreOutcome, 'problems' | 'rounds'>]: number };

interface Run {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** What it says, until it ends. */
  readonly lines: AsyncIterator<string>;
  readonly errors: () => string;
}

export async function fillAgainAndAgain(
  rounds: number,
  seed: number,
  onRound: (round: number) => void,
): Promise<StoreOutcome> {
  const problems: string[] = [];
  const counts: Counts = { starts: 0, refusedStarts: 0, kills: 0, durable: 0, refused: 0 };
  for (let first = 1; first <= rounds; first += ROUNDS_PER_DISK) {
    const disk = mountSmallDisk(DISK_MEBIBYTES);
    try {
      const store = new StoreUnderTest(disk, counts);
      for (let round = first; round < Math.min(first + ROUNDS_PER_DISK, rounds + 1); round += 1) {
        const problem = await store.live(new Prng(seed + round));
        onRound(round);
        if (problem === undefined) continue;
        problems.push(`seed ${seed}, round ${round}: ${problem}`);
        break;
      }
    } finally {
      disk.dispose();
    }
  }
  return { rounds, ...counts, problems };
}

class StoreUnderTest {
  readonly #disk: SmallDisk;
  readonly #file: string;
  readonly #counts: Counts;
  #durable = 0;

  constructor(disk: SmallDisk, counts: Counts) {
    this.#disk = disk;
    this.#file = join(disk.dir, 'keyturn.db');
    this.#counts = counts;
  }

  /** A life with room, one or two on a full disk, and a look with room again. The problem, if there is one. */
  async live(prng: Prng): Promise<string | undefined> {
    const fillAt = prng.whole(0, MAX_COMMITS);
    return (
      (await this.#run(prng, fillAt)) ??
      (await this.#run(prng, undefined)) ??
      (prng.chance(0.5) ? await this.#run(prng, undefined) : undefined) ??
      (await this.#look())
    );
  }

  /** `fillAt`: before that commit the disk fills up; undefined: it is full. */
  async #run(prng: Prng, fillAt: number | undefined): Promise<string | undefined> {
    if (fillAt === 0 || (fillAt === undefined && prng.chance(0.2))) this.#fill(prng);
    const run = this.#start();
    if (prng.chance(0.2)) {
      // Killed while it opens: nobody was told anything.
      await sleep(prng.whole(0, MAX_OPENING_MS));
      await this.#end(run, true);
      return undefined;
    }
    const opened = await this.#opened(run);
    if (opened !== 'ready') return opened;
    const commits = prng.whole(0, MAX_COMMITS);
    for (let commit = 1; commit <= commits; commit += 1) {
      if (commit === fillAt) this.#fill(prng);
      await this.#commit(run, prng.chance(0.4) ? 'narrow' : 'write');
    }
    const isKilled = prng.chance(0.6);
    if (isKilled && prng.chance(0.5)) {
      // In the middle of commits that nobody waits for.
      run.child.stdin.write('stream\n');
      await sleep(prng.whole(0, MAX_MOMENT_MS));
    }
    await this.#end(run, isKilled);
    return undefined;
  }

  async #look(): Promise<string | undefined> {
    this.#free();
    const run = this.#start();
    const opened = await this.#opened(run);
    if (opened === undefined) return `with room it does not start: ${run.errors()}`;
    if (opened !== 'ready') return opened;
    await this.#commit(run, 'write');
    await this.#end(run, false);
    return undefined;
  }

  #start(): Run {
    this.#counts.starts += 1;
    const child = spawn(process.execPath, [WRITER, this.#file], { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', () => undefined);
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](), errors: () => errors };
  }

  /** `ready`; undefined when it was refused for want of room; else the problem. */
  async #opened(run: Run): Promise<string | undefined> {
    const { value, done } = await run.lines.next();
    if (done === true) {
      if (run.child.exitCode === null && run.child.signalCode === null) await once(run.child, 'exit');
      this.#counts.refusedStarts += 1;
      return run.errors().includes('STORE_UNAVAILABLE') ? undefined : `a start failed: ${run.errors()}`;
    }
    const found = Number(/^ready (\d+)$/.exec(value)?.[1]);
    if (!(found >= this.#durable)) return `${this.#durable} commits were durable, and ${value} was found`;
    // One that was under way when it was killed may have become durable, with nobody told.
    this.#durable = found;
    return 'ready';
  }

  async #commit(run: Run, command: 'write' | 'narrow'): Promise<void> {
    run.child.stdin.write(`${command}\n`);
    const { value } = await run.lines.next();
    this.#note(value);
  }

  #note(line: string | undefined): void {
    const durable = /^durable (\d+)$/.exec(line ?? '')?.[1];
    if (durable === undefined) {
      this.#counts.refused += 1;
      return;
    }
    this.#durable = Number(durable);
    this.#counts.durable += 1;
  }

  async #end({ child, lines }: Run, isKilled: boolean): Promise<void> {
    if (isKilled) {
      this.#counts.kills += 1;
      child.kill('SIGKILL');
    } else child.stdin.end();
    // What it had said by then counts.
    for (let next = await lines.next(); next.done !== true; next = await lines.next())
      if (next.value.startsWith('durable')) this.#note(next.value);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }

  /** To the last byte, or with room for a page, a commit or some. */
  #fill(prng: Prng): void {
    if (existsSync(join(this.#disk.dir, 'filling'))) return;
    this.#disk.fill(prng.chance(0.5) ? 0 : prng.whole(0, MAX_LEFT_BYTES));
  }

  #free(): void {
    if (existsSync(join(this.#disk.dir, 'filling'))) this.#disk.free();
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
