/**
 * One access rule per full gRPC method. A method without a row can't be called (implicit deny), and test/e2e walks the
 * table in both directions with every kind of caller.
 */

export const ROLES = ['signer', 'operator', 'auditor', 'securityOfficer'] as const;
export type Role = (typeof ROLES)[number];

/** `anyCaller`: any caller that the access policy document names. */
export type MethodRule = { readonly allow: 'anyCaller' } | { readonly allow: readonly Role[] };

const ADMINISTER: MethodRule = { allow: ['operator', 'securityOfficer'] };
const INSPECT: MethodRule = { allow: ['operator', 'auditor', 'securityOfficer'] };
const ANY_CALLER: MethodRule = { allow: 'anyCaller' };

export const METHOD_RULES: Readonly<Record<string, MethodRule>> = {
  '/keyturn.v1.SigningService/SignJwt': { allow: ['signer'] },
  '/keyturn.v1.SigningService/BatchSignJwt': { allow: ['signer'] },
  '/keyturn.v1.KeyAdminService/ApplySigningKey': ADMINISTER,
  '/keyturn.v1.KeyAdminService/GetSigningKey': INSPECT,
  '/keyturn.v1.KeyAdminService/ListSigningKeys': INSPECT,
  '/keyturn.v1.KeyAdminService/ListKeyVersions': INSPECT,
  '/keyturn.v1.KeyAdminService/Rotate': ADMINISTER,
  '/keyturn.v1.KeyAdminService/Suspend': ADMINISTER,
  '/keyturn.v1.KeyAdminService/Reactivate': ADMINISTER,
  '/keyturn.v1.KeyAdminService/Rollback': ADMINISTER,
  '/keyturn.v1.KeyAdminService/Retire': ADMINISTER,
  '/keyturn.v1.KeyAdminService/Unretire': ADMINISTER,
  '/keyturn.v1.KeyAdminService/ScheduleRotation': ADMINISTER,
  // Destructive: it ends keys for good, and can end signing.
  '/keyturn.v1.KeyAdminService/DeclareCompromised': { allow: ['securityOfficer'] },
  // Publishing a key is the power to forge; taking one away ends JWTs that others rely on.
  '/keyturn.v1.KeyAdminService/ImportPublicKey': { allow: ['securityOfficer'] },
  '/keyturn.v1.KeyAdminService/RemovePublicKey': { allow: ['securityOfficer'] },
  '/keyturn.v1.KeyAdminService/ListPublicKeys': INSPECT,
  '/keyturn.v1.KeyAdminService/Plan': INSPECT,
  '/keyturn.v1.KeySetService/GetKeySet': ANY_CALLER,
  '/keyturn.v1.KeySetService/WatchKeySet': ANY_CALLER,
  '/keyturn.v1.TokenService/GetTokenStatus': INSPECT,
  '/keyturn.v1.TokenService/RetryLogin': ADMINISTER,
  '/keyturn.v1.TokenService/Reconcile': INSPECT,
  '/keyturn.v1.TokenService/ResolveObject': { allow: ['securityOfficer'] },
  '/keyturn.v1.StoreService/BackUp': ADMINISTER,
  // It publishes keys and ends them for good.
  '/keyturn.v1.StoreService/Recover': { allow: ['securityOfficer'] },
  '/keyturn.v1.ApprovalService/Propose': { allow: ['securityOfficer'] },
  '/keyturn.v1.ApprovalService/Approve': { allow: ['securityOfficer'] },
  '/keyturn.v1.ApprovalService/CancelProposal': { allow: ['securityOfficer'] },
  '/keyturn.v1.ApprovalService/ListProposals': INSPECT,
  '/keyturn.v1.AuditService/GetCheckpoint': INSPECT,
  // Everything that every caller did.
  '/keyturn.v1.AuditService/ListEntries': { allow: ['auditor', 'securityOfficer'] },
  '/keyturn.v1.ClockService/GetClockStatus': INSPECT,
  '/keyturn.v1.ClockService/ConfirmClock': ADMINISTER,
  '/grpc.health.v1.Health/Check': ANY_CALLER,
  '/grpc.health.v1.Health/List': ANY_CALLER,
  '/grpc.health.v1.Health/Watch': ANY_CALLER,
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo': ANY_CALLER,
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': ANY_CALLER,
};
