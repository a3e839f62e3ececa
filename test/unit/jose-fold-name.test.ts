import { describe, expect, it } from 'vitest';
import { foldName } from '../../src/jose/fold-name.ts';

const LETTER = /^[a-zA-Z]$/;
/** Beyond are Han characters, tags and private use. */
const LAST_CODE_POINT = 0x1ffff;

/** What a reader could make of one character: other case, in any locale, or another normal form. */
function readings(character: string): readonly string[] {
  return [
    character.toLowerCase(),
    character.toUpperCase(),
    character.toLocaleLowerCase('tr'),
    character.toLocaleUpperCase('tr'),
    character.normalize('NFC'),
    character.normalize('NFKC'),
    // Java's equalsIgnoreCase maps single characters: İ to i, without the dot that stays behind elsewhere.
    character.toLowerCase().replace('\u0307', ''),
  ];
}

describe('foldName', () => {
  it('folds every character that some reader takes for an ASCII letter to that letter', () => {
    const missed: string[] = [];
    for (let code = 0x80; code <= LAST_CODE_POINT; code += 1) {
      const character = String.fromCodePoint(code);
      if (!character.isWellFormed()) continue;
      const letter = readings(character).find((reading) => LETTER.test(reading));
      if (letter !== undefined && foldName(character) !== letter.toLowerCase())
        missed.push(`U+${code.toString(16)} is not folded to ${letter}`);
    }
    expect(missed).toEqual([]);
  });

  it('is done after one pass', () => {
    for (const name of ['İSS', 'K\u212a', 'ſub', 'ﬀ', '\u1e9e', '\u0345', 'e\u0301', 'ａＵd']) {
      expect(foldName(foldName(name))).toBe(foldName(name));
    }
  });

  it('leaves look-alikes of another script alone: to no reader are they the same', () => {
    expect(foldName('\u0430ud')).not.toBe('aud');
    expect(foldName('client_id')).toBe('client_id');
    expect(foldName('clientId')).toBe('clientid');
  });
});
