/** What a failed call becomes at the client, whatever stood between it and the daemon. */
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import { STATUS_DETAILS_TRAILER } from '../../src/base/proto-loading.ts';
import { REASONS, type Reason } from '../../src/base/reasons.ts';
import { statusCodecs } from '../../src/client/protos.ts';
import { fromServiceError } from '../../src/client/service-error.ts';
import { toStatus } from '../../src/server/grpc/status.ts';

function serviceError(code: status, details: string, bytes?: Buffer): ServiceError {
  const metadata = new Metadata();
  if (bytes !== undefined) metadata.set(STATUS_DETAILS_TRAILER, bytes);
  return Object.assign(new Error(details), { code, details, metadata });
}

function errorInfo(reason: string, domain: string): Buffer {
  const value = statusCodecs.ErrorInfo.serialize({ reason, domain, metadata: {} });
  return statusCodecs.Status.serialize({
    code: status.UNAVAILABLE,
    message: 'x',
    details: [{ type_url: 'type.googleapis.com/google.rpc.ErrorInfo', value }],
  });
}

describe('a failed call', () => {
  it('has the reason and the details that the daemon gave, for every reason', () => {
    const details = { field: 'f', retryAfterMs: 1_250, rule: 'r', allowedAtMs: 1_800_000_000_001, subject: 's' };
    for (const reason of Object.keys(REASONS) as Reason[]) {
      const { code, details: message, metadata } = toStatus(new KeyturnError(reason, 'why', details));
      const error = fromServiceError(Object.assign(new Error(message), { code, details: message, metadata }), 'here');
      expect(error).toMatchObject({ reason, message: 'why', details });
    }
  });

  it.each([
    [status.UNAVAILABLE, 'DAEMON_UNREACHABLE'],
    [status.DEADLINE_EXCEEDED, 'DEADLINE_EXCEEDED'],
    [status.CANCELLED, 'SHUTTING_DOWN'],
    [status.UNKNOWN, 'INTERNAL'],
  ])('without details was made on the way: code %d is %s', (code, reason) => {
    expect(fromServiceError(serviceError(code, 'x'), 'here').reason).toBe(reason);
  });

  it('with details that are not ours is judged by its code', () => {
    const unavailable = (bytes: Buffer): string =>
      fromServiceError(serviceError(status.UNAVAILABLE, 'x', bytes), 'here').reason;
    expect(unavailable(Buffer.from('not a message'))).toBe('DAEMON_UNREACHABLE');
    expect(unavailable(errorInfo('QUEUE_FULL', 'proxy.example'))).toBe('DAEMON_UNREACHABLE');
    expect(unavailable(Buffer.alloc(0))).toBe('DAEMON_UNREACHABLE');
  });

  it('of a newer daemon may have a reason that this client does not know', () => {
    expect(fromServiceError(serviceError(status.UNAVAILABLE, 'x', errorInfo('NEW', 'keyturn')), 'here').reason).toBe(
      'INTERNAL',
    );
  });
});
