/** The access policy document (YAML) as the policy that access decides by. All problems are told at once. */
import { createHash } from 'node:crypto';
import type { AccessPolicy } from '../access/policy.ts';
import { PolicyBuilder, type PartialDocument } from './access-policy-builder.ts';
import {
  accessPolicySchema,
  approvalSchema,
  callerSchema,
  denialSchema,
  grantSchema,
  groupSchema,
  looseDocumentSchema,
} from './access-policy-schema.ts';
import { ConfigError } from './problems.ts';
import { toProblems } from './schema-parts.ts';
import { parseYaml, readDocumentFile } from './yaml-document.ts';

/** Errors: CONFIG_INVALID, a ConfigError with every problem. */
export async function loadAccessPolicy(file: string): Promise<AccessPolicy> {
  return parseAccessPolicy(await readDocumentFile(file), file);
}

/** Errors: CONFIG_INVALID, a ConfigError with every problem. `file` is for its message only. */
export function parseAccessPolicy(text: string, file = 'the access policy'): AccessPolicy {
  const { value, problems: yamlProblems, lineOf } = parseYaml(text);
  if (yamlProblems.length > 0) throw new ConfigError(file, yamlProblems);
  const parsed = accessPolicySchema.safeParse(value, { reportInput: true });
  const shapeProblems = parsed.success ? [] : toProblems(parsed.error);
  const builder = new PolicyBuilder(parsed.success ? parsed.data : salvage(value), lineOf);
  const problems = [...shapeProblems, ...builder.problems];
  if (problems.length > 0) throw new ConfigError(file, problems);
  const { callersByIdentity, rights, approvals } = builder;
  const documentHash = createHash('sha256').update(text).digest('hex');
  return { callersByIdentity, rights, approvals, documentHash };
}

/** What is well-formed in a document that isn't as a whole: the checks across members go over it, too. */
function salvage(value: unknown): PartialDocument {
  const { callers, groups, grants, denials, approvals } = looseDocumentSchema.parse(value);
  return {
    callers: mapValues(callers, (caller) => callerSchema.safeParse(caller).data ?? { identities: [] }),
    groups: mapValues(groups, (group) => groupSchema.safeParse(group).data ?? { callers: [] }),
    grants: grants.map((grant) => grantSchema.safeParse(grant).data),
    denials: denials.map((denial) => denialSchema.safeParse(denial).data),
    approvals: approvals.map((approval) => approvalSchema.safeParse(approval).data),
  };
}

function mapValues<T>(record: Readonly<Record<string, unknown>>, convert: (value: unknown) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, convert(value)]));
}
