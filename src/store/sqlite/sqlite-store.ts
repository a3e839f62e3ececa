/**
 * The store's adapter on SQLite. The database lives in a thread (store-thread.ts); here are the bounded queue in front
 * of it and the promises of those who wait. Commits that queue up while the disk is busy go to it together.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { BoundedQueue } from '../../base/bounded-queue.ts';
import { KeyturnError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { Mutex } from '../../base/mutex.ts';
import type { CommitOptions, EventStore, StoreCopy, StoredStream, StreamAppend } from '../store.ts';
import { toCommitJob } from './commit-job.ts';
import { openFileCopy } from './file-copy.ts';
import type { Answer, CommitJob, Job, LoadedBatch, Refusal, ThreadOptions } from './thread-messages.ts';

/** Waiting loads and commits; over it the store is too slow to be of use. */
export const MAX_QUEUED_JOBS = 1_024;
/** Commits that share one transaction. */
const MAX_COMMITS_PER_TRANSACTION = 64;

/** What a commit or a copy brings. */
const NOTHING: LoadedBatch = { streams: [] };

/** The thread's file is TypeScript in the source tree and JavaScript in the package, as this one is. */
const THREAD_FILE = new URL(`./store-thread${path.extname(fileURLToPath(import.meta.url))}`, import.meta.url);

export interface SqliteStoreOptions {
  readonly file: string;
  readonly log?: Logger;
}

interface Waiter {
  readonly job: Extract<Job, { kind: 'load' | 'copy' }> | { readonly kind: 'commit'; readonly commit: CommitJob };
  resolve(batch: LoadedBatch): void;
  reject(failure: KeyturnError): void;
}

/** Opens the file, or makes it. Errors: STORE_IN_USE, STORE_NOT_KEYTURN, STORE_TOO_NEW, STORE_DAMAGED, STORE_UNAVAILABLE. */
export async function openSqliteStore({ file, log }: SqliteStoreOptions): Promise<EventStore> {
  const workerData: ThreadOptions = { file: path.resolve(file) };
  const thread = new Worker(THREAD_FILE, {
    name: 'keyturn-store',
    workerData,
    // The daemon's own flags and environment are not the thread's business; node:sqlite calls itself experimental.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: {},
  });
  const store = new SqliteStore(thread, workerData.file, log);
  await store.opened;
  return store;
}

/** Exported for the test that ends its thread. */
export class SqliteStore implements EventStore {
  readonly opened: Promise<void>;
  reservedEvents = 0;
  readonly #thread: Worker;
  readonly #file: string;
  readonly #copying = new Mutex();
  readonly #log: Logger | undefined;
  readonly #queue = new BoundedQueue<Waiter>(MAX_QUEUED_JOBS);
  readonly #ended: Promise<void>;
  #inFlight: readonly Waiter[] = [];
  /** Why nothing more is accepted. */
  #refusal: KeyturnError | undefined;
  #onOpened: { resolve(): void; reject(failure: KeyturnError): void } | undefined;
  #onIdle: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(thread: Worker, file: string, log?: Logger) {
    this.#thread = thread;
    this.#file = file;
    this.#log = log;
    this.opened = new Promise((resolve, reject) => (this.#onOpened = { resolve, reject }));
    this.#ended = new Promise((resolve) => {
      thread.once('exit', () => {
        this.#onThreadEnd();
        resolve();
      });
    });
    thread.on('message', (answer: Answer) => {
      this.#onAnswer(answer);
    });
    thread.on('error', (failure) => {
      this.#log?.error({ err: failure }, 'the store thread failed');
    });
  }

  async load(take: (batch: readonly StoredStream[]) => void): Promise<void> {
    let batch = await this.#enqueue({ kind: 'load' });
    while (batch.last !== undefined) {
      // The thread reads one while this folds the other.
      const next = this.#enqueue({ kind: 'load', after: batch.last });
      next.catch(() => undefined);
      take(batch.streams);
      batch = await next;
    }
    take(batch.streams);
  }

  async commit(appends: readonly StreamAppend[], options?: CommitOptions): Promise<void> {
    await this.#enqueue({ kind: 'commit', commit: toCommitJob(appends, options) });
  }

  copy(): Promise<StoreCopy> {
    // One after the other: they share a file name.
    return this.#copying.run(async () => {
      const copy = `${this.#file}.copy`;
      await this.#enqueue({ kind: 'copy', copy });
      return openFileCopy(copy);
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#refusal ??= new KeyturnError('SHUTTING_DOWN', 'the store is closed: the daemon is shutting down');
    if (this.#inFlight.length > 0 || this.#queue.size > 0)
      await new Promise<void>((resolve) => (this.#onIdle = resolve));
    this.#post({ kind: 'close' });
    await this.#ended;
  }

  #enqueue(job: Waiter['job']): Promise<LoadedBatch> {
    return new Promise((resolve, reject) => {
      if (this.#refusal !== undefined) {
        reject(this.#refusal);
      } else if (this.#queue.push({ job, resolve, reject })) {
        this.#pump();
      } else {
        const message = `${MAX_QUEUED_JOBS} changes already wait for the store: the disk is too slow; try again later`;
        reject(new KeyturnError('STORE_UNAVAILABLE', message));
      }
    });
  }

  /** One job at a time: a load, a copy, or as many commits as wait in a row. */
  #pump(): void {
    if (this.#inFlight.length > 0) return;
    const first = this.#queue.shift();
    if (first === undefined) {
      this.#onIdle?.();
    } else if (first.job.kind !== 'commit') {
      this.#inFlight = [first];
      this.#post(first.job);
    } else {
      this.#sendCommits(first, first.job.commit);
    }
  }

  #sendCommits(first: Waiter, firstCommit: CommitJob): void {
    const waiters = [first];
    const commits = [firstCommit];
    while (commits.length < MAX_COMMITS_PER_TRANSACTION) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      if (next.job.kind !== 'commit') {
        this.#queue.putBack(next);
        break;
      }
      waiters.push(next);
      commits.push(next.job.commit);
    }
    this.#inFlight = waiters;
    this.#post({ kind: 'commit', commits });
  }

  #post(job: Job): void {
    this.#thread.postMessage(job);
  }

  #onAnswer(answer: Answer): void {
    switch (answer.kind) {
      case 'opened':
        this.reservedEvents = answer.reservedEvents;
        if (answer.reserveProblem !== undefined) {
          const { reserveProblem } = answer;
          this.#log?.error({ reserveProblem }, 'no reserve for a full disk: a compromise would wait for room');
        }
        this.#onOpened?.resolve();
        return;
      case 'closed':
        return;
      case 'copied':
        this.#settle((waiter) => waiter.resolve(NOTHING));
        return;
      case 'loaded':
        this.#settle((waiter) => waiter.resolve(answer.batch));
        return;
      case 'committed':
        this.reservedEvents = answer.reservedEvents;
        this.#settle((waiter, index) => {
          const refusal = answer.outcomes[index];
          if (refusal === undefined) waiter.resolve(NOTHING);
          else waiter.reject(toError(refusal));
        });
        return;
      case 'refused': {
        const failure = toError(answer.refusal);
        this.#onOpened?.reject(failure);
        this.#settle((waiter) => waiter.reject(failure));
      }
    }
  }

  #settle(each: (waiter: Waiter, index: number) => void): void {
    const waiters = this.#inFlight;
    this.#inFlight = [];
    waiters.forEach(each);
    this.#pump();
  }

  /** Whoever waits learns it: nobody knows whether a commit in flight reached the disk. */
  #onThreadEnd(): void {
    const failure = new KeyturnError(
      'STORE_UNAVAILABLE',
      'the store thread has ended: restart the daemon; its log has the cause',
    );
    this.#refusal ??= failure;
    this.#onOpened?.reject(failure);
    for (const waiter of this.#inFlight) waiter.reject(failure);
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next.reject(failure);
    this.#inFlight = [];
    this.#onIdle?.();
  }
}

function toError({ reason, message }: Refusal): KeyturnError {
  return new KeyturnError(reason, message);
}
