/**
 * The way out of a doubtful history (rule 9): what becomes of each version of a signing key whose store was restored or
 * lost, by what store, token and operator know together. Pure; docs/adr/0007 has the reasons.
 */
import { KeyturnError } from '../base/errors.ts';
import type { CkaId, KeySetName, Kid } from '../base/ids.ts';
import type { PublicKeyMembers } from '../jose/jwk.ts';
import { type Command, requireTrustedClock, type Surroundings } from './activation.ts';
import type { SigningKeyEvent } from './events.ts';
import { archivedItems } from './archive.ts';
import { evolveSigningKey } from './fold.ts';
import type { KeyVersion, SigningKeyState } from './signing-key-state.ts';
import type { KeySetState } from './fold-key-set.ts';
import { publishedImports } from './imports.ts';
import { everyVersion, findVersion } from './versions.ts';
import type { BirthRecord, LifecycleState } from './model.ts';
import { withdrawalDueMs } from './rules.ts';

export type Fate =
  /** It goes on as what it was. */
  | 'stays'
  /** It signs no more, and is published until its last JWT can have expired. */
  | 'deactivated'
  /** It leaves the key set: its private key is gone, and nobody says that it was good. */
  | 'withdrawn'
  /** An operator says so: never published. */
  | 'compromised'
  /** It was destroyed, and is in the token again: its private key is destroyed again. */
  | 'destroyedAgain'
  /** The object is left in the token and no longer looked at: nothing proves that it is a version. */
  | 'ignored';

/** An object of the token under this signing key's label that the store can't explain. */
export interface FoundObject {
  readonly ckaId: CkaId;
  readonly ckaLabel: string;
  /** By its label; undefined when that names none. */
  readonly version: number | undefined;
  readonly proof: Proof;
}

/** That it was born in the token, and that its halves belong together; or what speaks against it. */
export type Proof =
  | { readonly kid: Kid; readonly publicKey: PublicKeyMembers; readonly birth: BirthRecord }
  | { readonly objection: string };

export interface RecoverCommand extends Command {
  readonly compromised: ReadonlySet<Kid>;
  /** Versions whose private key is gone, and which were good. */
  readonly kept: ReadonlySet<Kid>;
  /** The longest that any policy ever allowed, when that was longer than the policy says now. */
  readonly longestJwtLifetimeMs: number;
  /** The token was restored too: what matches may have left the key set long ago. */
  readonly isTokenRestored: boolean;
}

export interface TokenView {
  readonly missing: ReadonlySet<CkaId>;
  readonly resurrected: ReadonlySet<CkaId>;
  readonly found: readonly FoundObject[];
}

export interface Verdict {
  readonly version: number | undefined;
  readonly kid: Kid | undefined;
  readonly ckaId: CkaId;
  readonly ckaLabel: string;
  readonly fate: Fate;
  readonly why: string;
  /** As the store has it now; undefined when it doesn't know the version. */
  readonly recordedState: LifecycleState | undefined;
  /** Afterwards; undefined for an object that is ignored. */
  readonly state: LifecycleState | undefined;
  readonly isPublished: boolean;
  /** When it leaves the key set; undefined when that isn't settled. */
  readonly publishedUntilMs: number | undefined;
}

export interface Recovery {
  readonly events: readonly SigningKeyEvent[];
  /** Of every version that is published or becomes something else, and of every unexplained object. */
  readonly verdicts: readonly Verdict[];
  readonly after: SigningKeyState;
}

const NAMED = 'named as compromised';

interface Decision {
  readonly fate: Fate;
  readonly why: string;
  readonly events: readonly SigningKeyEvent[];
}

/** Errors: CLOCK_UNTRUSTED. */
export function decideRecover(
  state: SigningKeyState,
  view: TokenView,
  command: RecoverCommand,
  around: Surroundings,
): Recovery {
  requireTrustedClock(around);
  // Those of the archive matter only where the token has them again.
  const resurrected = view.resurrected.size === 0 ? [] : [...archivedItems(state.archive)];
  const versions = [...state.versions, ...resurrected.filter(({ ckaId }) => view.resurrected.has(ckaId))];
  const known = versions.map((version) => ({
    version,
    decision: decideKnown(version, state, { view, command, around }),
  }));
  const found = numberFound(state, view.found).map((object) => ({
    object,
    decision: decideFound(object, state, { view, command, around }),
  }));
  const events = [...known, ...found].flatMap(({ decision }) => decision.events);
  const after = events.reduce<SigningKeyState>(evolveSigningKey, state);
  const verdicts = [
    ...known
      .filter(({ version, decision }) => version.isPublished || decision.events.length > 0)
      .map(({ version, decision }) =>
        toVerdict({ ...version, version: version.number }, decision, state, after, around),
      ),
    ...found.map(({ object, decision }) => {
      const kid = 'kid' in object.proof ? object.proof.kid : undefined;
      return toVerdict({ ...object, kid }, decision, state, after, around);
    }),
  ];
  return { events, verdicts: verdicts.toSorted(byNumber), after };
}

/** What is ignored has no number, and comes last. */
function byNumber(left: Verdict, right: Verdict): number {
  return (left.version ?? Number.MAX_SAFE_INTEGER) - (right.version ?? Number.MAX_SAFE_INTEGER);
}

interface Case {
  readonly view: TokenView;
  readonly command: RecoverCommand;
  readonly around: Surroundings;
}

function decideKnown(version: KeyVersion, state: SigningKeyState, { view, command, around }: Case): Decision {
  const { number, kid, ckaId } = version;
  const { nowMs: atMs } = around;
  const isOut = version.state === 'COMPROMISED' || version.state === 'DESTROYED';
  if (!isOut && command.compromised.has(kid)) {
    const { caller, reason } = command;
    const fallen: SigningKeyEvent = {
      type: 'VERSION_COMPROMISED',
      atMs,
      version: number,
      retain: false,
      caller,
      reason,
    };
    return { fate: 'compromised', why: NAMED, events: [fallen] };
  }
  if (isOut || version.state === 'DEACTIVATED') return decideEnded(version, view, around);
  const deactivated: SigningKeyEvent = { type: 'VERSION_DEACTIVATED', atMs, version: number };
  const doubted = toDoubt(number, state, command, around);
  if (view.missing.has(ckaId)) {
    const gone: SigningKeyEvent = { type: 'PRIVATE_KEY_DESTROYED', atMs, version: number };
    return command.kept.has(kid)
      ? {
          fate: 'deactivated',
          why: 'its private key is gone, and it was good: its JWTs stay verifiable',
          events: [gone, deactivated, doubted],
        }
      : {
          fate: 'withdrawn',
          why: 'its private key is gone, and the store can not tell why: its JWTs fail unless it is kept',
          events: [gone, deactivated, { type: 'VERSION_DESTROYED', atMs, version: number }],
        };
  }
  if (command.isTokenRestored) {
    return {
      fate: 'deactivated',
      why: 'the token was restored: it may have left the key set long ago',
      events: [deactivated, doubted],
    };
  }
  const why = 'its private key is in the token, so it never left the key set';
  return { fate: 'stays', why, events: [doubted] };
}

/** It can't have signed since, whatever the store has forgotten. */
function decideEnded({ number, ckaId, state }: KeyVersion, view: TokenView, { nowMs }: Surroundings): Decision {
  if (!view.resurrected.has(ckaId)) {
    const why =
      state === 'DEACTIVATED' ? 'it signed nothing more: it leaves the key set as planned' : 'it is out already';
    return { fate: 'stays', why, events: [] };
  }
  return {
    fate: 'destroyedAgain',
    why: 'it was destroyed, and the token has it again',
    events: [{ type: 'DESTRUCTION_INTENDED', atMs: nowMs, version: number }],
  };
}

function decideFound(object: Numbered, state: SigningKeyState, { command, around }: Case): Decision {
  const { proof, version, ckaId, ckaLabel } = object;
  if ('objection' in proof) return { fate: 'ignored', why: proof.objection, events: [] };
  const { kid, publicKey, birth } = proof;
  const { nowMs: atMs } = around;
  const { caller, reason } = command;
  const recovered: SigningKeyEvent = {
    type: 'VERSION_RECOVERED',
    atMs,
    version,
    ckaId,
    ckaLabel,
    kid,
    publicKey,
    birth,
    caller,
    reason,
  };
  if (command.compromised.has(kid)) {
    return {
      fate: 'compromised',
      why: NAMED,
      events: [recovered, { type: 'VERSION_COMPROMISED', atMs, version, retain: false, caller, reason }],
    };
  }
  return {
    fate: 'deactivated',
    why: 'without history: it may have signed until now, and signs no more',
    events: [recovered, toDoubt(version, state, command, around)],
  };
}

type Numbered = FoundObject & { readonly version: number };

/** By its label where that number is free; else the next one. */
function numberFound(state: SigningKeyState, found: readonly FoundObject[]): readonly Numbered[] {
  const intents = new Map(state.intents.map(({ ckaId, version }) => [ckaId, version]));
  const taken = new Set(intents.values());
  let next = Math.max(state.nextVersion, ...found.map(({ version = 0 }) => version + 1));
  return found.map((object) => {
    const intended = intents.get(object.ckaId);
    if (intended !== undefined) return { ...object, version: intended };
    const { version } = object;
    const isFree =
      version !== undefined && version > 0 && !taken.has(version) && findVersion(state, version) === undefined;
    const number = isFree ? version : next;
    if (!isFree) next += 1;
    taken.add(number);
    return { ...object, version: number };
  });
}

/** Rule 3 for a version whose latest signature nobody knows: now, and for as long as any policy allowed. */
function toDoubt(
  version: number,
  state: SigningKeyState,
  { longestJwtLifetimeMs }: RecoverCommand,
  { nowMs, keySet, clockStepLimitMs }: Surroundings,
): SigningKeyEvent {
  let longestMs = Math.max(state.policy.maxJwtLifetimeMs, longestJwtLifetimeMs);
  for (const candidate of everyVersion(state)) longestMs = Math.max(longestMs, candidate.longestMs);
  return {
    type: 'MAY_HAVE_SIGNED',
    atMs: nowMs,
    version,
    expCeilingMs: nowMs + longestMs,
    keepMs: longestMs + keySet.promise.verifierSkewMs + clockStepLimitMs,
  };
}

function toVerdict(
  { version, kid, ckaId, ckaLabel }: Pick<Verdict, 'kid' | 'ckaId' | 'ckaLabel'> & { readonly version: number },
  { fate, why }: Decision,
  before: SigningKeyState,
  after: SigningKeyState,
  around: Surroundings,
): Verdict {
  const isIt = (candidate: KeyVersion | undefined): boolean => candidate?.ckaId === ckaId;
  const now = [findVersion(after, version)].find(isIt);
  return {
    version: now === undefined ? undefined : version,
    kid,
    ckaId,
    ckaLabel,
    fate,
    why,
    recordedState: [findVersion(before, version)].find(isIt)?.state,
    state: now?.state,
    isPublished: now?.isPublished ?? false,
    publishedUntilMs:
      now?.state === 'DEACTIVATED' ? withdrawalDueMs(now, around.keySet, around.clockStepLimitMs) : undefined,
  };
}

export interface ImportVerdict {
  readonly keySet: KeySetName;
  readonly kid: Kid;
  readonly isCompromised: boolean;
  readonly expiresAtMs: number;
}

/** Imported keys that are published: the token knows nothing of them, so only the operator can. */
export function judgeImports(keySet: KeySetState, { compromised }: RecoverCommand): readonly ImportVerdict[] {
  return publishedImports(keySet).map(({ kid, expiresAtMs }) => {
    return { keySet: keySet.name, kid, expiresAtMs, isCompromised: compromised.has(kid) };
  });
}

/** Every kid that the operator names must mean something: a slip must not publish a stolen key. Errors: FIELD_INVALID. */
export function requireKnownKids(
  recoveries: readonly Recovery[],
  imports: readonly ImportVerdict[],
  missing: TokenView['missing'],
  command: RecoverCommand,
): void {
  const verdicts = recoveries.flatMap((recovery) => recovery.verdicts);
  const known = new Set<Kid | undefined>([...verdicts, ...imports].map(({ kid }) => kid));
  if (command.compromised.size > 0) {
    for (const { after } of recoveries) for (const { kid } of everyVersion(after)) known.add(kid);
  }
  const gone = new Set<Kid | undefined>(
    verdicts.filter(({ ckaId, fate }) => missing.has(ckaId) && fate === 'deactivated').map(({ kid }) => kid),
  );
  for (const kid of command.compromised) {
    if (known.has(kid)) continue;
    const message = `neither the store nor the token has a version with kid ${kid}; correct it, or leave it out`;
    throw new KeyturnError('FIELD_INVALID', message, { field: 'compromised_kids' });
  }
  for (const kid of command.kept) {
    if (gone.has(kid)) continue;
    const message = `kid ${kid} is not one of a version whose private key is gone: only those can be kept`;
    throw new KeyturnError('FIELD_INVALID', message, { field: 'kept_kids' });
  }
}
