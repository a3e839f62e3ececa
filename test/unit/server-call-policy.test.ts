import { type ServerInterceptingCallInterface, status as grpcStatus } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import { parseAccessPolicy } from '../../src/config/access-policy-document.ts';
import { CallPolicy } from '../../src/server/grpc/call-policy.ts';
import { RateLimiter } from '../../src/server/grpc/rate-limiter.ts';
import { BoundedLog } from '../../src/server/telemetry/bounded-log.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { type LogLine, recordingLogger } from '../fixtures/recording-logger.ts';

const POLICY = parseAccessPolicy(
  JSON.stringify({
    version: 1,
    callers: { admin: { identities: ['unix:admin'] } },
    grants: [{ role: 'operator', callers: ['admin'] }],
  }),
);
const PATH = '/keyturn.v1.StoreService/BackUp';
type Status = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

/** What leaves, is counted and is logged when grpc-js itself ends a call of an allowed caller with this status. */
function send(status: Status): { sent: Status[]; counted: string[]; lines: LogLine[] } {
  const clock = new FakeClock(0);
  const [sent, counted, lines]: [Status[], string[], LogLine[]] = [[], [], []];
  const policy = new CallPolicy({
    identify: () => ({ kind: 'unix', name: 'admin' }),
    accessPolicy: () => POLICY,
    requests: new BoundedLog(clock, recordingLogger(lines)),
    rateLimiter: new RateLimiter(clock),
    onStatus: (_method, code) => counted.push(code),
  });
  const call = { sendStatus: (one: Status) => sent.push(one) } as unknown as ServerInterceptingCallInterface;
  policy.interceptor({ path: PATH } as Parameters<CallPolicy['interceptor']>[0], call);
  call.sendStatus(status);
  return { sent, counted, lines };
}

describe('a call that grpc-js ends', () => {
  it('is no error of ours when the caller went away in the middle of an answer', () => {
    const { sent, counted, lines } = send({
      code: grpcStatus.INTERNAL,
      details: 'Internal server error',
      metadata: null,
    });
    expect(sent).toMatchObject([{ code: grpcStatus.CANCELLED }]);
    expect(counted).toEqual(['CANCELLED']);
    expect(lines).toEqual([]);
  });

  it('is one when an answer can not be made, and the log has it', () => {
    const { sent, counted, lines } = send({
      code: grpcStatus.INTERNAL,
      details: 'Error serializing response',
      metadata: null,
    });
    expect(sent).toMatchObject([
      { code: grpcStatus.INTERNAL, details: expect.stringContaining('internal error') as string },
    ]);
    expect(counted).toEqual(['INTERNAL']);
    expect(lines).toMatchObject([{ level: 'error' }]);
  });

  it('is to blame on the request when that is malformed', () => {
    const details = 'Error deserializing request';
    expect(send({ code: grpcStatus.INTERNAL, details, metadata: null })).toMatchObject({
      counted: ['INVALID_ARGUMENT'],
      lines: [],
    });
  });
});

describe('a refusal in the audit log', () => {
  function refusedCallerOf(name: string): readonly string[] {
    const clock = new FakeClock(0);
    const callers: string[] = [];
    const policy = new CallPolicy({
      identify: () => ({ kind: 'unix', name }),
      accessPolicy: () => POLICY,
      requests: new BoundedLog(clock, recordingLogger([])),
      rateLimiter: new RateLimiter(clock),
      audit: { refused: ({ caller }) => callers.push(caller) },
    });
    const refusal = new KeyturnError('METHOD_NOT_PERMITTED', 'not with these roles');
    policy.toStatus(refusal, PATH, {} as ServerInterceptingCallInterface);
    return callers;
  }

  it('names the caller as the access policy does, like every other entry', () => {
    expect(refusedCallerOf('admin')).toEqual(['admin']);
  });

  it('has the identity of whom the access policy does not name', () => {
    expect(refusedCallerOf('stranger')).toEqual(['unix:stranger']);
  });
});
