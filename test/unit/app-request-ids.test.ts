/** Commands with a request id: done once, whatever happened to the first answer. */
import { describe, expect, it } from 'vitest';
import type { CallerName } from '../../src/base/ids.ts';
import { MAX_COMMAND_RECORDS } from '../../src/lifecycle/command-records.ts';
import { type AppHarness, OPERATOR, startApp } from '../fixtures/app-harness.ts';
import { CALLER, DAY, firstGeneration, fold, HOUR, kidOf, T0 } from '../fixtures/lifecycle.ts';

const KEY = 'access-tokens';
const FIRST = '7f0c2f38-6a5e-4d5e-9a53-0f4f0c1d2e3a';
const SECOND = '0b9d2c41-88aa-4f13-9f0e-5d6c7b8a9e10';
const COMMAND = { signingKey: KEY, validateOnly: false, etag: '', reason: 'test', requestId: FIRST };

async function started(): Promise<AppHarness> {
  const harness = await startApp();
  await harness.apply();
  await harness.clock.advanceAsync(10_000, 5_000);
  return harness;
}

const stateOf = ({ app }: AppHarness, version: number) =>
  app.listKeyVersions(KEY, 100, '').items.find((candidate) => candidate.version === version)?.state;

const compromise = ({ app }: AppHarness, requestId: string, version: number | undefined) =>
  app.declareCompromised(OPERATOR, {
    scope: version === undefined ? { kind: 'token' } : { kind: 'version', signingKey: KEY, version },
    retain: false,
    validateOnly: false,
    reason: 'test',
    requestId,
  });

describe('a repeated request', () => {
  it('suspends no successor, over a restart too', async () => {
    const harness = await started();
    await harness.app.suspend(OPERATOR, { ...COMMAND, halt: false });
    const again = await harness.app.suspend(OPERATOR, { ...COMMAND, halt: false, requestId: FIRST.toUpperCase() });
    expect(again.active?.version).toBe(2);
    const restarted = await harness.restart();
    expect((await restarted.app.suspend(OPERATOR, { ...COMMAND, halt: false })).active?.version).toBe(2);
    expect(stateOf(restarted, 2)).toBe('ACTIVE');
  });

  it('is done once though its first answer was that it is not durable yet', async () => {
    const harness = await started();
    harness.store.failNextCommits(1_000);
    const suspend = () => harness.app.suspend(OPERATOR, { ...COMMAND, halt: false });
    await expect(suspend()).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
    await expect(suspend()).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
    harness.store.failNextCommits(0);
    await harness.clock.advanceAsync(10_000, 1_000);
    expect((await suspend()).active?.version).toBe(2);
    await harness.clock.advanceAsync(10_000, 1_000);
    expect(stateOf(harness, 2)).toBe('ACTIVE');
  });

  it('reactivates and rolls back once', async () => {
    const harness = await started();
    await harness.rotate();
    const rollback = () => harness.app.rollback(OPERATOR, COMMAND);
    expect((await rollback()).active?.version).toBe(1);
    await harness.app.reactivate(OPERATOR, { ...COMMAND, version: 2, requestId: SECOND });
    expect((await rollback()).active?.version, 'the signing key as it is').toBe(2);
    await rollback();
    await harness.app.reactivate(OPERATOR, { ...COMMAND, version: 2, requestId: SECOND });
    expect(stateOf(harness, 2)).toBe('ACTIVE');
  });

  it('gets the effects that the first declaration had, and takes nothing that came since', async () => {
    const harness = await started();
    const effects = await compromise(harness, FIRST, undefined);
    expect(effects).toMatchObject([{ withdrawnVersions: [1, 2, 3], activeVersion: undefined }]);
    await harness.clock.advanceAsync(2 * HOUR, 60_000);
    expect(stateOf(harness, 4)).toBe('ACTIVE');
    await harness.apply('other-tokens');
    expect(await compromise(harness, FIRST, undefined)).toEqual(effects);
    expect(stateOf(harness, 4)).toBe('ACTIVE');
  });

  it('rotates once when both come at the same time', async () => {
    const harness = await started();
    const rotate = () => harness.app.rotate(OPERATOR, { ...COMMAND, useLastStandby: true });
    const [left, right] = await Promise.all([rotate(), rotate()]);
    expect(left.activated.version).toBe(2);
    expect(right.activated.version).toBe(2);
    expect(right.suspended?.version).toBe(1);
    expect(stateOf(harness, 2)).toBe('ACTIVE');
  });

  it('is a new request after a day', async () => {
    const harness = await started();
    await harness.app.suspend(OPERATOR, { ...COMMAND, halt: false });
    await harness.clock.advanceAsync(DAY, 60_000);
    expect((await harness.app.suspend(OPERATOR, { ...COMMAND, halt: false })).active?.version).toBe(3);
  });
});

describe('a request id', () => {
  it.each([
    ['another command', (app: AppHarness['app']) => app.rollback(OPERATOR, COMMAND)],
    ['another parameter', (app: AppHarness['app']) => app.suspend(OPERATOR, { ...COMMAND, halt: true })],
    ['another caller', (app: AppHarness['app']) => app.suspend('eve' as CallerName, { ...COMMAND, halt: false })],
  ])('is refused for %s', async (_what, repeat) => {
    const { app } = await started();
    await app.suspend(OPERATOR, { ...COMMAND, halt: false });
    await expect(repeat(app)).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  });

  it('is a UUID, and is not used up by a preview or by what was refused', async () => {
    const { app } = await started();
    await expect(app.rollback(OPERATOR, { ...COMMAND, requestId: 'r-1' })).rejects.toMatchObject({
      reason: 'FIELD_INVALID',
    });
    await expect(app.rollback(OPERATOR, COMMAND)).rejects.toMatchObject({ reason: 'COMMAND_NOT_POSSIBLE' });
    await app.suspend(OPERATOR, { ...COMMAND, halt: true, validateOnly: true });
    expect((await app.suspend(OPERATOR, { ...COMMAND, halt: true })).isHalted).toBe(true);
  });

  it('is remembered from logs in which the rotation itself held it', () => {
    const { commands } = fold(
      [
        { type: 'VERSION_SUSPENDED', atMs: T0, version: 1, cause: 'rotation', keepMs: HOUR },
        {
          type: 'VERSION_ACTIVATED',
          atMs: T0,
          version: 2,
          expCeilingMs: T0 + HOUR,
          cause: 'rotation',
          requestId: FIRST,
          caller: CALLER,
          reason: '',
        },
      ],
      fold(firstGeneration()),
    );
    expect(commands).toMatchObject([{ requestId: FIRST, command: 'rotate', answer: { activated: 2, suspended: 1 } }]);
  });

  it('is forgotten when many came after it', () => {
    const events = Array.from({ length: MAX_COMMAND_RECORDS + 1 }, (_, index) => ({
      type: 'COMMAND_ANSWERED' as const,
      atMs: T0,
      requestId: kidOf(index),
      command: 'suspend',
      digest: 'd',
      answer: {},
    }));
    const { commands } = fold(events, fold(firstGeneration()));
    expect(commands).toHaveLength(MAX_COMMAND_RECORDS);
    expect(commands[0]?.requestId).toBe(kidOf(1));
  });
});

describe('suspend --halt', () => {
  it('stops the signing key though a suspension before it is not durable yet', async () => {
    const harness = await started();
    harness.store.failNextCommits(1_000);
    const suspend = (halt: boolean, requestId: string) =>
      harness.app.suspend(OPERATOR, { ...COMMAND, halt, requestId });
    await expect(suspend(false, FIRST)).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
    await expect(suspend(true, SECOND)).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
    harness.store.failNextCommits(0);
    await harness.clock.advanceAsync(10_000, 1_000);
    expect(harness.app.getSigningKey(KEY)).toMatchObject({ active: undefined, isHalted: true });
  });
});
