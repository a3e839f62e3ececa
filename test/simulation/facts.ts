/**
 * What the world knows of key versions from the commits that it saw: its own bookkeeping, made from the events' plain
 * content and not by keyturn's fold. Invariants are judged by it.
 */
import type { LifecyclePolicy } from '../../src/lifecycle/model.ts';
import type { StoredEvent, StreamAppend } from '../../src/store/store.ts';
import type { ParsedJwt } from './verifiers.ts';

export interface VersionFacts {
  readonly key: string;
  readonly number: number;
  readonly kid: string;
  state: string;
  /** The promise's ceiling when it became ACTIVE last. */
  activationCeilingMs: number;
  /** When it became ACTIVE first, by the daemon's wall clock. */
  activatedAtMs?: number;
  /** When an operator began to declare it compromised: from then on verifiers may miss it. */
  declaredAtMs?: number;
  /** When that became durable, or was answered with OK. */
  compromisedAtMs?: number;
  /** The JWT of it that expires last. */
  longest?: ParsedJwt;
}

interface KeyFacts {
  readonly name: string;
  readonly versions: Map<number, VersionFacts>;
  readonly active: Set<number>;
  policy: LifecyclePolicy | undefined;
  /** A rollback was the latest activation. */
  isHeld: boolean;
  /** When the version that became ACTIVE last did so first. */
  signsSinceMs?: number;
}

/** Members that events of several types have; absent where the type has none. */
interface AnyEvent extends StoredEvent {
  readonly version?: number;
  readonly kid?: string;
  readonly cause?: string;
  readonly basis?: string;
  readonly kids?: readonly string[];
  readonly caller?: string;
  readonly policy?: LifecyclePolicy;
}

export interface Problem {
  readonly invariant: 'one-active' | 'operator-decides';
  readonly words: string;
}

/** What a commit brought. */
export interface Noted {
  /** Signing keys with a version that became ACTIVE. */
  readonly activated: readonly string[];
  /** Kids that left a key set. */
  readonly withdrawn: readonly string[];
  readonly compromised: readonly VersionFacts[];
  readonly rotations: number;
  /** Signing keys whose schedule rotated at maxSigningPeriod: it may have taken the last standby. */
  readonly lastResorts: readonly string[];
  readonly problems: readonly Problem[];
  /** The wall clock of this moment became the one that later ones are held against. */
  readonly isClockBased: boolean;
}

interface MutableNoted {
  readonly activated: string[];
  readonly withdrawn: string[];
  readonly compromised: VersionFacts[];
  rotations: number;
  readonly lastResorts: string[];
  readonly problems: Problem[];
  isClockBased: boolean;
}

interface NoteContext {
  readonly ceilingMs: number;
  readonly nowMs: number;
  readonly noted: MutableNoted;
}

const STATE_AFTER: Readonly<Record<string, string>> = {
  VERSION_ACTIVATED: 'ACTIVE',
  VERSION_SUSPENDED: 'SUSPENDED',
  VERSION_DEACTIVATED: 'DEACTIVATED',
  VERSION_DESTROYED: 'DESTROYED',
  VERSION_COMPROMISED: 'COMPROMISED',
};
/** The caller of what the daemon does by itself. */
const DAEMON = 'keyturn';
const KEY_PREFIX = 'signing-key/';
/** Too many to tell. */
const UNTOLD = new Set([
  'METERS_RECORDED',
  'EXP_CEILING_RAISED',
  'KEY_SET_SERVED',
  'CLOCK_SEEN',
  'VERSION_INTENDED',
  'DESTRUCTION_INTENDED',
]);

export function hasNewGeneration(appends: readonly StreamAppend[]): boolean {
  return appends.some(({ events }) => events.some(({ type }) => type === 'GENERATION_COMMITTED'));
}

export class Facts {
  readonly #byKid = new Map<string, VersionFacts>();
  readonly #keys = new Map<string, KeyFacts>();
  #published: readonly string[] = [];

  find(kid: string): VersionFacts | undefined {
    return this.#byKid.get(kid);
  }

  policyOf(key: string): LifecyclePolicy | undefined {
    return this.#keys.get(key)?.policy;
  }

  /** Versions of a signing key in a state, by number. */
  versionsOf(key: string, state: string): readonly VersionFacts[] {
    return [...(this.#keys.get(key)?.versions.values() ?? [])].filter((version) => version.state === state);
  }

  /** Versions that are not gone, of one signing key or of all. */
  livingOf(key: string | undefined): readonly VersionFacts[] {
    return [...this.#byKid.values()].filter(
      (version) =>
        (key === undefined || version.key === key) && version.state !== 'DESTROYED' && version.state !== 'COMPROMISED',
    );
  }

  note(appends: readonly StreamAppend[], ceilingMs: number, nowMs: number): Noted {
    const noted: MutableNoted = {
      activated: [],
      withdrawn: [],
      compromised: [],
      rotations: 0,
      lastResorts: [],
      problems: [],
      isClockBased: false,
    };
    for (const { stream, events } of appends) {
      const name = stream.startsWith(KEY_PREFIX) ? stream.slice(KEY_PREFIX.length) : undefined;
      for (const event of events as readonly AnyEvent[]) {
        if (UNTOLD.has(event.type)) continue;
        if (name !== undefined) this.#noteEvent(this.#keyOf(name), event, { ceilingMs, nowMs, noted });
        else if (event.type === 'CLOCK_BASED' || event.type === 'CLOCK_CONFIRMED') noted.isClockBased = true;
        else if (event.kids !== undefined) this.#noteGeneration(event.kids, noted);
      }
      // Looked at when a commit is whole: within one, a version may become ACTIVE before the other stops.
      const active = name === undefined ? undefined : this.#keys.get(name)?.active;
      if (active !== undefined && active.size > 1) {
        const words = `versions ${[...active].join(' and ')} of ${name} are ACTIVE at once`;
        noted.problems.push({ invariant: 'one-active', words });
      }
    }
    return noted;
  }

  #keyOf(name: string): KeyFacts {
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const facts: KeyFacts = { name, versions: new Map(), active: new Set(), policy: undefined, isHeld: false };
    this.#keys.set(name, facts);
    return facts;
  }

  #noteGeneration(kids: readonly string[], noted: MutableNoted): void {
    const left = new Set(kids);
    noted.withdrawn.push(...this.#published.filter((kid) => !left.has(kid)));
    this.#published = kids;
  }

  #noteEvent(key: KeyFacts, event: AnyEvent, around: NoteContext): void {
    const { type, version: number = 0, kid, policy } = event;
    if (policy !== undefined) key.policy = policy;
    if (type === 'VERSION_MADE' && kid !== undefined) {
      const made: VersionFacts = { key: key.name, number, kid, state: 'PRE_ACTIVE', activationCeilingMs: 0 };
      this.#byKid.set(kid, made);
      key.versions.set(number, made);
      return;
    }
    const version = key.versions.get(number);
    const state = STATE_AFTER[type];
    if (version === undefined || state === undefined) return;
    version.state = state;
    key.active.delete(number);
    if (state === 'ACTIVE') this.#noteActivation(key, version, event, around);
    if (state !== 'COMPROMISED') return;
    version.declaredAtMs ??= around.nowMs;
    version.compromisedAtMs ??= around.nowMs;
    around.noted.compromised.push(version);
  }

  #noteActivation(key: KeyFacts, version: VersionFacts, event: AnyEvent, { ceilingMs, noted }: NoteContext): void {
    const { cause, caller, atMs } = event;
    key.active.add(version.number);
    noted.activated.push(key.name);
    if (cause === 'rotation') noted.rotations += 1;
    const endsAtMs = (key.signsSinceMs ?? 0) + (key.policy?.maxSigningPeriodMs ?? 0);
    if (cause === 'rotation' && caller === DAEMON && atMs >= endsAtMs) noted.lastResorts.push(key.name);
    if (key.isHeld && cause === 'rotation' && caller === DAEMON && atMs < endsAtMs) {
      const words = `a scheduled rotation of ${key.name} undoes a rollback before maxSigningPeriod is over`;
      noted.problems.push({ invariant: 'operator-decides', words });
    }
    version.activationCeilingMs = ceilingMs;
    version.activatedAtMs ??= atMs;
    key.isHeld = cause === 'rollback';
    key.signsSinceMs = version.activatedAtMs;
  }
}

/** One line for each event worth telling. */
export function tellEvents(appends: readonly StreamAppend[]): readonly string[] {
  return appends.flatMap(({ stream, events }) =>
    (events as readonly AnyEvent[])
      .filter(({ type }) => !UNTOLD.has(type))
      .map((event) => tell(stream.startsWith(KEY_PREFIX) ? stream.slice(KEY_PREFIX.length) : undefined, event)),
  );
}

function tell(key: string | undefined, event: AnyEvent): string {
  const words = event.type.toLowerCase().replaceAll('_', ' ');
  if (key === undefined) return `key set: ${words}${event.kids === undefined ? '' : `, ${event.kids.length} keys`}`;
  const version = event.version === undefined ? '' : ` ${event.version}`;
  const why = event.cause ?? event.basis;
  return `${key}: ${words.replace('version', `version${version}`)}${why === undefined ? '' : ` (${why})`}`;
}
