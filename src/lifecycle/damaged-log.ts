/** An event log that can't be folded. */
import { KeyturnError } from '../base/errors.ts';

export function damaged(stream: string, event: { readonly type: string }): KeyturnError {
  return new KeyturnError(
    'STORE_DAMAGED',
    `the event log of ${stream} holds a ${event.type} that cannot follow the events before it; restore the store from a backup`,
  );
}
