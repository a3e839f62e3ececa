/** A copy of the log as a new file that nobody else may read. Synchronous: used by whoever owns the database. */
import { closeSync, openSync, rmSync } from 'node:fs';
import type { openEventLog } from './event-log.ts';
import { FILE_MODE } from './open-database.ts';

/** What a crash left under that name is of no use to anybody. */
export function makeCopy(log: Pick<ReturnType<typeof openEventLog>, 'copyInto'>, copy: string): void {
  try {
    rmSync(copy, { force: true });
    closeSync(openSync(copy, 'wx', FILE_MODE));
    log.copyInto(copy);
  } catch (failure) {
    rmSync(copy, { force: true });
    throw failure;
  }
}
