/** `keyturn access check`: every problem of an access policy at once, and what it amounts to; needs no daemon. */
import type { AccessPolicy } from '../access/policy.ts';
import { findPolicyFile } from './access-policy-file.ts';
import { isSwitchedOn, JSON_OPTION, type CommandSpec } from './command.ts';
import { EXIT } from './exit-code.ts';
import { formatFields, formatTable } from './table.ts';

export const accessCheckCommand: CommandSpec = {
  name: 'access check',
  summary: 'find every problem in an access policy, and show who has which roles',
  arguments: [{ syntax: '[file]', description: "the access policy (default: the configuration's)" }],
  options: [JSON_OPTION],
  async run({ terminal, ...context }, { arguments: [named], options }) {
    const { loadAccessPolicy } = await import('../config/access-policy-document.ts');
    const { ConfigError, formatProblem } = await import('../config/problems.ts');
    const file = await findPolicyFile({ terminal, ...context }, options, named);
    const isJson = isSwitchedOn(options, 'json');
    let policy: AccessPolicy;
    try {
      policy = await loadAccessPolicy(file);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (isJson) {
        terminal.printJson({ ok: false, file, problems: error.problems });
        return EXIT.configuration;
      }
      for (const problem of error.problems) terminal.print(formatProblem(problem));
      terminal.error(`${error.problems.length} ${error.problems.length === 1 ? 'problem' : 'problems'} in ${file}`);
      terminal.hint('docs/reference/access-policy.md lists every member');
      return EXIT.configuration;
    }
    const callers = toCallerViews(policy);
    if (isJson) {
      terminal.printJson({ ok: true, file, sha256: policy.documentHash, callers });
      return EXIT.ok;
    }
    terminal.print(`${file} is good`);
    for (const line of formatFields([['sha256', policy.documentHash]])) terminal.print(line);
    const rows = callers.map(({ caller, roles, signingKeys, isDenied }) => [
      caller,
      isDenied ? 'denied everything' : roles.join(', ') || '-',
      signingKeys.join(', ') || '-',
    ]);
    for (const line of formatTable(['CALLER', 'ROLES', 'SIGNS WITH'], rows)) terminal.print(line);
    for (const { caller } of callers.filter(({ isUnmentioned }) => isUnmentioned))
      terminal.hint(`no grant is about ${caller}: it may read key sets and health, and nothing else`);
    return EXIT.ok;
  },
};

function toCallerViews({ rights }: AccessPolicy) {
  return [...rights].map(([caller, { isDenied, roles, signingKeys, statements }]) => ({
    caller,
    isDenied,
    roles: [...roles],
    signingKeys: [...signingKeys.keys()],
    isUnmentioned: statements.length === 0,
  }));
}
