/** The simulation's rule removals are textual patches of src: one that no longer applies is found here, at once. */
import { describe, expect, it } from 'vitest';
import { RULE_REMOVALS } from '../simulation/rule-removals.ts';
import { readFile } from './source-files.ts';

describe('the rule removals of the simulation', () => {
  it.each(RULE_REMOVALS)('$name applies to src, once', ({ patches }) => {
    for (const { file, from } of patches)
      expect(readFile(`src/${file}`).text.split(from), `${file}: ${from}`).toHaveLength(2);
  });
});
