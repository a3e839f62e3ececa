/**
 * Which calls have an entry in the audit log. Every method that isn't listed here as one that only looks: what is new is
 * audited unless somebody decides otherwise. The methods that sign have entries of their own, JWT by JWT.
 */

const LOOKS: ReadonlySet<string> = new Set([
  '/keyturn.v1.KeyAdminService/GetSigningKey',
  '/keyturn.v1.KeyAdminService/ListSigningKeys',
  '/keyturn.v1.KeyAdminService/ListKeyVersions',
  '/keyturn.v1.KeyAdminService/ListPublicKeys',
  '/keyturn.v1.KeyAdminService/Plan',
  '/keyturn.v1.KeySetService/GetKeySet',
  '/keyturn.v1.KeySetService/WatchKeySet',
  '/keyturn.v1.TokenService/GetTokenStatus',
  '/keyturn.v1.TokenService/Reconcile',
  '/keyturn.v1.ClockService/GetClockStatus',
  '/keyturn.v1.AuditService/GetCheckpoint',
  '/keyturn.v1.AuditService/ListEntries',
  '/keyturn.v1.ApprovalService/ListProposals',
]);

/** They take power away: what fails or delays the audit log must not keep a key in service (rule 7). */
const NARROWS: ReadonlySet<string> = new Set([
  '/keyturn.v1.KeyAdminService/DeclareCompromised',
  '/keyturn.v1.KeyAdminService/Suspend',
  '/keyturn.v1.KeyAdminService/Retire',
  '/keyturn.v1.KeyAdminService/RemovePublicKey',
  // What two officers decide may be a compromise.
  '/keyturn.v1.ApprovalService/Propose',
  '/keyturn.v1.ApprovalService/Approve',
]);

const SIGNS = '/keyturn.v1.SigningService/';
/** Health and reflection. */
const BORROWED = '/grpc.';

/** `waits`: it neither begins nor is answered without its entry; `narrows`: it waits for nothing. */
export function auditOf(method: string): 'waits' | 'narrows' | 'unaudited' {
  if (LOOKS.has(method) || method.startsWith(SIGNS) || method.startsWith(BORROWED)) return 'unaudited';
  return NARROWS.has(method) ? 'narrows' : 'waits';
}
