/** What a command says when its narrowing is in effect and not durable (rule 7). */
import { KeyturnError, toKeyturnError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';

/** A narrowing whose commit failed is in effect all the same, and the answer must say both. */
export async function narrowing(log: Logger, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (thrown) {
    const error = toKeyturnError(thrown);
    log.error({ err: error }, 'a narrowing is in effect but not durable yet: a restart would undo it');
    throw new KeyturnError(
      'STORE_UNAVAILABLE',
      'the command is in effect, but the store could not record it yet: a restart of the daemon now would undo it; it is tried again until it is recorded',
      { cause: error, retryAfterMs: 1_000 },
    );
  }
}
