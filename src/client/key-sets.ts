/** The client's methods on key sets: as they are, and as they change. */
import { LatestValue } from '../base/latest-value.ts';
import type { GetKeySetResponse__Output } from '../gen/keyturn/v1/GetKeySetResponse.ts';
import { keySetMethods } from './protos.ts';
import type { Transport } from './transport.ts';
import type { CallOptions, KeySet, KeySetRequest, WatchOptions } from './types.ts';
import { fromDuration } from './values.ts';

export interface KeySetMethods {
  getKeySet(request?: KeySetRequest, options?: CallOptions): Promise<KeySet>;
  /**
   * The key set as it is, then as it is after each change, until the loop is left, `signal` is aborted (the loop then just
   * ends) or the deadline is over. A loop that is slow skips to the latest. A key set without content yet is waited for.
   * Errors, at the value that doesn't come: as GetKeySet, and SHUTTING_DOWN or DAEMON_UNREACHABLE when daemon or
   * connection go: watch again then, after a pause. It is not tried again by itself, and the call is made when the loop begins.
   */
  watchKeySet(request?: KeySetRequest, options?: WatchOptions): AsyncIterable<KeySet>;
}

export function createKeySetMethods(
  transport: Transport,
  toDeadlineMs: (options: CallOptions | undefined) => number,
): KeySetMethods {
  return {
    async getKeySet({ keySet = '' } = {}, options = {}) {
      return fromKeySet(await transport.call(keySetMethods.GetKeySet, { keySet }, toDeadlineMs(options)));
    },
    async *watchKeySet({ keySet = '' } = {}, { signal, deadlineMs } = {}) {
      const left = new AbortController();
      const either = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
      const latest = new LatestValue<KeySet>();
      void feed(latest, transport.stream(keySetMethods.WatchKeySet, { keySet }, { deadlineMs, signal: either }));
      either.addEventListener('abort', () => {
        latest.cut();
      });
      try {
        yield* latest;
      } finally {
        left.abort();
      }
    },
  };
}

/** Reads on whatever the loop does, so that the daemon never waits for it. Never rejects. */
async function feed(latest: LatestValue<KeySet>, answers: AsyncIterable<GetKeySetResponse__Output>): Promise<void> {
  try {
    for await (const answer of answers) latest.set(fromKeySet(answer));
    latest.end();
  } catch (thrown) {
    latest.end(thrown instanceof Error ? thrown : new Error(String(thrown)));
  }
}

function fromKeySet({ keySet, generation, jwks, etag, maxAge }: GetKeySetResponse__Output): KeySet {
  return { keySet, generation, jwks, etag, maxAgeMs: fromDuration(maxAge) };
}
