/**
 * The use cases that take versions out of service and bring them back. What narrows takes effect at once and is answered
 * when it is durable (rule 7); what widens is tried in the token and committed first. Decisions are lifecycle/interrupt.ts's.
 */
import { KeyturnError } from '../base/errors.ts';
import { type CallerName, type Kid, parseSigningKeyName, type SigningKeyName } from '../base/ids.ts';
import type { Surroundings } from '../lifecycle/activation.ts';
import { type CommandAnswer, type CommandRequest, findAnswer } from '../lifecycle/command-records.ts';
import type { SigningKeyEvent } from '../lifecycle/events.ts';
import { whenPropagated } from '../lifecycle/decide.ts';
import { evolveSigningKey } from '../lifecycle/fold.ts';
import type { KeyVersion, SigningKeyState } from '../lifecycle/signing-key-state.ts';
import {
  compromisedBy,
  decideCompromise,
  decideReactivate,
  decideRollback,
  decideSuspend,
  findRollbackTarget,
  requireVersion,
} from '../lifecycle/interrupt.ts';
import { activeVersion } from '../lifecycle/rules.ts';
import { type AdministerPorts, parseReason, requireEtag } from './administer.ts';
import type {
  CompromiseEffect,
  CompromiseScope,
  DeclareCompromisedCommand,
  KeyCommand,
  ReactivateCommand,
  SuspendKeyCommand,
} from './application.ts';
import { deciding, toCommandRequest } from './command-requests.ts';
import type { Narrowing } from './ledger.ts';
import { narrowing } from './narrowing.ts';
import { commitEvents, type Decide, decideChanges, tryVersion } from './steps.ts';

/** The state after a command, or as it would be when only validated. */
export type Outcome = Promise<SigningKeyState>;

interface Prepared {
  readonly name: SigningKeyName;
  readonly state: SigningKeyState;
  readonly around: Surroundings;
  /** The same request was answered before: nothing is to be done. */
  readonly isRepeated: boolean;
}

export function prepare(ports: AdministerPorts, request: CommandRequest, command: KeyCommand): Prepared {
  const name = parseSigningKeyName(command.signingKey);
  parseReason(command.reason);
  const { state } = ports.meters.observe(ports.ledger.requireSigningKey(name));
  const around = ports.surroundingsOf(state);
  const isRepeated = findAnswer(state.commands, request, around.nowMs) !== undefined;
  if (!isRepeated) requireEtag(state, command.etag, name);
  return { name, state, around, isRepeated };
}

export function evolved(state: SigningKeyState, decide: Decide, around: Surroundings): SigningKeyState {
  return decide(state, around).reduce<SigningKeyState>(evolveSigningKey, state);
}

export const kidsOf = (versions: readonly KeyVersion[]): readonly Kid[] => versions.map((version) => version.kid);

/** What is committed must be what was tried. Errors: CONCURRENT_CHANGE. */
export function requireTried(name: SigningKeyName, tried: KeyVersion | undefined, now: KeyVersion | undefined): void {
  if (tried?.number === now?.number) return;
  throw new KeyturnError(
    'CONCURRENT_CHANGE',
    `signing key ${name} was changed meanwhile; look at it before you try again`,
    { subject: name },
  );
}

export async function suspend(ports: AdministerPorts, caller: CallerName, command: SuspendKeyCommand): Outcome {
  const request = toCommandRequest('suspend', caller, command);
  const { name, state, around, isRepeated } = prepare(ports, request, command);
  if (isRepeated) return state;
  const { reason, halt } = command;
  const decide: Decide = (now, then) => decideSuspend(now, { caller, reason, halt }, then);
  const after = evolved(state, decide, around);
  if (command.validateOnly) return after;
  const active = activeVersion(state);
  // Tried again after a failure, it may have been decided otherwise meanwhile: then there is nothing left to do.
  const isOvertaken = (now: SigningKeyState): boolean =>
    halt ? now.isHalted && activeVersion(now) === undefined : activeVersion(now)?.number !== active?.number;
  const decideNow = deciding(request, (now, then) => (isOvertaken(now) ? [] : decide(now, then)));
  // Halted, nothing of the signing key may sign; otherwise the emergency successor already may.
  const kids = halt ? kidsOf(state.versions) : kidsOf(active === undefined ? [] : [active]);
  await narrow(ports, {
    key: toKey(request),
    kids,
    withholding: 'signing',
    decide: () => decideChanges(ports, name, decideNow),
  });
  return ports.ledger.requireSigningKey(name);
}

export async function reactivate(ports: AdministerPorts, caller: CallerName, command: ReactivateCommand): Outcome {
  const request = toCommandRequest('reactivate', caller, command);
  const { name, state, around, isRepeated } = prepare(ports, request, command);
  if (isRepeated) return state;
  ports.requireUnfenced(name);
  const decide = deciding(request, (now, then) =>
    decideReactivate(now, { caller, reason: command.reason, version: command.version }, then),
  );
  const after = evolved(state, decide, around);
  if (command.validateOnly) return after;
  await tryVersion(ports.hsm, state, requireVersion(state, command.version));
  await commitEvents(ports, name, decide);
  return ports.ledger.requireSigningKey(name);
}

export async function rollback(ports: AdministerPorts, caller: CallerName, command: KeyCommand): Outcome {
  const request = toCommandRequest('rollback', caller, command);
  const { name, state, around, isRepeated } = prepare(ports, request, command);
  if (isRepeated) return state;
  ports.requireUnfenced(name);
  const target = findRollbackTarget(state, around.nowMs);
  const decide = deciding(request, (now, then) => {
    requireTried(name, target, findRollbackTarget(now, then.nowMs));
    return decideRollback(now, { caller, reason: command.reason }, then);
  });
  const after = evolved(state, decide, around);
  if (command.validateOnly || target === undefined) return after;
  await tryVersion(ports.hsm, state, target);
  await commitEvents(ports, name, decide);
  return ports.ledger.requireSigningKey(name);
}

/** What makes a repeat join the first while that isn't durable. */
export function toKey({ requestId, command, digest }: CommandRequest): string {
  return `${command} ${digest} ${requestId}`;
}

/** What a declaration does to each signing key of its scope. `check` may refuse that, before it is in effect. */
export async function declareCompromised(
  ports: AdministerPorts,
  caller: CallerName,
  command: DeclareCompromisedCommand,
  check: (effects: readonly CompromiseEffect[]) => void = () => undefined,
): Promise<readonly CompromiseEffect[]> {
  const reason = parseReason(command.reason);
  if (reason === '') {
    throw new KeyturnError('FIELD_INVALID', 'reason is required: it is the evidence of why keys were withdrawn', {
      field: 'reason',
    });
  }
  const { retain, scope } = command;
  const version = scope.kind === 'version' ? scope.version : undefined;
  const request = toCommandRequest('declare-compromised', caller, command);
  const states = namesIn(ports, scope).map((name) => ports.meters.observe(ports.ledger.requireSigningKey(name)).state);
  // Signing keys that are newer than the first request are no part of its answer.
  const earlier = states.flatMap((state) => findEffect(state, request, ports.surroundingsOf(state).nowMs));
  if (earlier.length > 0) return earlier;
  const decide: Decide = (now, then) => decideCompromise(now, { caller, reason, retain, version }, then);
  const effects = states.map((state) => {
    const around = ports.surroundingsOf(state);
    return toEffect(state, decide(state, around), around);
  });
  if (command.validateOnly) return effects;
  check(effects);
  const decideNow = deciding(request, decide, (now, events, then) => toAnswer(toEffect(now, events, then)));
  await narrow(ports, {
    key: toKey(request),
    kids: kidsOf(states.flatMap((state) => compromisedBy(state, version))),
    withholding: 'everything',
    decide: () => states.flatMap(({ name }) => decideChanges(ports, name, decideNow)),
  });
  return effects;
}

function namesIn(ports: AdministerPorts, scope: CompromiseScope): readonly SigningKeyName[] {
  if (scope.kind === 'token') return [...ports.ledger.signingKeys.keys()];
  return [ports.ledger.requireSigningKey(parseSigningKeyName(scope.signingKey, 'scope')).name];
}

function toEffect(before: SigningKeyState, events: readonly SigningKeyEvent[], around: Surroundings): CompromiseEffect {
  const after = events.reduce<SigningKeyState>(evolveSigningKey, before);
  const withdrawnVersions = events.flatMap((event) => (event.type === 'VERSION_COMPROMISED' ? [event.version] : []));
  const active = activeVersion(after);
  const expiries = before.versions
    .filter(({ number, activatedAtMs }) => activatedAtMs !== undefined && withdrawnVersions.includes(number))
    .map((version) => version.expCeilingMs ?? 0);
  return {
    signingKey: before.name,
    withdrawnVersions,
    activeVersion: active?.number,
    readyAtMs:
      active === undefined && after.retirement === undefined ? whenPropagated(after, around, 1).allowedAtMs : undefined,
    lastJwtExpireTimeMs: expiries.length === 0 ? undefined : Math.max(...expiries),
  };
}

function toAnswer({ withdrawnVersions, activeVersion: activated, ...times }: CompromiseEffect): CommandAnswer {
  const { readyAtMs, lastJwtExpireTimeMs } = times;
  return { withdrawn: withdrawnVersions, activated, readyAtMs, lastJwtExpireTimeMs };
}

function findEffect(state: SigningKeyState, request: CommandRequest, nowMs: number): readonly CompromiseEffect[] {
  const answer = findAnswer(state.commands, request, nowMs);
  if (answer === undefined) return [];
  const { withdrawn = [], activated, readyAtMs, lastJwtExpireTimeMs } = answer;
  return [
    { signingKey: state.name, withdrawnVersions: withdrawn, activeVersion: activated, readyAtMs, lastJwtExpireTimeMs },
  ];
}

export async function narrow(ports: AdministerPorts, wanted: Narrowing): Promise<void> {
  try {
    await narrowing(ports.log, () => ports.ledger.narrow(wanted));
  } finally {
    ports.rotator.wake();
  }
}
