/** Every (state × command) pair, against the table in docs/reference/lifecycle.md, both ways. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Surroundings } from '../../src/lifecycle/activation.ts';
import { hasReason } from '../../src/base/errors.ts';
import { decideRotate } from '../../src/lifecycle/decide.ts';
import type { SigningKeyEvent } from '../../src/lifecycle/events.ts';
import type { SigningKeyState } from '../../src/lifecycle/signing-key-state.ts';
import { findVersion } from '../../src/lifecycle/versions.ts';
import { decideCompromise, decideReactivate, decideRollback, decideSuspend } from '../../src/lifecycle/interrupt.ts';
import { decideRecover } from '../../src/lifecycle/recover.ts';
import type { CkaId, Kid } from '../../src/base/ids.ts';
import { LIFECYCLE_STATES, type LifecycleState } from '../../src/lifecycle/model.ts';
import { decideRetire, decideUnretire } from '../../src/lifecycle/retire.ts';
import { aroundAt, CALLER, firstGeneration, fold, HOUR, published, T0 } from '../fixtures/lifecycle.ts';

const NOW = T0 + 60_000;
const by = { caller: CALLER, reason: 'test' };

const RECOVERY = {
  ...by,
  compromised: new Set<Kid>(),
  kept: new Set<Kid>(),
  longestJwtLifetimeMs: 0,
  isTokenRestored: false,
};

type Decide = (state: SigningKeyState, version: number, around: Surroundings) => readonly SigningKeyEvent[];

const COMMANDS: Readonly<Record<string, Decide>> = {
  rotate: (state, _version, around) => decideRotate(state, { ...by, useLastStandby: true }, around),
  suspend: (state, _version, around) => decideSuspend(state, { ...by, halt: false }, around),
  reactivate: (state, version, around) => decideReactivate(state, { ...by, version }, around),
  rollback: (state, _version, around) => decideRollback(state, by, around),
  retire: (state, _version, around) => decideRetire(state, by, around),
  unretire: (state, _version, around) => decideUnretire(state, by, around),
  'declare-compromised': (state, version, around) => decideCompromise(state, { ...by, version, retain: false }, around),
  recover: (state, version, around) => {
    const gone = state.versions.filter(({ number }) => number === version).map(({ ckaId }) => ckaId);
    const view = { missing: new Set(gone), resurrected: new Set<CkaId>(), found: [] };
    return decideRecover(state, view, RECOVERY, around).events;
  },
};

/** Version 1 was rotated out a minute ago and is within its window; 2 is ACTIVE; 3 and 4 are propagated standbys. */
function rotatedOnce(): SigningKeyState {
  const first = fold(firstGeneration());
  const rotated = fold(decideRotate(first, { ...by, useLastStandby: false }, aroundAt(T0)), first);
  return fold(
    [...published(4), { type: 'VERSION_PROPAGATED', atMs: T0, version: 4, basis: 'first-generation' }],
    rotated,
  );
}

const EXTRA: Readonly<Partial<Record<LifecycleState, readonly SigningKeyEvent[]>>> = {
  DEACTIVATED: [{ type: 'VERSION_DEACTIVATED', atMs: T0, version: 5 }],
  COMPROMISED: [{ type: 'VERSION_COMPROMISED', atMs: T0, version: 5, retain: false, ...by }],
  DESTROYED: [
    { type: 'VERSION_DEACTIVATED', atMs: T0, version: 5 },
    { type: 'VERSION_DESTROYED', atMs: T0, version: 5 },
  ],
};

/** A signing key in which every command on a signing key is possible, and a version in that state. */
function scene(state: LifecycleState): { readonly key: SigningKeyState; readonly version: number } {
  const key = rotatedOnce();
  const standing: Partial<Record<LifecycleState, number>> = { SUSPENDED: 1, ACTIVE: 2, PRE_ACTIVE: 3 };
  const version = standing[state];
  if (version !== undefined) return { key, version };
  return { key: fold([...published(5), ...(EXTRA[state] ?? [])], key), version: 5 };
}

/** The same, retired a minute ago: the version that signed then is the one that is SUSPENDED. */
function retiredScene(state: LifecycleState): { readonly key: SigningKeyState; readonly version: number } {
  const { key, version } = scene(state);
  const retired = fold(decideRetire(key, by, aroundAt(T0)), key);
  return { key: retired, version: state === 'SUSPENDED' ? 2 : version };
}

function outcome(state: LifecycleState, name: string, decide: Decide): string {
  // A retired signing key has no ACTIVE version.
  const { key, version } = name === 'unretire' && state !== 'ACTIVE' ? retiredScene(state) : scene(state);
  expect(findVersion(key, version)?.state, 'the scene is right').toBe(state);
  try {
    const after = fold(decide(key, version, aroundAt(NOW)), key);
    const then = findVersion(after, version)?.state;
    return then === state ? 'unchanged' : `\`${then}\``;
  } catch (thrown) {
    if (hasReason(thrown, 'COMMAND_NOT_POSSIBLE')) return 'refused';
    throw thrown;
  }
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function documentedTable(): Map<string, Map<string, string>> {
  const text = readFileSync(new URL('../../docs/reference/lifecycle.md', import.meta.url), 'utf8');
  const lines = text.slice(text.indexOf('| state | rotate |')).split('\n');
  const [header = '', , ...rest] = lines;
  const [, ...commands] = cellsOf(header);
  const rows = rest
    .slice(
      0,
      rest.findIndex((line) => !line.startsWith('|')),
    )
    .map(cellsOf);
  return new Map(
    rows.map(([state = '', ...cells]) => [state, new Map(commands.map((command, i) => [command, cells[i] ?? '']))]),
  );
}

describe('the table of states and commands', () => {
  const table = documentedTable();

  it('has a row for each state and a column for each command, and no others', () => {
    expect([...table.keys()]).toEqual(LIFECYCLE_STATES.map((state) => `\`${state}\``));
    for (const row of table.values()) expect([...row.keys()]).toEqual(Object.keys(COMMANDS));
  });

  it.each(
    LIFECYCLE_STATES.flatMap((state) => Object.entries(COMMANDS).map(([name, decide]) => ({ state, name, decide }))),
  )('$state × $name', ({ state, name, decide }) => {
    expect(outcome(state, name, decide)).toBe(table.get(`\`${state}\``)?.get(name));
  });
});

describe('what the table can not say', () => {
  const sceneOf = () => rotatedOnce();

  it('suspend with halt leaves the standby waiting, and is lifted by activating a version', () => {
    const halted = fold(decideSuspend(sceneOf(), { ...by, halt: true }, aroundAt(NOW)), sceneOf());
    expect(halted.versions.map((version) => version.state)).toEqual([
      'SUSPENDED',
      'SUSPENDED',
      'PRE_ACTIVE',
      'PRE_ACTIVE',
    ]);
    expect(halted.isHalted).toBe(true);
    const back = fold(decideReactivate(halted, { ...by, version: 2 }, aroundAt(NOW)), halted);
    expect(back.isHalted).toBe(false);
  });

  it('a version that an operator suspended gets a window by the next rotation, and not before', () => {
    const suspended = fold(decideSuspend(sceneOf(), { ...by, halt: false }, aroundAt(NOW)), sceneOf());
    const second = (state: SigningKeyState) => state.versions.find((version) => version.number === 2);
    expect(second(suspended)?.window).toBeUndefined();
    const options = { ...by, useLastStandby: true };
    const rotated = fold(decideRotate(suspended, options, aroundAt(NOW)), suspended);
    expect(second(rotated)?.window).toEqual({ untilMs: NOW + HOUR, windowMs: HOUR });
  });

  it('without a standby, a compromise falls back on the version that a rotation suspended', () => {
    const state = sceneOf();
    const withoutStandbys = fold(
      [3, 4].flatMap((version) => decideCompromise(state, { ...by, version, retain: false }, aroundAt(NOW))),
      state,
    );
    const after = fold(
      decideCompromise(withoutStandbys, { ...by, version: 2, retain: false }, aroundAt(NOW)),
      withoutStandbys,
    );
    expect(after.versions.find((version) => version.state === 'ACTIVE')?.number).toBe(1);
  });

  it('a whole signing key falls with its standbys, and nothing takes over', () => {
    const after = fold(
      decideCompromise(sceneOf(), { ...by, version: undefined, retain: true }, aroundAt(NOW)),
      sceneOf(),
    );
    expect(after.versions.map((version) => version.state)).toEqual(Array.from({ length: 4 }, () => 'COMPROMISED'));
    expect(after.versions.every((version) => !version.isPublished)).toBe(true);
  });
});
