/** JSON objects from outside that are no claims: read as strictly, refused with a reason and words of their own. */
import { isUtf8 } from 'node:buffer';
import { KeyturnError } from '../base/errors.ts';
import type { Reason } from '../base/reasons.ts';
import { type JsonObject, parseStrictJson } from './strict-json.ts';

/** A JWK and a JOSE header are flat, but for lists of names. */
const MAX_DEPTH = 4;

export interface Refusal {
  readonly reason: Reason;
  /** What the object is called in messages: a request's field. */
  readonly field: string;
}

/** Errors: the reason given, for anything but one JSON object in strict UTF-8 with each name once. */
export function parseMembers(bytes: Uint8Array, { reason, field }: Refusal): JsonObject {
  const refuse = (problem: string): KeyturnError => new KeyturnError(reason, `${field} ${problem}`, { field });
  if (!isUtf8(bytes)) throw refuse('must be UTF-8');
  let value;
  try {
    value = parseStrictJson(Buffer.from(bytes).toString('utf8'), MAX_DEPTH);
  } catch (thrown) {
    if (!(thrown instanceof KeyturnError)) throw thrown;
    // The reader speaks of claims, as those are what it mostly reads.
    throw refuse(thrown.message.replace(/^claims /, ''));
  }
  if (!(value instanceof Map)) throw refuse('must be one JSON object');
  return value;
}
