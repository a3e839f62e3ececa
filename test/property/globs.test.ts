/** The glob matcher against a naive one, which tries every way to split the value. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob, matchesGlob } from '../../src/access/glob.ts';

function matchesNaively(pattern: string, value: string): boolean {
  if (pattern === '') return value === '';
  if (pattern.startsWith('*')) {
    for (let skipped = 0; skipped <= value.length; skipped += 1)
      if (matchesNaively(pattern.slice(1), value.slice(skipped))) return true;
    return false;
  }
  return value.startsWith(pattern.charAt(0)) && matchesNaively(pattern.slice(1), value.slice(1));
}

/** Few letters, so that partial matches abound. */
const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 9 });
const value = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 });

describe('a glob', () => {
  it('matches what a matcher that tries everything matches', () => {
    let matched = 0;
    fc.assert(
      fc.property(pattern, value, (glob, text) => {
        const expected = matchesNaively(glob, text);
        if (expected) matched += 1;
        expect(matchesGlob(compileGlob(glob), text)).toBe(expected);
      }),
      { numRuns: 20_000 },
    );
    expect(matched).toBeGreaterThan(1_000);
  });

  it('matches whatever its stars are replaced by', () => {
    const any = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 5 }), fc.array(any, { minLength: 5 }), (parts, fillings) => {
        const text = parts.map((part, index) => (index === 0 ? '' : fillings[index]) + part).join('');
        expect(matchesGlob(compileGlob(parts.join('*')), text)).toBe(true);
      }),
    );
  });

  it.each([
    ['user:*', 'user:', true],
    ['user:*', 'xuser:1', false],
    ['*@example.org', 'a@example.org', true],
    ['*@example.org', 'a@example.org.evil', false],
    ['*@example.org', 'a@example.org\n', false],
    ['a*a', 'a', false],
    ['*', '', true],
    ['', 'x', false],
    ['a.c', 'abc', false],
    ['[ab]?', '[ab]?', true],
  ])('%j and %j: %s', (glob, text, expected) => {
    expect(matchesGlob(compileGlob(glob), text)).toBe(expected);
  });

  it('looks at each character of the value a bounded number of times, however it was made', () => {
    let reads = 0;
    const length = 100_000;
    const counting: ProxyHandler<object> = {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof name === 'string' && /^\d+$/.test(name)) reads += 1;
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    };
    const countingValue = new Proxy(new String('a'.repeat(length)), counting) as unknown as string;
    expect(matchesGlob(compileGlob(`*${'a'.repeat(200)}b*${'a'.repeat(200)}b*`), countingValue)).toBe(false);
    expect(reads).toBeGreaterThan(length);
    expect(reads).toBeLessThan(4 * length);
  });
});
