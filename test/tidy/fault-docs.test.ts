/** docs/reference/ckr.md and the fault table agree, row by row. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_CLASS, FAULT_ROWS } from '../../src/hsm/faults.ts';
import { RUNGS } from '../../src/hsm/ladder.ts';
import { readFile } from './source-files.ts';

const DOCUMENT = readFile('docs/reference/ckr.md').text;

describe('docs/reference/ckr.md', () => {
  it('has the table of the code, in the order of the codes', () => {
    const rows = [...DOCUMENT.matchAll(/^\| `(0x[0-9a-f]+)` \| `(CKR_\w+)` \| (\w+) \| (.+) \|$/gm)];
    expect(rows.map(([, code, name, faultClass, why]) => `${code} ${name} ${faultClass} ${why}`)).toEqual(
      FAULT_ROWS.map(({ ckr, name, faultClass, why }) => `0x${ckr.toString(16)} ${name} ${faultClass} ${why}`),
    );
  });

  it('says what each class leads to, in the order of the ladder', () => {
    const rows = [...DOCUMENT.matchAll(/^\| \*\*(\w+)\*\* \|/gm)].map(([, rung]) => rung);
    expect(rows).toEqual(['requestFault', ...RUNGS]);
  });

  it('says how a code outside the table is taken', () => {
    expect(DOCUMENT).toContain(`is taken for **${DEFAULT_CLASS}**`);
  });
});
