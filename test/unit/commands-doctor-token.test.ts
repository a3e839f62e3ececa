import { describe, expect, it } from 'vitest';
import { judgeSessions } from '../../src/commands/doctor-token.ts';

describe("the doctor holds the configured sessions against the token's ulMaxSessionCount", () => {
  const config = { workers: 2, sessionsPerWorker: 6 };

  it.each([
    [undefined, 'ok', 'no limit', ''],
    [16, 'ok', 'allows 16, 16 are used', ''],
    [15, 'warn', 'all workers together open 16', 'sessionsPerWorker to at most 5'],
    [8, 'warn', 'all workers together open 16', 'sessionsPerWorker to at most 2'],
    [7, 'fail', 'each worker opens 8', 'sessionsPerWorker to at most 1'],
    [4, 'fail', 'each worker opens 8', 'token.workers to 1 and token.sessionsPerWorker to at most 2'],
    [1, 'fail', 'each worker opens 8', 'token.workers to 1 and token.sessionsPerWorker to at most 1'],
  ] as const)('%s: %s, %s', (maxSessions, status, message, hint) => {
    const finding = judgeSessions(config, maxSessions);
    expect(finding.status).toBe(status);
    expect(finding.message).toContain(message);
    expect(finding.hint ?? '').toContain(hint);
  });

  it('never advises more than would be right', () => {
    for (let maxSessions = 3; maxSessions <= 40; maxSessions += 1) {
      const { hint = '' } = judgeSessions({ workers: 2, sessionsPerWorker: 64 }, maxSessions);
      const workers = hint.includes('token.workers to 1') ? 1 : 2;
      const sessionsPerWorker = Number(/at most (\d+)/.exec(hint)?.[1]);
      expect(judgeSessions({ workers, sessionsPerWorker }, maxSessions).status, `${maxSessions}: ${hint}`).toBe('ok');
    }
  });
});
