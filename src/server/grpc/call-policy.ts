/**
 * What every call passes before its handler: who calls, how often, and may that caller ask for this method. One interceptor in
 * front of all services, health, reflection and unknown methods included, before a byte of the request is read.
 * Also the one place where an error becomes a status, so that none leaves without details.
 */
import { randomUUID } from 'node:crypto';
import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type StatusObject,
  status as grpcStatus,
} from '@grpc/grpc-js';
import type { AuditTrail } from '../../app/audit-trail.ts';
import { METHOD_RULES } from '../../access/methods.ts';
import { type AccessPolicy, decideMethod, findCaller } from '../../access/policy.ts';
import { type CallerIdentity, formatIdentity } from '../../access/caller.ts';
import { KeyturnError, toKeyturnError } from '../../base/errors.ts';
import type { CallerName } from '../../base/ids.ts';
import { STATUS_DETAILS_TRAILER } from '../../base/proto-loading.ts';
import type { BoundedLog } from '../telemetry/bounded-log.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { type RpcStatus, toRpcStatus, toStatus } from './status.ts';

/** What grpc-js gives to interceptors and handlers alike. */
export type IdentifiableCall = Pick<ServerInterceptingCallInterface, 'getAuthContext'>;

export interface CallPolicyPorts {
  /** The caller as its listener established it. */
  readonly identify: (call: IdentifiableCall) => CallerIdentity | undefined;
  readonly accessPolicy: () => AccessPolicy;
  readonly requests: BoundedLog;
  readonly rateLimiter: RateLimiter;
  /** Absent where the audit log is off. */
  readonly audit?: Pick<AuditTrail, 'refused'> | undefined;
  /** Told each call's full method and status code, once. */
  readonly onStatus?: ((method: string, code: string) => void) | undefined;
}

export class CallPolicy {
  readonly #ports: CallPolicyPorts;

  constructor(ports: CallPolicyPorts) {
    this.#ports = ports;
  }

  /** The caller's name in the access policy. Errors: CALLER_UNKNOWN. */
  requireCaller(call: IdentifiableCall): CallerName {
    const caller = this.#findCaller(call);
    if (caller !== undefined) return caller;
    throw new KeyturnError(
      'CALLER_UNKNOWN',
      `the access policy names no caller for ${this.#describe(call)}; add it to the policy's callers`,
    );
  }

  /** One request of the caller's, be it a call or one of several in a call. Errors: RATE_LIMITED. */
  countRequest(caller: CallerName): void {
    const limit = this.#ports.accessPolicy().rights.get(caller)?.rateLimit;
    if (limit !== undefined) this.#ports.rateLimiter.requireRoom(caller, limit);
  }

  /** By the access policy in force now. Errors: CALLER_UNKNOWN, METHOD_NOT_FOUND, CALLER_DENIED, METHOD_NOT_PERMITTED. */
  requirePermitted(call: IdentifiableCall, path: string): void {
    const caller = this.requireCaller(call);
    if (!Object.hasOwn(METHOD_RULES, path)) {
      throw new KeyturnError('METHOD_NOT_FOUND', `there is no method ${path}; reflection lists what there is`);
    }
    const decision = decideMethod(this.#ports.accessPolicy(), caller, path);
    if (!decision.allowed)
      throw new KeyturnError(
        decision.reason,
        decision.message,
        decision.field === undefined ? {} : { field: decision.field },
      );
  }

  readonly interceptor: ServerInterceptor = ({ path }, call) => {
    const send = call.sendStatus.bind(call);
    // A call whose deadline has passed gets a status, and its handler sends another one later.
    let isCounted = false;
    // Own property, so that what grpc-js itself finds wrong (size, encoding, deadline) passes here too.
    call.sendStatus = (status) => {
      const sent = this.#explained(status, path, call);
      if (!isCounted) this.#ports.onStatus?.(path, grpcStatus[sent.code] ?? 'UNKNOWN');
      isCounted = true;
      send(sent);
    };
    try {
      this.#admit(call, path);
    } catch (thrown) {
      call.sendStatus(this.toStatus(thrown, path, call));
    }
    return new ServerInterceptingCall(call);
  };

  /** The status as it leaves: with details, whoever made it. */
  #explained(status: PartialStatus, path: string, call: IdentifiableCall): PartialStatus {
    if (status.code === grpcStatus.OK || hasDetails(status)) return status;
    // Nobody is there to read it, and nothing of ours failed.
    if (status.code === grpcStatus.INTERNAL && status.details === UNWRITABLE)
      return { code: grpcStatus.CANCELLED, details: 'the caller went away', metadata: null };
    return this.toStatus(explain(status), path, call);
  }

  /**
   * Any thrown value as a status. The log has what the daemon itself failed at, under the correlation id that the caller
   * gets, and who asked for what it may not have.
   */
  toStatus(thrown: unknown, method: string, call: IdentifiableCall): StatusObject {
    const { error, correlationId } = this.#note(thrown, method, call);
    return toStatus(error, correlationId);
  }

  /** The same for what one of several requests in a call failed with. */
  toRpcStatus(thrown: unknown, method: string, call: IdentifiableCall): RpcStatus {
    const { error, correlationId } = this.#note(thrown, method, call);
    return toRpcStatus(error, correlationId);
  }

  #note(
    thrown: unknown,
    method: string,
    call: IdentifiableCall,
  ): { readonly error: KeyturnError; readonly correlationId?: string } {
    const error = toKeyturnError(thrown);
    if (error.code === 'INTERNAL') {
      const correlationId = randomUUID();
      this.#ports.requests.error({ method, caller: this.#describe(call), correlationId, err: error }, 'request failed');
      return { error, correlationId };
    }
    if (error.code === 'PERMISSION_DENIED' || error.code === 'UNAUTHENTICATED') {
      const { reason, details } = error;
      const { subject, field } = details;
      const identity = this.#describe(call);
      this.#ports.requests.warn({ method, caller: identity, reason, subject, field }, 'request refused');
      // By the same name as in all other entries, where there is one.
      const caller = this.#findCaller(call) ?? identity;
      this.#ports.audit?.refused({ caller, method, reason, signingKey: subject });
    }
    return { error };
  }

  #admit(call: IdentifiableCall, path: string): void {
    this.countRequest(this.requireCaller(call));
    this.requirePermitted(call, path);
  }

  #findCaller(call: IdentifiableCall): CallerName | undefined {
    const identity = this.#ports.identify(call);
    return identity === undefined ? undefined : findCaller(this.#ports.accessPolicy(), identity);
  }

  #describe(call: IdentifiableCall): string {
    const identity = this.#ports.identify(call);
    return identity === undefined ? 'this connection' : formatIdentity(identity);
  }
}

type PartialStatus = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

function hasDetails({ metadata }: PartialStatus): boolean {
  return metadata !== null && metadata !== undefined && metadata.get(STATUS_DETAILS_TRAILER).length > 0;
}

/** What grpc-js says when a message of an answer can't be written because the caller has gone. */
const UNWRITABLE = 'Internal server error';

/** What grpc-js calls INTERNAL although the request is to blame. */
const MALFORMED = /^(?:Error deserializing request|Invalid grpc-timeout|Failed to decompress)/;

/** The errors that grpc-js makes around a handler, in our words. */
function explain({ code, details }: PartialStatus): KeyturnError {
  if (code === grpcStatus.RESOURCE_EXHAUSTED) {
    return new KeyturnError('REQUEST_TOO_LARGE', `the request is larger than the server accepts: ${details}`);
  }
  if (code === grpcStatus.DEADLINE_EXCEEDED) {
    return new KeyturnError('DEADLINE_EXCEEDED', "the caller's deadline passed before the answer was ready");
  }
  if (code === grpcStatus.UNIMPLEMENTED || (code === grpcStatus.INTERNAL && MALFORMED.test(details))) {
    return new KeyturnError('REQUEST_MALFORMED', `the request is not a gRPC request of this method: ${details}`);
  }
  return toKeyturnError(new Error(details));
}
