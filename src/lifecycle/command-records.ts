/**
 * Commands that came with a request id: what they were answered is in the log, so that a repeat gets the first answer
 * and does nothing. Pure.
 */
import { KeyturnError } from '../base/errors.ts';

/** Of one stream, the newest; older ones are forgotten. */
export const MAX_COMMAND_RECORDS = 64;
const REQUEST_ID_LIFETIME_MS = 24 * 3_600_000;

/** A request, as far as a repeat of it must be told from another one. */
export interface CommandRequest {
  /** A UUID in lower case; empty when the caller gave none. */
  readonly requestId: string;
  /** Its name, such as `rotate`. */
  readonly command: string;
  /** Over caller and parameters. Empty in old logs: a repeat is then known by its name alone. */
  readonly digest: string;
}

/** What was answered, beyond the signing key as it is. */
export interface CommandAnswer {
  readonly activated?: number | undefined;
  readonly suspended?: number | undefined;
  readonly withdrawn?: readonly number[] | undefined;
  readonly readyAtMs?: number | undefined;
  readonly lastJwtExpireTimeMs?: number | undefined;
}

export interface CommandRecord extends CommandRequest {
  readonly atMs: number;
  readonly answer: CommandAnswer;
}

/** In the same commit as what the command did; the last of its events. */
export interface CommandAnswered extends CommandRecord {
  readonly type: 'COMMAND_ANSWERED';
}

export function withRecord(
  records: readonly CommandRecord[],
  { requestId, command, digest, atMs, answer }: CommandRecord,
): readonly CommandRecord[] {
  return [...records, { requestId, command, digest, atMs, answer }].slice(-MAX_COMMAND_RECORDS);
}

/** What the first request of this id was answered; undefined when this is the first. Errors: REQUEST_ID_REUSED. */
export function findAnswer(
  records: readonly CommandRecord[],
  { requestId, command, digest }: CommandRequest,
  nowMs: number,
): CommandAnswer | undefined {
  if (requestId === '') return undefined;
  const record = records.find(
    (candidate) => candidate.requestId === requestId && nowMs - candidate.atMs < REQUEST_ID_LIFETIME_MS,
  );
  if (record === undefined) return undefined;
  if (record.command === command && (record.digest === digest || record.digest === '')) return record.answer;
  throw new KeyturnError(
    'REQUEST_ID_REUSED',
    `request_id ${requestId} was used at ${new Date(record.atMs).toISOString()} for another request, ${record.command}; a repeat must be the same request, and a new one needs a new id`,
    { field: 'request_id' },
  );
}
