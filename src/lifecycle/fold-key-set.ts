/** A key set as the fold of its events, as fold.ts does it for signing keys: pure, total, and nothing is refused here. */
import type { KeySetName, Kid } from '../base/ids.ts';
import { damaged } from './damaged-log.ts';
import type { KeySetEvent } from './events.ts';
import { evolveImports, type Imports, NO_IMPORTS } from './imports.ts';
import type { KeySetPromise } from './model.ts';

export interface KeySetState extends Imports {
  readonly name: KeySetName;
  readonly promise: KeySetPromise;
  /** 0 as long as no version was ever committed. */
  readonly generation: number;
  readonly kids: readonly Kid[];
  /** Ceilings of earlier promises that copies answered under them may still live by; each with its time left to serve. */
  readonly lingering: readonly { readonly ceilingMs: number; readonly expiresAtServedMs: number }[];
  /** Served time since the latest change of the promise. */
  readonly servedMs: number;
  readonly sequence: number;
}

export function evolveKeySet(state: KeySetState | undefined, event: KeySetEvent): KeySetState {
  if (event.type === 'KEY_SET_CREATED') {
    if (state !== undefined) throw damaged(state.name, event);
    return {
      name: event.keySet,
      promise: event.promise,
      generation: 0,
      kids: [],
      lingering: [],
      servedMs: 0,
      ...NO_IMPORTS,
      sequence: 1,
    };
  }
  if (state === undefined) throw damaged('a key set', event);
  const sequence = state.sequence + 1;
  switch (event.type) {
    case 'PROMISE_CHANGED': {
      // Copies answered under the old ceiling may live by it from now on; those under still older ones, for what is left.
      const lingering = [
        ...state.lingering,
        {
          ceilingMs: state.promise.verifierCacheCeilingMs,
          expiresAtServedMs: state.servedMs + state.promise.verifierCacheCeilingMs,
        },
      ]
        .map(({ ceilingMs, expiresAtServedMs }) => ({
          ceilingMs,
          expiresAtServedMs: expiresAtServedMs - state.servedMs,
        }))
        .filter(({ expiresAtServedMs }) => expiresAtServedMs > 0);
      return { ...state, promise: event.promise, lingering, servedMs: 0, sequence };
    }
    case 'GENERATION_COMMITTED':
      return { ...state, generation: event.generation, kids: event.kids, sequence };
    case 'KEY_SET_SERVED': {
      const servedMs = Math.max(state.servedMs, event.servedMs);
      return {
        ...state,
        servedMs,
        lingering: state.lingering.filter(({ expiresAtServedMs }) => expiresAtServedMs > servedMs),
        sequence,
      };
    }
    default: {
      const imports = evolveImports(state, event);
      if (imports === undefined) throw damaged(state.name, event);
      return { ...state, ...imports, sequence };
    }
  }
}
