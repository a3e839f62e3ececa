/**
 * `npm run fuzz [-- --inputs N] [--seed N] [--target NAME] [--json]`: inputs that nobody would send, into every parser and
 * over every wire. No crash, no hang, no unforeseen error, nothing let through that the grant or the document doesn't say.
 * The first input of a target that fails is shrunk and printed with its seed. Exit code 1 on any finding.
 */
import { parseArgs } from 'node:util';
import { auditTargets } from './fuzz/audit.ts';
import { claimsTargets } from './fuzz/claims.ts';
import { documentTargets } from './fuzz/documents.ts';
import { frameTargets } from './fuzz/frames.ts';
import { keyTargets } from './fuzz/keys.ts';
import { nameTargets } from './fuzz/names.ts';
import { revocationTargets } from './fuzz/revocation.ts';
import { ACCEPTED, type Target, type TargetResult } from './fuzz/target.ts';
import { openWire } from './fuzz/wire.ts';
import { type Check, reportEvidence } from './lib/evidence.ts';

const { values: options } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string' },
    target: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const seed = options.seed === undefined ? Date.now() % 2 ** 31 : Number(options.seed);
const pure: readonly Target[] = [
  ...claimsTargets,
  ...frameTargets,
  ...documentTargets,
  ...keyTargets,
  ...nameTargets,
  ...auditTargets,
  ...revocationTargets,
];

function choose(targets: readonly Target[]): readonly Target[] {
  const chosen = targets.filter(({ name }) => options.target === undefined || name === options.target);
  if (chosen.length === 0) throw new RangeError(`--target is one of ${targets.map(({ name }) => name).join(', ')}`);
  return chosen;
}

async function run(targets: readonly Target[]): Promise<readonly TargetResult[]> {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  const results: TargetResult[] = [];
  for (const target of targets) {
    const result = await target.run(Math.ceil((Number(options.inputs) * target.weight) / total), seed);
    results.push(result);
    if (!options.json) tell(result);
  }
  return results;
}

function tell({ name, inputs, outcomes, slowestMs, failure }: TargetResult): void {
  const seen = Object.entries(outcomes).toSorted(([, one], [, other]) => other - one);
  const text = seen.map(([outcome, count]) => `${outcome} ${count}`).join(', ');
  process.stdout.write(
    `${failure === undefined ? '    ' : 'FAIL'} ${name}: ${inputs} inputs, at most ${slowestMs} ms; ${text}\n`,
  );
  if (failure !== undefined)
    process.stdout.write(`${failure.problem}\ninput: ${failure.input}\nagain: --target '${name}' --seed ${seed}\n`);
}

async function runAll(): Promise<{ readonly results: readonly TargetResult[]; readonly aftermath: string }> {
  // No daemon for what needs none.
  if (pure.some(({ name }) => name === options.target)) return { results: await run(choose(pure)), aftermath: '' };
  const wire = await openWire();
  try {
    const results = await run(choose([...pure, ...wire.targets]));
    const aftermath = await wire.requireWell().then(
      () => '',
      (finding: unknown) => (finding instanceof Error ? finding.message : String(finding)),
    );
    return { results, aftermath };
  } finally {
    await wire.dispose();
  }
}

const { results, aftermath } = await runAll();
if (aftermath !== '' && !options.json) process.stdout.write(`FAIL afterwards: ${aftermath}\n`);
const checks: Check[] = [
  {
    name: 'inputs',
    value: results.reduce((sum, { inputs }) => sum + inputs, 0),
    unit: 'inputs',
    bar: { atLeast: Number(options.inputs) },
  },
  {
    name: 'targets with a finding',
    value: results.filter(({ failure }) => failure !== undefined).length,
    unit: 'targets',
    bar: { atMost: 0 },
  },
  {
    name: 'targets that accept nothing, or everything',
    value: results.filter(({ inputs, outcomes }) => [0, inputs].includes(outcomes[ACCEPTED] ?? 0)).length,
    unit: 'targets',
    bar: { atMost: 0 },
  },
  { name: 'daemons that are unwell afterwards', value: aftermath === '' ? 0 : 1, unit: 'daemons', bar: { atMost: 0 } },
  { name: 'slowest input', value: Math.max(...results.map(({ slowestMs }) => slowestMs)), unit: 'ms' },
];
process.exitCode = reportEvidence(
  checks,
  { seed, targets: results, ...(aftermath === '' ? {} : { aftermath }) },
  options.json,
)
  ? 0
  : 1;
