/**
 * Bytes that must not be seen: nothing that prints, joins, serialises or inspects values gets more of them than a word.
 * Only `reveal` gives them out, and `wipe` ends them. (V8 copies what it likes, so this keeps secrets out of logs, errors
 * and messages; out of memory it keeps one copy.)
 */
const INSTEAD = '[redacted]';
/** util.inspect asks for it, and with it console, assert and most loggers. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

export class Secret {
  readonly #bytes: Buffer;

  /** Takes the bytes over: whoever passes them keeps no copy. */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isEmpty(): boolean {
    return this.#bytes.length === 0;
  }

  /** The bytes themselves, for the one call that needs them. */
  reveal(): Buffer {
    return this.#bytes;
  }

  /** Idempotent. */
  wipe(): void {
    this.#bytes.fill(0);
  }

  toString(): string {
    return INSTEAD;
  }

  toJSON(): string {
    return INSTEAD;
  }

  [Symbol.toPrimitive](): string {
    return INSTEAD;
  }

  [INSPECT](): string {
    return INSTEAD;
  }
}
