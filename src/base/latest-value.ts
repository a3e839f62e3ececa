/**
 * Room for one value between somebody who never waits and one reader who may be slow: a value that is still unread gives
 * way to the next one, so that the reader skips to the latest and nothing ever queues.
 */
export class LatestValue<T> implements AsyncIterable<T> {
  #unread: { readonly value: T } | undefined;
  #ending: { readonly failure: Error | undefined } | undefined;
  #wake: (() => void) | undefined;

  /** Nothing after the end. */
  set(value: T): void {
    if (this.#ending !== undefined) return;
    this.#unread = { value };
    this.#wake?.();
  }

  /** The reader's loop ends when it has read what is unread, by throwing the failure if there is one. The first end counts. */
  end(failure?: Error): void {
    this.#ending ??= { failure };
    this.#wake?.();
  }

  /** As `end`, but at once: what is unread stays so. */
  cut(failure?: Error): void {
    if (this.#ending === undefined) this.#unread = undefined;
    this.end(failure);
  }

  /** For one reader. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const unread = this.#unread;
      if (unread !== undefined) {
        this.#unread = undefined;
        yield unread.value;
      } else if (this.#ending === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else if (this.#ending.failure === undefined) {
        return;
      } else {
        throw this.#ending.failure;
      }
    }
  }
}
