/** The access policy document (YAML) as the policy that access decides by. All problems are told at once. */
import type { Role } from '../access/methods.ts';
import type { AccessPolicy, CallerRights, ClaimRules } from '../access/policy.ts';
import { KeyturnError } from '../base/errors.ts';
import { type CallerName, parseCallerName, type SigningKeyName } from '../base/ids.ts';
import {
  type AccessPolicyDocument,
  accessPolicySchema,
  callerSchema,
  grantSchema,
  looseDocumentSchema,
} from './access-policy-schema.ts';
import { ConfigError, type ConfigProblem, formatPath } from './problems.ts';
import { toProblems } from './schema-parts.ts';
import { parseYaml, readDocumentFile } from './yaml-document.ts';

/** Errors: CONFIG_INVALID, a ConfigError with every problem. */
export async function loadAccessPolicy(file: string): Promise<AccessPolicy> {
  return parseAccessPolicy(await readDocumentFile(file), file);
}

/** Errors: CONFIG_INVALID, a ConfigError with every problem. `file` is for its message only. */
export function parseAccessPolicy(text: string, file = 'the access policy'): AccessPolicy {
  const { value, problems: yamlProblems } = parseYaml(text);
  if (yamlProblems.length > 0) throw new ConfigError(file, yamlProblems);
  const parsed = accessPolicySchema.safeParse(value, { reportInput: true });
  const shapeProblems = parsed.success ? [] : toProblems(parsed.error);
  const document = parsed.success ? parsed.data : salvage(value);
  const builder = new PolicyBuilder();
  builder.addCallers(document);
  builder.addGrants(document);
  const problems = [...shapeProblems, ...builder.problems];
  if (problems.length > 0) throw new ConfigError(file, problems);
  return { callersByIdentity: builder.callersByIdentity, rights: builder.rights };
}

/** Some grants may be missing, so that the others keep their places. */
interface PartialDocument {
  readonly callers: AccessPolicyDocument['callers'];
  readonly grants: readonly (AccessPolicyDocument['grants'][number] | undefined)[];
}

/** What is well-formed in a document that isn't as a whole: the checks across members go over it, too. */
function salvage(value: unknown): PartialDocument {
  const { callers, grants } = looseDocumentSchema.parse(value);
  return {
    callers: Object.fromEntries(
      Object.entries(callers).map(([name, caller]) => [
        name,
        callerSchema.safeParse(caller).data ?? { identities: [] },
      ]),
    ),
    grants: grants.map((grant) => grantSchema.safeParse(grant).data),
  };
}

interface RightsInTheMaking extends CallerRights {
  readonly roles: Set<Role>;
  readonly signingKeys: Map<SigningKeyName, ClaimRules>;
}

class PolicyBuilder {
  readonly problems: ConfigProblem[] = [];
  readonly callersByIdentity = new Map<string, CallerName>();
  readonly rights = new Map<CallerName, RightsInTheMaking>();

  addCallers({ callers }: PartialDocument): void {
    for (const [name, { identities }] of Object.entries(callers)) {
      const caller = this.#parseName(name);
      if (caller === undefined) continue;
      this.rights.set(caller, { roles: new Set(), signingKeys: new Map() });
      identities.forEach((identity, index) => {
        const other = this.callersByIdentity.get(identity);
        if (other === undefined) this.callersByIdentity.set(identity, caller);
        else this.#add(['callers', name, 'identities', index], `is an identity of caller ${other} already`);
      });
    }
  }

  addGrants({ grants }: PartialDocument): void {
    grants.forEach((grant, grantIndex) => {
      grant?.callers.forEach((caller, callerIndex) => {
        const rights = this.rights.get(caller);
        if (rights === undefined) {
          this.#add(['grants', grantIndex, 'callers', callerIndex], `no caller ${caller} stands under callers`);
          return;
        }
        rights.roles.add(grant.role);
        if (grant.signingKeys === undefined || grant.claims === undefined) return;
        const { maxLifetime, ...lists } = grant.claims;
        const rules: ClaimRules = { ...lists, maxLifetimeMs: maxLifetime };
        grant.signingKeys.forEach((signingKey, keyIndex) => {
          // Whether the rules add up or exclude each other would be a guess.
          if (rights.signingKeys.has(signingKey)) {
            this.#add(
              ['grants', grantIndex, 'signingKeys', keyIndex],
              `caller ${caller} has a grant for ${signingKey} already; make them one`,
            );
          }
          rights.signingKeys.set(signingKey, rules);
        });
      });
    });
  }

  #parseName(name: string): CallerName | undefined {
    try {
      return parseCallerName(name, 'a caller name');
    } catch (error) {
      if (!(error instanceof KeyturnError)) throw error;
      this.#add(['callers', name], error.message);
      return undefined;
    }
  }

  #add(path: readonly PropertyKey[], message: string): void {
    this.problems.push({ path: formatPath(path), message });
  }
}
