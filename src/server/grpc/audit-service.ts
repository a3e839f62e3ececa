/** keyturn.v1.AuditService. */
import type { AuditTrail } from '../../app/audit-trail.ts';
import { formatHead } from '../../audit/chain.ts';
import { KeyturnError } from '../../base/errors.ts';
import type { AuditServiceHandlers } from '../../gen/keyturn/v1/AuditService.ts';
import type { GetCheckpointRequest__Output } from '../../gen/keyturn/v1/GetCheckpointRequest.ts';
import type { GetCheckpointResponse } from '../../gen/keyturn/v1/GetCheckpointResponse.ts';
import type { ListEntriesRequest__Output } from '../../gen/keyturn/v1/ListEntriesRequest.ts';
import type { ListEntriesResponse } from '../../gen/keyturn/v1/ListEntriesResponse.ts';
import { serverStream } from './server-stream.ts';
import { type HandlerPorts, unary } from './unary.ts';

export function createAuditService(ports: HandlerPorts): AuditServiceHandlers {
  const requireTrail = (): AuditTrail => {
    if (ports.audit !== undefined) return ports.audit;
    throw new KeyturnError('COMMAND_NOT_POSSIBLE', 'this daemon keeps no audit log (audit.enabled is false)');
  };
  return {
    GetCheckpoint: unary(ports, (_request: GetCheckpointRequest__Output): GetCheckpointResponse => {
      const { head, checkpoint } = requireTrail().status();
      return { head: formatHead(head), checkpoint: Buffer.from(checkpoint?.line ?? '') };
    }),

    ListEntries: serverStream(ports, ({ fromSequence }: ListEntriesRequest__Output) =>
      toResponses(requireTrail().read(fromSequence)),
    ),
  };
}

async function* toResponses(batches: AsyncIterable<readonly Uint8Array[]>): AsyncIterable<ListEntriesResponse> {
  for await (const lines of batches) yield { lines: lines.map((line) => Buffer.from(line)) };
}
