/** Versions that are over: kept for the record, found by number, and in nobody's way. */
import { describe, expect, it } from 'vitest';
import { toNumberedPage } from '../../src/app/page.ts';
import type { CkaId } from '../../src/base/ids.ts';
import { type Archive, archivedItems, emptyArchive, findArchived, withArchived } from '../../src/lifecycle/archive.ts';
import type { SigningKeyEvent } from '../../src/lifecycle/events.ts';
import type { SigningKeyState } from '../../src/lifecycle/signing-key-state.ts';
import { everyVersion, findVersion } from '../../src/lifecycle/versions.ts';
import { compareWithToken } from '../../src/lifecycle/reconcile.ts';
import { CALLER, firstGeneration, fold, kidOf, published, T0 } from '../fixtures/lifecycle.ts';

const by = { caller: CALLER, reason: '' };

function life(version: number): readonly SigningKeyEvent[] {
  return [
    ...published(version),
    { type: 'VERSION_ACTIVATED', atMs: T0, version, expCeilingMs: T0, cause: 'rotation', ...by },
    { type: 'VERSION_SUSPENDED', atMs: T0, version, cause: 'rotation', keepMs: 0 },
    { type: 'VERSION_DEACTIVATED', atMs: T0, version },
    { type: 'PRIVATE_KEY_DESTROYED', atMs: T0, version },
    { type: 'VERSION_DESTROYED', atMs: T0, version },
  ];
}

function aged(versions: number): SigningKeyState {
  const numbers = Array.from({ length: versions }, (_, index) => index + 4);
  return numbers.reduce((state, number) => fold(life(number), state), fold(firstGeneration()));
}

const compromised = (version: number, retain: boolean): SigningKeyEvent => ({
  type: 'VERSION_COMPROMISED',
  atMs: T0,
  version,
  retain,
  ...by,
});
const destroyed = (version: number): SigningKeyEvent => ({ type: 'PRIVATE_KEY_DESTROYED', atMs: T0, version });

describe('a signing key of many years', () => {
  it('has no more live versions than a young one, and forgets none', () => {
    const state = aged(1_000);
    expect(state.versions.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(state.archive.size).toBe(1_000);
    expect(findVersion(state, 700)).toMatchObject({ state: 'DESTROYED', kid: kidOf(700) });
    expect([...archivedItems(state.archive)].map(({ number }) => number)).toEqual(
      Array.from({ length: 1_000 }, (_, index) => index + 4),
    );
  });

  it('still knows that it has signed', () => {
    const retired = fold([compromised(1, false), destroyed(1)], fold(firstGeneration()));
    expect(retired.versions.some(({ activatedAtMs }) => activatedAtMs !== undefined)).toBe(false);
    expect(retired.hasEverSigned).toBe(true);
  });

  it('finds an object of an archived version that is back in the token', () => {
    const state = aged(300);
    const objects = [1, 2, 3, 200].map((version) => ({
      ckaId: String(version).padStart(32, '0') as CkaId,
      // Whoever put it back may have named it as he liked.
      ckaLabel: 'keyturn/other/9',
      privateKeys: 1,
      publicKeys: 1,
    }));
    expect(compareWithToken({ before: [state], now: [state], objects })).toMatchObject([
      { kind: 'resurrected', signingKey: state.name, version: 200 },
    ]);
  });
});

describe('a compromised version', () => {
  it('is in the archive when its private key is destroyed, in whatever order that came', () => {
    const state = fold(firstGeneration());
    const compromisedFirst = fold([compromised(2, false)], state);
    expect(compromisedFirst.versions.map(({ number }) => number)).toContain(2);
    for (const events of [
      [compromised(2, false), destroyed(2)],
      [destroyed(2), compromised(2, false)],
    ]) {
      const { versions, archive } = fold(events, state);
      expect(versions.map(({ number }) => number)).toEqual([1, 3]);
      expect(findArchived(archive, 2)?.state).toBe('COMPROMISED');
    }
  });

  it('stays among the live ones while its private key is kept for evidence', () => {
    expect(fold([compromised(2, true)], fold(firstGeneration())).versions.map(({ number }) => number)).toContain(2);
  });

  it('is live again while the token has its private key back, and archived once that is destroyed', () => {
    const over = fold([compromised(2, false), destroyed(2)], fold(firstGeneration()));
    const again = fold([{ type: 'DESTRUCTION_INTENDED', atMs: T0, version: 2 }], over);
    expect(again.versions.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect([...everyVersion(again)].map(({ number }) => number)).toEqual([1, 2, 3]);
    const gone = fold([destroyed(2)], again);
    expect(gone.versions.map(({ number }) => number)).toEqual([1, 3]);
    expect(gone.archive.size).toBe(1);
  });
});

describe('the archive', () => {
  it('leaves earlier states as they were', () => {
    const numbers = [300, 7, 255, 256, 1_000];
    const states = numbers.reduce<Archive<{ number: number }>[]>(
      (all, number) => [...all, withArchived(all.at(-1) ?? emptyArchive<{ number: number }>(), { number })],
      [],
    );
    expect(states.map(({ size }) => size)).toEqual([1, 2, 3, 4, 5]);
    expect([...archivedItems(states[1] ?? emptyArchive<{ number: number }>())].map(({ number }) => number)).toEqual([
      7, 300,
    ]);
  });
});

describe('a page of numbered items', () => {
  const there = new Set([1, 2, 5, 6, 9]);
  const find = (number: number) => (there.has(number) ? number : undefined);
  const page = (pageSize: number, pageToken: string) => toNumberedPage(9, find, { pageSize, pageToken });

  it('gives each one once, the last first, over the gaps', () => {
    expect(page(2, '')).toEqual({ items: [9, 6], nextPageToken: '6' });
    expect(page(2, '6')).toEqual({ items: [5, 2], nextPageToken: '2' });
    expect(page(2, '2')).toEqual({ items: [1], nextPageToken: '' });
    expect(page(5, '')).toEqual({ items: [9, 6, 5, 2, 1], nextPageToken: '' });
  });

  it.each(['7', '1.5', 'x', '-1'])('refuses the token %s, which it never gave', (token) => {
    expect(() => page(2, token)).toThrow(expect.objectContaining({ reason: 'PAGE_TOKEN_INVALID' }) as Error);
  });
});
