/**
 * The token's own stream: the login latch (DESIGN section 6). A refused PIN is recorded before anything else happens,
 * and nobody logs in again until an operator allows it.
 */
import { assertNever } from '../base/assert-never.ts';
import type { CallerName } from '../base/ids.ts';

export type TokenEvent = { readonly atMs: number } & (
  | { readonly type: 'LOGIN_REFUSED'; readonly reason: 'PIN_INCORRECT' | 'PIN_LOCKED' }
  | { readonly type: 'LOGIN_ALLOWED'; readonly caller: CallerName; readonly reason: string }
);

export interface TokenState {
  readonly isLoginLatched: boolean;
  readonly sequence: number;
}

export const NEW_TOKEN_STATE: TokenState = { isLoginLatched: false, sequence: 0 };

export function evolveToken(state: TokenState, event: TokenEvent): TokenState {
  const sequence = state.sequence + 1;
  switch (event.type) {
    case 'LOGIN_REFUSED':
      return { isLoginLatched: true, sequence };
    case 'LOGIN_ALLOWED':
      return { isLoginLatched: false, sequence };
    default:
      return assertNever(event);
  }
}
