/**
 * The clock port. Nothing else reads a clock or sets a timer, so that tests and the simulation can turn time.
 * The wall clock may step; the monotonic one never does, and tells nothing across restarts.
 */
export interface Clock {
  /** Unix time in ms. */
  wallMs(): number;
  /** Milliseconds since an arbitrary origin of this process; fractions allowed. */
  monotonicMs(): number;
  /** Milliseconds since the machine booted, a suspended machine's included; it goes on over restarts of the daemon. */
  bootMs(): number;
  /** Names this boot of the machine; empty where the system has no name for it. */
  bootId(): string;
  /** Runs `run` once, `delayMs` of monotonic time from now, and doesn't keep the process alive. Returns the cancellation. */
  after(delayMs: number, run: () => void): () => void;
}

/** Resolves after `delayMs`. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
