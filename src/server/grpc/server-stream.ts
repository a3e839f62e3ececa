/**
 * A gRPC method that streams its answer, from an async iterable: what isn't read in time ends it. The next message is
 * asked for when the one before is on its way, so that nothing queues here.
 */
import { type handleServerStreamingCall, Metadata, type ServerWritableStream } from '@grpc/grpc-js';
import type { Clock } from '../../base/clock.ts';
import { KeyturnError } from '../../base/errors.ts';
import type { CallerName } from '../../base/ids.ts';
import { audited } from './audited-calls.ts';
import type { HandlerPorts } from './unary.ts';

/** How long a caller may take for what it was sent. */
const MAX_STALL_MS = 30_000;

export interface StreamContext {
  readonly caller: CallerName;
  /** Aborted once, when the call is over in whatever way: its end has left, or nobody is there any more. */
  readonly closed: AbortSignal;
  /** Lets the caller know that the stream is open, though its first message may be long in coming. */
  readonly accept: () => void;
  /** Errors: what a new call of this caller would be refused with now. */
  readonly requirePermitted: () => void;
}

export function serverStream<Request extends object, Response>(
  { clock, policy, audit }: HandlerPorts,
  open: (request: Request, stream: StreamContext) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
  const pump = async (call: ServerWritableStream<Request, Response>): Promise<void> => {
    const method = call.getPath();
    try {
      const { request } = call;
      const stream: StreamContext = {
        caller: policy.requireCaller(call),
        closed: closedSignal(call),
        accept: () => {
          call.sendMetadata(new Metadata());
        },
        requirePermitted: () => {
          policy.requirePermitted(call, method);
        },
      };
      await audited(audit, { method, caller: stream.caller, request }, () => send(call, open(request, stream), clock));
      call.end();
    } catch (thrown) {
      call.emit('error', policy.toStatus(thrown, method, call));
    }
  };
  return (call) => {
    void pump(call);
  };
}

/** grpc-js destroys the call when it is cancelled, when its connection is lost, and after its status. */
function closedSignal(call: ServerWritableStream<unknown, unknown>): AbortSignal {
  const closing = new AbortController();
  call.once('close', () => {
    closing.abort();
  });
  return closing.signal;
}

async function send<Request, Response>(
  call: ServerWritableStream<Request, Response>,
  responses: AsyncIterable<Response>,
  clock: Clock,
): Promise<void> {
  for await (const response of responses) {
    await written(call, response, clock);
    if (call.destroyed) return;
  }
}

/** Resolves when the message is on its way, or nobody is there any more. Errors: DEADLINE_EXCEEDED. */
function written<Response>(
  call: ServerWritableStream<unknown, Response>,
  response: Response,
  clock: Clock,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      call.off('close', settle);
      cancel();
      resolve();
    };
    const cancel = clock.after(MAX_STALL_MS, () => {
      call.off('close', settle);
      reject(new KeyturnError('DEADLINE_EXCEEDED', `the caller read nothing for ${MAX_STALL_MS / 1_000} s`));
    });
    call.on('close', settle);
    call.write(response, settle);
  });
}
