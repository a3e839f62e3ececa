/** google.rpc.Status as bytes: pinned, and decoded by Google's own protobuf where Python has it. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import { PROTO_DIRECTORY, STATUS_DETAILS_TRAILER } from '../../src/base/proto-loading.ts';
import { REASONS, type Reason } from '../../src/base/reasons.ts';
import { toStatus } from '../../src/server/grpc/status.ts';
import { status } from '@grpc/grpc-js';

const PYTHON = '/usr/bin/python3';
const hasProtobuf = spawnSync(PYTHON, ['-c', 'import grpc_tools, google.protobuf']).status === 0;

const full = new KeyturnError('NOT_PROPAGATED', 'wait', {
  field: 'signing_key',
  retryAfterMs: 1_500,
  rule: 'announce-before-use',
  subject: 'access-tokens',
  allowedAtMs: 1_800_000_000_250,
});

function bytesOf(error: KeyturnError, correlationId?: string): Buffer {
  const [bytes] = toStatus(error, correlationId).metadata.get(STATUS_DETAILS_TRAILER);
  if (!Buffer.isBuffer(bytes)) throw new TypeError('no details');
  return bytes;
}

describe('status details', () => {
  it('are these bytes for a plain reason', () => {
    // code 5; message "no"; one Any of ErrorInfo{reason "SIGNING_KEY_NOT_FOUND", domain "keyturn"}
    const info = '0a155349474e494e475f4b45595f4e4f545f464f554e4412076b65797475726e';
    const type = Buffer.from('type.googleapis.com/google.rpc.ErrorInfo').toString('hex');
    expect(bytesOf(new KeyturnError('SIGNING_KEY_NOT_FOUND', 'no')).toString('hex')).toBe(
      `080512026e6f1a4c0a28${type}1220${info}`,
    );
  });

  it.skipIf(!hasProtobuf)("mean the same to Google's protobuf", () => {
    const {
      stdout,
      stderr,
      status: exitCode,
    } = spawnSync(PYTHON, ['-B', 'test/e2e/python/decode_status.py', PROTO_DIRECTORY], {
      input: bytesOf(full, 'id-1'),
    });
    expect([exitCode, stderr.toString()]).toEqual([0, '']);
    const type = (name: string): string => `type.googleapis.com/google.rpc.${name}`;
    expect(JSON.parse(stdout.toString())).toEqual({
      code: status.FAILED_PRECONDITION,
      message: 'wait',
      details: [
        {
          '@type': type('ErrorInfo'),
          reason: 'NOT_PROPAGATED',
          domain: 'keyturn',
          metadata: { subject: 'access-tokens', allowed_time: '2027-01-15T08:00:00.250Z', correlation_id: 'id-1' },
        },
        { '@type': type('BadRequest'), fieldViolations: [{ field: 'signing_key', description: 'wait' }] },
        { '@type': type('RetryInfo'), retryDelay: '1.500s' },
        {
          '@type': type('PreconditionFailure'),
          violations: [
            {
              type: 'announce-before-use',
              subject: 'access-tokens',
              description: 'wait; allowed at 2027-01-15T08:00:00.250Z',
            },
          ],
        },
      ],
    });
  });

  it('give every reason its own code', () => {
    for (const reason of Object.keys(REASONS) as Reason[]) {
      expect(status[toStatus(new KeyturnError(reason, 'x')).code]).toBe(REASONS[reason]);
    }
  });
});
