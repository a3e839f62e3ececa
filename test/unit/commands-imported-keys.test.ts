import { describe, expect, it } from 'vitest';
import type { ImportedKey } from '../../src/client/client.ts';
import { describeImportedKeys, describeRemoval } from '../../src/commands/imported-key-views.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;

const KEY: ImportedKey = {
  keySet: 'default',
  kid: '2024-07',
  algorithm: 'RS256',
  thumbprint: 't'.repeat(43),
  published: true,
  importTime: new Date(NOW_MS - HOUR_MS),
  expireTime: new Date(NOW_MS + 24 * HOUR_MS),
  caller: 'officer',
  reason: 'CHG-1',
  departureTime: undefined,
  departureCause: undefined,
};
const GONE: ImportedKey = {
  ...KEY,
  kid: '2023-01',
  published: false,
  departureTime: new Date(NOW_MS - HOUR_MS),
  departureCause: 'COMPROMISED',
};

const LEFT = 'compromised 2025-12-31T23:00:00Z (1 h ago)';

describe('imported keys for people', () => {
  it('are a line each, with when and why one left', () => {
    expect(describeImportedKeys([KEY, GONE], NOW_MS).map((line) => line.split(/ {2,}/))).toEqual([
      ['KID', 'ALG', 'PUBLISHED', 'EXPIRES', 'LEFT', 'IMPORTED BY'],
      ['2024-07', 'RS256', 'yes', '2026-01-02T00:00:00Z (in 1 d)', '–', 'officer: CHG-1'],
      ['2023-01', 'RS256', 'no', '2026-01-02T00:00:00Z (in 1 d)', LEFT, 'officer: CHG-1'],
    ]);
  });

  it.each([
    [KEY, true, true, 'kid 2024-07 would leave key set default for good'],
    [KEY, true, false, 'kid 2024-07 has left key set default for good'],
    [GONE, false, false, `kid 2023-01 has left key set default already: ${LEFT}`],
  ])('say what a removal does or did', (importedKey, changed, isDryRun, text) => {
    expect(describeRemoval({ importedKey, changed }, { isDryRun, nowMs: NOW_MS })).toContain(text);
  });
});
