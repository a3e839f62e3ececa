/** A gRPC method that streams its answer, from an async iterable: what isn't read in time ends it. */
import type { EventEmitter } from 'node:events';
import type { handleServerStreamingCall, ServerWritableStream } from '@grpc/grpc-js';
import type { Clock } from '../../base/clock.ts';
import { KeyturnError } from '../../base/errors.ts';
import type { CallerName } from '../../base/ids.ts';
import { audited } from './audited-calls.ts';
import type { HandlerPorts } from './unary.ts';

/** How long a caller may take for what it was sent. */
const MAX_STALL_MS = 30_000;
const SETTLING = ['drain', 'cancelled', 'close'] as const;

export function serverStream<Request extends object, Response>(
  { clock, policy, audit }: HandlerPorts,
  open: (request: Request, caller: CallerName) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
  const pump = async (call: ServerWritableStream<Request, Response>): Promise<void> => {
    try {
      const { request } = call;
      const caller = policy.requireCaller(call);
      await audited(audit, { method: call.getPath(), caller, request }, () => send(call, open(request, caller), clock));
      call.end();
    } catch (thrown) {
      call.emit('error', policy.toStatus(thrown, call.getPath(), call));
    }
  };
  return (call) => {
    void pump(call);
  };
}

async function send<Request, Response>(
  call: ServerWritableStream<Request, Response>,
  responses: AsyncIterable<Response>,
  clock: Clock,
): Promise<void> {
  for await (const response of responses) {
    if (call.cancelled) return;
    if (!call.write(response)) await untilDrained(call, clock);
  }
}

/** Resolves when there is room again, or nobody is there any more. Errors: DEADLINE_EXCEEDED. */
function untilDrained(call: EventEmitter, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      for (const name of SETTLING) call.off(name, settle);
      cancel();
      resolve();
    };
    const cancel = clock.after(MAX_STALL_MS, () => {
      reject(new KeyturnError('DEADLINE_EXCEEDED', `the caller read nothing for ${MAX_STALL_MS / 1_000} s`));
    });
    for (const name of SETTLING) call.on(name, settle);
  });
}
