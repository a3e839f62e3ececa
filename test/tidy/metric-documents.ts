/** Reads metric rows and alert rules out of the documents that the names file must agree with. */
import { parse } from 'yaml';
import { headingsOf } from './documents.ts';

/** `name kind labels…` of each row with a meaning. */
export function parseMetricRows(document: string): string[] {
  const rows = document.matchAll(/^\| `(keyturn_\w+)` \| (\w+) \|([^|]*)\| [^|]{10,} \|$/gm);
  return [...rows].map(
    ([, name = '', kind = '', labels = '']) =>
      `${name} ${kind} ${[...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label).join(' ')}`,
  );
}

export interface AlertRule {
  readonly alert?: string;
  readonly expr?: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The rules of all groups of a Prometheus rules file. */
export function parseAlerts(text: string): readonly AlertRule[] {
  const document = parse(text, { strict: true }) as { readonly groups: readonly { readonly rules: AlertRule[] }[] };
  return document.groups.flatMap(({ rules }) => rules);
}

/** Words of PromQL that look like names of metrics. */
const PROMQL_WORDS = new Set(
  'and or unless on ignoring group_left group_right by without bool sum max min avg count rate increase time offset histogram_quantile max_over_time abs'.split(
    ' ',
  ),
);
const RUNBOOK = /^(docs\/operate\/[a-z-]+\.md)#([a-z0-9-]+)$/;

export function findAlertProblems(
  rules: readonly AlertRule[],
  metrics: ReadonlyMap<string, readonly string[]>,
  readText: (file: string) => string | undefined,
): string[] {
  const names = rules.map(({ alert }) => alert);
  return rules.flatMap((rule, index) => {
    const where = rule.alert ?? `rule ${index}`;
    const problems = [...findExpressionProblems(rule.expr ?? '', metrics), ...findMissing(rule)];
    if (!/^Keyturn[A-Z]\w+$/.test(rule.alert ?? '')) problems.push('its name must begin with Keyturn');
    if (names.indexOf(rule.alert) < index) problems.push('there are two of that name');
    const link = rule.annotations?.['runbook'] ?? '';
    const [, file, heading] = RUNBOOK.exec(link) ?? [];
    const text = file === undefined ? undefined : readText(file);
    if (text === undefined || !headingsOf(text).includes(heading ?? '')) problems.push(`runbook ${link} leads nowhere`);
    return problems.map((problem) => `${where}: ${problem}`);
  });
}

function findMissing({ labels, annotations }: AlertRule): string[] {
  const problems: string[] = [];
  if (!['page', 'ticket'].includes(labels?.['severity'] ?? '')) problems.push('severity must be page or ticket');
  for (const name of ['summary', 'description', 'runbook'])
    if ((annotations?.[name] ?? '') === '') problems.push(`annotation ${name} is missing`);
  return problems;
}

function findExpressionProblems(expression: string, metrics: ReadonlyMap<string, readonly string[]>): string[] {
  const problems: string[] = [];
  if (!isBalanced(expression)) problems.push('its expression is not balanced');
  for (const [, name = '', selector = ''] of expression.matchAll(/\b([a-z]\w*)\{([^}]*)\}/g)) {
    for (const [, label = ''] of selector.matchAll(/(\w+)\s*[=!]~?/g))
      if (metrics.get(name)?.includes(label) !== true) problems.push(`${name} has no label ${label}`);
  }
  const words = expression
    .replace(/"[^"]*"|\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replace(/\b(?:by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .matchAll(/\b[a-z]\w*/g);
  for (const [word] of words) if (!PROMQL_WORDS.has(word) && !metrics.has(word)) problems.push(`${word} is no metric`);
  return problems;
}

function isBalanced(expression: string): boolean {
  let depth = 0;
  for (const character of expression) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0 && expression.trim() !== '';
}
