/**
 * The use cases that take versions out of service and bring them back. What narrows takes effect at once and is answered
 * when it is durable (rule 7); what widens is tried in the token and committed first. Decisions are lifecycle/interrupt.ts's.
 */
import { KeyturnError, toKeyturnError } from '../base/errors.ts';
import { type CallerName, type Kid, parseSigningKeyName, type SigningKeyName } from '../base/ids.ts';
import type { Surroundings } from '../lifecycle/activation.ts';
import { whenPropagated } from '../lifecycle/decide.ts';
import { evolveSigningKey, type KeyVersion, type SigningKeyState } from '../lifecycle/fold.ts';
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
import { commitEvents, type Decide, decideChanges, tryVersion } from './steps.ts';

/** The state after a command, or as it would be when only validated. */
type Outcome = Promise<SigningKeyState>;

interface Prepared {
  readonly name: SigningKeyName;
  readonly state: SigningKeyState;
  readonly around: Surroundings;
}

function prepare(ports: AdministerPorts, command: KeyCommand): Prepared {
  const name = parseSigningKeyName(command.signingKey);
  parseReason(command.reason);
  const { state } = ports.meters.observe(ports.ledger.requireSigningKey(name));
  requireEtag(state, command.etag, name);
  return { name, state, around: ports.surroundingsOf(state) };
}

function evolved(state: SigningKeyState, decide: Decide, around: Surroundings): SigningKeyState {
  return decide(state, around).reduce<SigningKeyState>(evolveSigningKey, state);
}

const kidsOf = (versions: readonly KeyVersion[]): readonly Kid[] => versions.map((version) => version.kid);

export async function suspend(ports: AdministerPorts, caller: CallerName, command: SuspendKeyCommand): Outcome {
  const { name, state, around } = prepare(ports, command);
  const decide: Decide = (now, then) =>
    decideSuspend(now, { caller, reason: command.reason, halt: command.halt }, then);
  const after = evolved(state, decide, around);
  if (command.validateOnly) return after;
  const active = activeVersion(state);
  // Halted, nothing of the signing key may sign; otherwise the emergency successor already may.
  const kids = command.halt ? kidsOf(state.versions) : kidsOf(active === undefined ? [] : [active]);
  await narrow(ports, () =>
    ports.ledger.narrow(kids, 'signing', () =>
      // Tried again after a failure, it may have been decided otherwise meanwhile: then there is nothing left to do.
      activeVersion(ports.ledger.requireSigningKey(name))?.number === active?.number
        ? decideChanges(ports, name, decide)
        : [],
    ),
  );
  return ports.ledger.requireSigningKey(name);
}

export async function reactivate(ports: AdministerPorts, caller: CallerName, command: ReactivateCommand): Outcome {
  const { name, state, around } = prepare(ports, command);
  ports.requireUnfenced(name);
  const decide: Decide = (now, then) =>
    decideReactivate(now, { caller, reason: command.reason, version: command.version }, then);
  const after = evolved(state, decide, around);
  if (command.validateOnly) return after;
  await tryVersion(ports.hsm, state, requireVersion(state, command.version));
  await commitEvents(ports, name, decide);
  return ports.ledger.requireSigningKey(name);
}

export async function rollback(ports: AdministerPorts, caller: CallerName, command: KeyCommand): Outcome {
  const { name, state, around } = prepare(ports, command);
  ports.requireUnfenced(name);
  const target = findRollbackTarget(state, around.nowMs);
  const decide: Decide = (now, then) => {
    // What is committed must be what was tried.
    if (findRollbackTarget(now, then.nowMs)?.number !== target?.number) {
      throw new KeyturnError(
        'CONCURRENT_CHANGE',
        `signing key ${name} was changed meanwhile; look at it before you roll back`,
        { subject: name },
      );
    }
    return decideRollback(now, { caller, reason: command.reason }, then);
  };
  const after = evolved(state, decide, around);
  if (command.validateOnly || target === undefined) return after;
  await tryVersion(ports.hsm, state, target);
  await commitEvents(ports, name, decide);
  return ports.ledger.requireSigningKey(name);
}

interface Fall {
  readonly name: SigningKeyName;
  readonly state: SigningKeyState;
  readonly fallen: readonly KeyVersion[];
  readonly decide: Decide;
}

/** What a declaration does to each signing key of its scope. */
export async function declareCompromised(
  ports: AdministerPorts,
  caller: CallerName,
  command: DeclareCompromisedCommand,
): Promise<readonly CompromiseEffect[]> {
  const reason = parseReason(command.reason);
  if (reason === '') {
    throw new KeyturnError('FIELD_INVALID', 'reason is required: it is the evidence of why keys were withdrawn', {
      field: 'reason',
    });
  }
  const { retain, scope } = command;
  const version = scope.kind === 'version' ? scope.version : undefined;
  const falls = namesIn(ports, scope).map((name): Fall => {
    const { state } = ports.meters.observe(ports.ledger.requireSigningKey(name));
    const decide: Decide = (now, then) => decideCompromise(now, { caller, reason, retain, version }, then);
    return { name, state, fallen: compromisedBy(state, version), decide };
  });
  const effects = falls.map((fall) => toEffect(fall, ports.surroundingsOf(fall.state)));
  if (command.validateOnly) return effects;
  await narrow(ports, () =>
    ports.ledger.narrow(kidsOf(falls.flatMap(({ fallen }) => fallen)), 'everything', () =>
      falls.flatMap(({ name, decide }) => decideChanges(ports, name, decide)),
    ),
  );
  return effects;
}

function namesIn(ports: AdministerPorts, scope: CompromiseScope): readonly SigningKeyName[] {
  if (scope.kind === 'token') return [...ports.ledger.signingKeys.keys()];
  return [ports.ledger.requireSigningKey(parseSigningKeyName(scope.signingKey, 'scope')).name];
}

function toEffect({ name, state, fallen, decide }: Fall, around: Surroundings): CompromiseEffect {
  const after = evolved(state, decide, around);
  const active = activeVersion(after);
  const expiries = fallen
    .filter((version) => version.activatedAtMs !== undefined)
    .map((version) => version.expCeilingMs ?? 0);
  return {
    signingKey: name,
    withdrawnVersions: fallen.map((version) => version.number),
    activeVersion: active?.number,
    readyAtMs: active === undefined ? whenPropagated(after, around, 1).allowedAtMs : undefined,
    lastJwtExpireTimeMs: expiries.length === 0 ? undefined : Math.max(...expiries),
  };
}

/** A narrowing whose commit failed is in effect all the same, and the answer must say both. */
async function narrow(ports: AdministerPorts, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (thrown) {
    const error = toKeyturnError(thrown);
    ports.log.error({ err: error }, 'a narrowing is in effect but not durable yet: a restart would undo it');
    throw new KeyturnError(
      'STORE_UNAVAILABLE',
      'the command is in effect, but the store could not record it yet: a restart of the daemon now would undo it; it is tried again until it is recorded',
      { cause: error, retryAfterMs: 1_000 },
    );
  } finally {
    ports.rotator.wake();
  }
}
