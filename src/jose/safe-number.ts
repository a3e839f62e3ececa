/**
 * Which JSON numbers every reader reads alike (RFC 7493, section 2.2). Node and Go round 2^53 + 1, Python doesn't; at
 * 1e400 Node and Python see infinity and Go refuses; decimals keep digits that doubles drop.
 */

/** As many as any double needs, and no writer of doubles writes more. */
const MAX_SIGNIFICANT_DIGITS = 17;
/** Shorter without an exponent, no number is near a limit. */
const SURELY_SAFE_CHARACTERS = 15;

/** `digits` is a number by JSON's grammar, and `value` what it is as a double. */
export function isReadAlike(digits: string, value: number): boolean {
  if (value === 0) return !digits.startsWith('-') && !/^[0.]*[1-9]/.test(digits);
  if (digits.length <= SURELY_SAFE_CHARACTERS && !/[eE]/.test(digits)) return true;
  const [mantissa = ''] = digits.split(/[eE]/, 1);
  const significant = mantissa.replace(/^-?[0.]*/, '').replace('.', '');
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER && significant.length <= MAX_SIGNIFICANT_DIGITS;
}
