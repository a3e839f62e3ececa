/** A fair lock for async work: one holder at a time, the others in the order of their asking. */
export class Mutex {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs `work` when every earlier one has settled; a failure is the caller's alone. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(work, work);
    this.#tail = turn;
    return turn;
  }
}
