/** A key set on its way into a file, change by change, over lost connections. Whoever calls gives the connection and the file. */
import type { Clock } from '../base/clock.ts';
import { hasReason, KeyturnError } from '../base/errors.ts';
import type { KeySet } from '../client/client.ts';

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;

export interface FollowPorts {
  /** A new connection, to be read to its end. */
  readonly open: (read: (keySets: AsyncIterable<KeySet>) => Promise<void>) => Promise<void>;
  readonly write: (keySet: KeySet) => Promise<void>;
  readonly note: (line: string) => void;
  readonly clock: Clock;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Resolves when it was interrupted. Errors: those that another attempt won't mend. */
export async function followKeySet({ open, write, note, clock, signal }: FollowPorts): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    let problem = 'the daemon ended the stream';
    try {
      await open(async (keySets) => {
        let etag: string | undefined;
        for await (const keySet of keySets) {
          // Another max-age alone is nothing that the file says.
          if (keySet.etag !== etag) await write(keySet);
          etag = keySet.etag;
          pauseMs = FIRST_PAUSE_MS;
        }
      });
    } catch (thrown) {
      if (!isPassing(thrown)) throw thrown;
      problem = `${thrown.message} (${thrown.reason})`;
    }
    if (signal.aborted) return;
    note(`${problem}; the file stays as it is, next attempt in ${pauseMs / 1_000} s`);
    await pause(clock, pauseMs, signal);
    pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
  }
}

/** What comes to an end without the user of the command: an outage, too much at once, a key set that waits for an operator. */
function isPassing(thrown: unknown): thrown is KeyturnError {
  if (!(thrown instanceof KeyturnError)) return false;
  const { code } = thrown;
  return (
    code === 'UNAVAILABLE' ||
    code === 'RESOURCE_EXHAUSTED' ||
    code === 'DEADLINE_EXCEEDED' ||
    hasReason(thrown, 'KEY_SET_WITHHELD')
  );
}

function pause(clock: Clock, pauseMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(pauseMs, end);
    signal.addEventListener('abort', end);
  });
}
