/**
 * The one form of evidence: people read lines, machines read exactly one JSON object
 * `{"ok", "checks": [{"name", "ok", "value", "unit", "bar"}], …details}`. A check without a bar informs and can't fail.
 */

export interface Check {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the value is held against; absent: a figure without a bar. */
  readonly bar?: { readonly atLeast: number } | { readonly atMost: number };
}

interface JudgedCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly value: number;
  readonly unit: string;
  readonly bar: string | null;
}

function judge(check: Check): JudgedCheck {
  const { name, unit, bar } = check;
  const value = Number(check.value.toPrecision(4));
  if (bar === undefined) return { name, ok: Number.isFinite(value), value, unit, bar: null };
  if ('atLeast' in bar) return { name, ok: check.value >= bar.atLeast, value, unit, bar: `>= ${bar.atLeast}` };
  return { name, ok: check.value <= bar.atMost, value, unit, bar: `<= ${bar.atMost}` };
}

/** Writes the evidence to stdout and returns whether all of it holds. No check at all is no evidence. */
export function reportEvidence(
  checks: readonly Check[],
  details: Readonly<Record<string, unknown>>,
  asJson: boolean,
): boolean {
  const judged = checks.map(judge);
  const ok = judged.length > 0 && judged.every((check) => check.ok);
  if (asJson) {
    process.stdout.write(`${JSON.stringify({ ok, checks: judged, ...details })}\n`);
    return ok;
  }
  for (const check of judged) {
    const bar = check.bar === null ? '' : `  (${check.bar} ${check.unit})`;
    process.stdout.write(`${check.ok ? 'ok  ' : 'FAIL'} ${check.name}: ${check.value} ${check.unit}${bar}\n`);
  }
  process.stdout.write(`${ok ? 'ok' : 'FAILED'}: ${judged.length} checks\n`);
  return ok;
}
