/**
 * The proof of the lifecycle, in short: some decades of it, the rules of others, and keyturn without each of its rules.
 * The long run is `npm run sim -- --years 10000`.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { COUNTED } from './counts.ts';
import { RULE_REMOVALS } from './rule-removals.ts';
import { VERIFIER_KINDS } from './verifiers.ts';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('../../scripts/sim.ts', import.meta.url));
const YEARS_WITHOUT_A_RULE = 300;

interface Evidence {
  readonly ok: boolean;
  readonly checks: readonly { readonly name: string; readonly value: number }[];
  readonly counts: Readonly<Record<string, number>>;
  readonly verifications: Readonly<Record<string, number>>;
  readonly story?: readonly string[];
}

async function sim(...options: string[]): Promise<{ readonly code: number; readonly evidence: Evidence }> {
  const done = await run(process.execPath, [SCRIPT, '--json', ...options]).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (failure: unknown) => failure as { code: number; stdout: string },
  );
  return { code: done.code, evidence: JSON.parse(done.stdout) as Evidence };
}

const endOf = ({ story = [] }: Evidence): string => story.at(-1) ?? '';

describe.concurrent('keyturn', () => {
  it('keeps every invariant over decades of rotations, commands, crashes and faults', async () => {
    const { code, evidence } = await sim('--years', '40', '--seed', '2026');
    expect(evidence.story?.join('\n')).toBeUndefined();
    expect(code).toBe(0);
    for (const name of COUNTED) expect(evidence.counts[name], name).toBeGreaterThan(0);
    for (const kind of VERIFIER_KINDS) expect(evidence.verifications[kind], kind).toBeGreaterThan(0);
  });

  it('does the same again from the same seed', async () => {
    const options = ['--years', '1', '--seed', '5'];
    const [first, second] = [await sim(...options), await sim(...options)];
    expect(first.evidence.counts).toEqual(second.evidence.counts);
    expect(first.evidence.verifications).toEqual(second.evidence.verifications);
  });

  it.each(RULE_REMOVALS.filter(({ focus }) => focus !== undefined).map(({ name }) => name))(
    'holds in the worlds in which the rule %s matters most',
    async (name) => {
      const { code, evidence } = await sim('--focus', name, '--years', '5');
      expect(evidence.story?.join('\n')).toBeUndefined();
      expect(code).toBe(0);
    },
  );
});

describe.concurrent('the rotation rules of others', () => {
  it.each(['hydra', 'openbao', 'spire'])('of %s end with a counter-example', async (rules) => {
    const { code, evidence } = await sim('--rules', rules, '--years', '50');
    expect(code).toBe(1);
    expect(endOf(evidence)).toMatch(/VIOLATION \(verifiable\): the verifier .* meets a JWT/);
  });
});

describe.concurrent('keyturn without a rule', () => {
  it.each(RULE_REMOVALS)('$name ends with a counter-example: $means', async ({ name, breaks }) => {
    const { code, evidence } = await sim('--without', name, '--years', String(YEARS_WITHOUT_A_RULE));
    const violation = /VIOLATION \(([a-z-]+)\)/.exec(endOf(evidence))?.[1];
    expect([breaks].flat(), endOf(evidence)).toContain(violation);
    expect(code).toBe(1);
  });
});
