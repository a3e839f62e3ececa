/**
 * The log port on pino: one JSON object a line on stderr. Written without waiting for whoever reads it; what is still
 * buffered when the process ends by itself is written then (process.exit can lose the last 16 KiB). Whatever is named like a secret is cut out, at any of the depths that keyturn logs at.
 */
import { type DestinationStream, destination, pino } from 'pino';
import { KeyturnError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Where the lines go; stderr unless given. */
  readonly stream?: DestinationStream;
}

/** What is a Secret shows nothing anyway; these are the names under which one could be logged as it came. */
const SECRET_NAMES = ['pin', 'privateKey', 'claims', 'jwt', 'signingInput', 'proof'];
const CENSOR = '[redacted]';
/** An error's causes are followed so far. */
const MAX_CAUSES = 5;
const STDERR = 2;
/** When nobody reads, lines beyond it are dropped: the daemon never waits for its log. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;

export function createLogger({
  level,
  stream = destination({ dest: STDERR, sync: false, maxLength: MAX_BUFFERED_BYTES }),
}: LoggerOptions): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: CENSOR },
    serializers: { err: (thrown: unknown) => toLoggedError(thrown, MAX_CAUSES) },
  };
  const log = pino(options, stream);
  return {
    debug(fields, message) {
      log.debug(fields, message);
    },
    info(fields, message) {
      log.info(fields, message);
    },
    warn(fields, message) {
      log.warn(fields, message);
    },
    error(fields, message) {
      log.error(fields, message);
    },
  };
}

/** An error as data: reason and details where it has them; a stack only where a defect must be found. */
function toLoggedError(thrown: unknown, causesLeft: number): unknown {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause =
    thrown.cause === undefined || causesLeft === 0 ? {} : { cause: toLoggedError(thrown.cause, causesLeft - 1) };
  if (thrown instanceof KeyturnError) {
    const { cause: _cause, ...details } = thrown.details;
    return { reason: thrown.reason, code: thrown.code, message: thrown.message, ...details, ...cause };
  }
  const code = 'code' in thrown ? { code: thrown.code } : {};
  return { type: thrown.name, message: thrown.message, ...code, stack: thrown.stack, ...cause };
}
