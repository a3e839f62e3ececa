/** docs/reference/signing-keys-file.md against the presets and the parser; configuration-docs.test.ts has the members. */
import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../src/base/duration.ts';
import { parseSigningKeys } from '../../src/config/signing-keys-document.ts';
import { PRESETS } from '../../src/lifecycle/presets.ts';
import { readFile } from './source-files.ts';

const DOCUMENT = readFile('docs/reference/signing-keys-file.md').text;

/** The rows of the presets table: name and four durations in ms. */
function parsePresets(document: string): Record<string, number[]> {
  const rows = [...document.matchAll(/^\| `([a-z-]+)` \| (`\d+\w` \| `\d+\w` \| `\d+\w` \| `\d+\w`) \|/gm)];
  return Object.fromEntries(
    rows.map(([, name = '', cells = '']) => [
      name,
      cells.split(' | ').map((cell) => parseDuration(cell.replaceAll('`', ''), 'cell')),
    ]),
  );
}

describe('docs/reference/signing-keys-file.md', () => {
  it('has every preset with its values', () => {
    expect(parsePresets(DOCUMENT)).toEqual(
      Object.fromEntries(
        Object.entries(PRESETS).map(([name, preset]) => [
          name,
          [preset.signingPeriodMs, preset.maxSigningPeriodMs, preset.maxJwtLifetimeMs, preset.rollbackWindowMs],
        ]),
      ),
    );
  });

  it('shows an example that is right', () => {
    const [, example = ''] = DOCUMENT.match(/```yaml\n([^]*?)```/) ?? [];
    expect(parseSigningKeys(example)).toHaveLength(2);
  });

  it('would be found without a preset', () => {
    expect(parsePresets(DOCUMENT.replace('| `id-tokens` |', '| id-tokens |'))).not.toHaveProperty('id-tokens');
  });
});
