/**
 * Why each version is in its state, and what may happen to it next: by time, as a forecast has it, or by a command, as
 * the commands' own decisions have it. Pure.
 */
import { formatDuration } from '../base/duration.ts';
import { KeyturnError } from '../base/errors.ts';
import type { Reason } from '../base/reasons.ts';
import type { Surroundings } from './activation.ts';
import { decideRotate } from './decide.ts';
import type { SigningKeyEvent } from './events.ts';
import { evolveSigningKey } from './fold.ts';
import type { KeyVersion, SigningKeyState } from './signing-key-state.ts';
import { findVersion } from './versions.ts';
import { decideCompromise, decideReactivate, decideRollback, decideSuspend } from './interrupt.ts';
import type { LifecycleState } from './model.ts';
import type { Moment } from './moments.ts';
import { decideRetire, decideUnretire } from './retire.ts';
import { isPropagated, requiredServedMs, signingEndsMs } from './rules.ts';
import { DAEMON_CALLER } from './step-events.ts';

/** Versions that are explained, the newest; those in the archive need no explanation. */
const MAX_EXPLANATIONS = 100;

/** What may become of a version. */
export type Prospect = { readonly to: LifecycleState } & (
  | { readonly by: 'time'; readonly atMs: number }
  | { readonly by: 'command'; readonly command: string }
);

export interface Explanation {
  readonly version: number;
  readonly state: LifecycleState;
  readonly isPublished: boolean;
  readonly why: string;
  readonly next: readonly Prospect[];
}

/** Whether a command would be accepted now. */
export interface CommandOutlook {
  /** As typed after `keyturn key`, without the signing key's name: `rotate`, `reactivate 2`. */
  readonly command: string;
  readonly isAllowed: boolean;
  readonly refusal:
    | { readonly reason: Reason; readonly message: string; readonly allowedAtMs: number | undefined }
    | undefined;
  /** What would become of which versions. */
  readonly changes: readonly { readonly version: number; readonly to: LifecycleState }[];
}

export interface Outlook {
  readonly versions: readonly Explanation[];
  readonly commands: readonly CommandOutlook[];
}

/** `moments`: the forecast from `around` on; those of other signing keys are passed over. */
export function explain(state: SigningKeyState, around: Surroundings, moments: readonly Moment[]): Outlook {
  const commands = toCommands(state).map(({ command, decide }) => tryCommand(state, command, () => decide(around)));
  const versions = state.versions.slice(-MAX_EXPLANATIONS).map((version) => ({
    version: version.number,
    state: version.state,
    isPublished: version.isPublished,
    why: describeWhy(version, state, around),
    next: [...nextByTime(version, state, moments), ...nextByCommand(version, commands)],
  }));
  return { versions, commands };
}

interface Candidate {
  readonly command: string;
  readonly decide: (around: Surroundings) => readonly SigningKeyEvent[];
}

function toCommands(state: SigningKeyState): readonly Candidate[] {
  const command = { caller: DAEMON_CALLER, reason: '' };
  const rotation = { ...command, useLastStandby: false };
  const compromise = { ...command, version: undefined, retain: false };
  const suspended = state.versions.filter((version) => version.state === 'SUSPENDED');
  return [
    { command: 'rotate', decide: (around) => decideRotate(state, rotation, around) },
    { command: 'rollback', decide: (around) => decideRollback(state, command, around) },
    { command: 'suspend', decide: (around) => decideSuspend(state, { ...command, halt: false }, around) },
    ...suspended.map(({ number }): Candidate => {
      const reactivation = { ...command, version: number };
      return { command: `reactivate ${number}`, decide: (around) => decideReactivate(state, reactivation, around) };
    }),
    state.retirement === undefined
      ? { command: 'retire', decide: (around) => decideRetire(state, command, around) }
      : { command: 'unretire', decide: (around) => decideUnretire(state, command, around) },
    { command: 'declare-compromised', decide: (around) => decideCompromise(state, compromise, around) },
  ];
}

function tryCommand(state: SigningKeyState, command: string, decide: () => readonly SigningKeyEvent[]): CommandOutlook {
  try {
    const after = decide().reduce(evolveSigningKey, state);
    const changes = state.versions.flatMap(({ number: version, state: from }) => {
      const to = findVersion(after, version)?.state ?? from;
      return to === from ? [] : [{ version, to }];
    });
    return { command, isAllowed: true, refusal: undefined, changes };
  } catch (thrown) {
    if (!(thrown instanceof KeyturnError)) throw thrown;
    const { reason, message, details } = thrown;
    return { command, isAllowed: false, refusal: { reason, message, allowedAtMs: details.allowedAtMs }, changes: [] };
  }
}

function nextByTime(version: KeyVersion, { name }: SigningKeyState, moments: readonly Moment[]): readonly Prospect[] {
  const next = moments.find(
    ({ signingKey, version: number, from, to }) =>
      signingKey === name && number === version.number && to !== undefined && from !== to,
  );
  return next?.to === undefined ? [] : [{ by: 'time', to: next.to, atMs: next.atMs }];
}

function nextByCommand(version: KeyVersion, commands: readonly CommandOutlook[]): readonly Prospect[] {
  return commands.flatMap(({ command, changes }) =>
    changes
      .filter((change) => change.version === version.number)
      .map(({ to }): Prospect => ({ by: 'command', command, to })),
  );
}

function describeWhy(version: KeyVersion, state: SigningKeyState, around: Surroundings): string {
  switch (version.state) {
    case 'PRE_ACTIVE':
      return describeStandby(version, around) + describeRetired(state);
    case 'ACTIVE':
      return around.nowMs >= signingEndsMs(state, version)
        ? `it has reached max_signing_period (${formatDuration(state.policy.maxSigningPeriodMs)}) and signs nothing more`
        : `it signs, since ${at(version.activatedAtMs)}${describeSchedule(state)}`;
    case 'SUSPENDED':
      return state.retirement === undefined
        ? `${describeSuspension(version)}; it is published and may come back`
        : `${describeSuspension(version)}${describeRetired(state)}`;
    case 'DEACTIVATED':
      return `it can't come back since ${at(version.deactivatedAtMs)}; it stays published until its last JWT has expired (exp_ceiling ${at(version.expCeilingMs)})`;
    case 'COMPROMISED': {
      const fate = version.isRetained === true ? 'is kept in the token as evidence' : 'is being destroyed';
      return `it was declared compromised at ${at(version.compromisedAtMs)}; its private key ${fate}`;
    }
    case 'DESTROYED':
      return `it left the key set at ${at(version.destroyedAtMs)}`;
  }
}

function describeSchedule({ scheduledRotation }: SigningKeyState): string {
  if (scheduledRotation === undefined) return '';
  return `; ${scheduledRotation.caller} has scheduled its rotation for ${at(scheduledRotation.dueMs)}`;
}

function describeRetired({ retirement }: SigningKeyState): string {
  return retirement === undefined ? '' : `; its signing key can come back until ${at(retirement.window.untilMs)}`;
}

function describeStandby(version: KeyVersion, { keySet }: Surroundings): string {
  if (!version.isPublished) return 'it is made; it is published with the others of the first generation';
  if (version.isFirstGeneration)
    return 'it is a standby of the first generation: no copy of the key set without it was ever served';
  const required = formatDuration(requiredServedMs(keySet));
  return isPropagated(version, keySet)
    ? `it is a standby, and has been served for the ${required} that anyone may use an older copy of the key set`
    : `it is a standby, served for ${formatDuration(version.servedMs)} of the ${required} that anyone may use an older copy of the key set`;
}

function describeSuspension({ suspensionCause, suspendedAtMs }: KeyVersion): string {
  switch (suspensionCause) {
    case 'rotation':
      return `a rotation replaced it at ${at(suspendedAtMs)}`;
    case 'rollback':
      return `a rollback put its predecessor in its place at ${at(suspendedAtMs)}`;
    case 'retirement':
      return `its signing key was retired at ${at(suspendedAtMs)}`;
    case 'reactivation':
      return `another version was reactivated in its place at ${at(suspendedAtMs)}`;
    default:
      return `an operator suspended it at ${at(suspendedAtMs)}`;
  }
}

function at(timeMs: number | undefined): string {
  return new Date(timeMs ?? 0).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
