/**
 * `npm run faults [-- --function NAME] [--code HEX] [--sample] [--through pool|grpc] [--json]`: every return value of
 * PKCS#11, one after the other, out of every function that keyturn depends on, in real HSM workers over a SoftHSM2
 * behind the fault shim: those of a pool, or of a daemon that is only seen from outside. Held against
 * docs/reference/ckr.md: the rung that was taken, the requests that failed, the time until every session signs again.
 * `--sample` takes one code of each class. Exit code 1 on any deviation.
 */
import { parseArgs } from 'node:util';
import { CKR_UNKNOWN, FAULT_ROWS, type FaultClass } from '../src/hsm/faults.ts';
import { type Bench, type Cell, PoolBench } from './faults/bench.ts';
import { DaemonBench } from './faults/daemon-bench.ts';
import { type FaultyFunction, FUNCTIONS, REQUEST_FUNCTIONS } from './faults/expectations.ts';
import { type Check, reportEvidence } from './lib/evidence.ts';

const VENDOR_CODE = 0x8000_0001;
const CLIMBS: ReadonlySet<string> = new Set(['login', 'reinitialise', 'restartWorker', 'operator']);

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    sample: { type: 'boolean', default: false },
    function: { type: 'string' },
    code: { type: 'string' },
    through: { type: 'string', default: 'pool' },
    /** Benches at a time: each has two workers. */
    lanes: { type: 'string', default: '2' },
  },
});

function makeBench(): Bench {
  if (options.through === 'pool') return new PoolBench();
  if (options.through === 'grpc') return new DaemonBench();
  throw new RangeError('--through is pool or grpc');
}

function chooseCodes(): readonly number[] {
  if (options.code !== undefined) return [Number(options.code)];
  const all = [...FAULT_ROWS.map(({ ckr }) => ckr), VENDOR_CODE, CKR_UNKNOWN];
  if (!options.sample) return all;
  const seen = new Set<FaultClass>();
  const sample = FAULT_ROWS.filter(({ faultClass }) => !seen.has(faultClass) && seen.add(faultClass).size > 0);
  return [...sample.map(({ ckr }) => ckr), VENDOR_CODE];
}

function chooseFunctions(): readonly FaultyFunction[] {
  const chosen = FUNCTIONS.filter((name) => options.function === undefined || name === options.function);
  if (chosen.length === 0) throw new RangeError(`--function is one of ${FUNCTIONS.join(', ')}`);
  return chosen;
}

/** All codes out of one function, on a bench of its own. */
async function runFunction(functionName: FaultyFunction): Promise<readonly Cell[]> {
  let bench = makeBench();
  try {
    await bench.start();
    const cells: Cell[] = [];
    for (const ckr of chooseCodes()) {
      if (bench.isWorn || cells.at(-1)?.deviations.some(isBroken) === true) {
        await bench.close();
        bench = makeBench();
        await bench.start();
      }
      const cell = await bench.run(functionName, ckr);
      cells.push(cell);
      if (!options.json) tell(cell);
    }
    return cells;
  } finally {
    await bench.close();
  }
}

function isBroken(deviation: string): boolean {
  return deviation.startsWith('broken');
}

function tell({ functionName, code, rung, failed, healthyMs, deviations }: Cell): void {
  const mark = deviations.length === 0 ? '    ' : 'FAIL';
  process.stdout.write(
    `${mark} ${functionName} ${code}: ${rung}, ${failed} failed, well after ${healthyMs} ms ${deviations.join('; ')}\n`,
  );
}

async function runLanes(functions: readonly FaultyFunction[]): Promise<readonly Cell[]> {
  const waiting = [...functions];
  const cells: Cell[] = [];
  const lane = async (): Promise<void> => {
    for (;;) {
      const functionName = waiting.shift();
      if (functionName === undefined) return;
      cells.push(...(await runFunction(functionName)));
    }
  };
  await Promise.all(Array.from({ length: Number(options.lanes) }, lane));
  return cells;
}

/** Doubtful logins wait on purpose. */
function slowest(all: readonly Cell[], rung: string): number {
  const cells = all.filter(({ functionName }) => functionName !== 'C_Login');
  return Math.max(0, ...cells.filter((cell) => cell.rung === rung).map(({ healthyMs }) => healthyMs));
}

const cells = await runLanes(chooseFunctions());
const isRequestFault = ({ faultClass, functionName }: Cell): boolean =>
  faultClass === 'requestFault' && REQUEST_FUNCTIONS.includes(functionName);
const count = (isWanted: (cell: Cell) => boolean): number => cells.filter(isWanted).length;
const checks: Check[] = [
  { name: 'cells tried', value: cells.length, unit: 'cells', bar: { atLeast: 1 } },
  {
    name: 'cells that differ from the table',
    value: count(({ deviations }) => deviations.length > 0),
    unit: 'cells',
    bar: { atMost: 0 },
  },
  {
    name: 'codes that left it broken',
    value: count(({ deviations }) => deviations.some(isBroken)),
    unit: 'cells',
    bar: { atMost: 0 },
  },
  {
    name: 'request faults that made a worker climb',
    value: count((cell) => isRequestFault(cell) && CLIMBS.has(cell.rung)),
    unit: 'cells',
    bar: { atMost: 0 },
  },
  {
    name: 'wrong signatures',
    value: cells.reduce((sum, { wrong }) => sum + wrong, 0),
    unit: 'signatures',
    bar: { atMost: 0 },
  },
  {
    name: 'refused logins that were tried again',
    value: count((cell) => cell.functionName === 'C_Login' && cell.faultClass === 'operator' && cell.logins > 2),
    unit: 'cells',
    bar: { atMost: 0 },
  },
  { name: 'sign requests that failed', value: cells.reduce((sum, { failed }) => sum + failed, 0), unit: 'requests' },
  ...['none', 'retry', 'evictSession', 'findHandle', 'login', 'reinitialise', 'restartWorker', 'operator'].map(
    (rung): Check => ({ name: `slowest to be well again: ${rung}`, value: slowest(cells, rung), unit: 'ms' }),
  ),
];
process.exitCode = reportEvidence(checks, { cells }, options.json) ? 0 : 1;
