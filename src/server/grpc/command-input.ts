/** The requests of commands that can be proposed, as the application's commands: the same whether they come by themselves or wait. */
import type { CompromiseScope, DeclareCompromisedCommand, RecoverStoreCommand } from '../../app/application.ts';
import type { ResolveObjectCommand } from '../../app/proposals.ts';
import { KeyturnError } from '../../base/errors.ts';
import type { DeclareCompromisedRequest__Output } from '../../gen/keyturn/v1/DeclareCompromisedRequest.ts';
import type { RecoverRequest__Output } from '../../gen/keyturn/v1/RecoverRequest.ts';
import type { ResolveObjectRequest__Output } from '../../gen/keyturn/v1/ResolveObjectRequest.ts';
import { toProposed } from './signing-key-input.ts';
import { parseDurationMs } from './values.ts';

export function toDeclaration(
  request: DeclareCompromisedRequest__Output,
): Pick<DeclareCompromisedCommand, 'scope' | 'retain' | 'reason'> {
  const { retain, reason } = request;
  const scope = parseScope(request);
  if (reason.trim() === '')
    throw new KeyturnError('FIELD_INVALID', 'reason must say why: the declaration is final', { field: 'reason' });
  return { scope, retain, reason };
}

/** Nothing is withdrawn by omission: no scope, or `whole_token: false`, is a mistake and not a wish. */
function parseScope({ version, signingKey, wholeToken }: DeclareCompromisedRequest__Output): CompromiseScope {
  if (version !== undefined && version !== null) return { kind: 'version', ...version };
  if (signingKey !== undefined) return { kind: 'signingKey', signingKey };
  if (wholeToken === true) return { kind: 'token' };
  throw new KeyturnError('FIELD_INVALID', 'scope must be set: version, signing_key, or whole_token as true', {
    field: 'scope',
  });
}

export function toResolution({ ckaId, action, reason }: ResolveObjectRequest__Output): ResolveObjectCommand {
  if (action === 'RESOLVE_ACTION_UNSPECIFIED')
    throw new KeyturnError('FIELD_INVALID', 'action must be destroy or ignore', { field: 'action' });
  return { ckaId, action: action === 'RESOLVE_ACTION_DESTROY' ? 'destroy' : 'ignore', reason };
}

export function toRecovery(request: RecoverRequest__Output): Omit<RecoverStoreCommand, 'validateOnly' | 'etag'> {
  const { signingKeys, compromisedKids, keptKids, longestJwtLifetime, tokenRestored, reason } = request;
  return {
    signingKeys: signingKeys.map(toProposed),
    compromisedKids,
    keptKids,
    longestJwtLifetimeMs: parseDurationMs(longestJwtLifetime, 'longest_jwt_lifetime'),
    isTokenRestored: tokenRestored,
    reason,
  };
}
