/**
 * State as the fold of the events: `evolve(state, event) → state`, pure and total. What an event says happened, so
 * nothing is refused here; an event that can't follow its predecessors means a damaged log and throws STORE_DAMAGED.
 */
import { assertNever } from '../base/assert-never.ts';
import { emptyArchive, withArchived } from './archive.ts';
import { withRecord } from './command-records.ts';
import { damaged } from './damaged-log.ts';
import type { SigningKeyEvent } from './events.ts';
import type { BirthRecord } from './model.ts';
import type { Intent, KeyVersion, SigningKeyState } from './signing-key-state.ts';
import { findVersion } from './versions.ts';

const QUIET_EVENTS: ReadonlySet<SigningKeyEvent['type']> = new Set([
  'METERS_RECORDED',
  'EXP_CEILING_RAISED',
  'COMMAND_ANSWERED',
]);

export function evolveSigningKey(state: SigningKeyState | undefined, event: SigningKeyEvent): SigningKeyState {
  if (event.type === 'SIGNING_KEY_CREATED') {
    if (state !== undefined) throw damaged(state.name, event);
    const { name, keySet, spec, policy, atMs } = event;
    return {
      name,
      keySet,
      spec,
      policy,
      createdAtMs: atMs,
      intents: [],
      versions: [],
      archive: emptyArchive(),
      hasEverSigned: false,
      latestCompromiseMs: undefined,
      nextVersion: 1,
      commands: [],
      isRotationHeld: false,
      isHalted: false,
      retirement: undefined,
      scheduledRotation: undefined,
      revision: 1,
      sequence: 1,
    };
  }
  if (state === undefined) throw damaged('a signing key', event);
  const next = { ...state };
  applyEvent(next, event);
  return next;
}

/** The fold of many: one copy for all of them, for a start folds millions. */
export function foldSigningKey(
  state: SigningKeyState | undefined,
  events: readonly SigningKeyEvent[],
): SigningKeyState | undefined {
  let next: Draft | undefined = state === undefined ? undefined : { ...state };
  for (const event of events) {
    if (next === undefined || event.type === 'SIGNING_KEY_CREATED') next = { ...evolveSigningKey(next, event) };
    else applyEvent(next, event);
  }
  return next;
}

/** A state that nobody else has yet: its members are replaced, and what they refer to is never changed. */
type Draft = { -readonly [Member in keyof SigningKeyState]: SigningKeyState[Member] };

function applyEvent(next: Draft, event: Exclude<SigningKeyEvent, { type: 'SIGNING_KEY_CREATED' }>): void {
  next.sequence += 1;
  if (!QUIET_EVENTS.has(event.type)) next.revision += 1;
  switch (event.type) {
    case 'POLICY_CHANGED':
      next.policy = event.policy;
      return;
    case 'VERSION_INTENDED': {
      if (event.version !== next.nextVersion) throw damaged(next.name, event);
      const { version, ckaId, ckaLabel } = event;
      next.intents = [...next.intents, { version, ckaId, ckaLabel }];
      next.nextVersion = version + 1;
      return;
    }
    case 'VERSION_MADE':
      return makeVersion(next, event);
    case 'INTENT_ABANDONED':
      next.intents = withoutIntent(next, event).rest;
      return;
    case 'VERSION_PUBLISHED':
      return putVersion(next, { ...requireVersion(next, event), isPublished: true });
    case 'VERSION_PROPAGATED': {
      const version = requireVersion(next, event);
      const isFirstGeneration = version.isFirstGeneration || event.basis === 'first-generation';
      return putVersion(next, { ...version, propagatedAtMs: event.atMs, isFirstGeneration });
    }
    case 'VERSION_ACTIVATED':
      return activate(next, event);
    case 'VERSION_SUSPENDED':
      return putVersion(next, {
        ...requireVersion(next, event),
        state: 'SUSPENDED',
        suspendedAtMs: event.atMs,
        suspensionCause: event.cause,
        window: event.window,
        keepMs: event.keepMs,
        quietMs: 0,
      });
    case 'SUSPENSION_LIMITED':
      return putVersion(next, { ...requireVersion(next, event), window: event.window });
    case 'COMMAND_ANSWERED':
      next.commands = withRecord(next.commands, event);
      return;
    case 'SIGNING_HALTED':
      next.isHalted = true;
      return;
    case 'SIGNING_KEY_RETIRED':
      next.retirement = { atMs: event.atMs, window: event.window, retiredMs: 0, isFinal: false };
      return;
    case 'SIGNING_KEY_UNRETIRED':
      next.retirement = undefined;
      return;
    case 'RETIREMENT_ENDED':
      if (next.retirement === undefined) throw damaged(next.name, event);
      next.retirement = { ...next.retirement, isFinal: true };
      return;
    case 'ROTATION_SCHEDULED':
      next.scheduledRotation = { dueMs: event.dueMs, caller: event.caller, reason: event.reason };
      return;
    case 'ROTATION_UNSCHEDULED':
      next.scheduledRotation = undefined;
      return;
    case 'VERSION_COMPROMISED':
      next.latestCompromiseMs = event.atMs;
      return putVersion(next, {
        ...requireVersion(next, event),
        state: 'COMPROMISED',
        isPublished: false,
        compromisedAtMs: event.atMs,
        isRetained: event.retain,
        window: undefined,
      });
    case 'EXP_CEILING_RAISED': {
      const version = requireVersion(next, event);
      return putVersion(next, {
        ...version,
        expCeilingMs: event.expCeilingMs,
        longestMs: Math.max(version.longestMs, event.expCeilingMs - event.atMs),
      });
    }
    case 'VERSION_RECOVERED':
      return recoverVersion(next, event);
    case 'MAY_HAVE_SIGNED': {
      const version = requireVersion(next, event);
      return putVersion(next, {
        ...version,
        expCeilingMs: Math.max(version.expCeilingMs ?? 0, event.expCeilingMs),
        longestMs: Math.max(version.longestMs, event.expCeilingMs - event.atMs),
        keepMs: Math.max(version.keepMs ?? 0, event.keepMs),
        quietMs: 0,
      });
    }
    case 'VERSION_DEACTIVATED': {
      const version = requireVersion(next, event);
      const deactivated: KeyVersion = { ...version, state: 'DEACTIVATED', deactivatedAtMs: event.atMs };
      const { keepMs } = event;
      return putVersion(next, keepMs === undefined ? deactivated : { ...deactivated, keepMs, quietMs: 0 });
    }
    case 'DESTRUCTION_INTENDED':
      return putVersion(next, { ...requireVersion(next, event), privateKey: 'destroying' });
    case 'PRIVATE_KEY_DESTROYED':
      return putVersion(next, { ...requireVersion(next, event), privateKey: 'destroyed' });
    case 'VERSION_DESTROYED':
      return putVersion(next, {
        ...requireVersion(next, event),
        state: 'DESTROYED',
        isPublished: false,
        destroyedAtMs: event.atMs,
      });
    case 'METERS_RECORDED':
      return putMeters(next, event);
    default:
      assertNever(event);
  }
}

/** Nothing happens to it any more, unless the token has its private key again. */
function isOver({ state, privateKey }: KeyVersion): boolean {
  return (state === 'DESTROYED' || state === 'COMPROMISED') && privateKey === 'destroyed';
}

function requireVersion(
  state: SigningKeyState,
  event: { readonly type: string; readonly version: number },
): KeyVersion {
  const version = findVersion(state, event.version);
  if (version === undefined) throw damaged(state.name, event);
  return version;
}

/** In the place of the one that has its number, live or archived. */
function putVersion(next: Draft, version: KeyVersion): void {
  const { versions } = next;
  const index = versions.findIndex(({ number }) => number === version.number);
  if (index >= 0 && !isOver(version)) {
    next.versions = versions.with(index, version);
    return;
  }
  const others = versions.filter(({ number }) => number !== version.number);
  if (isOver(version)) {
    next.versions = others;
    next.archive = withArchived(next.archive, version);
  } else {
    next.versions = inOrder([...others, version]);
  }
}

function inOrder(versions: readonly KeyVersion[]): readonly KeyVersion[] {
  return versions.toSorted((left, right) => left.number - right.number);
}

function activate(next: Draft, event: SigningKeyEvent & { type: 'VERSION_ACTIVATED' }): void {
  const { atMs, requestId = '', version: number, cause, expCeilingMs } = event;
  const suspended = next.versions.findLast((candidate) => candidate.state === 'SUSPENDED')?.number;
  const version = requireVersion(next, event);
  putVersion(next, {
    ...version,
    state: 'ACTIVE',
    // A version that comes back goes on with the signing period that it began.
    activatedAtMs: version.activatedAtMs ?? atMs,
    expCeilingMs: Math.max(version.expCeilingMs ?? 0, expCeilingMs),
    longestMs: Math.max(version.longestMs, expCeilingMs - atMs),
    suspensionCause: undefined,
    window: undefined,
    keepMs: undefined,
    quietMs: 0,
  });
  next.hasEverSigned = true;
  next.isHalted = false;
  // What a rollback decided holds over a retirement that was undone.
  next.isRotationHeld = cause === 'rollback' || (cause === 'unretirement' && next.isRotationHeld);
  next.scheduledRotation = undefined;
  if (requestId === '') return;
  const record = { requestId, command: 'rotate', digest: '', atMs, answer: { activated: number, suspended } };
  next.commands = withRecord(next.commands, record);
}

function withoutIntent(
  state: SigningKeyState,
  event: { readonly type: string; readonly version: number },
): { intent: Intent; rest: readonly Intent[] } {
  const intent = state.intents.find((candidate) => candidate.version === event.version);
  if (intent === undefined) throw damaged(state.name, event);
  return { intent, rest: state.intents.filter((candidate) => candidate !== intent) };
}

function makeVersion(next: Draft, event: SigningKeyEvent & { type: 'VERSION_MADE' }): void {
  const { intent, rest } = withoutIntent(next, event);
  // One object for all versions that are alike in what the token said of them: there may be a great many.
  const latest = next.versions.at(-1)?.birth;
  const birth = isSameBirth(latest, event.birth) ? latest : event.birth;
  next.intents = rest;
  next.versions = [...next.versions, toNewVersion(intent, { ...event, birth }, event.atMs)];
}

function recoverVersion(next: Draft, event: SigningKeyEvent & { type: 'VERSION_RECOVERED' }): void {
  const { version: number, kid, ckaId, ckaLabel, publicKey, birth, atMs } = event;
  if (findVersion(next, number) !== undefined) throw damaged(next.name, event);
  const version: KeyVersion = {
    ...toNewVersion({ version: number, ckaId, ckaLabel }, { kid, publicKey, birth }, atMs),
    state: 'DEACTIVATED',
    isPublished: true,
    deactivatedAtMs: atMs,
  };
  next.intents = next.intents.filter((intent) => intent.version !== number);
  next.versions = inOrder([...next.versions, version]);
  next.nextVersion = Math.max(next.nextVersion, number + 1);
}

function toNewVersion(
  { version, ckaId, ckaLabel }: Intent,
  { kid, publicKey, birth }: Pick<KeyVersion, 'kid' | 'publicKey' | 'birth'>,
  madeAtMs: number,
): KeyVersion {
  return {
    number: version,
    kid,
    ckaId,
    ckaLabel,
    publicKey,
    birth,
    state: 'PRE_ACTIVE',
    isPublished: false,
    privateKey: 'present',
    madeAtMs,
    activatedAtMs: undefined,
    suspendedAtMs: undefined,
    deactivatedAtMs: undefined,
    destroyedAtMs: undefined,
    compromisedAtMs: undefined,
    isRetained: undefined,
    isFirstGeneration: false,
    propagatedAtMs: undefined,
    servedMs: 0,
    expCeilingMs: undefined,
    longestMs: 0,
    suspensionCause: undefined,
    window: undefined,
    keepMs: undefined,
    quietMs: 0,
  };
}

function isSameBirth(left: BirthRecord | undefined, right: BirthRecord): left is BirthRecord {
  if (left === undefined) return false;
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}

/** What isn't above what is known already changes nothing. */
function putMeters(next: Draft, event: SigningKeyEvent & { type: 'METERS_RECORDED' }): void {
  const { retiredMs = 0 } = event;
  const { retirement } = next;
  next.versions = next.versions.map((version) => {
    const servedMs = Math.max(version.servedMs, event.servedMs[version.number] ?? 0);
    const quietMs = Math.max(version.quietMs, event.quietMs[version.number] ?? 0);
    return servedMs === version.servedMs && quietMs === version.quietMs ? version : { ...version, servedMs, quietMs };
  });
  if (retirement !== undefined && retiredMs > retirement.retiredMs) next.retirement = { ...retirement, retiredMs };
}
