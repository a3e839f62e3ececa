/**
 * Prints `N passed, N failed, N skipped` over vitest's JSON reports, and exits with 0 only when tests ran and none
 * failed. A report that is missing (its run broke off) counts as one failure.
 *
 * usage: node scripts/count-tests.ts REPORT.json …
 */
import { existsSync, readFileSync } from 'node:fs';
import { countResults } from './lib/count-results.ts';

const files = process.argv.slice(2);
const present = files.filter((file) => existsSync(file));
const { passed, failed, skipped } = countResults(present.map((file) => readFileSync(file, 'utf8')));
const failures = failed + files.length - present.length;
console.log(`${passed} passed, ${failures} failed, ${skipped} skipped`);
process.exitCode = failures === 0 && passed > 0 ? 0 : 1;
