/**
 * A strict JSON reader (RFC 8259, and I-JSON where RFC 7493 is stricter) for text that we sign but don't write.
 * Where parsers are known to disagree it refuses instead of choosing: names that are the same to some reader, numbers
 * that no double holds, lone surrogates, U+0000, `__proto__`, deep nesting (docs/reference/claims.md). It never repeats a
 * value in a message. On the hot path: one pass, no backtracking.
 */
import { KeyturnError } from '../base/errors.ts';
import type { Reason } from '../base/reasons.ts';
import { foldName, isPlainName } from './fold-name.ts';
import { isReadAlike } from './safe-number.ts';

/** Objects are Maps: no prototype to pollute, no inherited name to mistake for a member. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** A sticky match from `lastIndex`; each alternative ends at the first character that can't go on, so it is linear. */
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

const CONTROL = /\p{Cc}/u;

/** A name is shown in a message only up to here. */
const MAX_SHOWN_NAME = 64;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const FIRST_PRINTABLE = 0x20;

/**
 * Errors: CLAIMS_NOT_JSON, CLAIMS_DUPLICATE_NAME, CLAIMS_FORBIDDEN_NAME, CLAIMS_FORBIDDEN_CHARACTER,
 * CLAIMS_LONE_SURROGATE, CLAIMS_NUMBER_UNSAFE, CLAIMS_TOO_DEEP.
 */
export function parseStrictJson(text: string, maxDepth: number): JsonValue {
  return new Reader(text, maxDepth).readDocument();
}

class Reader {
  readonly #text: string;
  readonly #maxDepth: number;
  #at = 0;
  #depth = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  readDocument(): JsonValue {
    const value = this.#readValue();
    this.#skipWhitespace();
    if (this.#at < this.#text.length) throw this.#notJson('nothing may follow the value');
    return value;
  }

  #readValue(): JsonValue {
    this.#skipWhitespace();
    const code = this.#text.charCodeAt(this.#at);
    if (code === QUOTE) return this.#readString();
    if (code === OPEN_BRACE) return this.#readObject();
    if (code === OPEN_BRACKET) return this.#readArray();
    if (code === MINUS || (code >= ZERO && code <= NINE)) return this.#readNumber();
    if (this.#take('true')) return true;
    if (this.#take('false')) return false;
    if (this.#take('null')) return null;
    throw this.#notJson('a value must stand here');
  }

  #readObject(): JsonObject {
    const members = new Map<string, JsonValue>();
    let isPlain = true;
    this.#enter();
    if (this.#takeCode(CLOSE_BRACE)) return this.#leave(members);
    do {
      this.#skipWhitespace();
      const nameAt = this.#at;
      if (this.#text.charCodeAt(nameAt) !== QUOTE) throw this.#notJson('a name in double quotes must stand here');
      const name = this.#readString();
      if (name === '__proto__') throw this.#refuse('CLAIMS_FORBIDDEN_NAME', 'must not use the name __proto__', nameAt);
      if (members.has(name)) {
        throw this.#refuse('CLAIMS_DUPLICATE_NAME', `must not use the name ${shown(name)} twice in one object`, nameAt);
      }
      if (!isPlainName(name)) {
        isPlain = false;
        if (CONTROL.test(name))
          throw this.#refuse('CLAIMS_FORBIDDEN_NAME', 'must not have control characters in a name', nameAt);
      }
      if (!this.#takeCode(COLON)) throw this.#notJson('a colon must stand here');
      members.set(name, this.#readValue());
    } while (this.#takeCode(COMMA));
    if (!this.#takeCode(CLOSE_BRACE)) throw this.#notJson('a comma or a closing brace must stand here');
    if (!isPlain) this.#requireDistinctNames(members);
    return this.#leave(members);
  }

  #requireDistinctNames(members: JsonObject): void {
    const seen = new Map<string, string>();
    for (const name of members.keys()) {
      const folded = foldName(name);
      const other = seen.get(folded);
      if (other !== undefined) {
        const rule = `must not use ${shown(other)} and ${shown(name)} in one object: some readers take them for the same name`;
        throw this.#refuse('CLAIMS_DUPLICATE_NAME', rule, this.#at);
      }
      seen.set(folded, name);
    }
  }

  #readArray(): readonly JsonValue[] {
    const items: JsonValue[] = [];
    this.#enter();
    if (this.#takeCode(CLOSE_BRACKET)) return this.#leave(items);
    do items.push(this.#readValue());
    while (this.#takeCode(COMMA));
    if (!this.#takeCode(CLOSE_BRACKET)) throw this.#notJson('a comma or a closing bracket must stand here');
    return this.#leave(items);
  }

  #readString(): string {
    const text = this.#text;
    const start = this.#at;
    let hasEscape = false;
    let at = start + 1;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      // NaN, past the end, is no match either.
      if (!(code >= FIRST_PRINTABLE)) {
        this.#at = at;
        throw this.#notJson(at < text.length ? 'a control character must be escaped' : 'a string is not closed');
      }
      if (code === BACKSLASH) {
        hasEscape = true;
        at += 1;
      }
      at += 1;
    }
    this.#at = at + 1;
    return hasEscape ? this.#decodeString(start, at + 1) : text.slice(start + 1, at);
  }

  /** Only an escape can bring in a lone surrogate: the text itself was well-formed UTF-8. */
  #decodeString(start: number, end: number): string {
    let value: unknown;
    try {
      value = JSON.parse(this.#text.slice(start, end));
    } catch {
      value = undefined;
    }
    if (typeof value !== 'string') {
      this.#at = start;
      throw this.#notJson('a string has a wrong escape');
    }
    if (!value.isWellFormed())
      throw this.#refuse('CLAIMS_LONE_SURROGATE', 'must not escape half of a surrogate pair', start);
    // Where strings end at it, a reader sees only what stands before.
    if (value.includes('\0'))
      throw this.#refuse('CLAIMS_FORBIDDEN_CHARACTER', 'must not have U+0000 in a string', start);
    return value;
  }

  #readNumber(): number {
    NUMBER.lastIndex = this.#at;
    const digits = NUMBER.exec(this.#text)?.[0];
    if (digits === undefined) throw this.#notJson('a number is incomplete');
    const value = Number(digits);
    if (!isReadAlike(digits, value)) {
      const rule =
        'must not have a number that readers read differently (beyond ±(2^53 - 1), of more than 17 digits, or -0): send it as a string';
      throw this.#refuse('CLAIMS_NUMBER_UNSAFE', rule, this.#at);
    }
    this.#at += digits.length;
    return value;
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > this.#maxDepth) {
      throw this.#refuse(
        'CLAIMS_TOO_DEEP',
        `must not nest objects and arrays more than ${this.#maxDepth} deep`,
        this.#at,
      );
    }
    this.#at += 1;
  }

  #leave<T>(value: T): T {
    this.#depth -= 1;
    return value;
  }

  #skipWhitespace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  #takeCode(code: number): boolean {
    this.#skipWhitespace();
    if (this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at += 1;
    return true;
  }

  #take(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #notJson(problem: string): KeyturnError {
    return this.#refuse('CLAIMS_NOT_JSON', `must be JSON: ${problem}`, this.#at);
  }

  #refuse(reason: Reason, rule: string, at: number): KeyturnError {
    const offset = Buffer.byteLength(this.#text.slice(0, at));
    return new KeyturnError(reason, `claims ${rule} (byte ${offset})`, { field: 'claims' });
  }
}

function shown(name: string): string {
  return JSON.stringify(name.length > MAX_SHOWN_NAME ? `${name.slice(0, MAX_SHOWN_NAME)}…`.toWellFormed() : name);
}
