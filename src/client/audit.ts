/** The client's methods on the audit log: its lines, and where it ends. */
import { auditMethods } from './protos.ts';
import type { Transport } from './transport.ts';
import type { CallOptions } from './types.ts';

export interface AuditCheckpoint {
  /** SEQ:HASH of the latest entry. */
  readonly head: string;
  /** The line of the latest checkpoint, without its line feed; undefined before the first since the daemon started. */
  readonly checkpoint: string | undefined;
}

export interface AuditMethods {
  getCheckpoint(options?: CallOptions): Promise<AuditCheckpoint>;
  /**
   * The lines of the audit log as they are on the daemon's disk, in batches, without their line feeds, up to what is the
   * latest one when the call comes. `fromSequence`: 0, the default, is the first that is kept. Default deadline: 10 min.
   */
  listEntries(
    request?: { readonly fromSequence?: number | undefined },
    options?: CallOptions,
  ): AsyncIterable<readonly Uint8Array[]>;
}

const LIST_DEADLINE_MS = 600_000;

export function createAuditMethods(
  transport: Transport,
  toDeadlineMs: (options: CallOptions | undefined) => number,
): AuditMethods {
  return {
    async getCheckpoint(options) {
      const { head, checkpoint } = await transport.call(auditMethods.GetCheckpoint, {}, toDeadlineMs(options));
      return { head, checkpoint: checkpoint.length === 0 ? undefined : checkpoint.toString('utf8') };
    },
    async *listEntries({ fromSequence = 0 } = {}, { deadlineMs = LIST_DEADLINE_MS } = {}) {
      for await (const { lines } of transport.stream(auditMethods.ListEntries, { fromSequence }, { deadlineMs }))
        yield lines;
    },
  };
}
