/**
 * The simulated machine's audit log, as far as the store and it meet at a start (rule 9): how many events the store had at
 * the latest entry. Its chain and its files are tested elsewhere, and would be most of a simulation's work.
 */
import type { AuditLog } from '../../src/audit/audit-log.ts';
import type { AuditRecord } from '../../src/audit/entries.ts';

const HASH = 'A'.repeat(43);

/** What survives a crash. */
export class CountingAuditLog {
  #entries = 0;
  storeEvents: number | undefined;

  /** For one process. */
  open(): AuditLog {
    const head = { seq: this.#entries, hash: HASH };
    return {
      start: { head, storeEvents: this.storeEvents },
      append: (record) => Promise.resolve(this.#append(record)),
      requireWritable: () => undefined,
      status: () => ({
        head: { seq: this.#entries, hash: HASH },
        entries: this.#entries,
        bytes: 0,
        segments: 1,
        checkpoint: undefined,
        problem: undefined,
        refused: 0,
        lost: 0,
      }),
      read: () => {
        throw new TypeError('nothing is kept of the entries');
      },
      close: () => Promise.resolve(),
    };
  }

  #append(record: AuditRecord): number {
    this.#entries += 1;
    if ('storeEvents' in record) this.storeEvents = record.storeEvents;
    return this.#entries;
  }
}
