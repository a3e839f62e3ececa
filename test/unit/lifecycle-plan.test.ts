import { describe, expect, it } from 'vitest';
import { plan } from '../../src/lifecycle/plan.ts';
import {
  aroundAt,
  created,
  firstGeneration,
  fold,
  HOUR,
  keySetOf,
  made,
  MINUTE,
  published,
  quiet,
  served,
  T0,
} from '../fixtures/lifecycle.ts';

const kinds = (state: ReturnType<typeof fold>, around = aroundAt(T0)) =>
  plan(state, around).due.map((step) => step.kind);

describe('plan', () => {
  it('makes every version of a first generation before it publishes any', () => {
    const empty = aroundAt(T0, keySetOf());
    expect(kinds(fold([created()]), empty)).toEqual(['makeVersion']);
    expect(kinds(fold([created(), ...made(1), ...made(2)]), empty)).toEqual(['makeVersion']);
    expect(plan(fold([created(), ...made(1), ...made(2), ...made(3)]), empty).due).toEqual([
      { kind: 'publishFirstGeneration', versions: [1, 2, 3] },
    ]);
  });

  it('publishes at once into a key set that has content', () => {
    expect(kinds(fold([created(), ...made(1)]))).toEqual(['publishVersions', 'makeVersion']);
  });

  it('undoes an intent without a result before it makes anything new', () => {
    const [intended] = made(4);
    if (intended === undefined) throw new Error('fixture');
    expect(kinds(fold([...firstGeneration(), intended]))).toEqual(['abandonIntent']);
  });

  it('has nothing due on a complete signing key, and says when to look again', () => {
    const { due, lookAgainMs } = plan(fold(firstGeneration()), aroundAt(T0));
    expect(due).toEqual([]);
    expect(lookAgainMs).toBe(45 * MINUTE);
  });

  it('says when to look again as if due ceilings were raised: with that nothing else becomes due', () => {
    // lifetime 1 h, step 1 h, of which a quarter is left when it is raised.
    const { due, lookAgainMs } = plan(fold(firstGeneration()), aroundAt(T0 + HOUR));
    expect(due.map(({ kind }) => kind)).toEqual(['raiseExpCeiling', 'raiseExpCeiling']);
    expect(lookAgainMs).toBe(45 * MINUTE);
  });

  it('makes a standby after a rotation, and waits until it is propagated', () => {
    const rotated = fold([
      ...firstGeneration(),
      {
        type: 'VERSION_SUSPENDED',
        atMs: T0,
        version: 1,
        cause: 'rotation',
        window: { untilMs: T0 + HOUR, windowMs: HOUR },
        keepMs: 2 * HOUR,
      },
      {
        type: 'VERSION_ACTIVATED',
        atMs: T0,
        version: 2,
        expCeilingMs: T0 + 9 * HOUR,
        cause: 'rotation',

        caller: 'x' as never,
        reason: '',
      },
    ]);
    expect(kinds(rotated)).toEqual(['makeVersion']);
    const waiting = fold([...published(4), served(4, 10 * MINUTE)], rotated);
    expect(plan(waiting, aroundAt(T0))).toMatchObject({ due: [], lookAgainMs: 50 * MINUTE });
    expect(kinds(fold([served(4, HOUR)], waiting))).toEqual(['notePropagated']);
  });

  it('deactivates, destroys the private key and withdraws, in this order and each in its time', () => {
    const rotated = fold([
      ...firstGeneration(),
      {
        type: 'VERSION_SUSPENDED',
        atMs: T0,
        version: 1,
        cause: 'rotation',
        window: { untilMs: T0 + HOUR, windowMs: HOUR },
        keepMs: 2 * HOUR,
      },
      {
        type: 'VERSION_ACTIVATED',
        atMs: T0,
        version: 2,
        expCeilingMs: T0 + 99 * HOUR,
        cause: 'rotation',

        caller: 'x' as never,
        reason: '',
      },
      ...published(4),
      { type: 'VERSION_PROPAGATED', atMs: T0, version: 4, basis: 'first-generation' },
    ]);
    expect(kinds(rotated, aroundAt(T0 + HOUR))).toEqual([]);
    const quietState = fold([quiet(1, HOUR)], rotated);
    expect(plan(quietState, aroundAt(T0 + HOUR)).due).toEqual([{ kind: 'deactivate', version: 1 }]);
    const deactivated = fold([{ type: 'VERSION_DEACTIVATED', atMs: T0 + HOUR, version: 1 }], quietState);
    expect(plan(deactivated, aroundAt(T0 + HOUR)).due).toEqual([{ kind: 'destroyPrivateKey', version: 1 }]);
    const half = fold([{ type: 'DESTRUCTION_INTENDED', atMs: T0 + HOUR, version: 1 }], deactivated);
    expect(plan(half, aroundAt(T0 + HOUR)).due).toEqual([{ kind: 'destroyPrivateKey', version: 1 }]);
    const destroyed = fold([{ type: 'PRIVATE_KEY_DESTROYED', atMs: T0 + HOUR, version: 1 }], half);
    expect(plan(destroyed, aroundAt(T0 + HOUR)).due).toEqual([]);
    const late = T0 + 2 * HOUR + 6 * MINUTE;
    expect(plan(fold([quiet(1, 3 * HOUR)], destroyed), aroundAt(late)).due).toEqual([{ kind: 'withdraw', version: 1 }]);
  });
});
