import { describe, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import { REASONS, type Reason } from '../../src/base/reasons.ts';
import { exitCodeOf } from '../../src/commands/exit-code.ts';
import { hintsFor } from '../../src/commands/hints.ts';
import { formatFields, formatTable } from '../../src/commands/table.ts';
import { formatTime } from '../../src/commands/time.ts';

const NOW_MS = Date.UTC(2026, 10, 24, 12);

describe('tables', () => {
  it('align columns, and end no line with blanks', () => {
    expect(
      formatTable(
        ['NAME', 'STATE', ''],
        [
          ['a', 'ACTIVE', ''],
          ['refresh-tokens', '–', 'x'],
        ],
      ),
    ).toEqual(['NAME            STATE', 'a               ACTIVE', 'refresh-tokens  –       x']);
  });

  it('keep their header when there is nothing in them', () => {
    expect(formatTable(['NAME'], [])).toEqual(['NAME']);
  });

  it('align fields after the longest name', () => {
    expect(
      formatFields([
        ['kid', 'x'],
        ['algorithm', 'ES256'],
      ]),
    ).toEqual(['kid:       x', 'algorithm: ES256']);
  });
});

describe('times', () => {
  it('come in ISO form and in words', () => {
    expect(formatTime(NOW_MS + (3 * 24 + 4) * 3_600_000, NOW_MS)).toBe('2026-11-27T16:00:00Z (in 3 d 4 h)');
    expect(formatTime(NOW_MS - 90_000, NOW_MS)).toBe('2026-11-24T11:58:30Z (1 min 30 s ago)');
    expect(formatTime(NOW_MS + 499, NOW_MS)).toBe('2026-11-24T12:00:01Z (now)');
  });
});

describe('exit codes', () => {
  it.each([
    ['FIELD_INVALID', 2],
    ['JWT_NOT_VERIFIED', 1],
    ['NOT_PROPAGATED', 1],
    ['SIGNING_KEY_NOT_FOUND', 1],
    ['ETAG_MISMATCH', 1],
    ['DAEMON_UNREACHABLE', 69],
    ['QUEUE_FULL', 69],
    ['DEADLINE_EXCEEDED', 69],
    ['STORE_IN_USE', 69],
    ['INTERNAL', 70],
    ['CALLER_UNKNOWN', 77],
    ['CLAIM_NOT_PERMITTED', 77],
    ['CONFIG_INVALID', 78],
    ['SECRET_FILE_EXPOSED', 78],
  ] as const)('%s ends with %i', (reason, code) => {
    expect(exitCodeOf(new KeyturnError(reason, 'x'))).toBe(code);
  });

  it('are never 0 for an error', () => {
    for (const reason of Object.keys(REASONS) as Reason[])
      expect(exitCodeOf(new KeyturnError(reason, 'x'))).toBeGreaterThan(0);
  });
});

describe('hints', () => {
  it('give the time at which a refused command would be allowed', () => {
    const error = new KeyturnError('NOT_PROPAGATED', 'x', { allowedAtMs: NOW_MS + 3_000 });
    expect(hintsFor(error, NOW_MS).at(-1)).toBe('it will be allowed at 2026-11-24T12:00:03Z (in 3 s)');
  });

  it('tell no time that the message tells already', () => {
    const error = new KeyturnError('LAST_STANDBY', 'allowed at 2026-11-24T12:00:03Z', { allowedAtMs: NOW_MS });
    expect(hintsFor(error, NOW_MS)).toHaveLength(1);
  });

  it('give the time to try again', () => {
    expect(hintsFor(new KeyturnError('QUEUE_FULL', 'x', { retryAfterMs: 1_500 }), NOW_MS)).toEqual([
      'try again at 2026-11-24T12:00:02Z (in 1.5 s)',
    ]);
  });
});
