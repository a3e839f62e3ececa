/**
 * The token's own stream: the login latch (DESIGN section 6). A refused PIN is recorded before anything else happens,
 * and nobody logs in again until an operator allows it.
 */
import { assertNever } from '../base/assert-never.ts';
import type { CallerName, CkaId } from '../base/ids.ts';

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
);

export interface TokenState {
  readonly isLoginLatched: boolean;
  /** Objects that an operator decided to leave where they are. */
  readonly ignored: ReadonlySet<CkaId>;
  readonly sequence: number;
}

export const NEW_TOKEN_STATE: TokenState = { isLoginLatched: false, ignored: new Set(), sequence: 0 };

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
    default:
      return assertNever(event);
  }
}
