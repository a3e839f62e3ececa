/** Adds up vitest's JSON reports. A file that could not even be loaded counts as one failed test. */

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

function failedOutsideOfTests({ testResults }: Report): number {
  return testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
}

export function countResults(reports: readonly string[]): Counts {
  let [passed, failed, skipped] = [0, 0, 0];
  for (const text of reports) {
    const report = JSON.parse(text) as Report;
    passed += report.numPassedTests;
    failed += report.numFailedTests + failedOutsideOfTests(report);
    skipped += report.numPendingTests + report.numTodoTests;
  }
  return { passed, failed, skipped };
}
