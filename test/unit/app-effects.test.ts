/** What officers read before they approve: bounded, and every part of it bound. */
import { describe, expect, it } from 'vitest';
import { ofCompromise } from '../../src/app/effects.ts';
import type { CompromiseEffect } from '../../src/app/application.ts';
import { parseSigningKeyName } from '../../src/base/ids.ts';

const effectOf = (name: string, more: Partial<CompromiseEffect> = {}): CompromiseEffect => ({
  signingKey: parseSigningKeyName(name),
  withdrawnVersions: [1, 2],
  activeVersion: undefined,
  readyAtMs: undefined,
  lastJwtExpireTimeMs: undefined,
  ...more,
});

describe('the effect of a compromise', () => {
  it('says what falls, what becomes of the private keys, and what signs afterwards', () => {
    expect(ofCompromise([effectOf('a')], false)).toEqual([
      'signing key a: versions 1, 2 are withdrawn for good, their private keys destroyed',
      'signing key a: nothing signs afterwards',
    ]);
    expect(ofCompromise([effectOf('a', { withdrawnVersions: [7], activeVersion: 8 })], true)).toEqual([
      'signing key a: version 7 is withdrawn for good, its private key kept in the token',
      'signing key a: version 8 signs afterwards',
    ]);
    expect(ofCompromise([effectOf('a', { withdrawnVersions: [] })], false)[0]).toContain('nothing is withdrawn');
  });

  it('says nothing that changes by itself', () => {
    const later = effectOf('a', { readyAtMs: 5, lastJwtExpireTimeMs: 7 });
    expect(ofCompromise([later], false)).toEqual(ofCompromise([effectOf('a')], false));
  });

  it('of more keys than anybody reads is told in part, and bound as a whole', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => effectOf(`key-${index}`));
    const sentences = ofCompromise(many, false);
    expect(sentences.join('').length).toBeLessThan(20_000);
    expect(sentences.at(-1)).toMatch(/^and \d+ more, whose SHA-256 is [0-9a-f]{64}$/);
    const changed = many.with(999, effectOf('key-999', { activeVersion: 3 }));
    expect(ofCompromise(changed, false).slice(0, -1)).toEqual(sentences.slice(0, -1));
    expect(ofCompromise(changed, false).at(-1)).not.toBe(sentences.at(-1));
  });
});
