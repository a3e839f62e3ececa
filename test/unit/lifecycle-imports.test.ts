import { describe, expect, it } from 'vitest';
import { type Kid, parseSigningKeyName } from '../../src/base/ids.ts';
import type { ImportEvent, KeySetEvent } from '../../src/lifecycle/events.ts';
import { evolveKeySet, type KeySetState } from '../../src/lifecycle/fold-key-set.ts';
import { requireCompanions } from '../../src/lifecycle/companions.ts';
import { decideApply } from '../../src/lifecycle/decide.ts';
import { forecast } from '../../src/lifecycle/forecast.ts';
import {
  decideImport,
  decideRemoval,
  type ImportCommand,
  MAX_IMPORT_MS,
  planImports,
  publishedImports,
  toExpiry,
} from '../../src/lifecycle/imports.ts';
import { impliedVersions } from '../../src/lifecycle/policy.ts';
import {
  aroundAt,
  CALLER,
  created,
  DAY,
  firstGeneration,
  fold,
  HOUR,
  KEY_SET,
  keySetOf,
  kidOf,
  MINUTE,
  policyOf,
  published,
  served,
  servedKeySet,
  T0,
} from '../fixtures/lifecycle.ts';

const kid = (text: string): Kid => text as Kid;
const wish = (name: string, more: Partial<ImportCommand> = {}): ImportCommand => ({
  kid: kid(name),
  thumbprint: kid(`thumbprint of ${name}`),
  algorithm: 'ES256',
  publicKey: { kty: 'EC', crv: 'P-256', x: name, y: 'y' },
  expiresAtMs: T0 + DAY,
  proof: 'a.b.c',
  caller: CALLER,
  reason: 'cut-over',
  ...more,
});
const evolve = (keySet: KeySetState, events: readonly KeySetEvent[]): KeySetState =>
  events.reduce<KeySetState>(evolveKeySet, keySet);
const importInto = (keySet: KeySetState, command: ImportCommand, nowMs = T0): KeySetState =>
  evolve(keySet, decideImport(command, aroundAt(nowMs, keySet), { signingKeys: [], keySets: [keySet] }));
const upTime = (upMs: number): ImportEvent => ({ type: 'UP_TIME_RECORDED', atMs: T0, upMs });
const NOBODY = { signingKeys: [], keySets: [] };

describe('an import', () => {
  it('is published beside what is there, with what it was called and who let it in', () => {
    const keySet = importInto(servedKeySet(), wish('old'));
    expect(publishedImports(keySet)).toMatchObject([
      { kid: 'old', importedAtMs: T0, expiresAtMs: T0 + DAY, caller: CALLER, reason: 'cut-over' },
    ]);
  });

  it.each([
    ['now', T0],
    ['in the past', T0 - 1],
    ['a millisecond beyond the limit', T0 + MAX_IMPORT_MS + 1],
    ['in ten years', T0 + 3_650 * DAY],
  ])('is refused when it expires %s', (_, expiresAtMs) => {
    const decide = () => decideImport(wish('old', { expiresAtMs }), aroundAt(T0), NOBODY);
    expect(decide).toThrow(expect.objectContaining({ reason: 'FIELD_INVALID' }));
  });

  it('may expire at the limit', () => {
    expect(decideImport(wish('old', { expiresAtMs: T0 + MAX_IMPORT_MS }), aroundAt(T0), NOBODY)).toHaveLength(1);
  });

  it('waits for a clock that is believed: its time is counted from it', () => {
    const decide = () => decideImport(wish('old'), { ...aroundAt(T0), isClockTrusted: false }, NOBODY);
    expect(decide).toThrow(expect.objectContaining({ reason: 'CLOCK_UNTRUSTED' }));
  });

  it('changes nothing when it is repeated, lasts longer when that is asked for, and never shorter', () => {
    const once = importInto(servedKeySet(), wish('old'));
    const again = (expiresAtMs: number) =>
      decideImport(wish('old', { expiresAtMs }), aroundAt(T0 + HOUR, once), { signingKeys: [], keySets: [once] });
    expect(again(T0 + DAY)).toEqual([]);
    expect(evolve(once, again(T0 + 2 * DAY)).imports).toMatchObject([{ expiresAtMs: T0 + 2 * DAY, importedAtMs: T0 }]);
    expect(() => again(T0 + DAY - 1)).toThrow(expect.objectContaining({ reason: 'COMMAND_NOT_POSSIBLE' }));
  });
});

describe('a kid and a key', () => {
  const state = fold(firstGeneration());
  const destroyed = fold(
    [
      ...published(4),
      { type: 'VERSION_DEACTIVATED', atMs: T0, version: 4 },
      { type: 'VERSION_DESTROYED', atMs: T0, version: 4 },
    ],
    state,
  );
  const holding = importInto(servedKeySet(), wish('here'));
  const held = evolve(
    importInto(servedKeySet(), wish('gone')),
    decideRemoval(
      { kid: kid('gone'), compromised: false, caller: CALLER, reason: '' },
      aroundAt(T0, importInto(servedKeySet(), wish('gone'))),
    ),
  );

  it.each<[string, Partial<ImportCommand> & { kid: Kid }, string]>([
    ['the kid of a version', { kid: kidOf(1) }, 'the key is version 1 of signing key access-tokens'],
    ['the kid of a version that was destroyed', { kid: kidOf(4) }, 'the key is version 4'],
    ['a version under another name', { kid: kid('new'), thumbprint: kidOf(2) }, 'the key is version 2'],
    ['the kid of an import', { kid: kid('here') }, 'has an imported key of this kid'],
    ['the kid of an import that left', { kid: kid('gone') }, 'had an imported key of this kid'],
    [
      'an imported key under another name',
      { kid: kid('new'), thumbprint: kid('thumbprint of here') },
      'has this key, as kid here',
    ],
    [
      'a key that left under another name',
      { kid: kid('new'), thumbprint: kid('thumbprint of gone') },
      'had this key, as kid gone',
    ],
  ])('is never imported again: %s', (_, { kid: name, ...more }, message) => {
    const decide = () =>
      decideImport(wish(name, { thumbprint: kid('fresh'), ...more }), aroundAt(T0), {
        signingKeys: [destroyed],
        keySets: [holding, held],
      });
    expect(decide).toThrow(
      expect.objectContaining({ reason: 'PUBLIC_KEY_KNOWN', message: expect.stringContaining(message) as string }),
    );
  });

  it('is never imported again: one that left its own key set, even as it was', () => {
    const decide = () => decideImport(wish('gone'), aroundAt(T0, held), { signingKeys: [], keySets: [held] });
    expect(decide).toThrow(expect.objectContaining({ reason: 'PUBLIC_KEY_KNOWN' }));
  });
});

describe('company', () => {
  const mldsa = { algorithm: 'ML-DSA-44', publicKey: { kty: 'AKP', alg: 'ML-DSA-44', pub: '' } } as const;

  it('is refused between ML-DSA and other keys, whichever came first', () => {
    const keySet = servedKeySet();
    const decide = () =>
      decideImport(wish('old', mldsa), aroundAt(T0), { signingKeys: [fold([created()])], keySets: [] });
    expect(decide).toThrow(
      expect.objectContaining({
        reason: 'FIELD_INVALID',
        message: expect.stringContaining('of signing key access-tokens') as string,
      }),
    );
    const holding = importInto(keySet, wish('old', mldsa));
    expect(() => importInto(holding, wish('older'))).toThrow('imported as old');
    expect(() => requireCompanions('ES256', holding, { signingKeys: [], field: '' })).toThrow('imported as old');
    expect(() => requireCompanions('ML-DSA-65', holding, { signingKeys: [], field: '' })).not.toThrow();
  });
});

describe('the bound of a key set', () => {
  const policy = policyOf();
  const implied = impliedVersions(policy, keySetOf().promise, MINUTE);

  it('counts imports beside what the policies imply, with the sum in the refusal', () => {
    const keySet = servedKeySet({ maxPublishedVersions: implied + 1 });
    const signingKeys = [fold([created(policy)])];
    const first = decideImport(wish('old'), aroundAt(T0, keySet), { signingKeys, keySets: [keySet] });
    const full = evolve(keySet, first);
    const decide = () => decideImport(wish('older'), aroundAt(T0, full), { signingKeys, keySets: [full] });
    expect(decide).toThrow(
      expect.objectContaining({
        reason: 'KEY_SET_FULL',
        message: expect.stringContaining(`it would be ${implied + 2}`) as string,
      }),
    );
  });

  it('counts what the key set holds and what is being made for it, too', () => {
    const keySet = evolve(servedKeySet({ maxPublishedVersions: implied + 2 }), [
      {
        type: 'GENERATION_COMMITTED',
        atMs: T0,
        generation: 2,
        kids: Array.from({ length: implied + 1 }, (_, i) => kidOf(i)),
      },
    ]);
    const being = fold([
      created(policy),
      { type: 'VERSION_INTENDED', atMs: T0, version: 1, ckaId: '' as never, ckaLabel: '' },
    ]);
    const decide = (signingKeys: (typeof being)[]) => () =>
      decideImport(wish('old'), aroundAt(T0, keySet), { signingKeys, keySets: [keySet] });
    expect(decide([fold([created(policy)])])).not.toThrow();
    expect(decide([being])).toThrow(expect.objectContaining({ reason: 'KEY_SET_FULL' }));
  });

  it('leaves a policy that much less', () => {
    const keySet = importInto(servedKeySet({ maxPublishedVersions: implied }), wish('old'), T0);
    const apply = { name: parseSigningKeyName('new'), keySet: KEY_SET, spec: { algorithm: 'ES256' }, policy } as const;
    const decide = (around: KeySetState) => () =>
      decideApply(undefined, { ...apply, caller: CALLER, reason: '' }, aroundAt(T0, around), 0);
    expect(decide(servedKeySet({ maxPublishedVersions: implied }))).not.toThrow();
    expect(decide(keySet)).toThrow(
      expect.objectContaining({
        reason: 'KEY_SET_FULL',
        message: expect.stringContaining('1 imported keys') as string,
      }),
    );
  });

  it('does not count signing keys of other key sets', () => {
    const other = fold([{ ...created(policy), keySet: 'other', name: parseSigningKeyName('other') } as never]);
    const keySet = servedKeySet({ maxPublishedVersions: 1 });
    expect(decideImport(wish('old'), aroundAt(T0, keySet), { signingKeys: [other], keySets: [keySet] })).toHaveLength(
      1,
    );
  });
});

describe('the end of an import', () => {
  const keySet = importInto(evolve(servedKeySet(), [upTime(5 * HOUR)]), wish('old'));
  const after = (upMs: number): KeySetState => evolve(keySet, [upTime(5 * HOUR + upMs)]);

  it('comes when both clocks agree', () => {
    expect(planImports(after(DAY), aroundAt(T0 + DAY, after(DAY)))).toEqual({
      expired: ['old'],
      lookAgainMs: undefined,
    });
  });

  it.each([
    ['the wall clock', DAY - 1, DAY],
    ['up-time', DAY, DAY - 1],
  ])('waits for %s', (_, wallMs, upMs) => {
    expect(planImports(after(upMs), aroundAt(T0 + wallMs, after(upMs)))).toEqual({ expired: [], lookAgainMs: 1 });
  });

  it('waits for a clock that is believed', () => {
    const around = { ...aroundAt(T0 + DAY, after(DAY)), isClockTrusted: false };
    expect(planImports(after(DAY), around).expired).toEqual([]);
  });

  it('is put off by an extension, by both clocks', () => {
    const longer = evolve(
      after(HOUR),
      decideImport(wish('old', { expiresAtMs: T0 + 2 * DAY }), aroundAt(T0 + HOUR, after(HOUR)), {
        signingKeys: [],
        keySets: [after(HOUR)],
      }),
    );
    const upFor = (upMs: number) => evolve(longer, [upTime(5 * HOUR + upMs)]);
    expect(planImports(upFor(2 * DAY - 1), aroundAt(T0 + 2 * DAY, upFor(2 * DAY - 1))).expired).toEqual([]);
    expect(planImports(upFor(2 * DAY), aroundAt(T0 + 2 * DAY, upFor(2 * DAY))).expired).toEqual(['old']);
  });

  it('is final, is remembered, and comes once', () => {
    const gone = evolve(after(DAY), toExpiry(after(DAY), aroundAt(T0 + DAY, after(DAY))));
    expect(gone.imports).toMatchObject([{ kid: 'old', departure: { cause: 'expired', atMs: T0 + DAY } }]);
    expect(planImports(gone, aroundAt(T0 + 2 * DAY, gone))).toEqual({ expired: [], lookAgainMs: undefined });
  });
});

describe('a removal', () => {
  const keySet = importInto(servedKeySet(), wish('old'));
  const remove = (state: KeySetState, compromised: boolean, name = 'old') =>
    decideRemoval(
      { kid: kid(name), compromised, caller: CALLER, reason: 'why' },
      { ...aroundAt(T0, state), isClockTrusted: false },
    );

  it.each([
    [false, 'removed'],
    [true, 'compromised'],
  ])(
    'is never refused, whatever the clock says, and remembers whether it was a compromise: %s',
    (compromised, cause) => {
      expect(evolve(keySet, remove(keySet, compromised)).imports).toMatchObject([{ departure: { cause } }]);
    },
  );

  it('changes nothing the second time', () => {
    const gone = evolve(keySet, remove(keySet, false));
    expect(remove(gone, true)).toEqual([]);
  });

  it('is refused for what was never there', () => {
    expect(() => remove(keySet, false, 'new')).toThrow(expect.objectContaining({ reason: 'IMPORTED_KEY_NOT_FOUND' }));
  });
});

describe('the log', () => {
  const keySet = importInto(servedKeySet(), wish('old'));
  const again = decideImport(wish('old'), aroundAt(T0), NOBODY);
  const removal: ImportEvent = {
    type: 'PUBLIC_KEY_REMOVED',
    atMs: T0,
    kid: kid('old'),
    compromised: false,
    caller: CALLER,
    reason: '',
  };

  it.each([
    ['a second import', again],
    ['the removal of what was never imported', [{ ...removal, kid: kid('new') }]],
    ['a second removal', [removal, removal]],
    ['the end of what was removed', [removal, { type: 'PUBLIC_KEY_EXPIRED', atMs: T0, kid: kid('old') } as const]],
  ])('is damaged when it holds %s', (_, events) => {
    expect(() => evolve(keySet, events)).toThrow(expect.objectContaining({ reason: 'STORE_DAMAGED' }));
  });

  it('never forgets up-time', () => {
    expect(evolve(keySet, [upTime(HOUR), upTime(MINUTE)]).upMs).toBe(HOUR);
  });
});

describe('a forecast', () => {
  it('counts imports until their time is over', () => {
    const imported = importInto(servedKeySet(), wish('old'));
    const state = fold([...firstGeneration(), served(2, HOUR), served(3, HOUR)]);
    const kids = [kidOf(1), kidOf(2), kidOf(3), kid('old')];
    const keySet = evolve(imported, [{ type: 'GENERATION_COMMITTED', atMs: T0, generation: 2, kids }]);
    const { moments, peak } = forecast([state], aroundAt(T0, keySet), 40 * DAY);
    expect(peak).toEqual({ atMs: T0, publishedVersions: 4 });
    const rotation = moments.find(({ to }) => to === 'ACTIVE');
    expect(rotation).toMatchObject({ importedKeys: 0 });
    expect(keySet.name).toBe(KEY_SET);
  });
});
