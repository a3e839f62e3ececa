/** Whether the store can be believed, and whether the token has what it says. Pure. */
import type { Reconciliation } from '../client/client.ts';
import { fail, ok, warn, type Finding } from './findings.ts';
import { formatTime } from './time.ts';

const RECOVER_HINT = '`keyturn recover --dry-run` shows what is known of each version, and the way out';

/** `reconciliation`: undefined when the token couldn't be asked. */
export function checkStore(reconciliation: Reconciliation | undefined, nowMs: number): Finding[] {
  const name = 'store and token';
  if (reconciliation === undefined)
    return [warn(name, 'they were not compared: the token is unavailable', '`keyturn token status` tells why')];
  const { findings, fencedSigningKeys } = reconciliation;
  const counts = Map.groupBy(findings, ({ kind }) => kind);
  const found = [...counts].map(([kind, { length }]) => `${length} ${kind}`).join(', ');
  const fenced = fencedSigningKeys.length === 0 ? '' : `; fenced: ${fencedSigningKeys.join(', ')}`;
  return [checkFindings(name, found, fenced), ...checkRestoration(reconciliation, nowMs)];
}

function checkFindings(name: string, found: string, fenced: string): Finding {
  if (fenced !== '') return fail(name, `${found === '' ? 'they agree' : found}${fenced}`, RECOVER_HINT);
  return found === ''
    ? ok(name, 'they agree')
    : warn(name, found, '`keyturn token reconcile` shows what differs, and what it means');
}

function checkRestoration({ restoreTime, knownUntilTime }: Reconciliation, nowMs: number): Finding[] {
  if (restoreTime === undefined) return [];
  const known =
    knownUntilTime === undefined ? 'nothing' : `nothing after ${formatTime(knownUntilTime.getTime(), nowMs)}`;
  const message = `restored at ${formatTime(restoreTime.getTime(), nowMs)}, it knows ${known}: nothing signs, and no key set is published`;
  return [fail('restored store', message, RECOVER_HINT)];
}
