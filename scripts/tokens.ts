/**
 * `npm run tokens [-- NAME… --json]`: sets up real PKCS#11 tokens (test/tokens) and holds keyturn against each: every
 * algorithm, the module's own misbehaviour, restarts, and the token's loss and return. Prints the conformance table; each
 * cell was tried. A cell that isn't as docs/tokens/NAME.md says fails the run, so that the guides stay true.
 * Without names, all of them. Needs root where a token does (openCryptoki) or where packages are missing. A token that the
 * machine can't have is skipped and said to be; a run of nothing but skipped tokens is no evidence, and fails.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatTable } from '../src/commands/table.ts';
import { cell, type Cell, findSurprises, parseDocumentedCells } from '../test/tokens/cells.ts';
import { runConformance } from '../test/tokens/conformance.ts';
import {
  endProcesses,
  setUpToken,
  type TestToken,
  TOKEN_NAMES,
  TokenNotAvailableError,
} from '../test/tokens/set-up.ts';
import { type Check, reportEvidence } from './lib/evidence.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
});
const names = positionals.length === 0 ? TOKEN_NAMES : positionals;
const unknown = names.filter((name) => !TOKEN_NAMES.includes(name));
if (unknown.length > 0) throw new RangeError(`unknown: ${unknown.join(', ')}; there are ${TOKEN_NAMES.join(', ')}`);

interface Result {
  readonly name: string;
  readonly cells: readonly Cell[];
  readonly surprises: readonly string[];
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

interface Skipped {
  readonly name: string;
  readonly reason: string;
}

async function examine(name: string): Promise<Result | Skipped> {
  const dir = await mkdtemp(join(tmpdir(), `keyturn-${name}-`));
  tell(`${name}: set-up`);
  try {
    return await examineToken(await setUpToken(name, dir));
  } catch (error) {
    if (error instanceof TokenNotAvailableError) return { name, reason: error.message };
    throw error;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function examineToken(token: TestToken): Promise<Result> {
  const { name, dir } = token;
  try {
    const cells = await runConformance(token, (what) => {
      tell(`${name}: ${what}`);
    });
    const guide = await readFile(fileURLToPath(new URL(`../docs/tokens/${name}.md`, import.meta.url)), 'utf8');
    return { name, cells, surprises: findSurprises(cells, parseDocumentedCells(guide)) };
  } catch (error) {
    // What can't be examined must not hide what the others showed.
    return { name, cells: [cell('examination', 'failed', String(error))], surprises: [] };
  } finally {
    // A process that was brought back has another id.
    await endProcesses((await setUpToken(name, dir)).processes);
  }
}

function printTable(results: readonly Result[]): void {
  const checks = [...new Set(results.flatMap(({ cells }) => cells.map(({ check }) => check)))];
  const rows = checks.map((check) => [
    check,
    ...results.map(({ cells }) => cells.find((tried) => tried.check === check)?.verdict ?? '-'),
  ]);
  for (const line of formatTable(['', ...results.map(({ name }) => name)], rows)) process.stdout.write(`${line}\n`);
  for (const { name, cells, surprises } of results) {
    process.stdout.write(`\n${name}\n`);
    for (const { check, verdict, detail } of cells) process.stdout.write(`  ${check}: ${verdict}  ${detail}\n`);
    for (const surprise of surprises) process.stdout.write(`  surprise: ${surprise}\n`);
  }
  process.stdout.write('\n');
}

const results: Result[] = [];
const skipped: Skipped[] = [];
for (const name of names) {
  const outcome = await examine(name);
  if ('cells' in outcome) results.push(outcome);
  else skipped.push(outcome);
}
const checks = results.flatMap(({ name, cells, surprises }): Check[] => [
  { name: `${name}: cells tried`, value: cells.length, unit: 'cells', bar: { atLeast: 1 } },
  {
    name: `${name}: cells that failed`,
    value: cells.filter(({ verdict }) => verdict === 'failed').length,
    unit: 'cells',
    bar: { atMost: 0 },
  },
  { name: `${name}: cells not as its guide says`, value: surprises.length, unit: 'cells', bar: { atMost: 0 } },
]);
if (results.length > 0) checks.push({ name: 'tokens skipped', value: skipped.length, unit: 'tokens' });
if (!options.json && results.length > 0) printTable(results);
for (const { name, reason } of skipped) tell(`${name}: skipped\n${reason}`);
process.exitCode = reportEvidence(checks, { tokens: results, skipped }, options.json) ? 0 : 1;
