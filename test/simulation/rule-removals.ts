/**
 * Keyturn with one of its rules taken out, for the test that the simulation notices. Each removal is a textual patch of
 * a copy of src: production code has no switch for it, and a patch that no longer applies fails.
 */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SimulationOptions } from './simulate.ts';

interface RuleRemoval {
  readonly name: string;
  /** What the simulation should then find. */
  readonly means: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export const RULE_REMOVALS: readonly RuleRemoval[] = [
  {
    name: 'announce',
    means: 'a version that is published counts as propagated',
    file: 'lifecycle/rules.ts',
    from: 'version.isFirstGeneration || version.servedMs >= requiredServedMs(keySet)',
    to: 'true',
  },
];

export interface RemovedRule {
  /** A copy of src. */
  readonly folder: string;
  readonly options: Partial<SimulationOptions>;
  dispose(): Promise<void>;
}

export async function removeRule(name: string): Promise<RemovedRule> {
  const removal = RULE_REMOVALS.find((candidate) => candidate.name === name);
  if (removal === undefined)
    throw new RangeError(`there is no rule ${name}; there are ${RULE_REMOVALS.map((rule) => rule.name).join(', ')}`);
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const home = await mkdtemp(join(tmpdir(), 'keyturn-rule-'));
  const folder = join(home, 'src');
  await cp(join(root, 'src'), folder, { recursive: true });
  await cp(join(root, 'package.json'), join(home, 'package.json'));
  await symlink(join(root, 'node_modules'), join(home, 'node_modules'));
  const file = join(folder, removal.file);
  const text = await readFile(file, 'utf8');
  if (text.split(removal.from).length !== 2)
    throw new Error(`the removal of ${name} does not apply to ${removal.file} (once): ${removal.from}`);
  await writeFile(
    file,
    text.replace(removal.from, () => removal.to),
  );
  return { folder, options: {}, dispose: () => rm(home, { recursive: true, force: true }) };
}
