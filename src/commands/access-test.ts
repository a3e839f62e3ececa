/** `keyturn access test`: an access policy against a table of cases, for pipelines; needs no daemon. */
import path from 'node:path';
import type { Decision } from '../access/decision.ts';
import { decide, findStatements } from '../access/explain.ts';
import { findPolicyFile, formatStatement, POLICY_OPTION } from './access-policy-file.ts';
import { type CommandSpec, isSwitchedOn, JSON_OPTION } from './command.ts';
import { EXIT } from './exit-code.ts';

export const accessTestCommand: CommandSpec = {
  name: 'access test',
  summary: 'hold an access policy against a file of cases; fails when one is decided differently',
  arguments: [{ syntax: '<cases>', description: 'the file of cases (YAML)' }],
  options: [POLICY_OPTION, JSON_OPTION],
  async run(context, { arguments: [named = ''], options }) {
    const { loadAccessPolicy } = await import('../config/access-policy-document.ts');
    const { findNamedCaller, loadAccessCases } = await import('../config/access-cases-document.ts');
    const casesFile = path.resolve(context.workingDirectory, named);
    const cases = await loadAccessCases(casesFile);
    const file = await findPolicyFile(context, options);
    const policy = await loadAccessPolicy(file);
    const results = cases.map(({ name, line, expect, caller, question }) => {
      const whole = { ...question, caller: findNamedCaller(policy, caller) };
      const decision = decide(policy, whole);
      const because = findStatements(policy, whole).map((statement) => formatStatement(file, statement));
      return { name, line, expect, ok: isAsExpected(decision, expect), decision, because };
    });
    const failed = results.filter(({ ok }) => !ok);
    const { terminal } = context;
    if (isSwitchedOn(options, 'json')) {
      terminal.printJson({ ok: failed.length === 0, file, sha256: policy.documentHash, cases: results });
      return failed.length === 0 ? EXIT.ok : EXIT.refused;
    }
    for (const { name, line, expect, decision, because } of failed) {
      terminal.print(`${path.basename(casesFile)}:${line}  ${name}`);
      terminal.print(`  expected: ${expect}`);
      terminal.print(`  decided:  ${describe(decision)}`);
      for (const reason of because) terminal.print(`  ${reason}`);
    }
    terminal.print(`${results.length - failed.length} of ${results.length} cases as expected`);
    if (failed.length > 0) terminal.error(`${file} decides ${failed.length} of ${results.length} cases differently`);
    return failed.length === 0 ? EXIT.ok : EXIT.refused;
  },
};

function isAsExpected(decision: Decision, expect: string): boolean {
  if (decision.allowed || expect === 'allowed') return decision.allowed && expect === 'allowed';
  return expect === 'refused' || expect === decision.reason;
}

function describe(decision: Decision): string {
  return decision.allowed ? 'allowed' : `${decision.reason}: ${decision.message}`;
}
