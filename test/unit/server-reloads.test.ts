import { describe, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import { type ReloadPart, Reloads } from '../../src/server/reloads.ts';
import { type LogLine, recordingLogger } from '../fixtures/recording-logger.ts';

describe('a reload', () => {
  it('takes up each part on its own: one that fails says why and holds up no other', async () => {
    const lines: LogLine[] = [];
    const results: [ReloadPart, boolean][] = [];
    const reloads = new Reloads({
      log: recordingLogger(lines),
      onResult: (part, isGood) => results.push([part, isGood]),
      parts: {
        pin: () => 'unchanged',
        accessPolicy: () => Promise.reject(new KeyturnError('CONFIG_INVALID', 'grants[0]: is missing')),
        tls: () => {
          throw new Error('a secret');
        },
      },
    });
    await reloads.request();
    expect(results).toEqual([
      ['accessPolicy', false],
      ['tls', false],
      ['pin', true],
    ]);
    expect(lines.map(({ level, fields }) => [level, fields])).toEqual([
      ['error', { part: 'accessPolicy', reason: 'CONFIG_INVALID', problem: 'grants[0]: is missing' }],
      ['error', { part: 'tls', reason: 'INTERNAL', problem: expect.not.stringContaining('secret') as string }],
      ['info', { part: 'pin', result: 'unchanged' }],
    ]);
  });

  it('that is asked for while one is going on follows it, once', async () => {
    const running: (() => void)[] = [];
    const reloads = new Reloads({
      log: recordingLogger([]),
      onResult: () => undefined,
      parts: { tls: () => new Promise((resolve) => running.push(() => resolve('unchanged'))) },
    });
    const first = reloads.request();
    await expect.poll(() => running.length).toBe(1);
    const others = [reloads.request(), reloads.request(), reloads.request()];
    running[0]?.();
    await first;
    await expect.poll(() => running.length).toBe(2);
    running[1]?.();
    await Promise.all(others);
    expect(running).toHaveLength(2);
  });
});
