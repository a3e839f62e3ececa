/**
 * The daemon's memory of the event log: every stream's folded state, and the one way to change it. A transaction
 * decides on the state as it is now, commits, and only then lets anyone see the result (durable before visible).
 * Transactions run one after the other; readers never wait.
 */
import type { ApprovalsState } from '../access/approval-log.ts';
import type { Clock } from '../base/clock.ts';
import { hasReason, KeyturnError } from '../base/errors.ts';
import type { KeySetName, Kid, SigningKeyName } from '../base/ids.ts';
import { Mutex } from '../base/mutex.ts';
import type { ClockState } from '../lifecycle/clock-guard.ts';
import type { KeySetEvent } from '../lifecycle/events.ts';
import type { KeySetState } from '../lifecycle/fold-key-set.ts';
import type { SigningKeyState } from '../lifecycle/signing-key-state.ts';
import { publishedImports } from '../lifecycle/imports.ts';
import type { KeySetPromise } from '../lifecycle/model.ts';
import { isSamePromise, stricterPromise } from '../lifecycle/policy.ts';
import type { TokenState } from '../lifecycle/token-log.ts';
import type { CommitOptions, EventStore, StoreCopy } from '../store/store.ts';
import { applyChanges, type Change, type Folded, loadLog, newGenerations, toAppends } from './folded-log.ts';

/** Narrowings that wait to be recorded and take nothing that others haven't taken. */
const MAX_WAITING_NARROWINGS = 256;

/** What a narrowing takes from a version before it is durable: `signing` alone, or its place in the key set as well. */
export type Withholding = 'signing' | 'everything';

export interface Narrowing {
  /** The same for a repeat of the command: while the first isn't durable, a repeat joins it. */
  readonly key: string;
  readonly kids: readonly Kid[];
  readonly withholding: Withholding;
  readonly decide: () => readonly Change[];
}

export class Ledger {
  readonly #store: EventStore;
  readonly #clock: Clock;
  readonly #mutex = new Mutex();
  readonly #listeners = new Set<() => void>();
  readonly #withheld = new Map<Kid, Withholding>();
  /** Narrowings in effect whose commit failed; tried again until they are durable. */
  readonly #undurable = new Set<Narrowing>();
  /** Promises of the configuration that are new or changed, until they are durable. */
  #unrecorded: ReadonlyMap<KeySetName, KeySetPromise> = new Map();
  #state: Folded;

  private constructor(store: EventStore, clock: Clock, state: Folded) {
    this.#store = store;
    this.#clock = clock;
    this.#state = state;
  }

  /** Loads and folds the log, then records the configuration's promises; a store that can't be written holds nothing up. */
  static async open(
    store: EventStore,
    clock: Clock,
    promises: ReadonlyMap<KeySetName, KeySetPromise>,
  ): Promise<Ledger> {
    const ledger = new Ledger(store, clock, await loadLog(store));
    ledger.#requirePromises(promises);
    ledger.#unrecorded = new Map(
      [...promises].filter(([name, promise]) => {
        const recorded = ledger.#state.keySets.get(name)?.promise;
        return recorded === undefined || !isSamePromise(recorded, promise);
      }),
    );
    try {
      await ledger.recordPromises();
    } catch (thrown) {
      // A full disk must not keep the key sets from being served: the rotator tries again.
      if (!hasReason(thrown, 'STORE_UNAVAILABLE')) throw thrown;
    }
    return ledger;
  }

  /** Promises of the configuration that are not durable yet: an alarm as long as it isn't 0. */
  get unrecordedPromises(): number {
    return this.#unrecorded.size;
  }

  /** Records what of the configuration's promises is new or differs. */
  async recordPromises(): Promise<void> {
    await this.transact(() =>
      [...this.#unrecorded].map(([name, promise]): Change => {
        const atMs = this.#clock.wallMs();
        const isNew = !this.#state.keySets.has(name);
        const event: KeySetEvent = isNew
          ? { type: 'KEY_SET_CREATED', atMs, keySet: name, promise }
          : { type: 'PROMISE_CHANGED', atMs, promise };
        return { to: 'keySet', name, events: [event] };
      }),
    );
    this.#unrecorded = new Map();
  }

  get signingKeys(): ReadonlyMap<SigningKeyName, SigningKeyState> {
    return this.#state.signingKeys;
  }

  /** Their promises as they bind now: a changed one that is not recorded yet binds together with the recorded one. */
  get keySets(): ReadonlyMap<KeySetName, KeySetState> {
    const { keySets } = this.#state;
    if (this.#unrecorded.size === 0) return keySets;
    return new Map([...keySets].map(([name, keySet]) => [name, this.#asBinding(keySet)]));
  }

  get token(): TokenState {
    return this.#state.token;
  }

  get clock(): ClockState {
    return this.#state.clock;
  }

  get approvals(): ApprovalsState {
    return this.#state.approvals;
  }

  requireSigningKey(name: SigningKeyName): SigningKeyState {
    const state = this.#state.signingKeys.get(name);
    if (state !== undefined) return state;
    throw new KeyturnError('SIGNING_KEY_NOT_FOUND', `there is no signing key ${name}; create it with ApplySigningKey`, {
      subject: name,
    });
  }

  requireKeySet(name: KeySetName): KeySetState {
    const state = this.#state.keySets.get(name);
    if (state !== undefined) return this.#asBinding(state);
    throw new KeyturnError(
      'KEY_SET_NOT_FOUND',
      `there is no key set ${name}; the configuration names ${[...this.#state.keySets.keys()].join(', ')}`,
      {
        field: 'key_set',
        subject: name,
      },
    );
  }

  /** Signing keys that are published in a key set, in the order of their creation. */
  signingKeysOf(keySet: KeySetName): readonly SigningKeyState[] {
    return [...this.#state.signingKeys.values()].filter((state) => state.keySet === keySet);
  }

  /** The whole log as one file: what is durable now. */
  copyStore(): Promise<StoreCopy> {
    return this.#store.copy();
  }

  /** Calls back after each commit; returns the cancellation. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Decides and commits in one turn. `decide` sees the state and returns what to append; nothing to append commits
   * nothing. A change of published versions also appends the key set's next generation, in the same commit.
   */
  transact(decide: () => readonly Change[], options?: CommitOptions): Promise<void> {
    return this.#mutex.run(async () => {
      const changes = decide().filter((change) => change.events.length > 0);
      if (changes.length === 0) return;
      const evolved = applyChanges(this.#state, changes);
      const generations = newGenerations(evolved, this.#clock.wallMs());
      const next = generations.length === 0 ? evolved : applyChanges(evolved, generations);
      await this.#store.commit(toAppends(this.#state, [...changes, ...generations]), options);
      this.#state = next;
      this.#notify();
    });
  }

  /** What narrowings took from versions beyond what is durable yet. */
  get withheld(): ReadonlyMap<Kid, Withholding> {
    return this.#withheld;
  }

  /** Events that a full disk kept in the store's reserve. */
  get reservedEvents(): number {
    return this.#store.reservedEvents;
  }

  /** Narrowings that are in effect but not durable: an alarm as long as it isn't 0. */
  get undurableNarrowings(): number {
    return this.#undurable.size;
  }

  /**
   * Rule 7: what narrows is visible first. The versions are withheld when this returns its promise, which resolves when
   * the decision is durable. When the commit fails, they stay withheld, and `retryNarrowings` tries again.
   */
  async narrow(wanted: Narrowing): Promise<void> {
    const joined = [...this.#undurable].find(({ key }) => key === wanted.key);
    const { kids, withholding } = joined ?? wanted;
    const isNothingNew = kids.every((kid) => this.#withheld.has(kid));
    for (const kid of kids) {
      if (this.#withheld.get(kid) !== 'everything') this.#withheld.set(kid, withholding);
    }
    this.#notify();
    // A full disk is no reason to gather commands without end: what narrows further is always remembered.
    if (joined === undefined && isNothingNew && this.#undurable.size >= MAX_WAITING_NARROWINGS) {
      throw new KeyturnError('STORE_UNAVAILABLE', 'too many commands that narrow wait to be recorded already');
    }
    await this.#commitNarrowing(joined ?? wanted);
  }

  /** Once more for each narrowing that isn't durable. Rejects with the first failure. */
  async retryNarrowings(): Promise<void> {
    for (const narrowing of this.#undurable) await this.#commitNarrowing(narrowing);
  }

  async #commitNarrowing(narrowing: Narrowing): Promise<void> {
    this.#undurable.add(narrowing);
    try {
      await this.transact(narrowing.decide, { mayUseReserve: true });
    } catch (thrown) {
      // Only the disk is waited for; a decision that is refused now would be refused for ever.
      if (!hasReason(thrown, 'STORE_UNAVAILABLE')) this.#release(narrowing);
      throw thrown;
    }
    this.#release(narrowing);
  }

  #release(narrowing: Narrowing): void {
    this.#undurable.delete(narrowing);
    const stillWithheld = new Set([...this.#undurable].flatMap(({ kids }) => kids));
    for (const kid of narrowing.kids) if (!stillWithheld.has(kid)) this.#withheld.delete(kid);
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }

  #asBinding(keySet: KeySetState): KeySetState {
    const wanted = this.#unrecorded.get(keySet.name);
    return wanted === undefined ? keySet : { ...keySet, promise: stricterPromise(keySet.promise, wanted) };
  }

  #requirePromises(promises: ReadonlyMap<KeySetName, KeySetPromise>): void {
    const missing = [...this.#state.keySets.values()]
      .filter((keySet) => this.signingKeysOf(keySet.name).length > 0 || publishedImports(keySet).length > 0)
      .map(({ name }) => name)
      .filter((name) => !promises.has(name));
    if (missing.length === 0) return;
    throw new KeyturnError(
      'CONFIG_INVALID',
      `keySets lacks ${missing.join(', ')}, which the store has keys of; add it with its promise`,
      { field: 'keySets' },
    );
  }
}
