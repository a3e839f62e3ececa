/** What `recover` decides that the daemon's own tests don't reach: numbers, leftovers, and how long rule 3 keeps things. */
import { describe, expect, it } from 'vitest';
import type { CkaId, Kid } from '../../src/base/ids.ts';
import type { Surroundings } from '../../src/lifecycle/activation.ts';
import type { SigningKeyState } from '../../src/lifecycle/signing-key-state.ts';
import { plan } from '../../src/lifecycle/plan.ts';
import { decideRecover, type FoundObject, judgeImports, type RecoverCommand } from '../../src/lifecycle/recover.ts';
import {
  aroundAt,
  BIRTH,
  CALLER,
  created,
  firstGeneration,
  fold,
  HOUR,
  keySetOf,
  kidOf,
  made,
  MINUTE,
  NAME,
  policyOf,
  quiet,
  T0,
} from '../fixtures/lifecycle.ts';

const NOW = T0 + HOUR;
const id = (version: number): CkaId => String(version).padStart(32, '0') as CkaId;
const COMMAND: RecoverCommand = {
  caller: CALLER,
  reason: 'test',
  compromised: new Set(),
  kept: new Set(),
  longestJwtLifetimeMs: 0,
  isTokenRestored: false,
};
const found = (version: number, label = version): FoundObject => ({
  ckaId: id(version),
  ckaLabel: `keyturn/${NAME}/${label}`,
  version: label,
  proof: { kid: kidOf(version), publicKey: { kty: 'EC', crv: 'P-256', x: 'x', y: `y${version}` }, birth: BIRTH },
});

interface InToken {
  readonly missing?: readonly CkaId[];
  readonly resurrected?: readonly CkaId[];
  readonly found?: readonly FoundObject[];
}

const decide = (state: SigningKeyState, view: InToken, command = COMMAND, around: Surroundings = aroundAt(NOW)) =>
  decideRecover(
    state,
    { missing: new Set(view.missing), resurrected: new Set(view.resurrected), found: view.found ?? [] },
    command,
    around,
  );

describe('versions without history', () => {
  const empty = fold([created(policyOf({ maxJwtLifetimeMs: HOUR }))]);

  it('have the numbers of their labels, and the next version a higher one', () => {
    const { after } = decide(empty, { found: [found(7), found(3)] });
    expect(after.versions.map(({ number, state }) => [number, state])).toEqual([
      [3, 'DEACTIVATED'],
      [7, 'DEACTIVATED'],
    ]);
    expect(after.nextVersion).toBe(8);
  });

  it('have another number when theirs is taken or missing', () => {
    const state = fold(firstGeneration());
    const objects = [found(12, 2), found(13, 0), found(14, 4)];
    const { after } = decide(state, { found: objects });
    expect(after.versions.map(({ number, ckaId }) => [number, Number(ckaId)])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 14],
      [5, 12],
      [6, 13],
    ]);
  });

  it('stay published until the longest JWT that any policy allowed has expired, by both clocks', () => {
    const { after, verdicts } = decide(empty, { found: [found(1)] }, { ...COMMAND, longestJwtLifetimeMs: 5 * HOUR });
    const skewAndStep = 5 * MINUTE + MINUTE;
    expect(verdicts[0]?.publishedUntilMs).toBe(NOW + 5 * HOUR + skewAndStep);
    const gone = fold([{ type: 'PRIVATE_KEY_DESTROYED', atMs: NOW, version: 1 }], after);
    const withdrawn = (state: SigningKeyState, atMs: number): boolean =>
      plan(state, aroundAt(atMs)).due.some(({ kind }) => kind === 'withdraw');
    const dueMs = NOW + 5 * HOUR + skewAndStep;
    expect(withdrawn(gone, dueMs), 'no up-time has passed').toBe(false);
    const waited = fold([quiet(1, 5 * HOUR + skewAndStep)], gone);
    expect(withdrawn(waited, dueMs - 1)).toBe(false);
    expect(withdrawn(waited, dueMs)).toBe(true);
  });

  it('include what an open intent left in the token, which is otherwise destroyed', () => {
    const [intent] = made(4);
    if (intent === undefined) throw new Error('fixture');
    const { after } = decide(fold([intent], fold(firstGeneration())), { found: [found(4)] });
    expect(after.intents).toEqual([]);
    expect(after.versions.at(-1)).toMatchObject({ number: 4, state: 'DEACTIVATED', isPublished: true });
  });
});

describe('versions of the store', () => {
  it('may have signed until now: their ceilings rise, and their quiet time begins anew', () => {
    const suspended = fold(
      [{ type: 'VERSION_SUSPENDED', atMs: T0, version: 1, cause: 'operator', keepMs: HOUR }, quiet(1, 30 * MINUTE)],
      fold(firstGeneration(policyOf({ maxJwtLifetimeMs: HOUR }))),
    );
    const { after } = decide(suspended, {});
    expect(after.versions[0]).toMatchObject({ state: 'SUSPENDED', quietMs: 0, expCeilingMs: NOW + 99 * HOUR });
    expect(after.versions[0]?.keepMs).toBe(99 * HOUR + 6 * MINUTE);
  });

  it('are destroyed again when a restored token has them back', () => {
    const ended = fold(
      [
        { type: 'VERSION_DEACTIVATED', atMs: T0, version: 1 },
        { type: 'PRIVATE_KEY_DESTROYED', atMs: T0, version: 1 },
        { type: 'VERSION_DESTROYED', atMs: T0, version: 1 },
      ],
      fold(firstGeneration()),
    );
    const { after, verdicts } = decide(ended, { resurrected: [id(1)] });
    expect(verdicts.map(({ version, fate }) => [version, fate])).toContainEqual([1, 'destroyedAgain']);
    expect(plan(after, aroundAt(NOW)).due).toContainEqual({ kind: 'destroyPrivateKey', version: 1 });
    expect(after.versions[0]).toMatchObject({ state: 'DESTROYED', isPublished: false });
  });

  it('are not decided about by a clock that nobody trusts', () => {
    const around = { ...aroundAt(NOW), isClockTrusted: false };
    expect(() => decide(fold(firstGeneration()), {}, COMMAND, around)).toThrow(
      expect.objectContaining({ reason: 'CLOCK_UNTRUSTED' }),
    );
  });
});

describe('imported keys', () => {
  it('go on, unless they are named as compromised', () => {
    const kid = 'of-another-signer' as Kid;
    const keySet = keySetOf({}, [
      {
        type: 'PUBLIC_KEY_IMPORTED',
        atMs: T0,
        kid,
        thumbprint: kidOf(1),
        algorithm: 'ES256',
        publicKey: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
        expiresAtMs: NOW + HOUR,
        proof: '',
        caller: CALLER,
        reason: '',
      },
    ]);
    expect(judgeImports(keySet, COMMAND)).toMatchObject([{ kid, isCompromised: false, expiresAtMs: NOW + HOUR }]);
    expect(judgeImports(keySet, { ...COMMAND, compromised: new Set([kid]) })).toMatchObject([{ isCompromised: true }]);
  });
});
