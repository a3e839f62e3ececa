/** The client's types to and from proto messages. */
import type { KeyVersion__Output } from '../gen/keyturn/v1/KeyVersion.ts';
import type { Finding__Output } from '../gen/keyturn/v1/Finding.ts';
import type { GetClockStatusResponse__Output } from '../gen/keyturn/v1/GetClockStatusResponse.ts';
import type { GetTokenStatusResponse__Output } from '../gen/keyturn/v1/GetTokenStatusResponse.ts';
import type {
  LifecyclePolicy as LifecyclePolicyMessage,
  LifecyclePolicy__Output,
} from '../gen/keyturn/v1/LifecyclePolicy.ts';
import type { ReconcileResponse__Output } from '../gen/keyturn/v1/ReconcileResponse.ts';
import type { SigningKey as SigningKeyMessage, SigningKey__Output } from '../gen/keyturn/v1/SigningKey.ts';
import type { SignJwtRequest as SignJwtMessage } from '../gen/keyturn/v1/SignJwtRequest.ts';
import type { SignJwtResponse__Output } from '../gen/keyturn/v1/SignJwtResponse.ts';
import { KeyturnError } from '../base/errors.ts';
import { LIFECYCLE_STATES, type LifecycleState } from '../lifecycle/model.ts';
import type {
  ApplySigningKeyRequest,
  KeyVersion,
  LifecyclePolicy,
  SigningKey,
  SignedJwt,
  SignJwtRequest,
  TokenStatus,
  ClockStatus,
  Finding,
  Reconciliation,
} from './types.ts';
import { fromCount, fromDuration, fromText, fromTime, requirePart, requireTime, toDuration } from './values.ts';

const SECOND_MS = 1_000;
const STATE_PREFIX = 'KEY_VERSION_STATE_';
const TOKEN_STATES = {
  TOKEN_STATE_STARTING: 'STARTING',
  TOKEN_STATE_READY: 'READY',
  TOKEN_STATE_UNAVAILABLE: 'UNAVAILABLE',
} as const;

export function toSignJwtRequest({ signingKey, claims, typ = '', lifetimeSeconds }: SignJwtRequest): SignJwtMessage {
  return {
    signingKey,
    claims: claims instanceof Uint8Array ? claims : Buffer.from(JSON.stringify(claims)),
    typ,
    ...(lifetimeSeconds === undefined ? {} : { lifetime: toDuration(lifetimeSeconds * SECOND_MS) }),
  };
}

export function fromSignedJwt({ jwt, kid, expireTime }: SignJwtResponse__Output): SignedJwt {
  return { jwt, kid, expireTime: requireTime(expireTime, 'expire_time') };
}

export function toSigningKeyMessage(
  request: Omit<ApplySigningKeyRequest, 'etag' | 'validateOnly' | 'reason'>,
): SigningKeyMessage {
  const { name, algorithm, keySet = '', rsaBits = 0, lifecyclePolicy = {} } = request;
  return { name, algorithm, keySet, rsaBits, lifecyclePolicy: toLifecyclePolicy(lifecyclePolicy) };
}

function toLifecyclePolicy(policy: NonNullable<ApplySigningKeyRequest['lifecyclePolicy']>): LifecyclePolicyMessage {
  const {
    signingPeriodMs,
    maxSigningPeriodMs,
    maxJwtLifetimeMs,
    rollbackWindowMs,
    standbys = 0,
    addJti,
    addNbf,
  } = policy;
  return {
    ...(signingPeriodMs === undefined ? {} : { signingPeriod: toDuration(signingPeriodMs) }),
    ...(maxSigningPeriodMs === undefined ? {} : { maxSigningPeriod: toDuration(maxSigningPeriodMs) }),
    ...(maxJwtLifetimeMs === undefined ? {} : { maxJwtLifetime: toDuration(maxJwtLifetimeMs) }),
    ...(rollbackWindowMs === undefined ? {} : { rollbackWindow: toDuration(rollbackWindowMs) }),
    standbys,
    ...(addJti === undefined ? {} : { addJti }),
    ...(addNbf === undefined ? {} : { addNbf }),
  };
}

export function fromSigningKey(answer: SigningKey__Output | null): SigningKey {
  const message = requirePart(answer, 'signing_key');
  return {
    name: message.name,
    keySet: message.keySet,
    algorithm: message.algorithm,
    rsaBits: fromCount(message.rsaBits),
    lifecyclePolicy: fromLifecyclePolicy(requirePart(message.lifecyclePolicy, 'lifecycle_policy')),
    etag: message.etag,
    createTime: requireTime(message.createTime, 'create_time'),
    activeVersion: fromCount(message.activeVersion),
    activeKid: fromText(message.activeKid),
    propagatedStandbys: message.propagatedStandbys,
    publishedStandbys: message.publishedStandbys,
    rotateAllowedTime: fromTime(message.rotateAllowedTime),
    readyTime: fromTime(message.readyTime),
    reconciling: message.reconciling,
    lastProblem: fromText(message.lastProblem),
    rotationDueTime: fromTime(message.rotationDueTime),
    halted: message.halted,
    retireTime: fromTime(message.retireTime),
    unretireUntilTime: fromTime(message.unretireUntilTime),
    scheduledRotationTime: fromTime(message.scheduledRotationTime),
  };
}

function fromLifecyclePolicy(message: LifecyclePolicy__Output): LifecyclePolicy {
  return {
    signingPeriodMs: fromDuration(message.signingPeriod),
    maxSigningPeriodMs: fromDuration(message.maxSigningPeriod),
    maxJwtLifetimeMs: fromDuration(message.maxJwtLifetime),
    rollbackWindowMs: fromDuration(message.rollbackWindow),
    standbys: message.standbys,
    addJti: message.addJti ?? true,
    addNbf: message.addNbf ?? false,
  };
}

export function fromKeyVersion(message: KeyVersion__Output): KeyVersion {
  return {
    signingKey: message.signingKey,
    version: message.version,
    kid: message.kid,
    state: parseState(message.state),
    published: message.published,
    propagated: message.propagated,
    servedMs: fromDuration(message.served),
    servedRequiredMs: fromDuration(message.servedRequired),
    createTime: requireTime(message.createTime, 'create_time'),
    activateTime: fromTime(message.activateTime),
    suspendTime: fromTime(message.suspendTime),
    suspensionEndTime: fromTime(message.suspensionEndTime),
    deactivateTime: fromTime(message.deactivateTime),
    destroyTime: fromTime(message.destroyTime),
    expCeiling: fromTime(message.expCeiling),
    ckaId: message.ckaId,
    ckaLabel: message.ckaLabel,
    privateKeyPresent: message.privateKeyPresent,
    birthRecord: requirePart(message.birthRecord, 'birth_record'),
  };
}

export function parseState(name: string): LifecycleState {
  const state = LIFECYCLE_STATES.find((candidate) => STATE_PREFIX + candidate === name);
  if (state !== undefined) return state;
  throw new KeyturnError(
    'INTERNAL',
    `the daemon names a key version state, ${name}, that this client doesn't know; update the client`,
  );
}

export function parseOptionalState(name: string): LifecycleState | undefined {
  return name === 'KEY_VERSION_STATE_UNSPECIFIED' ? undefined : parseState(name);
}

const FINDING_KINDS = {
  FINDING_KIND_ORPHAN: 'ORPHAN',
  FINDING_KIND_RESURRECTED: 'RESURRECTED',
  FINDING_KIND_MISSING: 'MISSING',
  FINDING_KIND_DUPLICATE: 'DUPLICATE',
  FINDING_KIND_CHALLENGE_FAILED: 'CHALLENGE_FAILED',
} as const;

export function fromReconciliation(message: ReconcileResponse__Output): Reconciliation {
  return {
    findings: message.findings.map(fromFinding),
    fencedSigningKeys: message.fencedSigningKeys,
    restoreTime: fromTime(message.restoreTime),
    knownUntilTime: fromTime(message.knownUntilTime),
  };
}

function fromFinding({ kind, ckaId, ckaLabel, signingKey, version }: Finding__Output): Finding {
  if (kind === 'FINDING_KIND_UNSPECIFIED') {
    throw new KeyturnError(
      'INTERNAL',
      "the daemon names a kind of finding that this client doesn't know; update the client",
    );
  }
  return { kind: FINDING_KINDS[kind], ckaId, ckaLabel, signingKey: fromText(signingKey), version: fromCount(version) };
}

export function fromClockStatus(message: GetClockStatusResponse__Output): ClockStatus {
  return {
    trusted: message.trusted,
    stepMs: fromDuration(message.step),
    stepLimitMs: fromDuration(message.stepLimit),
    time: requireTime(message.time, 'time'),
  };
}

export function fromTokenStatus(message: GetTokenStatusResponse__Output): TokenStatus {
  const { state } = message;
  if (state === 'TOKEN_STATE_UNSPECIFIED') {
    throw new KeyturnError(
      'INTERNAL',
      "the daemon names a token state that this client doesn't know; update the client",
    );
  }
  return {
    state: TOKEN_STATES[state],
    reason: fromText(message.reason),
    message: fromText(message.message),
    label: fromText(message.label),
    serial: fromText(message.serial),
    manufacturer: fromText(message.manufacturer),
    model: fromText(message.model),
    firmwareVersion: fromText(message.firmwareVersion),
    workers: message.workers.map(({ pid, state: workerState, sessions, inFlight, uptime }) => {
      return { pid, state: workerState, sessions, inFlight, uptimeMs: fromDuration(uptime) };
    }),
    workerRestarts: message.workerRestarts,
    queueDepth: message.queueDepth,
  };
}
