/** The use cases of KeyAdminService that change something: apply and rotate. Decisions are lifecycle/decide.ts's. */
import { type Clock, sleep } from '../base/clock.ts';
import { KeyturnError } from '../base/errors.ts';
import {
  type CallerName,
  DEFAULT_KEY_SET,
  type KeySetName,
  parseKeySetName,
  parseSigningKeyName,
  type SigningKeyName,
} from '../base/ids.ts';
import { parseKeySpec } from '../jose/algorithms.ts';
import { requireCompanions } from '../lifecycle/companions.ts';
import { decideApply, decideRotate, requireSuccessor } from '../lifecycle/decide.ts';
import type { SigningKeyEvent } from '../lifecycle/events.ts';
import type { Surroundings } from '../lifecycle/activation.ts';
import { evolveSigningKey } from '../lifecycle/fold.ts';
import type { SigningKeyState } from '../lifecycle/signing-key-state.ts';
import { type CommandAnswer, findAnswer } from '../lifecycle/command-records.ts';
import { impliedTogether, parsePolicy } from '../lifecycle/policy.ts';
import { activeVersion } from '../lifecycle/rules.ts';
import type { ApplySigningKeyCommand, RotateCommand } from './application.ts';
import { toCommandRequest, toRecord } from './command-requests.ts';
import type { Change } from './folded-log.ts';
import type { Rotator } from './rotator.ts';
import { commitEvents, type StepPorts, tryVersion } from './steps.ts';
import { etagOf } from './views.ts';

/** Characters of a command's reason. */
const MAX_REASON_LENGTH = 512;
/** How long ApplySigningKey waits for the first versions before it answers `reconciling`. */
const MAX_APPLY_WAIT_MS = 20_000;
const APPLY_POLL_MS = 20;
/** Time left for the answer to travel. */
const ANSWER_MARGIN_MS = 250;
/** A successor that changes between trial and commit is tried anew, at most so often. */
const MAX_ROTATE_ATTEMPTS = 3;

export interface AdministerPorts extends StepPorts {
  readonly clock: Clock;
  readonly rotator: Rotator;
  /** Whether SignJwt could sign now. */
  readonly isSignable: (name: SigningKeyName) => boolean;
  /** Rule 9. Errors: SIGNING_KEY_FENCED. */
  readonly requireUnfenced: (name: SigningKeyName) => void;
  /** The same for a signing key that isn't there yet. Errors: SIGNING_KEY_FENCED. */
  readonly requireCreatable: (name: SigningKeyName, keySet: KeySetName) => void;
  readonly surroundingsIn: (keySet: SigningKeyState['keySet']) => Surroundings;
}

export function parseReason(value: string): string {
  if (value.length <= MAX_REASON_LENGTH) return value;
  throw new KeyturnError('FIELD_INVALID', `reason must be at most ${MAX_REASON_LENGTH} characters`, {
    field: 'reason',
  });
}

export function requireEtag(state: SigningKeyState | undefined, etag: string, name: SigningKeyName): void {
  if (etag === '' || (state !== undefined && etagOf(state) === etag)) return;
  throw new KeyturnError(
    'ETAG_MISMATCH',
    `signing key ${name} has changed since it was read; read it again and decide anew`,
    { field: 'etag', subject: name },
  );
}

export interface Applied {
  /** As it is now, or as it would be when only validated. */
  readonly state: SigningKeyState;
  readonly changed: boolean;
}

/** Creates a signing key or changes its policy. Resolves when its versions stand, a step failed, or time is up. */
export async function applySigningKey(
  ports: AdministerPorts,
  caller: CallerName,
  command: ApplySigningKeyCommand,
): Promise<Applied> {
  const name = parseSigningKeyName(command.name, 'signing_key.name');
  const decide = (): readonly SigningKeyEvent[] => {
    const state = ports.ledger.signingKeys.get(name);
    requireEtag(state, command.etag, name);
    if (state !== undefined) ports.requireUnfenced(name);
    else ports.requireCreatable(name, toKeySet(command.keySet));
    return decideApplication(ports.ledger.signingKeys, { caller, command, surroundingsIn: ports.surroundingsIn });
  };
  if (command.validateOnly) {
    const events = decide();
    const state = events.reduce<SigningKeyState | undefined>(evolveSigningKey, ports.ledger.signingKeys.get(name));
    return { state: state ?? ports.ledger.requireSigningKey(name), changed: events.length > 0 };
  }
  let changed = false;
  await ports.ledger.transact((): readonly Change[] => {
    const events = decide();
    changed = events.length > 0;
    return [{ to: 'signingKey', name, events }];
  });
  ports.rotator.retryNow();
  await waitUntilSettled(ports, name, command.deadlineMs);
  return { state: ports.ledger.requireSigningKey(name), changed };
}

export interface ApplicationWish {
  readonly caller: CallerName;
  readonly command: Omit<ApplySigningKeyCommand, 'etag' | 'validateOnly' | 'deadlineMs'>;
  readonly surroundingsIn: AdministerPorts['surroundingsIn'];
}

/** What applying commits, beside these signing keys: those of the ledger, or what a plan would make of them. */
export function decideApplication(
  signingKeys: ReadonlyMap<SigningKeyName, SigningKeyState>,
  { caller, command, surroundingsIn }: ApplicationWish,
): readonly SigningKeyEvent[] {
  const name = parseSigningKeyName(command.name, 'signing_key.name');
  const reason = parseReason(command.reason);
  const policy = parsePolicy(command.lifecyclePolicy);
  const state = signingKeys.get(name);
  const keySet = toKeySet(command.keySet, state?.keySet);
  const rsaBits = command.rsaBits === 0 ? state?.spec.rsaBits : command.rsaBits;
  const algorithm = command.algorithm === '' ? state?.spec.algorithm : command.algorithm;
  const spec = parseKeySpec(algorithm, rsaBits);
  const around = surroundingsIn(keySet);
  const others = [...signingKeys.values()].filter((other) => other.keySet === keySet && other.name !== name);
  requireCompanions(spec.algorithm, around.keySet, { signingKeys: others, field: 'signing_key.key_set' });
  const impliedByOthers = impliedTogether(others, around.keySet.promise, around.clockStepLimitMs);
  return decideApply(state, { name, keySet, spec, policy, caller, reason }, around, impliedByOthers);
}

function toKeySet(wanted: string, present: KeySetName = DEFAULT_KEY_SET): KeySetName {
  return wanted === '' ? present : parseKeySetName(wanted, 'signing_key.key_set');
}

async function waitUntilSettled(
  ports: AdministerPorts,
  name: SigningKeyName,
  deadlineMs: number | undefined,
): Promise<void> {
  const { clock, rotator } = ports;
  const capMs = clock.monotonicMs() + MAX_APPLY_WAIT_MS;
  const untilMs = Math.min(deadlineMs === undefined ? capMs : deadlineMs - ANSWER_MARGIN_MS, capMs);
  const isWaiting = (): boolean => {
    if (rotator.lastProblem(name) !== '') return false;
    if (rotator.isReconciling(name)) return true;
    // The commit is done, but rule 4 wants the generation served before a JWT leaves.
    return (
      ports.surroundingsOf(ports.ledger.requireSigningKey(name)).keySet.generation > 0 &&
      hasActive(ports, name) &&
      !ports.isSignable(name)
    );
  };
  while (isWaiting() && clock.monotonicMs() < untilMs) await sleep(clock, APPLY_POLL_MS);
}

function hasActive(ports: AdministerPorts, name: SigningKeyName): boolean {
  return activeVersion(ports.ledger.requireSigningKey(name)) !== undefined;
}

export interface Rotation {
  readonly activated: number;
  readonly suspended: number | undefined;
}

/** Rotates by hand, under the same rules as a scheduled rotation. */
export async function rotate(ports: AdministerPorts, caller: CallerName, command: RotateCommand): Promise<Rotation> {
  const name = parseSigningKeyName(command.signingKey);
  const reason = parseReason(command.reason);
  const request = toCommandRequest('rotate', caller, command);
  const options = { caller, reason, useLastStandby: command.useLastStandby };
  for (let attempt = 1; attempt <= MAX_ROTATE_ATTEMPTS; attempt += 1) {
    const { state } = ports.meters.observe(ports.ledger.requireSigningKey(name));
    const around = ports.surroundingsOf(state);
    const earlier = findAnswer(state.commands, request, around.nowMs);
    if (earlier !== undefined) return toRotation(earlier);
    requireEtag(state, command.etag, name);
    ports.requireUnfenced(name);
    const successor = requireSuccessor(state, around, options.useLastStandby);
    const active = activeVersion(state);
    const rotation = { activated: successor.number, suspended: active?.number };
    if (command.validateOnly) return rotation;
    await tryVersion(ports.hsm, state, successor);
    let isDone = false;
    await commitEvents(ports, name, (now, then) => {
      if (findAnswer(now.commands, request, then.nowMs) !== undefined) return [];
      requireEtag(now, command.etag, name);
      // Another rotation came first: what was tried is not what would be activated.
      if (requireSuccessor(now, then, options.useLastStandby).number !== successor.number) return [];
      isDone = true;
      return [...decideRotate(now, options, then), ...toRecord(request, rotation, then.nowMs)];
    });
    if (isDone) {
      ports.rotator.wake();
      return rotation;
    }
  }
  throw new KeyturnError(
    'CONCURRENT_CHANGE',
    `signing key ${name} is being rotated by others at the same time; look at it before you rotate again`,
    { subject: name },
  );
}

function toRotation({ activated, suspended }: CommandAnswer): Rotation {
  if (activated !== undefined) return { activated, suspended };
  throw new KeyturnError('INTERNAL', 'the record of a rotation does not say which version it activated');
}
