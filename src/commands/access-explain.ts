/** `keyturn access explain`: who may do what by an access policy, and which lines of it say so; needs no daemon. */
import type { ClaimRules } from '../access/claim-rules.ts';
import type { Decision } from '../access/decision.ts';
import { decide, findStatements, type Question } from '../access/explain.ts';
import { METHOD_RULES } from '../access/methods.ts';
import type { AccessPolicy } from '../access/policy.ts';
import { formatDuration } from '../base/duration.ts';
import { KeyturnError } from '../base/errors.ts';
import { parseSigningKeyName } from '../base/ids.ts';
import { findPolicyFile, formatStatement, POLICY_OPTION } from './access-policy-file.ts';
import { type CommandSpec, isSwitchedOn, JSON_OPTION, textOption } from './command.ts';
import { EXIT } from './exit-code.ts';
import { formatFields, formatTable } from './table.ts';
import type { Terminal } from './terminal.ts';

interface Answer {
  readonly caller: string;
  readonly method: string;
  readonly decision: Decision;
  /** Places in the document, as text. */
  readonly because: readonly string[];
  /** What may be signed with: for an allowed SignJwt without a signing key. */
  readonly signingKeys: readonly string[] | undefined;
  /** What may be signed: for an allowed SignJwt with a signing key. */
  readonly claims: ClaimRules | undefined;
  /** Security officers that the command takes together; undefined: one. */
  readonly officers: number | undefined;
}

export const accessExplainCommand: CommandSpec = {
  name: 'access explain',
  summary: 'tell who may do what by the access policy, and which lines of it say so',
  options: [
    {
      flags: '--caller <caller>',
      description: 'a caller, or an identity such as dns:auth.example (default: every caller)',
    },
    {
      flags: '--action <method>',
      description: 'a gRPC method such as SignJwt or KeyAdminService/Rotate (default: every method)',
    },
    { flags: '--signing-key <name>', description: 'for SignJwt: the signing key' },
    POLICY_OPTION,
    JSON_OPTION,
  ],
  async run(context, { options }) {
    const { loadAccessPolicy } = await import('../config/access-policy-document.ts');
    const { findNamedCaller, parseAction } = await import('../config/access-cases-document.ts');
    const callerWord = textOption(options, 'caller');
    const action = textOption(options, 'action');
    const keyName = textOption(options, 'signingKey');
    if (callerWord === undefined && action === undefined)
      throw new KeyturnError('FIELD_INVALID', 'name --caller, --action or both', { field: '--caller' });
    const methods = action === undefined ? Object.keys(METHOD_RULES) : [parseAction(action, '--action')];
    const signingKey = keyName === undefined ? undefined : parseSigningKeyName(keyName, '--signing-key');
    const file = await findPolicyFile(context, options);
    const policy = await loadAccessPolicy(file);
    const callers = callerWord === undefined ? [...policy.rights.keys()] : [findNamedCaller(policy, callerWord)];
    const answers = callers.flatMap((caller) =>
      methods.map((method) => answer(policy, file, callerWord ?? '', { caller, method, signingKey, jwt: undefined })),
    );
    const isOne = callerWord !== undefined && action !== undefined;
    const isAllowed = answers.some(({ decision }) => decision.allowed);
    if (isSwitchedOn(options, 'json'))
      context.terminal.printJson({ file, sha256: policy.documentHash, answers: answers.map(toJson) });
    else if (isOne) for (const one of answers) printAnswer(context.terminal, one);
    else printTable(context.terminal, answers);
    return isOne && !isAllowed ? EXIT.refused : EXIT.ok;
  },
};

function answer(policy: AccessPolicy, file: string, word: string, question: Question): Answer {
  const { caller, method, signingKey } = question;
  const decision = decide(policy, question);
  const rights = caller === undefined ? undefined : policy.rights.get(caller);
  const name = method.split('/').at(-1) ?? '';
  return {
    caller: caller ?? word,
    method,
    decision,
    because: findStatements(policy, question).map((statement) => formatStatement(file, statement)),
    signingKeys:
      decision.allowed && name === 'SignJwt' && signingKey === undefined
        ? [...(rights?.signingKeys.keys() ?? [])]
        : undefined,
    claims: decision.allowed && signingKey !== undefined ? rights?.signingKeys.get(signingKey) : undefined,
    officers: decision.allowed
      ? [...policy.approvals].find(([approvable]) => approvable === name)?.[1].officers
      : undefined,
  };
}

function toJson({ claims, ...rest }: Answer): object {
  return claims === undefined
    ? rest
    : { ...rest, claims: { ...claims, sub: claims.sub?.map(({ pattern }) => pattern) } };
}

function printAnswer(
  terminal: Terminal,
  { caller, method, decision, because, signingKeys, claims, officers }: Answer,
): void {
  if (decision.allowed) terminal.print(`yes: ${caller} may call ${method}`);
  else terminal.print(`no: ${decision.message} (${decision.reason})`);
  for (const line of because) terminal.print(`  ${line}`);
  if (decision.allowed && because.length === 0) terminal.print('  every caller that the document names may');
  if (signingKeys !== undefined) terminal.print(`  signing keys: ${signingKeys.join(', ') || 'none'}`);
  if (officers !== undefined) terminal.print(`  it takes ${officers} security officers: approvals`);
  if (claims !== undefined) for (const line of formatFields(claimFields(claims))) terminal.print(`  ${line}`);
}

function claimFields({ iss, aud, typ, sub, required, forbidden, maxLifetimeMs }: ClaimRules): [string, string][] {
  return [
    ['iss', iss.join(' or ')],
    ['aud', `among ${aud.join(', ')}`],
    ['typ', typ.join(' or ')],
    ['sub', sub === undefined ? 'any, or none' : sub.map(({ pattern }) => pattern).join(' or ')],
    ['required', required.join(', ') || 'nothing more'],
    ['forbidden', forbidden.join(', ') || 'nothing'],
    ['lifetime', `at most ${formatDuration(maxLifetimeMs)}`],
  ];
}

function printTable(terminal: Terminal, answers: readonly Answer[]): void {
  const rows = answers.map(({ caller, method, decision, because }) => [
    caller,
    method.slice(1),
    decision.allowed ? 'yes' : `no (${decision.reason})`,
    because.map((line) => line.split(' ')[0] ?? '').join(' ') || '-',
  ]);
  for (const line of formatTable(['CALLER', 'METHOD', 'MAY', 'BECAUSE'], rows)) terminal.print(line);
}
