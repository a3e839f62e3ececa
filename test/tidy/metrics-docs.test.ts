/** docs/reference/metrics.md against the names file. */
import { describe, expect, it } from 'vitest';
import { METRICS } from '../../src/server/telemetry/metric-names.ts';
import { parseMetricRows } from './metric-documents.ts';
import { readFile } from './source-files.ts';

const DOCUMENT = readFile('docs/reference/metrics.md').text;

describe('docs/reference/metrics.md', () => {
  it('lists every metric with its kind and labels, and no other', () => {
    const fromCode = Object.values(METRICS).map(({ name, kind, labels }) => `${name} ${kind} ${labels.join(' ')}`);
    expect(parseMetricRows(DOCUMENT).toSorted()).toEqual(fromCode.toSorted());
  });

  it('would miss a metric that is only in the document, and one without a meaning', () => {
    expect(parseMetricRows('| `keyturn_planted` | gauge | `a`, `b` | Says something here. |')).toEqual([
      'keyturn_planted gauge a b',
    ]);
    expect(parseMetricRows('| `keyturn_planted` | gauge | | |')).toEqual([]);
  });
});

describe('the names file', () => {
  it('keeps to the conventions: one prefix, base units, _total for counters and for them only', () => {
    for (const { name, kind } of Object.values(METRICS)) {
      expect(name).toMatch(/^keyturn_[a-z]+(?:_[a-z]+)*$/);
      expect(name.endsWith('_total')).toBe(kind === 'counter');
      expect(name).not.toMatch(/_(?:ms|milliseconds|minutes|hours|days)\b/);
    }
  });

  it('has no label that a caller or a JWT could fill', () => {
    const allowed = [
      'signing_key',
      'key_set',
      'step',
      'reason',
      'state',
      'status',
      'method',
      'code',
      'kind',
      'rung',
      'result',
      // Of a checkpoint: one at a time.
      'hash',
      // Of the access policy, and only those with a rate limit.
      'caller',
      // Of the access policy in force: one at a time.
      'sha256',
      'part',
    ];
    for (const { labels } of Object.values(METRICS)) expect(allowed).toEqual(expect.arrayContaining([...labels]));
  });
});
