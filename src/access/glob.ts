/**
 * Globs for claim values, anchored at both ends: `*` stands for any run of characters, an empty one included; everything
 * else stands for itself, case included. Compiled once; matching takes time linear in the value, whatever both hold: a
 * caller chooses the value, and must not choose how long the daemon thinks about it.
 */

/** Made by compileGlob only. */
export interface Glob {
  readonly pattern: string;
  /** Without a `*` the pattern is the one value that matches. */
  readonly prefix: string;
  readonly inner: readonly InnerPart[];
  readonly suffix: string | undefined;
}

/** What stands between two stars. */
interface InnerPart {
  readonly text: string;
  /** For each length of a partial match, how much of it is still one after a mismatch (Knuth, Morris, Pratt). */
  readonly borders: readonly number[];
}

export function compileGlob(pattern: string): Glob {
  const [prefix = '', ...rest] = pattern.split('*');
  const suffix = rest.pop();
  const inner = rest.filter((text) => text !== '').map((text) => ({ text, borders: bordersOf(text) }));
  return { pattern, prefix, inner, suffix };
}

export function matchesGlob({ prefix, inner, suffix }: Glob, value: string): boolean {
  if (suffix === undefined) return value === prefix;
  if (value.length < prefix.length + suffix.length || !value.startsWith(prefix) || !value.endsWith(suffix))
    return false;
  const end = value.length - suffix.length;
  let position = prefix.length;
  for (const part of inner) {
    // The leftmost place leaves the most to the parts that follow.
    position = findEnd(part, value, position, end);
    if (position < 0) return false;
  }
  return true;
}

/** Where the first occurrence from `start` on ends; -1 without one that ends by `end`. */
function findEnd({ text, borders }: InnerPart, value: string, start: number, end: number): number {
  let matched = 0;
  for (let index = start; index < end; index += 1) {
    while (matched > 0 && value[index] !== text[matched]) matched = borders[matched - 1] ?? 0;
    if (value[index] === text[matched]) matched += 1;
    if (matched === text.length) return index + 1;
  }
  return -1;
}

function bordersOf(text: string): readonly number[] {
  const borders = [0];
  let length = 0;
  for (let index = 1; index < text.length; index += 1) {
    while (length > 0 && text[index] !== text[length]) length = borders[length - 1] ?? 0;
    if (text[index] === text[length]) length += 1;
    borders.push(length);
  }
  return borders;
}
