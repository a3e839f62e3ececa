/** The application's views as proto messages. */
import type { CompromiseEffect, KeyVersionView, SigningKeyView } from '../../app/application.ts';
import type { BirthRecord as BirthRecordMessage } from '../../gen/keyturn/v1/BirthRecord.ts';
import type { CompromiseEffect as CompromiseEffectMessage } from '../../gen/keyturn/v1/CompromiseEffect.ts';
import type { KeyVersion } from '../../gen/keyturn/v1/KeyVersion.ts';
import type { KeyVersionState } from '../../gen/keyturn/v1/KeyVersionState.ts';
import type { LifecyclePolicy as LifecyclePolicyMessage } from '../../gen/keyturn/v1/LifecyclePolicy.ts';
import type { SigningKey } from '../../gen/keyturn/v1/SigningKey.ts';
import type { BirthRecord, LifecyclePolicy, LifecycleState } from '../../lifecycle/model.ts';
import { toDuration, toOptionalTimestamp, toTimestamp } from './values.ts';

export function toSigningKey(view: SigningKeyView): SigningKey {
  return {
    name: view.name,
    keySet: view.keySet,
    algorithm: view.spec.algorithm,
    rsaBits: view.spec.rsaBits ?? 0,
    lifecyclePolicy: toLifecyclePolicy(view.policy),
    etag: view.etag,
    createTime: toTimestamp(view.createdAtMs),
    activeVersion: view.active?.version ?? 0,
    activeKid: view.active?.kid ?? '',
    propagatedStandbys: view.propagatedStandbys,
    publishedStandbys: view.publishedStandbys,
    rotateAllowedTime: toOptionalTimestamp(view.rotateAllowedAtMs),
    readyTime: toOptionalTimestamp(view.readyAtMs),
    reconciling: view.isReconciling,
    lastProblem: view.lastProblem,
    rotationDueTime: toOptionalTimestamp(view.rotationDueAtMs),
    halted: view.isHalted,
    retireTime: toOptionalTimestamp(view.retirement?.atMs),
    unretireUntilTime: toOptionalTimestamp(view.retirement?.untilMs),
    scheduledRotationTime: toOptionalTimestamp(view.scheduledRotationAtMs),
  };
}

function toLifecyclePolicy(policy: LifecyclePolicy): LifecyclePolicyMessage {
  return {
    signingPeriod: toDuration(policy.signingPeriodMs),
    maxSigningPeriod: toDuration(policy.maxSigningPeriodMs),
    maxJwtLifetime: toDuration(policy.maxJwtLifetimeMs),
    rollbackWindow: toDuration(policy.rollbackWindowMs),
    standbys: policy.standbys,
    addJti: policy.addJti,
    addNbf: policy.addNbf === true,
  };
}

export function toKeyVersion(view: KeyVersionView): KeyVersion {
  return {
    signingKey: view.signingKey,
    version: view.version,
    kid: view.kid,
    state: toState(view.state),
    published: view.isPublished,
    propagated: view.isPropagated,
    served: toDuration(view.servedMs),
    servedRequired: toDuration(view.servedRequiredMs),
    createTime: toTimestamp(view.createdAtMs),
    activateTime: toOptionalTimestamp(view.activatedAtMs),
    suspendTime: toOptionalTimestamp(view.suspendedAtMs),
    deactivateTime: toOptionalTimestamp(view.deactivatedAtMs),
    destroyTime: toOptionalTimestamp(view.destroyedAtMs),
    expCeiling: toOptionalTimestamp(view.expCeilingMs),
    ckaId: view.ckaId,
    ckaLabel: view.ckaLabel,
    privateKeyPresent: view.hasPrivateKey,
    birthRecord: toBirthRecord(view.birth),
    suspensionEndTime: toOptionalTimestamp(view.suspensionEndsAtMs),
  };
}

export function toState(state: LifecycleState | undefined): KeyVersionState {
  return state === undefined ? 'KEY_VERSION_STATE_UNSPECIFIED' : `KEY_VERSION_STATE_${state}`;
}

function toBirthRecord({ attributes, ...token }: BirthRecord): BirthRecordMessage {
  return {
    ...token,
    attributes: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)])),
  };
}

export function toCompromiseEffect(effect: CompromiseEffect): CompromiseEffectMessage {
  return {
    signingKey: effect.signingKey,
    withdrawnVersions: [...effect.withdrawnVersions],
    activeVersion: effect.activeVersion ?? 0,
    readyTime: toOptionalTimestamp(effect.readyAtMs),
    lastJwtExpireTime: toOptionalTimestamp(effect.lastJwtExpireTimeMs),
  };
}
