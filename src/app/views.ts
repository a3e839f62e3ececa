/** State as the API shows it. Pure: the meters are in the state, the time is a value. */
import { hash } from 'node:crypto';
import type { Surroundings } from '../lifecycle/activation.ts';
import { requireSuccessor, whenPropagated } from '../lifecycle/decide.ts';
import { KeyturnError } from '../base/errors.ts';
import type { KeyVersion, SigningKeyState } from '../lifecycle/signing-key-state.ts';
import {
  activeVersion,
  isPropagated,
  isRetirementOver,
  propagatedStandbys,
  requiredServedMs,
  rotationDueMs,
  standbysOf,
} from '../lifecycle/rules.ts';
import { describeWaitingRotation, plan } from '../lifecycle/plan.ts';
import type { ActiveVersionView, KeyVersionView, RetirementView, SigningKeyView } from './application.ts';

const ETAG_CHARACTERS = 16;

/** Changes with every change that a user would call one, and with nothing else. */
export function etagOf(state: SigningKeyState): string {
  const digest = hash('sha256', `${state.name}\n${state.createdAtMs}\n${state.revision}`, 'base64url');
  return digest.slice(0, ETAG_CHARACTERS);
}

export type Progress = Pick<SigningKeyView, 'isReconciling' | 'lastProblem' | 'failingSteps' | 'isFenced'>;

export function toSigningKeyView(state: SigningKeyState, around: Surroundings, progress: Progress): SigningKeyView {
  const active = activeVersion(state);
  const isWaiting = active === undefined && !state.isHalted && state.retirement === undefined;
  return {
    name: state.name,
    keySet: state.keySet,
    spec: state.spec,
    policy: state.policy,
    etag: etagOf(state),
    createdAtMs: state.createdAtMs,
    active: active === undefined ? undefined : toActiveView(active),
    propagatedStandbys: propagatedStandbys(state, around.keySet).length,
    publishedStandbys: standbysOf(state).filter((version) => version.isPublished).length,
    rotateAllowedAtMs: rotateAllowedAtMs(state, around),
    readyAtMs: isWaiting ? readyAtMs(state, around) : undefined,
    rotationDueAtMs: active === undefined ? undefined : rotationDueMs(state, active, around.keySet),
    isHalted: state.isHalted,
    retirement: toRetirementView(state, around),
    scheduledRotationAtMs: active === undefined ? undefined : state.scheduledRotation?.dueMs,
    ...progress,
    lastProblem: describeProblem(state, around, progress),
    nextStepInMs: nextStepInMs(state, around),
  };
}

function describeProblem(state: SigningKeyState, around: Surroundings, { isFenced, lastProblem }: Progress): string {
  const waiting = isFenced ? '' : describeWaitingRotation(state, around);
  return [waiting, lastProblem].filter((problem) => problem !== '').join('; ');
}

function toActiveView(active: KeyVersion): ActiveVersionView {
  const { number, kid, activatedAtMs = 0, expCeilingMs = 0 } = active;
  return { version: number, kid, activatedAtMs, expCeilingMs };
}

function toRetirementView({ retirement }: SigningKeyState, { nowMs }: Surroundings): RetirementView | undefined {
  if (retirement === undefined) return undefined;
  const { atMs, window } = retirement;
  return { atMs, untilMs: isRetirementOver(retirement, nowMs) ? undefined : window.untilMs };
}

function nextStepInMs(state: SigningKeyState, around: Surroundings): number | undefined {
  const { due, lookAgainMs } = plan(state, around);
  return due.length > 0 ? 0 : lookAgainMs;
}

function rotateAllowedAtMs(state: SigningKeyState, around: Surroundings): number | undefined {
  try {
    requireSuccessor(state, around, false);
    return undefined;
  } catch (refusal) {
    if (refusal instanceof KeyturnError) return refusal.details.allowedAtMs;
    throw refusal;
  }
}

function readyAtMs(state: SigningKeyState, around: Surroundings): number {
  // A first generation is propagated at birth (rule 4): it is ready as soon as the token has made it.
  return around.keySet.generation === 0 ? around.nowMs : whenPropagated(state, around, 1).allowedAtMs;
}

/** Undefined while an operator is to decide. A retired signing key ends all of them together. */
function suspensionEndsAtMs({ window }: KeyVersion, { retirement }: SigningKeyState): number | undefined {
  const endsMs = [window, retirement?.window].flatMap((each) => each?.untilMs ?? []);
  return endsMs.length === 0 ? undefined : Math.min(...endsMs);
}

export function toKeyVersionView(state: SigningKeyState, version: KeyVersion, around: Surroundings): KeyVersionView {
  return {
    signingKey: state.name,
    version: version.number,
    kid: version.kid,
    state: version.state,
    isPublished: version.isPublished,
    isPropagated: isPropagated(version, around.keySet),
    servedMs: version.servedMs,
    servedRequiredMs: version.isFirstGeneration ? 0 : requiredServedMs(around.keySet),
    createdAtMs: version.madeAtMs,
    activatedAtMs: version.activatedAtMs,
    suspendedAtMs: version.suspendedAtMs,
    suspensionEndsAtMs: version.state === 'SUSPENDED' ? suspensionEndsAtMs(version, state) : undefined,
    deactivatedAtMs: version.deactivatedAtMs,
    destroyedAtMs: version.destroyedAtMs,
    expCeilingMs: version.expCeilingMs,
    ckaId: version.ckaId,
    ckaLabel: version.ckaLabel,
    hasPrivateKey: version.privateKey !== 'destroyed',
    birth: version.birth,
  };
}
