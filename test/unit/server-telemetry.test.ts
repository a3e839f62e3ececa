import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import { KeyturnError } from '../../src/base/errors.ts';
import { RefusalLog } from '../../src/server/refusal-log.ts';
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

it('logs refused connections at a bounded rate and then says how many it left out', () => {
  let nowMs = 0;
  const clock: Clock = { wallMs: () => 0, monotonicMs: () => nowMs, after: () => () => undefined };
  const lines: LogLine[] = [];
  const refusals = new RefusalLog(clock, recordingLogger(lines));
  for (let count = 0; count < 100; count += 1) refusals.note({ listener: 'l', peer: 'p', reason: 'r' });
  expect(lines).toHaveLength(20);
  nowMs = 60_000;
  refusals.note({ listener: 'l', peer: 'p', reason: 'r' });
  expect(lines.slice(20).map(({ fields }) => fields)).toEqual([
    { refusedConnections: 80 },
    { listener: 'l', peer: 'p', reason: 'r' },
  ]);
});
