/**
 * The event log as folded states, and the way back: which stream a change goes to, and what it makes of the state.
 * When it is committed is the ledger's business.
 */
import {
  type ApprovalEvent,
  APPROVALS_STREAM,
  type ApprovalsState,
  evolveApprovals,
  NO_APPROVALS,
} from '../access/approval-log.ts';
import { assertNever } from '../base/assert-never.ts';
import { KeyturnError } from '../base/errors.ts';
import type { KeySetName, Kid, SigningKeyName } from '../base/ids.ts';
import { AUDIT_STREAM } from '../lifecycle/audit-register.ts';
import { type ClockEvent, type ClockState, evolveClock, NEW_CLOCK_STATE } from '../lifecycle/clock-guard.ts';
import type { KeySetEvent, SigningKeyEvent } from '../lifecycle/events.ts';
import { evolveKeySet, type KeySetState } from '../lifecycle/fold-key-set.ts';
import { foldSigningKey } from '../lifecycle/fold.ts';
import type { SigningKeyState } from '../lifecycle/signing-key-state.ts';
import { publishedImports } from '../lifecycle/imports.ts';
import {
  evolveToken,
  NEW_TOKEN_STATE,
  TOKEN_STREAM,
  type TokenEvent,
  type TokenState,
} from '../lifecycle/token-log.ts';
import type { EventStore, StoredEvent, StoredStream, StreamAppend } from '../store/store.ts';

const SIGNING_KEY_PREFIX = 'signing-key/';
const KEY_SET_PREFIX = 'key-set/';
const CLOCK_STREAM = 'clock';

/** What a transaction wants appended, and to what. */
export type Change =
  | { readonly to: 'signingKey'; readonly name: SigningKeyName; readonly events: readonly SigningKeyEvent[] }
  | { readonly to: 'keySet'; readonly name: KeySetName; readonly events: readonly KeySetEvent[] }
  | { readonly to: 'token'; readonly events: readonly TokenEvent[] }
  | { readonly to: 'clock'; readonly events: readonly ClockEvent[] }
  | { readonly to: 'approvals'; readonly events: readonly ApprovalEvent[] };

export interface Folded {
  readonly signingKeys: ReadonlyMap<SigningKeyName, SigningKeyState>;
  readonly keySets: ReadonlyMap<KeySetName, KeySetState>;
  readonly token: TokenState;
  readonly clock: ClockState;
  readonly approvals: ApprovalsState;
}

/** The next generation of each key set that no longer publishes what it did. */
export function newGenerations(evolved: Folded, atMs: number): readonly Change[] {
  return [...evolved.keySets.values()].flatMap((keySet): Change[] => {
    if (isPublishing(evolved.signingKeys, keySet)) return [];
    const kids = publishedKids(evolved.signingKeys, keySet);
    const generation = keySet.generation + 1;
    return [
      {
        to: 'keySet',
        name: keySet.name,
        events: [{ type: 'GENERATION_COMMITTED', atMs, generation, kids }],
      },
    ];
  });
}

/** One append per stream: a commit that touches a stream twice continues its own sequence. */
export function toAppends(state: Folded, changes: readonly Change[]): readonly StreamAppend[] {
  const appends = new Map<string, StreamAppend>();
  for (const change of changes) {
    const append = toAppend(state, change);
    const before = appends.get(append.stream);
    const merged = before === undefined ? append : { ...before, events: [...before.events, ...append.events] };
    appends.set(append.stream, merged);
  }
  return [...appends.values()];
}

function toAppend(state: Folded, change: Change): StreamAppend {
  switch (change.to) {
    case 'signingKey':
      return {
        stream: SIGNING_KEY_PREFIX + change.name,
        expectedSequence: state.signingKeys.get(change.name)?.sequence ?? 0,
        events: change.events,
      };
    case 'keySet':
      return {
        stream: KEY_SET_PREFIX + change.name,
        expectedSequence: state.keySets.get(change.name)?.sequence ?? 0,
        events: change.events,
      };
    case 'token':
      return { stream: TOKEN_STREAM, expectedSequence: state.token.sequence, events: change.events };
    case 'clock':
      return { stream: CLOCK_STREAM, expectedSequence: state.clock.sequence, events: change.events };
    case 'approvals':
      return { stream: APPROVALS_STREAM, expectedSequence: state.approvals.sequence, events: change.events };
  }
}

/** The kids that a key set publishes: signing keys by creation, versions by number, then imports. The order never changes. */
function publishedKids(signingKeys: ReadonlyMap<SigningKeyName, SigningKeyState>, keySet: KeySetState): readonly Kid[] {
  const versions = [...signingKeys.values()]
    .filter((state) => state.keySet === keySet.name)
    .flatMap((state) => state.versions.filter((version) => version.isPublished));
  return [...versions, ...publishedImports(keySet)].map(({ kid }) => kid);
}

/** Whether the key set's generation is what its signing keys publish; after each commit, so without making a list. */
function isPublishing(signingKeys: ReadonlyMap<SigningKeyName, SigningKeyState>, keySet: KeySetState): boolean {
  const { kids } = keySet;
  let count = 0;
  for (const state of signingKeys.values()) {
    if (state.keySet !== keySet.name) continue;
    for (const { isPublished, kid } of state.versions) {
      if (!isPublished) continue;
      if (kids[count] !== kid) return false;
      count += 1;
    }
  }
  for (const { kid, departure } of keySet.imports) {
    if (departure !== undefined) continue;
    if (kids[count] !== kid) return false;
    count += 1;
  }
  return count === kids.length;
}

export function applyChanges(before: Folded, changes: readonly Change[]): Folded {
  let { token, clock, approvals } = before;
  for (const change of changes) {
    switch (change.to) {
      case 'signingKey':
      case 'keySet':
        break;
      case 'token':
        token = change.events.reduce(evolveToken, token);
        break;
      case 'clock':
        clock = change.events.reduce(evolveClock, clock);
        break;
      case 'approvals':
        approvals = change.events.reduce(evolveApprovals, approvals);
        break;
      default:
        assertNever(change);
    }
  }
  return {
    signingKeys: evolveSigningKeys(before.signingKeys, changes),
    keySets: evolveKeySets(before.keySets, changes),
    token,
    clock,
    approvals,
  };
}

/** The map is copied once, however many change: a start folds the streams of all signing keys. */
function evolveSigningKeys(before: Folded['signingKeys'], changes: readonly Change[]): Folded['signingKeys'] {
  const own = changes.filter((change) => change.to === 'signingKey');
  if (own.length === 0) return before;
  const states = new Map(before);
  for (const { name, events } of own) {
    const state = foldSigningKey(states.get(name), events);
    if (state !== undefined) states.set(name, state);
  }
  return states;
}

function evolveKeySets(before: Folded['keySets'], changes: readonly Change[]): Folded['keySets'] {
  const own = changes.filter((change) => change.to === 'keySet');
  if (own.length === 0) return before;
  const states = new Map(before);
  for (const { name, events } of own) {
    const state = events.reduce<KeySetState | undefined>(evolveKeySet, states.get(name));
    if (state !== undefined) states.set(name, state);
  }
  return states;
}

/** The whole log, folded batch by batch. */
export async function loadLog(store: Pick<EventStore, 'load'>): Promise<Folded> {
  let folded: Folded = {
    signingKeys: new Map(),
    keySets: new Map(),
    token: NEW_TOKEN_STATE,
    clock: NEW_CLOCK_STATE,
    approvals: NO_APPROVALS,
  };
  const createdAtMs = new Map<string, number>();
  await store.load((batch) => {
    const known = batch.filter(({ stream }) => stream !== AUDIT_STREAM);
    for (const { stream, events } of known) if (!createdAtMs.has(stream)) createdAtMs.set(stream, events[0]?.atMs ?? 0);
    folded = applyChanges(folded, known.map(toChange));
  });
  const inOrder = <Name extends string, State>(states: ReadonlyMap<Name, State>, prefix: string): Map<Name, State> => {
    const created = (name: Name): number => createdAtMs.get(prefix + name) ?? 0;
    return new Map(
      [...states].toSorted(([left], [right]) => created(left) - created(right) || left.localeCompare(right)),
    );
  };
  return {
    ...folded,
    signingKeys: inOrder(folded.signingKeys, SIGNING_KEY_PREFIX),
    keySets: inOrder(folded.keySets, KEY_SET_PREFIX),
  };
}

/** The boundary where stored JSON becomes typed events again. What was written passed the types; evolve checks the order. */
function toChange({ stream, events }: StoredStream): Change {
  if (stream === CLOCK_STREAM) return { to: 'clock', events: typed<ClockEvent>(events) };
  if (stream === APPROVALS_STREAM) return { to: 'approvals', events: typed<ApprovalEvent>(events) };
  if (stream === TOKEN_STREAM) return { to: 'token', events: typed<TokenEvent>(events) };
  if (stream.startsWith(KEY_SET_PREFIX)) {
    return {
      to: 'keySet',
      name: stream.slice(KEY_SET_PREFIX.length) as KeySetName,
      events: typed<KeySetEvent>(events),
    };
  }
  if (stream.startsWith(SIGNING_KEY_PREFIX)) {
    return {
      to: 'signingKey',
      name: stream.slice(SIGNING_KEY_PREFIX.length) as SigningKeyName,
      events: typed<SigningKeyEvent>(events),
    };
  }
  throw new KeyturnError(
    'STORE_DAMAGED',
    `the store holds a stream of unknown kind, ${stream}; it was written by another version of keyturn`,
  );
}

function typed<Event extends StoredEvent>(events: readonly StoredEvent[]): readonly Event[] {
  return events as readonly Event[];
}
