/**
 * `npm run sim [-- --years N] [--seed S] [--json]`: keyturn's real lifecycle and application through so many simulated
 * years of rotations, commands, crashes and faults, watched by independent verifiers (test/simulation).
 * `--rules hydra|openbao|spire` plays the same worlds by their rotation rules, `--without RULE` by keyturn's own with one
 * rule taken out: both are expected to end with a counter-example. `--focus RULE` plays the worlds in which that rule
 * matters most, with the rule. Exit code 1 when an invariant was violated.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isForeignRules, foreignRules } from '../test/simulation/foreign-rules.ts';
import { MIX } from '../test/simulation/scenario.ts';
import { focusOf, removeRule } from '../test/simulation/rule-removals.ts';
import { simulate } from '../test/simulation/simulate.ts';
import { loadSources } from '../test/simulation/sources.ts';
import { tellStory } from '../test/simulation/story.ts';
import { daemonOf } from '../test/simulation/world.ts';
import { type Check, reportEvidence } from './lib/evidence.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    years: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    rules: { type: 'string', default: 'keyturn' },
    without: { type: 'string' },
    focus: { type: 'string' },
  },
});
// Refusals are answers here, one in ten rotations; nobody reads their stacks.
Error.stackTraceLimit = 0;
const years = Number(options.years);
const seed = Number(options.seed);
if (!(years > 0) || !Number.isSafeInteger(seed))
  throw new RangeError('--years must be positive, --seed a whole number');

async function run(): Promise<boolean> {
  const removed = options.without === undefined ? undefined : await removeRule(options.without);
  try {
    const sources = await loadSources(removed?.folder ?? fileURLToPath(new URL('../src', import.meta.url)));
    const foreign = isForeignRules(options.rules) ? foreignRules(options.rules) : undefined;
    if (foreign === undefined && options.rules !== 'keyturn')
      throw new RangeError(`there are no rules ${options.rules}`);
    const startedAt = process.cpuUsage();
    const simulation = await simulate({
      sources,
      seed,
      years,
      makeSubject: daemonOf(sources),
      ...foreign,
      ...adaptation(),
    });
    const cpu = process.cpuUsage(startedAt);
    const minutes = (cpu.user + cpu.system) / 60e6;
    const { counts, failure, worlds, yearsByMix } = simulation;
    const isOwnRules = foreign === undefined && removed === undefined;
    const checks: Check[] = [
      { name: 'violations', value: failure === undefined ? 0 : 1, unit: 'violations', bar: { atMost: 0 } },
      { name: 'simulated time', value: simulation.years, unit: 'years' },
      { name: 'rotations', value: counts.get('rotations'), unit: 'rotations' },
      { name: 'speed on one core', value: simulation.years / minutes, unit: 'years/min' },
    ];
    const story = failure === undefined ? undefined : tellStory(failure);
    if (story !== undefined && !options.json) process.stdout.write(`${story}\n\n`);
    if (isOwnRules && !options.json) tellMix(yearsByMix, counts.toObject(), counts.verifications);
    return reportEvidence(
      checks,
      {
        rules: options.rules,
        ...(options.without === undefined ? {} : { without: options.without }),
        seed,
        worlds,
        mix: MIX.map(({ name, worlds: share }) => ({
          signingPeriods: name,
          worldsOf100: share,
          years: yearsByMix[name],
        })),
        counts: counts.toObject(),
        verifications: counts.verifications,
        ...(story === undefined ? {} : { story: story.split('\n') }),
      },
      options.json,
    );
  } finally {
    await removed?.dispose();
  }
}

function adaptation(): { readonly adapt?: NonNullable<ReturnType<typeof focusOf>> } {
  const name = options.focus ?? options.without;
  const adapt = name === undefined ? undefined : focusOf(name);
  return adapt === undefined ? {} : { adapt };
}

function tellMix(
  yearsByMix: Readonly<Record<string, number>>,
  counts: Readonly<Record<string, number>>,
  verifications: Readonly<Record<string, number>>,
): void {
  process.stdout.write(`seed ${seed}; signing periods of:\n`);
  for (const { name, worlds } of MIX) {
    process.stdout.write(`  ${name}: ${worlds} of 100 worlds, ${(yearsByMix[name] ?? 0).toFixed(2)} years\n`);
  }
  for (const [name, count] of Object.entries(counts)) process.stdout.write(`  ${name}: ${count}\n`);
  for (const [kind, count] of Object.entries(verifications))
    process.stdout.write(`  verifications, ${kind}: ${count}\n`);
}

process.exitCode = (await run()) ? 0 : 1;
