/**
 * Commands that take a version out of service or bring it back: suspend, reactivate, rollback, declare-compromised.
 * Pure, as decide.ts. What narrows (suspend, compromise) is never refused for want of a successor.
 */
import { formatDuration } from '../base/duration.ts';
import { KeyturnError } from '../base/errors.ts';
import {
  type Command,
  requireInService,
  requireTrustedClock,
  type Surroundings,
  toActivation,
  toSuspension,
} from './activation.ts';
import type { SigningKeyEvent } from './events.ts';
import type { KeyVersion, SigningKeyState } from './signing-key-state.ts';
import { findVersion } from './versions.ts';
import { activeVersion, findEmergencySuccessor, isWindowOver, propagatedStandbys } from './rules.ts';

export function refuse(state: SigningKeyState, message: string): KeyturnError {
  return new KeyturnError('COMMAND_NOT_POSSIBLE', `signing key ${state.name}: ${message}`, { subject: state.name });
}

export function requireVersion(state: SigningKeyState, number: number): KeyVersion {
  const version = findVersion(state, number);
  if (version !== undefined) return version;
  throw new KeyturnError(
    'KEY_VERSION_NOT_FOUND',
    `signing key ${state.name} has no version ${number}; list its versions`,
    {
      subject: state.name,
      field: 'version',
    },
  );
}

export interface SuspendCommand extends Command {
  /** No standby takes over: the signing key stops signing until a version is activated by command. */
  readonly halt: boolean;
}

/** The ACTIVE version stops signing, without a window; a propagated standby takes over unless halted. */
export function decideSuspend(
  state: SigningKeyState,
  command: SuspendCommand,
  around: Surroundings,
): readonly SigningKeyEvent[] {
  requireInService(state);
  const { caller, reason, halt } = command;
  const { nowMs } = around;
  const active = activeVersion(state);
  const halted: readonly SigningKeyEvent[] =
    halt && !state.isHalted ? [{ type: 'SIGNING_HALTED', atMs: nowMs, caller, reason }] : [];
  if (active === undefined) {
    if (halted.length > 0) return halted;
    throw refuse(state, 'no version is ACTIVE, so there is nothing to suspend');
  }
  const [standby] = propagatedStandbys(state, around.keySet);
  if (halt || standby === undefined) return [toSuspension(active, 'operator', undefined, around), ...halted];
  return toActivation(state, standby, around, { caller, reason, cause: 'takeover' });
}

/** A SUSPENDED version signs again; what signed until now becomes SUSPENDED without a window. */
export function decideReactivate(
  state: SigningKeyState,
  command: Command & { readonly version: number },
  around: Surroundings,
): readonly SigningKeyEvent[] {
  requireInService(state);
  requireTrustedClock(around);
  const version = requireVersion(state, command.version);
  requireComeback(state, version, around);
  return toActivation(state, version, around, { ...command, cause: 'reactivation' });
}

function requireComeback(state: SigningKeyState, version: KeyVersion, around: Surroundings): void {
  if (version.state !== 'SUSPENDED') {
    throw refuse(state, `version ${version.number} is ${version.state}; only a SUSPENDED version comes back`);
  }
  if (isWindowOver(version, around.nowMs)) throw refuse(state, `the window of version ${version.number} is over`);
}

/** The version that the latest rotation suspended; undefined when its window is over. */
export function findRollbackTarget(state: SigningKeyState, nowMs: number): KeyVersion | undefined {
  return state.versions.findLast(
    (version) =>
      version.state === 'SUSPENDED' && version.suspensionCause === 'rotation' && !isWindowOver(version, nowMs),
  );
}

/** Undoes the latest rotation within its window; scheduled rotation is held from then on. */
export function decideRollback(
  state: SigningKeyState,
  command: Command,
  around: Surroundings,
): readonly SigningKeyEvent[] {
  requireInService(state);
  requireTrustedClock(around);
  const target = findRollbackTarget(state, around.nowMs);
  if (target === undefined) {
    const window = formatDuration(state.policy.rollbackWindowMs);
    throw refuse(state, `no rotation can be rolled back; a rotation can be for ${window} (rollback_window)`);
  }
  return toActivation(state, target, around, { ...command, cause: 'rollback' });
}

export interface CompromiseCommand extends Command {
  /** One version; absent: the whole signing key, standbys and all. */
  readonly version: number | undefined;
  /** Keep the private keys for evidence. */
  readonly retain: boolean;
}

/** Versions that a compromise would take now; those it took before, and those that are gone, are left out. */
export function compromisedBy(state: SigningKeyState, version: number | undefined): readonly KeyVersion[] {
  const named = version === undefined ? state.versions : [requireVersion(state, version)];
  return named.filter(({ state: is }) => is !== 'COMPROMISED' && is !== 'DESTROYED');
}

/**
 * The versions are withdrawn and never sign again; when the ACTIVE one falls, its emergency successor takes over in the
 * same commit. Declaring what is declared already changes nothing.
 */
export function decideCompromise(
  state: SigningKeyState,
  command: CompromiseCommand,
  around: Surroundings,
): readonly SigningKeyEvent[] {
  const { caller, reason, retain } = command;
  const { nowMs, keySet } = around;
  const fallen = compromisedBy(state, command.version);
  const events = fallen.map(
    ({ number }): SigningKeyEvent => ({
      type: 'VERSION_COMPROMISED',
      atMs: nowMs,
      version: number,
      retain,
      caller,
      reason,
    }),
  );
  if (!fallen.some((version) => version.state === 'ACTIVE')) return events;
  const successor = findEmergencySuccessor(state, keySet, nowMs, (version) => fallen.includes(version));
  if (successor === undefined) return events;
  // The fallen version is COMPROMISED by now, not to be suspended: the successor finds nothing ACTIVE.
  const withoutActive: SigningKeyState = {
    ...state,
    versions: state.versions.filter((version) => !fallen.includes(version)),
  };
  return [...events, ...toActivation(withoutActive, successor, around, { caller, reason, cause: 'takeover' })];
}
