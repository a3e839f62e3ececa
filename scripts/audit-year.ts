/**
 * `npm run audit-year -- --log DIRECTORY`: a year of the real application on a clock that is turned, its audit log in
 * files, verified, and its compliance report as docs/reference/sample-compliance-report.md.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { formatHead } from '../src/audit/chain.ts';
import { toCheckpointJwk } from '../src/audit/checkpoint-key.ts';
import { verifyLog } from '../src/audit/files/verify-log.ts';
import { segmentName } from '../src/audit/segments.ts';
import { playYear } from '../test/fixtures/audit-year.ts';
import { reportOf, toSample } from '../test/fixtures/audit-year-report.ts';

const SAMPLE = path.resolve(import.meta.dirname, '../docs/reference/sample-compliance-report.md');
const SEGMENT_LINES = 500;

const { values } = parseArgs({ options: { log: { type: 'string' } } });
const year = await playYear();
writeFileSync(SAMPLE, toSample(reportOf(year)));
console.error(`${year.lines.length} entries; the report is ${SAMPLE}`);

if (values.log !== undefined) {
  const directory = path.join(values.log, 'log');
  mkdirSync(directory, { recursive: true });
  for (let first = 0; first < year.lines.length; first += SEGMENT_LINES) {
    const lines = year.lines.slice(first, first + SEGMENT_LINES);
    writeFileSync(path.join(directory, segmentName(first + 1)), lines.map((line) => `${line}\n`).join(''));
  }
  writeFileSync(path.join(values.log, 'checkpoints.jwk'), JSON.stringify(toCheckpointJwk(year.key)));
  const { problem, head } = await verifyLog(directory, { key: year.key, heads: [year.head] });
  console.log(
    JSON.stringify({ verified: problem === undefined, entries: year.lines.length, head: formatHead(head), directory }),
  );
  process.exitCode = problem === undefined ? 0 : 1;
}
