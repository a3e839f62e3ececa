/**
 * What the world knows of key versions from the commits that it saw: its own bookkeeping, made from the events' plain
 * content and not by keyturn's fold. Invariants are judged by it.
 */
import type { StoredEvent, StreamAppend } from '../../src/store/store.ts';
import type { ParsedJwt } from './verifiers.ts';

export interface VersionFacts {
  readonly key: string;
  readonly number: number;
  readonly kid: string;
  state: string;
  /** The promise's ceiling when it became ACTIVE last. */
  activationCeilingMs: number;
  /** When it was withdrawn as compromised; true time. */
  compromisedAtMs: number | undefined;
  /** The JWT of it that expires last. */
  longest: ParsedJwt | undefined;
}

/** Members that events of several types have; absent where the type has none. */
interface AnyEvent extends StoredEvent {
  readonly version?: number;
  readonly kid?: string;
  readonly cause?: string;
  readonly basis?: string;
  readonly kids?: readonly string[];
}

export interface Noted {
  /** Signing keys with a version that became ACTIVE in this commit. */
  readonly activated: readonly string[];
  /** Kids that left a key set in this commit. */
  readonly withdrawn: readonly string[];
  readonly compromised: readonly VersionFacts[];
  readonly rotations: number;
  readonly problem: string | undefined;
}

const KEY_PREFIX = 'signing-key/';
/** Too many to tell. */
const UNTOLD = new Set([
  'METERS_RECORDED',
  'EXP_CEILING_RAISED',
  'KEY_SET_SERVED',
  'VERSION_INTENDED',
  'DESTRUCTION_INTENDED',
]);

export function hasNewGeneration(appends: readonly StreamAppend[]): boolean {
  return appends.some(({ events }) => events.some(({ type }) => type === 'GENERATION_COMMITTED'));
}

export class Facts {
  readonly #byKid = new Map<string, VersionFacts>();
  readonly #byKey = new Map<string, Map<number, VersionFacts>>();
  #published: readonly string[] = [];

  find(kid: string): VersionFacts | undefined {
    return this.#byKid.get(kid);
  }

  note(appends: readonly StreamAppend[], ceilingMs: number, nowMs: number): Noted {
    const noted = {
      activated: [] as string[],
      withdrawn: [] as string[],
      compromised: [] as VersionFacts[],
      rotations: 0,
    };
    const touched = new Set<string>();
    for (const { stream, events } of appends) {
      const key = stream.startsWith(KEY_PREFIX) ? stream.slice(KEY_PREFIX.length) : undefined;
      for (const event of events as readonly AnyEvent[]) {
        if (UNTOLD.has(event.type)) continue;
        if (key !== undefined) {
          this.#noteVersion(key, event, ceilingMs, nowMs, noted);
          touched.add(key);
        } else if (event.kids !== undefined) {
          const kids = new Set(event.kids);
          noted.withdrawn.push(...this.#published.filter((kid) => !kids.has(kid)));
          this.#published = event.kids;
        }
      }
    }
    return { ...noted, problem: this.#findTwoActive(touched) };
  }

  #noteVersion(
    key: string,
    event: AnyEvent,
    ceilingMs: number,
    nowMs: number,
    noted: { activated: string[]; compromised: VersionFacts[]; rotations: number },
  ): void {
    const { type, version: number = 0, kid, cause } = event;
    if (type === 'VERSION_MADE' && kid !== undefined) {
      const facts = {
        key,
        number,
        kid,
        state: 'PRE_ACTIVE',
        activationCeilingMs: 0,
        compromisedAtMs: undefined,
        longest: undefined,
      };
      this.#byKid.set(kid, facts);
      const ofKey = this.#byKey.get(key) ?? new Map<number, VersionFacts>();
      this.#byKey.set(key, ofKey.set(number, facts));
      return;
    }
    const facts = this.#byKey.get(key)?.get(number);
    if (facts === undefined) return;
    switch (type) {
      case 'VERSION_ACTIVATED':
        facts.state = 'ACTIVE';
        facts.activationCeilingMs = ceilingMs;
        noted.activated.push(key);
        if (cause === 'rotation') noted.rotations += 1;
        return;
      case 'VERSION_SUSPENDED':
        facts.state = 'SUSPENDED';
        return;
      case 'VERSION_DEACTIVATED':
        facts.state = 'DEACTIVATED';
        return;
      case 'VERSION_DESTROYED':
        facts.state = 'DESTROYED';
        return;
      case 'VERSION_COMPROMISED':
        facts.state = 'COMPROMISED';
        facts.compromisedAtMs ??= nowMs;
        noted.compromised.push(facts);
    }
  }

  /** Looked at when a commit is whole: within one, a version may become ACTIVE before the other stops. */
  #findTwoActive(keys: ReadonlySet<string>): string | undefined {
    for (const key of keys) {
      const active = [...(this.#byKey.get(key)?.values() ?? [])].filter(({ state }) => state === 'ACTIVE');
      if (active.length > 1)
        return `versions ${active.map(({ number }) => number).join(' and ')} of ${key} are ACTIVE at once`;
    }
    return undefined;
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
