/**
 * The thread that owns the database: node:sqlite is synchronous, and a durable commit waits for the disk. It opens the
 * file, says so, and then does one job after the other.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { openEventLog } from './event-log.ts';
import { makeCopy } from './make-copy.ts';
import { toRefusal } from './event-table.ts';
import type { Answer, Job, ThreadOptions } from './thread-messages.ts';

const port = parentPort;
if (port === null) throw new TypeError('the store thread is started by the store only');

const { file } = workerData as ThreadOptions;

function answer(message: Answer): void {
  port?.postMessage(message);
}

try {
  const events = openEventLog(file);
  port.on('message', (job: Job) => {
    try {
      switch (job.kind) {
        case 'load':
          answer({ kind: 'loaded', batch: events.loadAfter(job.after) });
          return;
        case 'commit':
          answer({
            kind: 'committed',
            outcomes: events.commitAll(job.commits),
            reservedEvents: events.reservedEvents,
          });
          return;
        case 'copy':
          makeCopy(events, job.copy);
          answer({ kind: 'copied' });
          return;
        case 'close':
          events.close();
          answer({ kind: 'closed' });
          port.close();
      }
    } catch (failure) {
      answer({ kind: 'refused', refusal: toRefusal(failure, file) });
      // A close that failed ends the thread all the same: the lock goes with it.
      if (job.kind === 'close') port.close();
    }
  });
  const { reserveProblem, reservedEvents } = events;
  answer({ kind: 'opened', reservedEvents, ...(reserveProblem === undefined ? {} : { reserveProblem }) });
} catch (failure) {
  answer({ kind: 'refused', refusal: toRefusal(failure, file) });
  port.close();
}
