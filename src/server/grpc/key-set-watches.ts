/**
 * The streams of WatchKeySet, of all listeners: how many each caller has, and what ends them. A change of a key set costs
 * one comparison a stream: publishing never waits for a watcher, and a slow one finds the latest snapshot when it is back.
 */
import type { Application, KeySetSnapshot } from '../../app/application.ts';
import { KeyturnError, toKeyturnError } from '../../base/errors.ts';
import type { CallerName, KeySetName } from '../../base/ids.ts';
import { LatestValue } from '../../base/latest-value.ts';
import { findPublished, type PublishedKeySets } from './published-key-set.ts';
import type { StreamContext } from './server-stream.ts';

/** One for each process of a caller, with room for those that were cut off and came back. */
const MAX_WATCHES_PER_CALLER = 16;

export type WatchedApplication = PublishedKeySets & Pick<Application, 'onKeySetsChange'>;

interface Watch {
  /** Has another look at what the stream's caller may know. */
  readonly look: () => void;
  /** The stream ends at once. */
  readonly cut: (failure?: KeyturnError) => void;
  /** Errors: why a new call would be refused. */
  readonly requirePermitted: () => void;
}

export class KeySetWatches {
  readonly #app: WatchedApplication;
  readonly #onCount: ((open: number) => void) | undefined;
  readonly #watches = new Set<Watch>();
  readonly #byCaller = new Map<CallerName, number>();
  readonly #unsubscribe: () => void;
  #isDraining = false;

  /** `onCount`: told how many streams are open, after each change. */
  constructor(app: WatchedApplication, onCount?: (open: number) => void) {
    this.#app = app;
    this.#onCount = onCount;
    this.#unsubscribe = app.onKeySetsChange(() => {
      for (const { look } of this.#watches) look();
    });
  }

  /**
   * The snapshot of now, and each one after it that the reader is in time for. Errors, at once: KEY_SET_WITHHELD,
   * KEY_SET_NOT_FOUND, QUEUE_FULL, SHUTTING_DOWN; while it is read: KEY_SET_WITHHELD, SHUTTING_DOWN, and what a new call would be
   * refused with.
   */
  open(keySet: KeySetName, stream: StreamContext): AsyncIterable<KeySetSnapshot> {
    const latest = new LatestValue<KeySetSnapshot>();
    let last: KeySetSnapshot | undefined;
    const look = (): void => {
      try {
        const found = findPublished(this.#app, keySet);
        if (found === undefined || found === last) return;
        last = found;
        latest.set(found);
      } catch (thrown) {
        latest.cut(toKeyturnError(thrown));
      }
    };
    if (this.#isDraining) throw shuttingDown();
    // Before the stream is accepted: a refusal that comes first is one that the caller's channel may try again.
    findPublished(this.#app, keySet);
    this.#count(stream);
    stream.accept();
    const watch: Watch = {
      look,
      cut: (failure) => {
        latest.cut(failure);
      },
      requirePermitted: stream.requirePermitted,
    };
    stream.closed.addEventListener('abort', () => watch.cut(), { once: true });
    return this.#untilEnd(watch, latest);
  }

  /** After another access policy: ends the streams that it refuses. Returns whether there were any. */
  judgeAnew(): boolean {
    let isAnyRefused = false;
    for (const { requirePermitted, cut } of this.#watches) {
      try {
        requirePermitted();
      } catch (thrown) {
        isAnyRefused = true;
        cut(toKeyturnError(thrown));
      }
    }
    return isAnyRefused;
  }

  /** Every stream ends, for a drain would wait for them; new ones are refused. Idempotent. */
  drain(): void {
    this.#isDraining = true;
    this.#unsubscribe();
    for (const { cut } of this.#watches) cut(shuttingDown());
  }

  /** The place of a caller who reads nothing stays taken until its stream is gone, though nobody looks for it any more. */
  #count({ caller, closed }: StreamContext): void {
    const open = this.#byCaller.get(caller) ?? 0;
    if (open >= MAX_WATCHES_PER_CALLER) {
      throw new KeyturnError(
        'QUEUE_FULL',
        `caller ${caller} watches key sets on ${MAX_WATCHES_PER_CALLER} streams already; end one, or share one`,
        { subject: caller },
      );
    }
    this.#byCaller.set(caller, open + 1);
    this.#tell();
    const release = (): void => {
      const left = (this.#byCaller.get(caller) ?? 0) - 1;
      if (left > 0) this.#byCaller.set(caller, left);
      else this.#byCaller.delete(caller);
      this.#tell();
    };
    closed.addEventListener('abort', release, { once: true });
  }

  #tell(): void {
    if (this.#onCount === undefined) return;
    this.#onCount([...this.#byCaller.values()].reduce((sum, open) => sum + open, 0));
  }

  async *#untilEnd(watch: Watch, latest: LatestValue<KeySetSnapshot>): AsyncIterable<KeySetSnapshot> {
    this.#watches.add(watch);
    try {
      watch.look();
      yield* latest;
    } finally {
      this.#watches.delete(watch);
    }
  }
}

function shuttingDown(): KeyturnError {
  return new KeyturnError('SHUTTING_DOWN', 'the daemon is shutting down; watch again, or watch another one');
}
