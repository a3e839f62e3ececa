import { describe, expect, it } from 'vitest';
import type { CkaId } from '../../src/base/ids.ts';
import { findFence } from '../../src/lifecycle/fence.ts';
import { compareWithToken, type TokenObject } from '../../src/lifecycle/reconcile.ts';
import { firstGeneration, fold, made, NAME, T0 } from '../fixtures/lifecycle.ts';

const id = (version: number): CkaId => String(version).padStart(32, '0') as CkaId;
const object = (version: number, counts: Partial<TokenObject> = {}): TokenObject => ({
  ckaId: id(version),
  ckaLabel: `keyturn/${NAME}/${version}`,
  privateKeys: 1,
  publicKeys: 1,
  ...counts,
});
const state = fold(firstGeneration());
const whole = [object(1), object(2), object(3)];
const compare = (objects: readonly TokenObject[], now = state, before = now) =>
  compareWithToken({ before: [before], now: [now], objects }).map(({ kind, version }) => [kind, version]);

describe('store against token', () => {
  it('has nothing to say when every version is there once', () => {
    expect(compare(whole)).toEqual([]);
  });

  it('finds an orphan by its label, and fences its signing key', () => {
    const findings = compareWithToken({ before: [state], now: [state], objects: [...whole, object(7)] });
    expect(findings).toMatchObject([{ kind: 'orphan', signingKey: NAME, version: 7 }]);
    const fenceWith = (...ignored: CkaId[]) =>
      findFence(NAME, 1, { findings, token: { ignored: new Set(ignored), restoration: undefined } });
    expect(fenceWith()).toMatchObject({ kind: 'unexplained', objects: [{ version: 7 }] });
    expect(fenceWith(id(7))).toBeUndefined();
  });

  it('takes no object for an orphan whose intent is in the log', () => {
    const [intent] = made(4);
    if (intent === undefined) throw new Error('fixture');
    const intended = fold([intent], state);
    expect(compare([...whole, object(4)], intended)).toEqual([]);
    expect(compare(whole, intended), 'and none is missing for an intent').toEqual([]);
  });

  it('takes no object for an orphan that was made after the store was looked at', () => {
    expect(compare([...whole, object(4)], fold(made(4), state), state)).toEqual([]);
  });

  it('finds what was destroyed and is there again, but not what was destroyed while it listed', () => {
    const destroyed = fold([{ type: 'PRIVATE_KEY_DESTROYED', atMs: T0, version: 1 }], state);
    expect(compare(whole, destroyed)).toEqual([['resurrected', 1]]);
    expect(compare(whole, destroyed, state)).toEqual([]);
    expect(compare([object(2), object(3)], destroyed)).toEqual([]);
    expect(
      compare([object(1, { privateKeys: 0 }), object(2), object(3)], destroyed),
      'a public half is harmless',
    ).toEqual([]);
  });

  it('finds what is missing, and what is there twice', () => {
    expect(compare([object(1), object(2, { privateKeys: 2 })])).toEqual([
      ['duplicate', 2],
      ['missing', 3],
    ]);
    expect(compare([object(1), object(2), object(3, { privateKeys: 0 })])).toEqual([['missing', 3]]);
  });
});
