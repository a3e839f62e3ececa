/** What callers hear while the token can't be had, or the daemon ends. */
import { KeyturnError } from '../base/errors.ts';

export function unavailable(problem: KeyturnError | undefined): KeyturnError {
  const message =
    problem === undefined
      ? 'the token is being opened; try again later'
      : `the token is unavailable (${problem.reason}): ${problem.message}`;
  return new KeyturnError('TOKEN_UNAVAILABLE', message);
}

export function shuttingDown(): KeyturnError {
  return new KeyturnError('SHUTTING_DOWN', 'the daemon is shutting down; try again later');
}
