/** Cases for `keyturn access test` (YAML): questions to an access policy, and what its answers should be. */
import { z } from 'zod';
import { findMethods, type Question } from '../access/explain.ts';
import type { AccessPolicy } from '../access/policy.ts';
import { parseDuration } from '../base/duration.ts';
import { KeyturnError } from '../base/errors.ts';
import { parseSigningKeyName } from '../base/ids.ts';
import { isReason, type Reason } from '../base/reasons.ts';
import { parseClaims } from '../jose/claims.ts';
import { ConfigError, type ConfigProblem, formatPath } from './problems.ts';
import { invalid, list, member, text, toProblems } from './schema-parts.ts';
import { parseYaml, readDocumentFile } from './yaml-document.ts';

const MAX_CASES = 10_000;
const MAX_NAME_BYTES = 512;
const MAX_IDENTITY_BYTES = 2_048;
/** The most that a configuration can allow: how much this daemon takes isn't the access policy's business. */
const CLAIMS_LIMITS = { maxBytes: 65_536, maxDepth: 64 };

/** `refused`: for whatever reason. */
export type Expectation = 'allowed' | 'refused' | Reason;

export interface AccessCase {
  readonly name: string;
  readonly line: number;
  readonly expect: Expectation;
  /** Who asks: a caller's name, or one of its identities. */
  readonly caller: string;
  readonly question: Omit<Question, 'caller'>;
}

const caseSchema = z.strictObject({
  name: text(MAX_NAME_BYTES),
  caller: text(MAX_IDENTITY_BYTES),
  action: member(parseAction),
  signingKey: member(parseSigningKeyName).optional(),
  claims: z.record(z.string(), z.unknown()).optional(),
  typ: text(MAX_NAME_BYTES).default('JWT'),
  lifetime: member(parseDuration).optional(),
  expect: member((value, field): Expectation => {
    if (value === 'allowed' || value === 'refused') return value;
    if (typeof value === 'string' && isReason(value)) return value;
    throw invalid(`${field} must be allowed, refused, or a reason of docs/reference/errors.md`);
  }),
});

export const accessCasesSchema = z.strictObject({
  version: z.literal(1),
  cases: list(caseSchema, 1, MAX_CASES),
});

/** The full method. Errors: FIELD_INVALID. */
export function parseAction(value: unknown, field: string): string {
  const word = typeof value === 'string' ? value : '';
  const [method, ...others] = findMethods(word);
  if (method === undefined)
    throw invalid(`${field} must be a gRPC method such as SignJwt, KeyAdminService/Rotate or its full name`);
  if (others.length > 0)
    throw invalid(`${field} must be one method; ${word} can be ${[method, ...others].join(' or ')}`);
  return method;
}

/** A caller's name, whether the word is that or one of its identities; undefined when the document names neither. */
export function findNamedCaller({ callersByIdentity, rights }: AccessPolicy, word: string): Question['caller'] {
  const identity = word.startsWith('spiffe://') ? `spiffe:${word}` : word;
  return callersByIdentity.get(identity) ?? [...rights.keys()].find((caller) => caller === word);
}

/** Errors: CONFIG_INVALID, a ConfigError with every problem. */
export async function loadAccessCases(file: string): Promise<readonly AccessCase[]> {
  return parseAccessCases(await readDocumentFile(file), file);
}

/** Errors: CONFIG_INVALID, a ConfigError with every problem. `file` is for its message only. */
export function parseAccessCases(document: string, file = 'the cases'): readonly AccessCase[] {
  const { value, problems: yamlProblems, lineOf } = parseYaml(document);
  if (yamlProblems.length > 0) throw new ConfigError(file, yamlProblems);
  const parsed = accessCasesSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) throw new ConfigError(file, toProblems(parsed.error));
  const problems: ConfigProblem[] = [];
  const cases = parsed.data.cases.map((one, index): AccessCase => {
    const { name, caller, expect, action, signingKey } = one;
    const jwt = toJwt(one, (message) => problems.push({ path: formatPath(['cases', index, 'claims']), message }));
    const line = lineOf(['cases', index]);
    return { name, line, expect, caller, question: { method: action, signingKey, jwt } };
  });
  if (problems.length > 0) throw new ConfigError(file, problems);
  return cases;
}

/** Through JSON, as a caller would send it: what no daemon accepts is a mistake in the case. */
function toJwt(
  { claims, typ, lifetime }: z.infer<typeof caseSchema>,
  onProblem: (message: string) => void,
): Question['jwt'] {
  if (claims === undefined) return undefined;
  try {
    return { claims: parseClaims(Buffer.from(JSON.stringify(claims)), CLAIMS_LIMITS), typ, lifetimeMs: lifetime };
  } catch (error) {
    if (!(error instanceof KeyturnError)) throw error;
    onProblem(`${error.message} (${error.reason})`);
    return undefined;
  }
}
