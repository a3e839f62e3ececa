/** docs/operate/alerts.yaml against the metrics that there are and the runbooks that it names. */
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { addProcessMetrics, createInstruments } from '../../src/server/telemetry/instruments.ts';
import { METRICS } from '../../src/server/telemetry/metric-names.ts';
import { findAlertProblems, parseAlerts } from './metric-documents.ts';
import { readFile } from './source-files.ts';

const ALERTS = parseAlerts(readFile('docs/operate/alerts.yaml').text);

/** Names as Prometheus stores them, with the labels that each has. */
function knownMetrics(): ReadonlyMap<string, readonly string[]> {
  const registry = new Registry();
  createInstruments(registry);
  addProcessMetrics(registry);
  const own = Object.values(METRICS).flatMap(({ name, kind, labels }): [string, readonly string[]][] =>
    kind === 'histogram'
      ? [
          [`${name}_bucket`, [...labels, 'le']],
          [`${name}_sum`, labels],
          [`${name}_count`, labels],
        ]
      : [[name, labels]],
  );
  const others = registry
    .getMetricsAsArray()
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('keyturn_'));
  // Prometheus itself makes `up` and the labels of the target.
  return new Map([...own, ...others.map((name): [string, string[]] => [name, []]), ['up', ['job']]]);
}

describe('docs/operate/alerts.yaml', () => {
  const readText = (file: string): string | undefined => {
    try {
      return readFile(file).text;
    } catch {
      return undefined;
    }
  };

  it('has rules that name metrics and labels that there are, a severity, words for people, and a runbook that exists', () => {
    expect(ALERTS.length).toBeGreaterThan(10);
    expect(findAlertProblems(ALERTS, knownMetrics(), readText)).toEqual([]);
  });

  it.each([
    ['an unknown metric', { expr: 'keyturn_planted > 0' }, 'keyturn_planted is no metric'],
    ['a label that the metric lacks', { expr: 'keyturn_sign_queue_depth{planted="x"} > 0' }, 'has no label planted'],
    ['an unbalanced expression', { expr: 'max(keyturn_sign_queue_depth > 0' }, 'is not balanced'],
    ['no severity', { labels: {} }, 'severity'],
    ['no runbook', { annotations: { summary: 'x' } }, 'runbook'],
    [
      'a runbook that leads nowhere',
      { annotations: { summary: 'x', runbook: 'docs/operate/rotation.md#planted' } },
      'planted',
    ],
  ])('would be found with %s', (_what, planted, problem) => {
    const [first] = ALERTS;
    const problems = findAlertProblems([{ ...first, ...planted }], knownMetrics(), readText);
    expect(problems.join('\n')).toContain(problem);
  });
});
