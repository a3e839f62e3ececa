/**
 * The use cases about when a signing key signs as a whole: retire, unretire, and a rotation at a time. Decisions are
 * lifecycle/retire.ts's and lifecycle/schedule.ts's.
 */
import type { CallerName } from '../base/ids.ts';
import { decideRetire, decideUnretire, findRetiredSigner } from '../lifecycle/retire.ts';
import { decideSchedule } from '../lifecycle/schedule.ts';
import type { AdministerPorts } from './administer.ts';
import type { KeyCommand, ScheduleRotationCommand } from './application.ts';
import { deciding, toCommandRequest } from './command-requests.ts';
import { evolved, kidsOf, narrow, type Outcome, prepare, requireTried, toKey } from './interrupt.ts';
import { commitEvents, decideChanges, tryVersion } from './steps.ts';

/** Nothing of it signs from the moment of the call (rule 7); repeating it joins the first. */
export async function retire(ports: AdministerPorts, caller: CallerName, command: KeyCommand): Outcome {
  const request = toCommandRequest('retire', caller, command);
  const { name, state, around, isRepeated } = prepare(ports, request, command);
  if (isRepeated) return state;
  const decide = deciding(request, (now, then) => decideRetire(now, { caller, reason: command.reason }, then));
  const after = evolved(state, decide, around);
  if (command.validateOnly) return after;
  await narrow(ports, {
    key: toKey(request),
    kids: kidsOf(state.versions),
    withholding: 'signing',
    decide: () => decideChanges(ports, name, decide),
  });
  return ports.ledger.requireSigningKey(name);
}

export async function unretire(ports: AdministerPorts, caller: CallerName, command: KeyCommand): Outcome {
  const request = toCommandRequest('unretire', caller, command);
  const { name, state, around, isRepeated } = prepare(ports, request, command);
  if (isRepeated) return state;
  ports.requireUnfenced(name);
  const signer = findRetiredSigner(state);
  const decide = deciding(request, (now, then) => {
    requireTried(name, signer, findRetiredSigner(now));
    return decideUnretire(now, { caller, reason: command.reason }, then);
  });
  const after = evolved(state, decide, around);
  if (command.validateOnly) return after;
  if (signer !== undefined) await tryVersion(ports.hsm, state, signer);
  await commitEvents(ports, name, decide);
  return ports.ledger.requireSigningKey(name);
}

/** The rotator wakes for it: a commit makes it plan anew. */
export async function scheduleRotation(
  ports: AdministerPorts,
  caller: CallerName,
  command: ScheduleRotationCommand,
): Outcome {
  const request = toCommandRequest('schedule-rotation', caller, command);
  const { name, state, around, isRepeated } = prepare(ports, request, command);
  if (isRepeated) return state;
  ports.requireUnfenced(name);
  const { reason, dueMs } = command;
  const decide = deciding(request, (now, then) => decideSchedule(now, { caller, reason, dueMs }, then));
  const after = evolved(state, decide, around);
  if (command.validateOnly) return after;
  await commitEvents(ports, name, decide);
  return ports.ledger.requireSigningKey(name);
}
