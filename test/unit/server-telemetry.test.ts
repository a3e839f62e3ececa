import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import { KeyturnError } from '../../src/base/errors.ts';
import { BoundedLog } from '../../src/server/telemetry/bounded-log.ts';
import { createLogger } from '../../src/server/telemetry/logger.ts';
import { type LogLine, recordingLogger } from '../fixtures/recording-logger.ts';

function logged(
  write: (log: ReturnType<typeof createLogger>) => void,
  level: 'debug' | 'info' = 'info',
): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  write(createLogger({ level, stream: { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) } }));
  return lines;
}

describe('the logger', () => {
  it('writes one JSON object a line with level, time, message and fields', () => {
    const [line] = logged((log) => {
      log.warn({ signingKey: 'a' }, 'hello');
    });
    expect(line).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      signingKey: 'a',
      msg: 'hello',
    });
  });

  it('leaves out what is below its level', () => {
    expect(
      logged((log) => {
        log.debug({}, 'no');
        log.info({}, 'yes');
      }),
    ).toHaveLength(1);
  });

  it.each(['pin', 'privateKey', 'claims', 'jwt', 'signingInput'])('cuts out anything named %s', (name) => {
    const text = JSON.stringify(
      logged((log) => {
        log.info({ [name]: 'SECRET', a: { [name]: 'SECRET', b: { [name]: 'SECRET' } } }, 'x');
      }),
    );
    expect(text).not.toContain('SECRET');
    expect(text.match(/\[redacted\]/g)).toHaveLength(3);
  });

  it('writes an error with reason, code, details and its causes, and a stack only for a defect', () => {
    const defect = new TypeError('broken');
    const [line] = logged((log) => {
      log.error({ err: new KeyturnError('TOKEN_UNAVAILABLE', 'no token', { subject: 's', cause: defect }) }, 'x');
    });
    expect(line?.['err']).toEqual({
      reason: 'TOKEN_UNAVAILABLE',
      code: 'UNAVAILABLE',
      message: 'no token',
      subject: 's',
      cause: { type: 'TypeError', message: 'broken', stack: expect.stringContaining('server-telemetry') as string },
    });
  });

  it('follows a circle of causes only so far', () => {
    const error = new Error('a');
    error.cause = error;
    expect(
      logged((log) => {
        log.error({ err: error }, 'x');
      }),
    ).toHaveLength(1);
  });
});

it('a bounded log writes so many lines a minute and then says how many it left out', () => {
  let nowMs = 0;
  const clock: Clock = {
    wallMs: () => 0,
    monotonicMs: () => nowMs,
    bootMs: () => nowMs,
    bootId: () => '',
    after: () => () => undefined,
  };
  const lines: LogLine[] = [];
  const log = new BoundedLog(clock, recordingLogger(lines));
  for (let count = 0; count < 100; count += 1) log.warn({ count }, 'x');
  expect(lines).toHaveLength(60);
  nowMs = 60_000;
  log.error({ count: 100 }, 'x');
  expect(lines.slice(60)).toEqual([
    { level: 'warn', fields: { leftOut: 40 }, message: 'lines like the ones before were left out' },
    { level: 'error', fields: { count: 100 }, message: 'x' },
  ]);
});

describe('a process that ends by itself', () => {
  const LINES = 2_000;
  const run = (end: string): string => {
    const url = new URL('../../src/server/telemetry/logger.ts', import.meta.url).href;
    const program = `
      import { createLogger } from '${url}';
      const log = createLogger({ level: 'info' });
      for (let count = 0; count < ${LINES}; count += 1) log.info({ count, text: 'x'.repeat(500) }, 'line');
      ${end}`;
    return spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      maxBuffer: 16 * 1024 * 1024,
    }).stderr.toString();
  };

  // As the daemon ends. process.exit would cut off the write that is under way in another thread.
  it.each(['', "process.once('SIGTERM', () => undefined); process.kill(process.pid, 'SIGTERM')"])(
    'has written all of its lines: %s',
    (end) => {
      expect(run(end).match(/"msg":"line"/g)).toHaveLength(LINES);
    },
  );
});
