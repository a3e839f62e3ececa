/** A unary gRPC method from a plain function: request and context in, response or KeyturnError out. */
import type { handleUnaryCall, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type { Application } from '../../app/application.ts';
import type { AuditTrail } from '../../app/audit-trail.ts';
import type { Clock } from '../../base/clock.ts';
import type { CallerName } from '../../base/ids.ts';
import { audited } from './audited-calls.ts';
import type { CallPolicy } from './call-policy.ts';
import type { RpcStatus } from './status.ts';

/** What the service files need to make their handlers. */
export interface HandlerPorts {
  readonly app: Application;
  readonly clock: Clock;
  readonly policy: CallPolicy;
  /** Undefined where the audit log is off. */
  readonly audit: AuditTrail | undefined;
}

export interface CallContext {
  readonly caller: CallerName;
  /** Monotonic time in ms; absent when the caller set no deadline. */
  readonly deadlineMs: number | undefined;
  /** What one of several requests in the call failed with, as the caller gets it; noted as if it had been the call. */
  readonly toRpcStatus: (thrown: unknown) => RpcStatus;
}

export function unary<Request extends object, Response>(
  { clock, policy, audit }: HandlerPorts,
  handle: (request: Request, context: CallContext) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
  const answer = async (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): Promise<void> => {
    try {
      const { request } = call;
      const caller = policy.requireCaller(call);
      const method = call.getPath();
      const context: CallContext = {
        caller,
        deadlineMs: toDeadlineMs(call, clock),
        toRpcStatus: (thrown) => policy.toRpcStatus(thrown, method, call),
      };
      callback(null, await audited(audit, { method, caller, request }, () => handle(request, context)));
    } catch (thrown) {
      callback(policy.toStatus(thrown, call.getPath(), call));
    }
  };
  return (call, callback) => {
    void answer(call, callback);
  };
}

/** grpc-js turns grpc-timeout into a wall-clock time on arrival; the rest of keyturn knows monotonic deadlines. */
function toDeadlineMs(call: { getDeadline(): Date | number }, clock: Clock): number | undefined {
  const deadline = Number(call.getDeadline());
  return Number.isFinite(deadline) ? clock.monotonicMs() + (deadline - clock.wallMs()) : undefined;
}
