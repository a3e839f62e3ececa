/**
 * One lock for all the HSM workers of a store: an exclusive flock(2) on a file that the daemon opens and every worker
 * inherits. The kernel keeps it until the last of them is gone, however they ended, so a new daemon can't work on the
 * token beside an orphan of a killed one. Node has no flock(2); util-linux's `flock` takes it on the inherited
 * descriptor, where it stays after that program has ended.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { KeyturnError, toKeyturnError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';

/** `flock` uses 1 for "somebody else has it". */
const EXIT_HELD = 1;
const CHILD_FD = 3;

const POLL_MS = 250;
const RETRY_MS = 1_000;
/** How long the workers of a killed daemon may take to end before the token counts as unavailable. */
const PATIENCE_MS = 15_000;

export interface LockWait {
  readonly file: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly isClosed: () => boolean;
  readonly sleep: (delayMs: number) => Promise<void>;
  readonly onProblem: (problem: KeyturnError) => void;
}

/** An open descriptor that holds the lock; undefined when the daemon ends first. */
export async function waitForLock({
  file,
  clock,
  log,
  isClosed,
  sleep,
  onProblem,
}: LockWait): Promise<number | undefined> {
  const startMs = clock.monotonicMs();
  let isTold = false;
  while (!isClosed()) {
    try {
      const fd = await tryLock(file);
      if (fd !== undefined) return fd;
      if (clock.monotonicMs() - startMs > PATIENCE_MS && !isTold) {
        isTold = true;
        const message = `HSM workers of an earlier daemon still hold ${file}; end them`;
        onProblem(new KeyturnError('WORKERS_STILL_RUNNING', message));
        log.error({ workerLockFile: file }, 'HSM workers of an earlier daemon are still running');
      }
      await sleep(POLL_MS);
    } catch (error) {
      onProblem(toKeyturnError(error));
      await sleep(RETRY_MS);
    }
  }
  return undefined;
}

/** An open descriptor that holds the lock; undefined when somebody else does. */
async function tryLock(file: string): Promise<number | undefined> {
  let fd: number;
  try {
    fd = openSync(file, 'a', 0o600);
  } catch (error) {
    throw new KeyturnError(
      'TOKEN_UNAVAILABLE',
      `the worker lock file ${file} can't be opened; check the directory of the store`,
      { cause: error },
    );
  }
  try {
    const exitCode = await exitCodeOf(
      spawn('flock', ['-x', '-n', String(CHILD_FD)], { stdio: ['ignore', 'ignore', 'ignore', fd] }),
    );
    if (exitCode === 0) return fd;
    if (exitCode === EXIT_HELD) {
      closeSync(fd);
      return undefined;
    }
    throw new KeyturnError('TOKEN_UNAVAILABLE', `flock ended with ${exitCode} on ${file}`);
  } catch (error) {
    closeSync(fd);
    if (error instanceof KeyturnError) throw error;
    throw new KeyturnError(
      'TOKEN_UNAVAILABLE',
      'the program flock is not installed (Debian: apt-get install util-linux)',
      { cause: error },
    );
  }
}

function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => {
      resolve(code ?? -1);
    });
  });
}
