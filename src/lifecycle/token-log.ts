/**
 * The token's own stream: the login latch (DESIGN section 6), and what operators decided about the store and the token
 * together. A refused PIN is recorded before anything else happens, and nobody logs in again until an operator allows it.
 * Pure.
 */
import { assertNever } from '../base/assert-never.ts';
import type { CallerName, CkaId } from '../base/ids.ts';

/** Its name in the store. */
export const TOKEN_STREAM = 'token';

export type TokenEvent = { readonly atMs: number } & (
  | { readonly type: 'LOGIN_REFUSED'; readonly reason: 'PIN_INCORRECT' | 'PIN_LOCKED' }
  | { readonly type: 'LOGIN_ALLOWED'; readonly caller: CallerName; readonly reason: string }
  /** An operator's decision about an object in the token that the store couldn't explain (rule 9). */
  | {
      readonly type: 'OBJECT_IGNORED' | 'OBJECT_DESTROYED';
      readonly ckaId: CkaId;
      readonly ckaLabel: string;
      readonly caller: CallerName;
      readonly reason: string;
    }
  | StoreRestored
  | StoreFoundOld
  /** An operator decided about everything that a restored or a lost store can't know: what follows is known again. */
  | { readonly type: 'STORE_RECOVERED'; readonly caller: CallerName; readonly reason: string }
);

/**
 * The store is a copy put in place by `keyturn restore`. Written into the copy before it gets the store's name, so that
 * no daemon ever takes an old store for the present one.
 */
export interface StoreRestored {
  readonly type: 'STORE_RESTORED';
  readonly atMs: number;
  /** The latest event in the copy: what happened afterwards is not in it. */
  readonly knownUntilMs: number;
  /** Of the copy, hexadecimal. */
  readonly sha256: string;
}

/** The audit log knows of events that the store doesn't: somebody put an old copy in its place, or lost it (rule 9). */
export interface StoreFoundOld {
  readonly type: 'STORE_FOUND_OLD';
  readonly atMs: number;
  /** The latest event in the store. */
  readonly knownUntilMs: number;
  /** SEQ:HASH. */
  readonly auditHead: string;
}

export interface Restoration {
  readonly atMs: number;
  readonly knownUntilMs: number;
}

export interface TokenState {
  readonly isLoginLatched: boolean;
  /** Objects that an operator decided to leave where they are. */
  readonly ignored: ReadonlySet<CkaId>;
  /** The store was restored from a copy, and nobody has decided yet what happened since (rule 9). */
  readonly restoration: Restoration | undefined;
  readonly sequence: number;
}

export const NEW_TOKEN_STATE: TokenState = {
  isLoginLatched: false,
  ignored: new Set(),
  restoration: undefined,
  sequence: 0,
};

export function evolveToken(state: TokenState, event: TokenEvent): TokenState {
  const sequence = state.sequence + 1;
  switch (event.type) {
    case 'LOGIN_REFUSED':
      return { ...state, isLoginLatched: true, sequence };
    case 'LOGIN_ALLOWED':
      return { ...state, isLoginLatched: false, sequence };
    case 'OBJECT_IGNORED':
      return { ...state, ignored: new Set(state.ignored).add(event.ckaId), sequence };
    case 'OBJECT_DESTROYED':
      return { ...state, sequence };
    case 'STORE_RESTORED':
    case 'STORE_FOUND_OLD': {
      // A copy of a copy that nobody had decided about knows as little as the first one.
      const knownUntilMs = Math.min(event.knownUntilMs, state.restoration?.knownUntilMs ?? event.knownUntilMs);
      return { ...state, restoration: { atMs: event.atMs, knownUntilMs }, sequence };
    }
    case 'STORE_RECOVERED':
      return { ...state, restoration: undefined, sequence };
    default:
      return assertNever(event);
  }
}
