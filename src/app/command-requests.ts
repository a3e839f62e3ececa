/** Request ids of commands: what makes two requests the same one, and the record of the first answer in its commit. */
import { createHash } from 'node:crypto';
import { KeyturnError } from '../base/errors.ts';
import type { CallerName } from '../base/ids.ts';
import {
  type CommandAnswer,
  type CommandAnswered,
  type CommandRequest,
  findAnswer,
} from '../lifecycle/command-records.ts';
import type { SigningKeyEvent } from '../lifecycle/events.ts';
import type { SigningKeyState } from '../lifecycle/signing-key-state.ts';
import type { Surroundings } from '../lifecycle/activation.ts';
import type { Decide } from './steps.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Characters of base64url of a SHA-256: 132 bits. */
const DIGEST_CHARACTERS = 22;

/** `parameters`: the whole command as it came. Errors: FIELD_INVALID for a request id that is no UUID. */
export function toCommandRequest(
  command: string,
  caller: CallerName,
  { requestId, validateOnly: _preview, ...parameters }: { readonly requestId: string; readonly validateOnly: boolean },
): CommandRequest {
  if (requestId !== '' && !UUID.test(requestId)) {
    throw new KeyturnError('FIELD_INVALID', 'request_id must be a UUID', { field: 'request_id' });
  }
  // What has its default is left out: a parameter that a later version adds doesn't make old requests different.
  const given = Object.entries<unknown>(parameters)
    .filter(([, value]) => value !== undefined && value !== '' && value !== false && value !== 0)
    .toSorted(([left], [right]) => (left < right ? -1 : 1));
  const digest = createHash('sha256')
    .update(JSON.stringify([caller, command, given]))
    .digest('base64url');
  return { requestId: requestId.toLowerCase(), command, digest: digest.slice(0, DIGEST_CHARACTERS) };
}

/**
 * Decides once for each request id: the record goes into the same commit, and a request that raced its own repeat finds
 * it there. `toAnswer` is asked about the state before and what was decided.
 */
export function deciding(
  request: CommandRequest,
  decide: Decide,
  toAnswer: (
    state: SigningKeyState,
    events: readonly SigningKeyEvent[],
    around: Surroundings,
  ) => CommandAnswer = () => ({}),
): Decide {
  if (request.requestId === '') return decide;
  return (state, around) => {
    if (findAnswer(state.commands, request, around.nowMs) !== undefined) return [];
    const events = decide(state, around);
    return [...events, ...toRecord(request, toAnswer(state, events, around), around.nowMs)];
  };
}

/** The record of an answer; nothing for a request without an id. */
export function toRecord(request: CommandRequest, answer: CommandAnswer, nowMs: number): readonly CommandAnswered[] {
  return request.requestId === '' ? [] : [{ type: 'COMMAND_ANSWERED', atMs: nowMs, ...request, answer }];
}
