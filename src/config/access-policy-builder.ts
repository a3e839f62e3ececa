/**
 * What the members of an access policy document mean together: identities to callers, groups to their members, grants
 * to rights, and off them what the denials take, whichever stands first.
 */
import type { ApprovableMethod } from '../access/approval-log.ts';
import { type ApprovalRule, MAX_OFFICERS } from '../access/approvals.ts';
import type { ClaimRules } from '../access/claim-rules.ts';
import { compileGlob } from '../access/glob.ts';
import { ROLES, type Role } from '../access/methods.ts';
import type { CallerRights, RateLimit, Statement } from '../access/policy.ts';
import { KeyturnError } from '../base/errors.ts';
import { type CallerName, type GroupName, parseCallerName, parseGroupName, type SigningKeyName } from '../base/ids.ts';
import type {
  AccessPolicyDocument,
  ApprovalDocument,
  CallerDocument,
  DenialDocument,
  GrantDocument,
} from './access-policy-schema.ts';
import { type ConfigProblem, formatPath } from './problems.ts';
import type { ParsedYaml } from './yaml-document.ts';

/** Grants and denials may be missing, so that the others keep their places. */
export interface PartialDocument extends Pick<AccessPolicyDocument, 'callers' | 'groups'> {
  readonly grants: readonly (GrantDocument | undefined)[];
  readonly denials: readonly (DenialDocument | undefined)[];
  readonly approvals: readonly (ApprovalDocument | undefined)[];
}

interface RightsInTheMaking extends CallerRights {
  isDenied: boolean;
  readonly roles: Set<Role>;
  readonly signingKeys: Map<SigningKeyName, ClaimRules>;
  readonly statements: Statement[];
}

type Path = readonly (string | number)[];

export class PolicyBuilder {
  readonly problems: ConfigProblem[] = [];
  readonly callersByIdentity = new Map<string, CallerName>();
  readonly rights = new Map<CallerName, RightsInTheMaking>();
  readonly approvals = new Map<ApprovableMethod, ApprovalRule>();
  readonly #groups = new Map<GroupName, readonly CallerName[]>();
  readonly #lineOf: ParsedYaml['lineOf'];

  constructor({ callers, groups, grants, denials, approvals }: PartialDocument, lineOf: ParsedYaml['lineOf']) {
    this.#lineOf = lineOf;
    for (const [name, caller] of Object.entries(callers)) this.#addCaller(name, caller);
    for (const [name, group] of Object.entries(groups)) this.#addGroup(name, group.callers);
    for (const [index, grant] of grants.entries()) {
      if (grant !== undefined) this.#addGrant(grant, ['grants', index]);
    }
    for (const [index, denial] of denials.entries()) {
      if (denial !== undefined) this.#addDenial(denial, ['denials', index]);
    }
    // Of a document in which grants are malformed nobody knows how many officers it names.
    const officers = grants.includes(undefined) ? MAX_OFFICERS : this.#countOfficers();
    for (const [index, approval] of approvals.entries()) {
      if (approval !== undefined) this.#addApproval(approval, officers, ['approvals', index]);
    }
  }

  #addCaller(name: string, { identities, rateLimit }: CallerDocument): void {
    const caller = this.#attempt(['callers', name], () => parseCallerName(name, 'a caller name'));
    if (caller === undefined) return;
    this.rights.set(caller, {
      isDenied: false,
      roles: new Set(),
      signingKeys: new Map(),
      rateLimit: toRateLimit(rateLimit),
      statements: [],
    });
    for (const [index, identity] of identities.entries()) {
      const other = this.callersByIdentity.get(identity);
      if (other === undefined) this.callersByIdentity.set(identity, caller);
      else this.#add(['callers', name, 'identities', index], `is an identity of caller ${other} already`);
    }
  }

  #addGroup(name: string, callers: readonly CallerName[]): void {
    const group = this.#attempt(['groups', name], () => parseGroupName(name, 'a group name'));
    if (group === undefined) return;
    for (const [index, caller] of callers.entries()) this.#requireRights(caller, ['groups', name, 'callers', index]);
    this.#groups.set(group, callers);
  }

  #addGrant(grant: GrantDocument, path: Path): void {
    const { role, signingKeys, claims } = grant;
    const rules = claims === undefined ? undefined : toClaimRules(claims);
    for (const { caller, rights, group } of this.#concerned(grant, path)) {
      rights.statements.push({ effect: 'grant', place: this.#place(path), group, roles: [role], signingKeys });
      rights.roles.add(role);
      if (signingKeys === undefined || rules === undefined) continue;
      for (const [index, signingKey] of signingKeys.entries()) {
        // Whether the rules add up or exclude each other would be a guess.
        if (rights.signingKeys.has(signingKey)) {
          const message = `caller ${caller} has a grant for ${signingKey} already; make them one`;
          this.#add([...path, 'signingKeys', index], message);
        }
        rights.signingKeys.set(signingKey, rules);
      }
    }
  }

  #addDenial(denial: DenialDocument, path: Path): void {
    const { roles, signingKeys } = denial;
    const isTotal = roles === undefined && signingKeys === undefined;
    for (const { rights, group } of this.#concerned(denial, path)) {
      rights.statements.push({ effect: 'denial', place: this.#place(path), group, roles, signingKeys });
      if (isTotal) rights.isDenied = true;
      for (const role of isTotal ? ROLES : (roles ?? [])) rights.roles.delete(role);
      if (!rights.roles.has('signer')) rights.signingKeys.clear();
      for (const signingKey of signingKeys ?? []) rights.signingKeys.delete(signingKey);
    }
  }

  #addApproval({ methods, officers, expiry }: ApprovalDocument, granted: number, path: Path): void {
    // A command that nobody could ever get approved is a mistake that is found in an emergency.
    if (officers > granted) {
      const message = `asks for ${officers} security officers, and the grants name ${granted}`;
      this.#add([...path, 'officers'], message);
    }
    for (const [index, method] of methods.entries()) {
      if (this.approvals.has(method))
        this.#add([...path, 'methods', index], `${method} stands in another entry already`);
      this.approvals.set(method, { officers, expiryMs: expiry });
    }
  }

  /** Before the denials: one that shuts an officer out must not make the document unusable in the middle of an incident. */
  #countOfficers(): number {
    const isOfficer = ({ effect, roles = [] }: Statement): boolean =>
      effect === 'grant' && roles.includes('securityOfficer');
    return [...this.rights.values()].filter(({ statements }) => statements.some(isOfficer)).length;
  }

  /** Each caller once for each way in which the grant or denial names it. */
  #concerned(
    { callers = [], groups = [] }: Pick<GrantDocument, 'callers' | 'groups'>,
    path: Path,
  ): { readonly caller: CallerName; readonly rights: RightsInTheMaking; readonly group: GroupName | undefined }[] {
    const named = callers.map((caller, index) => ({ caller, group: undefined, path: [...path, 'callers', index] }));
    const grouped = groups.flatMap((group, index) => {
      const members = this.#groups.get(group);
      if (members === undefined) this.#add([...path, 'groups', index], `no group ${group} stands under groups`);
      return (members ?? []).map((caller) => ({ caller, group, path: undefined }));
    });
    return [...named, ...grouped].flatMap(({ caller, group, path: where }) => {
      const rights = where === undefined ? this.rights.get(caller) : this.#requireRights(caller, where);
      return rights === undefined ? [] : [{ caller, rights, group }];
    });
  }

  #requireRights(caller: CallerName, path: Path): RightsInTheMaking | undefined {
    const rights = this.rights.get(caller);
    if (rights === undefined) this.#add(path, `no caller ${caller} stands under callers`);
    return rights;
  }

  #place(path: Path): Statement['place'] {
    return { path: formatPath(path), line: this.#lineOf(path) };
  }

  #attempt<T>(path: Path, parse: () => T): T | undefined {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof KeyturnError)) throw error;
      this.#add(path, error.message);
      return undefined;
    }
  }

  #add(path: Path, message: string): void {
    this.problems.push({ path: formatPath(path), message });
  }
}

function toClaimRules({
  iss,
  aud,
  typ,
  sub,
  required = [],
  forbidden = [],
  maxLifetime,
}: NonNullable<GrantDocument['claims']>): ClaimRules {
  return {
    iss,
    aud,
    typ,
    sub: sub?.map(compileGlob),
    required,
    forbidden,
    maxLifetimeMs: maxLifetime,
  };
}

/** A second's worth may come at once unless the document says otherwise. */
function toRateLimit(document: CallerDocument['rateLimit']): RateLimit | undefined {
  if (document === undefined) return undefined;
  const { maxRequestsPerSecond, burst = maxRequestsPerSecond } = document;
  return { maxRequestsPerSecond, burst };
}
