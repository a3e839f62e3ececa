/** `npm run audit-crash -- [--kills N] [--json]`: the daemon is killed under load N times, over one audit log. */
import { parseArgs } from 'node:util';
import { crashAgainAndAgain } from './audit/crash.ts';
import { reportEvidence } from './lib/evidence.ts';

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, kills: { type: 'string', default: '10' } },
});
const kills = Number(options.kills);
const outcome = await crashAgainAndAgain(kills, (kill) => {
  if (!options.json) process.stdout.write(`\rkill ${kill} of ${kills}`);
});
const isGood = reportEvidence(
  [
    { name: 'kills', value: outcome.kills, unit: 'SIGKILL' },
    { name: 'JWTs received', value: outcome.received, unit: 'JWTs', bar: { atLeast: 1 } },
    { name: 'received without an entry', value: outcome.unaccounted, unit: 'JWTs', bar: { atMost: 0 } },
    { name: 'torn ends not noted', value: outcome.tornEnds - outcome.notedEnds, unit: 'ends', bar: { atMost: 0 } },
    { name: 'entries in one chain', value: outcome.entries, unit: 'entries', bar: { atLeast: outcome.received } },
  ],
  { ...outcome },
  options.json,
);
process.exitCode = isGood ? 0 : 1;
