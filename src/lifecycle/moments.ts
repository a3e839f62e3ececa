/** Changes of key versions in words: what a forecast tells. Pure. */
import { formatDuration } from '../base/duration.ts';
import type { SigningKeyName } from '../base/ids.ts';
import type { SigningKeyEvent } from './events.ts';
import type { KeyVersion, SigningKeyState } from './signing-key-state.ts';
import { findVersion } from './versions.ts';
import type { LifecycleState } from './model.ts';

/** Two common verifiers cache so many kids; a larger key set makes them fetch again and again. */
export const COMFORTABLE_VERSIONS = 5;

/** A version in the key set. */
export interface PublishedVersion {
  readonly signingKey: SigningKeyName;
  readonly version: number;
  readonly state: LifecycleState;
  /** Since it was made. */
  readonly ageMs: number;
}

export interface Moment {
  readonly atMs: number;
  readonly signingKey: SigningKeyName;
  readonly version: number;
  /** Undefined: not published yet. The same as `to` when something else happens to it. */
  readonly from: LifecycleState | undefined;
  readonly to: LifecycleState | undefined;
  readonly description: string;
  /** The key set's versions from then on, and how many imported keys it holds beside them. */
  readonly content: readonly PublishedVersion[];
  readonly importedKeys: number;
}

export function toContent(signingKeys: readonly SigningKeyState[], nowMs: number): readonly PublishedVersion[] {
  return signingKeys.flatMap(({ name, versions }) =>
    versions
      .filter(({ isPublished }) => isPublished)
      .map(({ number, state, madeAtMs }) => ({ signingKey: name, version: number, state, ageMs: nowMs - madeAtMs })),
  );
}

/** What became of each version that `events` touched, in the order of the numbers. */
export function describeChanges(
  before: SigningKeyState,
  after: SigningKeyState,
  events: readonly SigningKeyEvent[],
): readonly Omit<Moment, 'atMs' | 'content' | 'importedKeys'>[] {
  const numbers = new Set([...before.versions, ...after.versions].map(({ number }) => number));
  const versions = [...numbers].toSorted((left, right) => left - right).map((number) => findVersion(after, number));
  return versions.flatMap((version) => {
    if (version === undefined) return [];
    const former = before.versions.find(({ number }) => number === version.number);
    const description = describe(former, version, after, events);
    if (description === undefined) return [];
    const from = former?.isPublished === true || version.state === 'COMPROMISED' ? former?.state : undefined;
    return [{ signingKey: after.name, version: version.number, from, to: version.state, description }];
  });
}

function describe(
  former: KeyVersion | undefined,
  version: KeyVersion,
  after: SigningKeyState,
  events: readonly SigningKeyEvent[],
): string | undefined {
  if (version.state !== former?.state) {
    if (version.state !== 'PRE_ACTIVE') return describeState(version, after, events);
  }
  if (version.isPublished && former?.isPublished !== true) {
    return version.isFirstGeneration
      ? 'is published in the first generation: every verifier knows it from the beginning'
      : 'is made and published: a standby';
  }
  if (former?.propagatedAtMs === undefined && version.propagatedAtMs !== undefined)
    return 'is known to every verifier: it may sign';
  if (former?.privateKey !== 'destroyed' && version.privateKey === 'destroyed' && version.state === 'COMPROMISED')
    return 'has its private key destroyed';
  return undefined;
}

function describeState(
  version: KeyVersion,
  { policy, versions }: SigningKeyState,
  events: readonly SigningKeyEvent[],
): string | undefined {
  switch (version.state) {
    case 'ACTIVE':
      return describeActivation(version, versions, events);
    case 'SUSPENDED':
      return version.window === undefined
        ? 'is suspended until an operator decides'
        : `is replaced; it can come back for ${formatDuration(policy.rollbackWindowMs)}`;
    case 'DEACTIVATED':
      return "can't come back any more: its private key is destroyed, and it stays published until its last JWT has expired";
    case 'COMPROMISED':
      return 'is withdrawn at once, and never signs again';
    case 'DESTROYED':
      return 'leaves the key set: its last JWT has expired';
    default:
      return undefined;
  }
}

function describeActivation(
  { number }: KeyVersion,
  versions: readonly KeyVersion[],
  events: readonly SigningKeyEvent[],
): string {
  const cause = events.find((event) => event.type === 'VERSION_ACTIVATED' && event.version === number);
  if (cause?.type !== 'VERSION_ACTIVATED') return 'signs from here on';
  switch (cause.cause) {
    case 'first':
      return 'signs from here on: the first version';
    case 'rotation': {
      const replaced = versions.findLast(
        ({ state, suspensionCause }) => state === 'SUSPENDED' && suspensionCause === 'rotation',
      );
      return replaced === undefined
        ? 'signs from here on'
        : `signs from here on, instead of version ${replaced.number}`;
    }
    case 'takeover':
      return 'takes over: it signs from here on';
    case 'reactivation':
    case 'rollback':
    case 'unretirement':
      return 'comes back: it signs from here on';
  }
}
