/**
 * The store port: append-only streams of events with compare-and-set. State is the fold of the events and nothing
 * else. What an event says is its owner's business (lifecycle, hsm); here it is a JSON value with a type.
 */

/** `signing-key/NAME`, `key-set/NAME`, `token`, `clock` or `approvals`. */
export type StreamId = string;

/** Further members are the event's own: any JSON values. */
export interface StoredEvent {
  readonly type: string;
  /** Unix time in ms, as the writer saw it. */
  readonly atMs: number;
}

export interface StreamAppend {
  readonly stream: StreamId;
  /** How many events the stream must hold now; anything else refuses the whole commit (CONCURRENT_CHANGE). */
  readonly expectedSequence: number;
  readonly events: readonly StoredEvent[];
}

export interface StoredStream {
  readonly stream: StreamId;
  /** In sequence order and without a gap; the stream's first has sequence 1. */
  readonly events: readonly StoredEvent[];
}

export interface CommitOptions {
  /**
   * On a disk without room this commit goes into blocks that were taken beforehand. For what takes power from a key
   * (rule 6), and only for that: the reserve is small, and is filled again when there is room. Default: false.
   */
  readonly mayUseReserve?: boolean;
}

/** A whole copy of the log as the bytes of one file. */
export interface StoreCopy {
  /** In order, each at most MAX_CHUNK_BYTES. */
  read(): AsyncIterable<Uint8Array>;
  /** To be called in any case. Idempotent. */
  dispose(): Promise<void>;
}

export const MAX_CHUNK_BYTES = 64 * 1024;

export interface EventStore {
  /** Events that a full disk kept in the reserve: durable, and not in their place yet. */
  readonly reservedEvents: number;
  /**
   * Everything, in batches of bounded size: a log outgrows the memory that its fold takes. Each stream's events come in
   * sequence order, in one batch or in several. Nothing may be committed meanwhile. What `take` throws ends it.
   * Errors: STORE_DAMAGED, STORE_UNAVAILABLE.
   */
  load(take: (batch: readonly StoredStream[]) => void): Promise<void>;
  /** All or nothing, and on disk when it resolves. Errors: CONCURRENT_CHANGE, STORE_UNAVAILABLE. */
  commit(appends: readonly StreamAppend[], options?: CommitOptions): Promise<void>;
  /** Everything that is durable now, and nothing later. Commits wait meanwhile. Errors: STORE_DAMAGED, STORE_UNAVAILABLE. */
  copy(): Promise<StoreCopy>;
  /** Finishes what is queued and gives up the lock. Idempotent; everything after it fails with SHUTTING_DOWN. */
  close(): Promise<void>;
}
