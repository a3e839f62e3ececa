/** `npm run full-disk -- [--rounds N] [--seed N] [--json]`: the store on a disk that fills up, under processes that die. */
import { parseArgs } from 'node:util';
import { fillAgainAndAgain } from './full-disk/store-rounds.ts';
import { reportEvidence } from './lib/evidence.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '240' },
    seed: { type: 'string', default: '1' },
  },
});
const rounds = Number(options.rounds);
const outcome = await fillAgainAndAgain(rounds, Number(options.seed), (round) => {
  if (!options.json) process.stdout.write(`\rround ${round} of ${rounds} `);
});
const isGood = reportEvidence(
  [
    { name: 'rounds', value: outcome.rounds, unit: 'rounds', bar: { atLeast: 1 } },
    { name: 'starts', value: outcome.starts, unit: 'starts' },
    { name: 'starts refused for want of room', value: outcome.refusedStarts, unit: 'starts' },
    { name: 'kills', value: outcome.kills, unit: 'SIGKILL', bar: { atLeast: 1 } },
    { name: 'durable commits', value: outcome.durable, unit: 'commits', bar: { atLeast: 1 } },
    { name: 'refused commits', value: outcome.refused, unit: 'commits', bar: { atLeast: 1 } },
    { name: 'damaged stores and lost commits', value: outcome.problems.length, unit: 'problems', bar: { atMost: 0 } },
  ],
  { ...outcome },
  options.json,
);
if (!isGood) process.stderr.write(`${outcome.problems.join('\n')}\n`);
process.exitCode = isGood ? 0 : 1;
