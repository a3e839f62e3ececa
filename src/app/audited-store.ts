/**
 * The store, with an audit entry for every lifecycle event that becomes durable. Here store and audit log also meet at
 * the start (rule 9): what the store has and the log doesn't is entered late, as after a crash in between; a log that has
 * more than the store marks it as an old one, and nothing signs until an operator has decided; a store that knows more
 * than the log says that entries are missing.
 */
import type { AuditLog } from '../audit/audit-log.ts';
import { formatHead, parseHead } from '../audit/chain.ts';
import type { AuditRecord } from '../audit/entries.ts';
import type { Clock } from '../base/clock.ts';
import type { KeySetName, Kid, SigningKeyName } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import { AUDIT_STREAM, type AuditRegister, type AuditRegisterEvent } from '../lifecycle/audit-register.ts';
import { evolveAuditRegister, NEW_AUDIT_REGISTER } from '../lifecycle/audit-register.ts';
import { TOKEN_STREAM } from '../lifecycle/token-log.ts';
import { History, type Placed } from './history.ts';
import type { CommitOptions, EventStore, StoreCopy, StoredEvent, StoredStream, StreamAppend } from '../store/store.ts';

const SIGNING_KEY_PREFIX = 'signing-key/';
const KEY_SET_PREFIX = 'key-set/';

/**
 * What the daemon notes by itself again and again: no fact that an auditor asks for. Ceilings alone would be most of a
 * quiet log, and how long a version's JWTs live is in their own entries.
 */
const BOOKKEEPING: ReadonlySet<string> = new Set([
  'EXP_CEILING_RAISED',
  'METERS_RECORDED',
  'KEY_SET_SERVED',
  'UP_TIME_RECORDED',
  'CLOCK_SEEN',
]);

/** More than a crash can leave behind: the log was off for a while, and the store has that part of the history. */
const MAX_LATE_EVENTS = 1_000;

export interface AuditedStorePorts {
  readonly store: EventStore;
  readonly auditLog: AuditLog;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of keyturn. */
  readonly version: string;
}

export class AuditedStore implements EventStore {
  readonly #ports: AuditedStorePorts;
  /** Over all streams but the audit log's own. */
  #count = 0;
  #register: AuditRegister = NEW_AUDIT_REGISTER;

  constructor(ports: AuditedStorePorts) {
    this.#ports = ports;
  }

  get reservedEvents(): number {
    return this.#ports.store.reservedEvents;
  }

  /** How many events the store has. */
  get storeEvents(): number {
    return this.#count;
  }

  get register(): AuditRegister {
    return this.#register;
  }

  async load(take: (batch: readonly StoredStream[]) => void): Promise<void> {
    const history = new History(MAX_LATE_EVENTS);
    this.#register = NEW_AUDIT_REGISTER;
    await this.#ports.store.load((batch) => {
      for (const { stream, events } of batch) if (stream === AUDIT_STREAM) this.#fold(events);
      const others = batch.filter(({ stream }) => stream !== AUDIT_STREAM);
      history.add(others);
      take(others);
    });
    this.#count = history.count;
    this.#noteMissingHistory();
    const mark = await this.#markWhenOld(history);
    if (mark !== undefined) take([{ stream: TOKEN_STREAM, events: [mark] }]);
    this.#note({ kind: 'LOG_STARTED', version: this.#ports.version, storeEvents: this.#count });
  }

  #fold(events: readonly StoredEvent[]): void {
    for (const event of events) this.#register = evolveAuditRegister(this.#register, event as AuditRegisterEvent);
  }

  async commit(appends: readonly StreamAppend[], options?: CommitOptions): Promise<void> {
    await this.#ports.store.commit(appends, options);
    const placed = appends.flatMap(({ stream, expectedSequence, events }) =>
      events.map((event, index) => ({ stream, sequence: expectedSequence + index + 1, event })),
    );
    const before = this.#count;
    this.#count += placed.length;
    const audited = placed.filter(isAudited);
    // Until its last entry is written a commit counts as not entered: a crash in between enters it again, late.
    audited.forEach((item, index) => this.#note(toRecord(item, index < audited.length - 1 ? before : this.#count)));
  }

  /** Into the audit log's own stream. Errors: STORE_UNAVAILABLE, CONCURRENT_CHANGE. */
  async commitRegister(event: AuditRegisterEvent): Promise<void> {
    const expectedSequence = this.#register.sequence;
    await this.#ports.store.commit([{ stream: AUDIT_STREAM, expectedSequence, events: [event] }]);
    this.#register = evolveAuditRegister(this.#register, event);
  }

  copy(): Promise<StoreCopy> {
    return this.#ports.store.copy();
  }

  close(): Promise<void> {
    return this.#ports.store.close();
  }

  #noteMissingHistory(): void {
    const { auditLog, log } = this.#ports;
    const { head: recorded } = this.#register;
    if (recorded === undefined) return;
    const { head } = auditLog.start;
    const expected = parseHead(recorded);
    const isThere = head.seq > expected.seq || formatHead(head) === recorded;
    if (isThere) return;
    const found = formatHead(head);
    log.error(
      { expected: recorded, found },
      'the audit log lacks entries that the store knows of: removed, or an old copy',
    );
    this.#note({ kind: 'HISTORY_MISSING', expected: recorded, found });
  }

  /** The event that marks it, durable by then. */
  async #markWhenOld(history: History): Promise<StoredEvent | undefined> {
    const known = this.#ports.auditLog.start.storeEvents;
    if (known === undefined) return undefined;
    if (known <= this.#count) {
      this.#enterLate(history, this.#count - known);
      return undefined;
    }
    const { token, knownUntilMs } = history;
    // Restored by keyturn restore: it says so itself.
    if (token.restoration !== undefined) return undefined;
    const { clock, log } = this.#ports;
    const auditHead = formatHead(this.#ports.auditLog.start.head);
    const event = { type: 'STORE_FOUND_OLD', atMs: clock.wallMs(), knownUntilMs, auditHead } as const;
    log.error(
      { storeEvents: this.#count, knownEvents: known, auditHead },
      'the store is older than the audit log: nothing signs until an operator has decided with keyturn recover',
    );
    // It only takes away: a full disk must not keep the daemon from saying so.
    const append = { stream: TOKEN_STREAM, expectedSequence: history.lengthOf(TOKEN_STREAM), events: [event] };
    await this.commit([append], { mayUseReserve: true });
    return event;
  }

  #enterLate(history: History, count: number): void {
    if (count === 0) return;
    if (count > MAX_LATE_EVENTS) {
      this.#ports.log.warn({ events: count }, 'the audit log was off meanwhile: these events are in the store alone');
      return;
    }
    for (const item of history.latest(count).filter(isAudited))
      this.#note({ ...toRecord(item, this.#count), late: true });
  }

  /** The log keeps it until the disk takes it. */
  #note(record: AuditRecord): void {
    void this.#ports.auditLog.append(record).catch((failure: unknown) => {
      this.#ports.log.debug({ err: failure }, 'an audit entry waits for the disk');
    });
  }
}

function isAudited({ event, stream }: Placed): boolean {
  return stream !== AUDIT_STREAM && !BOOKKEEPING.has(event.type);
}

type EventRecord = AuditRecord & { readonly kind: 'EVENT' };

function toRecord({ stream, sequence, event }: Placed, storeEvents: number): EventRecord {
  const version = 'version' in event && typeof event.version === 'number' ? event.version : undefined;
  const kid = 'kid' in event && typeof event.kid === 'string' ? (event.kid as Kid) : undefined;
  return {
    kind: 'EVENT',
    stream,
    sequence,
    type: event.type,
    signingKey: nameIn<SigningKeyName>(stream, SIGNING_KEY_PREFIX),
    keySet: nameIn<KeySetName>(stream, KEY_SET_PREFIX),
    version,
    kid,
    data: event,
    storeEvents,
  };
}

function nameIn<Name extends string>(stream: string, prefix: string): Name | undefined {
  return stream.startsWith(prefix) ? (stream.slice(prefix.length) as Name) : undefined;
}
