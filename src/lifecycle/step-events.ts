/**
 * The events of due steps, without the token's part: what the daemon commits when it does a step (app/steps.ts), and
 * what a forecast counts on. Pure.
 */
import { type CallerName, type CkaId, type Kid, parseCallerName } from '../base/ids.ts';
import type { PublicKeyMembers } from '../jose/jwk.ts';
import type { Command, Surroundings } from './activation.ts';
import type { SigningKeyEvent } from './events.ts';
import type { SigningKeyState } from './signing-key-state.ts';
import type { KeySetState } from './fold-key-set.ts';
import type { BirthRecord } from './model.ts';
import type { Step } from './plan.ts';
import { toRetirementEnd } from './retire.ts';
import { nextExpCeilingMs } from './rules.ts';

/** The daemon itself, where a command needs a caller. */
export const DAEMON_CALLER: CallerName = parseCallerName('keyturn');

export const TAKEOVER: Command = { caller: DAEMON_CALLER, reason: 'no version was ACTIVE' };
const SCHEDULED_ROTATION: Command = { caller: DAEMON_CALLER, reason: 'signing period over' };

/** Who rotates when a rotation is due: whoever scheduled it, but for the last standby, which nobody asked for. */
export function rotationCommand({ scheduledRotation }: SigningKeyState, useLastStandby: boolean): Command {
  if (scheduledRotation === undefined || useLastStandby) return SCHEDULED_ROTATION;
  const { caller, reason } = scheduledRotation;
  return { caller, reason };
}

/** Steps that ask nothing of the token: deciding is all there is to do. */
const DECIDED = [
  'raiseExpCeiling',
  'notePropagated',
  'publishFirstGeneration',
  'publishVersions',
  'deactivate',
  'endRetirement',
  'withdraw',
] as const satisfies readonly Step['kind'][];
const DECIDED_KINDS: ReadonlySet<Step['kind']> = new Set(DECIDED);

type DecidedStep = Extract<Step, { kind: (typeof DECIDED)[number] }>;
export type TokenStep = Exclude<Step, DecidedStep>;

export function isDecided(step: Step): step is DecidedStep {
  return DECIDED_KINDS.has(step.kind);
}

export function toStepEvents(
  step: DecidedStep,
  state: SigningKeyState,
  around: Surroundings,
): readonly SigningKeyEvent[] {
  const { nowMs: atMs } = around;
  switch (step.kind) {
    case 'publishFirstGeneration':
      return toPublication(state, step.versions, around, around.keySet.generation === 0);
    case 'publishVersions':
      return toPublication(state, step.versions, around, false);
    case 'raiseExpCeiling': {
      const expCeilingMs = nextExpCeilingMs(state.policy, atMs);
      return [{ type: 'EXP_CEILING_RAISED', atMs, version: step.version, expCeilingMs }];
    }
    case 'notePropagated':
      return [{ type: 'VERSION_PROPAGATED', atMs, version: step.version, basis: 'served' }];
    case 'deactivate': {
      const { version } = step;
      // What nothing brings back is destroyed next: one commit says both.
      return [
        { type: 'VERSION_DEACTIVATED', atMs, version },
        { type: 'DESTRUCTION_INTENDED', atMs, version },
      ];
    }
    case 'endRetirement':
      return toRetirementEnd(state, around);
    case 'withdraw':
      return [{ type: 'VERSION_DESTROYED', atMs, version: step.version }];
  }
}

function toPublication(
  state: SigningKeyState,
  versions: readonly number[],
  around: Surroundings,
  isFirstGeneration: boolean,
): readonly SigningKeyEvent[] {
  const { nowMs, keySet } = around;
  const published = versions.map((version): SigningKeyEvent => ({ type: 'VERSION_PUBLISHED', atMs: nowMs, version }));
  if (!isFirstGeneration) return published;
  const propagated = versions.map(
    (version): SigningKeyEvent => ({ type: 'VERSION_PROPAGATED', atMs: nowMs, version, basis: 'first-generation' }),
  );
  const activated: SigningKeyEvent = {
    type: 'VERSION_ACTIVATED',
    atMs: nowMs,
    version: Math.min(...versions),
    expCeilingMs: nextExpCeilingMs(state.policy, nowMs),
    cause: 'first',
    caller: DAEMON_CALLER,
    reason: `first generation of key set ${keySet.name}`,
  };
  return [...published, ...propagated, activated];
}

type VersionIntended = SigningKeyEvent & { readonly type: 'VERSION_INTENDED' };

/** Before the token is asked to make the next version. CKA_LABEL: every key of ours begins with `keyturn/`. */
export function toIntent(state: SigningKeyState, ckaId: CkaId, nowMs: number): VersionIntended {
  const version = state.nextVersion;
  const ckaLabel = `keyturn/${state.name}/${version}`;
  return { type: 'VERSION_INTENDED', atMs: nowMs, version, ckaId, ckaLabel };
}

export interface MadeVersion {
  readonly version: number;
  readonly kid: Kid;
  readonly publicKey: PublicKeyMembers;
  readonly birth: BirthRecord;
}

/** Into a key set that has content it goes at once; a first generation waits for all of its versions (rule 4). */
export function toMade(state: SigningKeyState, made: MadeVersion, around: Surroundings): readonly SigningKeyEvent[] {
  const event: SigningKeyEvent = { type: 'VERSION_MADE', atMs: around.nowMs, ...made };
  return around.keySet.generation === 0 ? [event] : [event, ...toPublication(state, [made.version], around, false)];
}

/** Rule 11: a key set never outgrows its bound, versions included that are being made for it. */
export function hasRoom(keySet: KeySetState, signingKeys: readonly SigningKeyState[]): boolean {
  return keySet.kids.length + pendingVersions(signingKeys) < keySet.promise.maxPublishedVersions;
}

/** Versions that are being made, or wait to be published. */
export function pendingVersions(signingKeys: readonly SigningKeyState[]): number {
  return signingKeys.reduce((sum, { intents, versions }) => {
    const unpublished = versions.filter((version) => version.state === 'PRE_ACTIVE' && !version.isPublished);
    return sum + intents.length + unpublished.length;
  }, 0);
}
