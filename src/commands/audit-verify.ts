/** `keyturn audit verify`: whether an audit log is whole and unchanged, from its files, a public key and heads alone. */
import { formatHead } from '../audit/chain.ts';
import type { Problem, Verification } from '../audit/verify-chain.ts';
import { directoryOf, DIRECTORY_ARGUMENT, verificationJson, VERIFY_OPTIONS, verifyOptionsOf } from './audit-log.ts';
import { type CommandSpec, isSwitchedOn, JSON_OPTION } from './command.ts';
import { EXIT } from './exit-code.ts';
import { formatFields } from './table.ts';

export const auditVerifyCommand: CommandSpec = {
  name: 'audit verify',
  summary: 'check that an audit log is whole and unchanged; needs no daemon',
  arguments: [DIRECTORY_ARGUMENT],
  options: [...VERIFY_OPTIONS, JSON_OPTION],
  async run(context, input) {
    const directory = directoryOf(context, input);
    const options = await verifyOptionsOf(context, input.options);
    const { verifyLog } = await import('../audit/files/verify-log.ts');
    const verification = await verifyLog(directory, options);
    const { terminal } = context;
    if (isSwitchedOn(input.options, 'json')) {
      terminal.printJson(verificationJson(verification));
      return verification.problem === undefined ? EXIT.ok : EXIT.refused;
    }
    for (const line of describeVerification(verification)) terminal.print(line);
    for (const note of verification.notes) terminal.note(`note: ${note}`);
    if (options.key === undefined)
      terminal.hint('with --key, the public key of checkpoints, whoever can write the files can’t make them up');
    if (options.heads.length === 0)
      terminal.hint('with --head, a head from elsewhere, entries cut off at the end are found');
    if (verification.problem === undefined) return EXIT.ok;
    terminal.error(describeProblem(verification.problem));
    terminal.hint('keep the files as they are: docs/guides/audit-evidence.md says what to do next');
    return EXIT.refused;
  },
};

function describeVerification(verification: Verification): string[] {
  const { problem, entries, first, head, checkpoints, signedThrough, knownThrough } = verification;
  const vouched = (through: number | undefined): string =>
    through === undefined ? 'nothing' : `up to entry ${through}`;
  return [
    problem === undefined ? 'verified' : 'not verified',
    ...formatFields([
      ['entries', entries === 0 ? '0' : `${entries}, from ${first} to ${head.seq}`],
      ['head', formatHead(head)],
      ['checkpoints', String(checkpoints)],
      ['signed', vouched(signedThrough)],
      ['known', vouched(knownThrough)],
    ]).map((line) => `  ${line}`),
  ];
}

function describeProblem({ sequence, through, message }: Problem): string {
  return sequence === through
    ? `entry ${sequence} is the first that is bad: ${message}`
    : `the first bad entry is one of ${sequence} to ${through}: ${message}`;
}
