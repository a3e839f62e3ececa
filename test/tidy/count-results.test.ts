/** The last line of scripts/test.sh tells the truth. */
import { describe, expect, it } from 'vitest';
import { countResults } from '../../scripts/lib/count-results.ts';

function report(passed: number, failed: number, pending: number, testResults: object[] = []): string {
  const counts = { numPassedTests: passed, numFailedTests: failed, numPendingTests: pending, numTodoTests: 0 };
  return JSON.stringify({ ...counts, testResults });
}

describe('the count of tests', () => {
  it('is the sum over all runs', () => {
    expect(countResults([report(10, 1, 2), report(5, 0, 1)])).toEqual({ passed: 15, failed: 1, skipped: 3 });
  });

  it('has a file that could not be loaded among the failures', () => {
    const broken = { status: 'failed', assertionResults: [] };
    expect(countResults([report(10, 0, 0, [broken])]).failed).toBe(1);
  });

  it('does not count a file twice whose tests failed', () => {
    const failing = { status: 'failed', assertionResults: [{ status: 'failed' }] };
    expect(countResults([report(10, 1, 0, [failing])]).failed).toBe(1);
  });
});
