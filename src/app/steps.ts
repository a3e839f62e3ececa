/**
 * The due steps of the lifecycle, each done crash-safe: intent committed, token asked, result committed. Whatever is
 * cut off in between, the next plan finds and completes or undoes. What to do when is lifecycle/plan.ts's business.
 */
import { assertNever } from '../base/assert-never.ts';
import { hasReason, KeyturnError, toKeyturnError } from '../base/errors.ts';
import { type Kid, parseCkaId, type SigningKeyName } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Hsm } from '../hsm/hsm.ts';
import { toKid } from '../jose/thumbprint.ts';
import { requireInService, type Surroundings } from '../lifecycle/activation.ts';
import { decideActivateStandby, decideRotate, requireSuccessor } from '../lifecycle/decide.ts';
import type { SigningKeyEvent } from '../lifecycle/events.ts';
import type { KeyVersion, SigningKeyState } from '../lifecycle/signing-key-state.ts';
import { findByKid } from '../lifecycle/versions.ts';
import { isHeldBack, type Step } from '../lifecycle/plan.ts';
import { activeVersion, propagatedStandbys, rotationDueMs } from '../lifecycle/rules.ts';
import {
  hasRoom,
  isDecided,
  rotationCommand,
  TAKEOVER,
  toIntent,
  toMade,
  type TokenStep,
  toStepEvents,
} from '../lifecycle/step-events.ts';
import type { Change } from './folded-log.ts';
import type { Ledger } from './ledger.ts';
import type { Meters, Observation } from './meters.ts';

export interface StepPorts {
  readonly ledger: Ledger;
  readonly meters: Meters;
  readonly hsm: Hsm;
  readonly log: Logger;
  /** 16 random bytes from a cryptographic source. */
  readonly randomId: () => Uint8Array;
  readonly surroundingsOf: (state: SigningKeyState) => Surroundings;
}

/** Does one step at the token. Rejects with what went wrong; nothing is then half done that a later plan would not see. */
export async function performStep(ports: StepPorts, name: SigningKeyName, step: TokenStep): Promise<void> {
  switch (step.kind) {
    case 'abandonIntent':
      return abandonIntent(ports, name, step.version, 'the daemon stopped or failed before the key was made');
    case 'makeVersion':
      return makeVersion(ports, name);
    case 'activateStandby':
      return activateStandby(ports, name, step);
    case 'rotate':
      return rotateOnSchedule(ports, name, step.useLastStandby);
    case 'destroyPrivateKey':
      return destroyPrivateKey(ports, name, step.version);
    default:
      return assertNever(step);
  }
}

type DecisionPorts = Pick<StepPorts, 'ledger' | 'meters' | 'surroundingsOf'>;
export type Decide = (state: SigningKeyState, around: Surroundings) => readonly SigningKeyEvent[];

/** Decides on the state with its meters as they stand, and puts them in front of the decision as its evidence. */
export function decideChanges(ports: DecisionPorts, name: SigningKeyName, decide: Decide): readonly Change[] {
  const { state, event } = ports.meters.observe(ports.ledger.requireSigningKey(name));
  const events = decide(state, ports.surroundingsOf(state));
  if (events.length === 0) return [];
  return [{ to: 'signingKey', name, events: event === undefined ? events : [event, ...events] }];
}

/** The meters as they stand, and those of the steps that ask nothing of the token. */
export function decideDue({ state, event }: Observation, steps: readonly Step[], around: Surroundings): Change {
  const due = steps.filter(isDecided);
  // The end of a retirement deactivates versions, too: it goes alone, and the rest is judged after it.
  const end = due.find(({ kind }) => kind === 'endRetirement');
  const events = (end === undefined ? due : [end]).flatMap((step) => toStepEvents(step, state, around));
  return { to: 'signingKey', name: state.name, events: event === undefined ? events : [event, ...events] };
}

export function commitEvents(ports: DecisionPorts, name: SigningKeyName, decide: Decide): Promise<void> {
  return ports.ledger.transact(() => decideChanges(ports, name, decide));
}

async function makeVersion(ports: StepPorts, name: SigningKeyName): Promise<void> {
  const { ledger, hsm } = ports;
  const ckaId = parseCkaId(Buffer.from(ports.randomId()).toString('hex'));
  const before = ledger.requireSigningKey(name);
  requireRoom(ports, before);
  const version = before.nextVersion;
  const intent = toIntent(before, ckaId, ports.surroundingsOf(before).nowMs);
  await ledger.transact(() => [{ to: 'signingKey', name, events: [intent] }]);
  try {
    const made = await hsm.generateKeyPair({ ckaId, ckaLabel: intent.ckaLabel, spec: before.spec });
    const kid = toKid(made.publicKey);
    requireNewKid(ledger, kid);
    await hsm.tryKey({ ckaId, algorithm: before.spec.algorithm, publicKey: made.publicKey });
    await commitEvents(ports, name, (state, around) => {
      // Retired meanwhile: it is undone like any other that didn't come about.
      requireInService(state);
      return toMade(state, { version, kid, ...made }, around);
    });
  } catch (thrown) {
    const error = toKeyturnError(thrown);
    ports.log.warn({ signingKey: name, version, err: error }, 'key version could not be made');
    await abandonIntent(ports, name, version, error.message);
    throw error;
  }
}

/** A kid is one key's for ever: a token that makes a key twice has no randomness to trust. */
function requireNewKid(ledger: Ledger, kid: Kid): void {
  for (const state of ledger.signingKeys.values()) {
    const known = findByKid(state, kid);
    if (known === undefined) continue;
    const { name } = state;
    throw new KeyturnError('KEY_NOT_PROVEN', `the token made the key of version ${known.number} of ${name} once more`, {
      subject: name,
    });
  }
}

/** Rule 11: a key set never outgrows its bound; the answer is to wait for a withdrawal or to raise the bound. */
function requireRoom(ports: StepPorts, state: SigningKeyState): void {
  const { keySet } = ports.surroundingsOf(state);
  if (hasRoom(keySet, ports.ledger.signingKeysOf(keySet.name))) return;
  throw new KeyturnError(
    'KEY_SET_FULL',
    `key set ${keySet.name} holds ${keySet.kids.length} of at most ${keySet.promise.maxPublishedVersions} versions; the next standby is made when an old version leaves it`,
    {
      subject: keySet.name,
      rule: 'bounded-key-set',
    },
  );
}

async function abandonIntent(ports: StepPorts, name: SigningKeyName, version: number, problem: string): Promise<void> {
  const intent = ports.ledger.requireSigningKey(name).intents.find((candidate) => candidate.version === version);
  if (intent === undefined) return;
  await ports.hsm.destroyKeyPair(intent.ckaId);
  await commitEvents(ports, name, (state, { nowMs }) =>
    state.intents.some((candidate) => candidate.version === version)
      ? [{ type: 'INTENT_ABANDONED', atMs: nowMs, version, problem }]
      : [],
  );
}

async function activateStandby(ports: StepPorts, name: SigningKeyName, step: Step): Promise<void> {
  const { state } = ports.meters.observe(ports.ledger.requireSigningKey(name));
  const [candidate] = propagatedStandbys(state, ports.surroundingsOf(state).keySet);
  if (candidate === undefined) return;
  await tryVersion(ports.hsm, state, candidate);
  await commitEvents(ports, name, (now, around) =>
    isStill(propagatedStandbys(now, around.keySet)[0], candidate) && !isHeldBack(step, now, around)
      ? decideActivateStandby(now, TAKEOVER, around)
      : [],
  );
}

async function rotateOnSchedule(ports: StepPorts, name: SigningKeyName, useLastStandby: boolean): Promise<void> {
  const { state } = ports.meters.observe(ports.ledger.requireSigningKey(name));
  const active = activeVersion(state);
  const candidate = requireSuccessor(state, ports.surroundingsOf(state), useLastStandby);
  await tryVersion(ports.hsm, state, candidate);
  const options = { ...rotationCommand(state, useLastStandby), useLastStandby };
  await commitEvents(ports, name, (now, around) => {
    // An operator may have rotated or postponed it meanwhile: then nothing is due any more, and the next plan says so.
    const signing = activeVersion(now);
    if (signing?.number !== active?.number || signing === undefined) return [];
    if (around.nowMs < rotationDueMs(now, signing, around.keySet)) return [];
    return isStill(requireSuccessor(now, around, useLastStandby), candidate) ? decideRotate(now, options, around) : [];
  });
}

/** What is committed must be what was tried. */
function isStill(version: KeyVersion | undefined, tried: KeyVersion): boolean {
  return version?.number === tried.number;
}

/** Rule 5: before activation every live worker has signed with the version, and the signature verified. */
export async function tryVersion(hsm: Hsm, state: SigningKeyState, version: KeyVersion): Promise<void> {
  const { ckaId, number } = version;
  try {
    await hsm.tryKey({ ckaId, algorithm: state.spec.algorithm, publicKey: version.publicKey });
  } catch (thrown) {
    if (!hasReason(thrown, 'TOKEN_OPERATION_FAILED') && !hasReason(thrown, 'SIGNATURE_INVALID')) throw thrown;
    throw new KeyturnError(
      'VERSION_UNUSABLE',
      `version ${number} of signing key ${state.name} can't sign in every worker, so it is not activated: ${thrown.message}; keyturn token reconcile tells more, and a version that is lost is taken out with keyturn key declare-compromised --version ${number}`,
      { subject: state.name, cause: thrown },
    );
  }
}

async function destroyPrivateKey(ports: StepPorts, name: SigningKeyName, number: number): Promise<void> {
  const version = ports.ledger.requireSigningKey(name).versions.find((candidate) => candidate.number === number);
  if (version === undefined) return;
  if (version.privateKey === 'present') {
    await commitEvents(ports, name, (_state, { nowMs }) => [
      { type: 'DESTRUCTION_INTENDED', atMs: nowMs, version: number },
    ]);
  }
  await ports.hsm.destroyKeyPair(version.ckaId);
  await commitEvents(ports, name, (_state, { nowMs }) => [
    { type: 'PRIVATE_KEY_DESTROYED', atMs: nowMs, version: number },
  ]);
}
