/** A call of administration with its audit entry: who asked for what, in whose words, and how it ended. */
import { hash } from 'node:crypto';
import { auditOf } from '../../access/audited-methods.ts';
import type { AuditedCall, AuditTrail } from '../../app/audit-trail.ts';
import { toKeyturnError } from '../../base/errors.ts';
import type { CallerName } from '../../base/ids.ts';

export interface CallToAudit {
  /** Full, `/package.Service/Method`. */
  readonly method: string;
  readonly caller: CallerName;
  readonly request: object;
}

/** Errors: those of `handle`, and AUDIT_UNAVAILABLE where the entry must be there first. */
export async function audited<Response>(
  audit: AuditTrail | undefined,
  call: CallToAudit,
  handle: () => Response | Promise<Response>,
): Promise<Response> {
  const kind = auditOf(call.method);
  if (audit === undefined || kind === 'unaudited') return handle();
  if (kind === 'waits') audit.requireWritable();
  const end = async (outcome: Parameters<AuditTrail['called']>[1]): Promise<void> => {
    const ended = audit.called(toAuditedCall(call), outcome);
    // The log keeps it until the disk takes it.
    if (kind === 'narrows') void ended.catch(() => undefined);
    else await ended;
  };
  let response: Response;
  try {
    response = await handle();
  } catch (thrown) {
    // The failure is the answer, with or without its entry.
    await end(toKeyturnError(thrown).reason).catch(() => undefined);
    throw thrown;
  }
  await end('OK');
  return response;
}

/** The members that requests share, by their names; what has none of them is known by its hash. */
export function toAuditedCall({ method, caller, request }: CallToAudit): AuditedCall {
  const members: Readonly<Record<string, unknown>> = { ...request };
  const { signingKey, version } = members;
  const scope = isObject(version) ? version : {};
  const named = isObject(signingKey) ? signingKey['name'] : signingKey;
  return {
    caller,
    method,
    sha256: hash('sha256', JSON.stringify(request), 'base64url'),
    requestId: textOf(members['requestId']),
    signingKey: textOf(scope['signingKey']) ?? textOf(named),
    keySet: textOf(members['keySet']),
    version: numberOf(scope['version']) ?? numberOf(version),
    kid: textOf(members['kid']),
    validateOnly: members['validateOnly'] === true ? true : undefined,
    comment: textOf(members['reason']),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
