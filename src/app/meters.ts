/**
 * Served time and quiet time, in monotonic time: the evidence that no wall clock can forge.
 *
 * Served time of a version grows from one good answer of the HTTP server with it to the next, if they are close enough
 * together; downtime, a hung server and a missing version count nothing. Quiet time of a version that stopped signing
 * is the daemon's up-time since. Totals go to the log in coarse steps (METERS_RECORDED): a crash loses at most one
 * step, and a lost step only makes keyturn wait longer.
 */
import type { Clock } from '../base/clock.ts';
import type { KeySetName, Kid, SigningKeyName } from '../base/ids.ts';
import type { KeySetEvent, SigningKeyEvent } from '../lifecycle/events.ts';
import { evolveSigningKey } from '../lifecycle/fold.ts';
import type { KeyVersion, SigningKeyState } from '../lifecycle/signing-key-state.ts';
import type { KeySetState } from '../lifecycle/fold-key-set.ts';
import { requiredServedMs } from '../lifecycle/rules.ts';

/** Steps in which totals are recorded, as a share of what is being waited for. An orderly end records them, too. */
const RECORD_SHARE = 1 / 4;
const MIN_RECORD_STEP_MS = 1_000;

/** The latest answer, and how long the server has answered with just these kids: not yet in their totals. */
interface Answer {
  readonly atMs: number;
  readonly kids: ReadonlySet<Kid>;
  readonly stretchMs: number;
}

/** A signing key with its meters as they stand now, and the event that says so: undefined when nothing moved. */
export interface Observation {
  readonly state: SigningKeyState;
  readonly event: SigningKeyEvent | undefined;
}

export class Meters {
  readonly #clock: Clock;
  readonly #lastAnswer = new Map<KeySetName, Answer>();
  /** Answered with in this run, at least once. */
  readonly #answered = new Set<Kid>();
  /** Served in this run, by kid; by key set for lingering ceilings. */
  readonly #served = new Map<Kid, number>();
  readonly #keySetServed = new Map<KeySetName, number>();
  readonly #keySetBase = new Map<KeySetName, number>();
  /** When the version was first seen quiet in this run, and its recorded total then. */
  readonly #quietSince = new Map<Kid, { readonly atMs: number; readonly baseMs: number }>();
  /** The same for signing keys that are retired. */
  readonly #retiredSince = new Map<SigningKeyName, { readonly atMs: number; readonly baseMs: number }>();
  /** Recorded totals when first seen in this run. */
  readonly #servedBase = new Map<Kid, number>();

  readonly #tracked = new Map<SigningKeyName, SigningKeyState>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The HTTP server answered with these kids. `maxGapMs`: answers further apart prove nothing about the time between. */
  noteAnswer(keySet: KeySetName, kids: ReadonlySet<Kid>, maxGapMs: number): void {
    const atMs = this.#clock.monotonicMs();
    const before = this.#lastAnswer.get(keySet);
    const isGap = before === undefined || atMs - before.atMs > maxGapMs;
    const elapsedMs = isGap ? 0 : atMs - before.atMs;
    this.#keySetServed.set(keySet, (this.#keySetServed.get(keySet) ?? 0) + elapsedMs);
    if (before?.kids === kids) {
      // As nearly always: a key set of many versions costs no more than one of two.
      this.#lastAnswer.set(keySet, { atMs, kids, stretchMs: before.stretchMs + elapsedMs });
      return;
    }
    for (const kid of kids) this.#answered.add(kid);
    if (before !== undefined) this.#endStretch(before, elapsedMs, kids);
    this.#lastAnswer.set(keySet, { atMs, kids, stretchMs: 0 });
  }

  /** The server failed to answer: the next answer starts a new stretch. */
  noteFailure(keySet: KeySetName): void {
    const before = this.#lastAnswer.get(keySet);
    if (before !== undefined) this.#endStretch(before, 0, before.kids);
    this.#lastAnswer.delete(keySet);
  }

  /** `beyondMs`: since its last answer, for kids that are still served. Rule 1: what leaves the set begins anew. */
  #endStretch({ kids, stretchMs }: Answer, beyondMs: number, served: ReadonlySet<Kid>): void {
    for (const kid of kids) {
      if (served.has(kid)) this.#served.set(kid, (this.#served.get(kid) ?? 0) + stretchMs + beyondMs);
      else this.#served.delete(kid);
    }
  }

  /** Whether this run's HTTP server has answered with the version (rule 4: no JWT leaves before). */
  hasBeenServed(kid: Kid): boolean {
    return this.#answered.has(kid);
  }

  /** Quiet time runs from the moment that a version is first seen quiet; call it after each commit. */
  track(state: SigningKeyState): void {
    if (this.#tracked.get(state.name) === state) return;
    const former = this.#tracked.get(state.name);
    for (const { kid, number } of former?.versions ?? []) {
      if (!state.versions.some((version) => version.number === number)) this.#forget(kid);
    }
    this.#tracked.set(state.name, state);
    this.#trackRetirement(state);
    for (const [index, version] of state.versions.entries()) {
      if (former?.versions[index] === version) continue;
      if (!this.#servedBase.has(version.kid)) this.#servedBase.set(version.kid, version.servedMs);
      // A version that came back begins anew when it stops the next time.
      if (!isQuiet(version)) this.#quietSince.delete(version.kid);
      // Quiet time begins anew when it may have signed since (recover).
      if (version.quietMs < (this.#quietSince.get(version.kid)?.baseMs ?? 0)) this.#quietSince.delete(version.kid);
      if (!isQuiet(version) || this.#quietSince.has(version.kid)) continue;
      this.#quietSince.set(version.kid, { atMs: this.#clock.monotonicMs(), baseMs: version.quietMs });
    }
  }

  observe(state: SigningKeyState): Observation {
    const servedMs: Record<string, number> = {};
    const quietMs: Record<string, number> = {};
    let hasMoved = false;
    for (const version of state.versions) {
      if (version.state === 'PRE_ACTIVE' && version.isPublished) {
        const total = this.#totalServedMs(state.keySet, version);
        if (total <= version.servedMs) continue;
        servedMs[version.number] = total;
        hasMoved = true;
      } else if (isQuiet(version)) {
        const total = this.#totalQuietMs(version);
        if (total <= version.quietMs) continue;
        quietMs[version.number] = total;
        hasMoved = true;
      }
    }
    const retired = this.#observeRetirement(state);
    if (!hasMoved && retired === undefined) return { state, event: undefined };
    const event: SigningKeyEvent = {
      type: 'METERS_RECORDED',
      atMs: this.#clock.wallMs(),
      servedMs,
      quietMs,
      ...retired,
    };
    return { state: evolveSigningKey(state, event), event };
  }

  /** The key set's served time as it stands now; undefined when nobody needs it or nothing moved. */
  observeKeySet(state: KeySetState): KeySetEvent | undefined {
    if (state.lingering.length === 0) return undefined;
    const baseMs = this.#keySetBase.get(state.name) ?? state.servedMs;
    this.#keySetBase.set(state.name, baseMs);
    const servedMs = baseMs + Math.floor(this.#keySetServed.get(state.name) ?? 0);
    const soonestMs = Math.min(...state.lingering.map(({ expiresAtServedMs }) => expiresAtServedMs));
    const stepMs = Math.min(recordStepMs(requiredServedMs(state)), soonestMs - state.servedMs);
    if (servedMs - state.servedMs < stepMs) return undefined;
    return { type: 'KEY_SET_SERVED', atMs: this.#clock.wallMs(), servedMs };
  }

  /** In how many ms so much has gathered, at the soonest, that a crash would cost noticeable waiting; 0 and less: by now. */
  recordDueInMs(recorded: SigningKeyState, observed: SigningKeyState, keySet: KeySetState): number {
    let dueInMs = retiredTimeDueInMs(recorded, observed);
    for (const [index, version] of observed.versions.entries()) {
      const before = recorded.versions[index];
      if (before === undefined) continue;
      if (version.state === 'PRE_ACTIVE' && version.isPublished && version.propagatedAtMs === undefined) {
        const gatheredMs = version.servedMs - before.servedMs;
        dueInMs = Math.min(dueInMs, recordStepMs(requiredServedMs(keySet)) - gatheredMs);
      }
      if (isQuiet(version)) {
        const stepMs = recordStepMs(neededQuietMs(version));
        if (before.quietMs + stepMs <= neededQuietMs(version))
          dueInMs = Math.min(dueInMs, stepMs - (version.quietMs - before.quietMs));
      }
    }
    return dueInMs;
  }

  #trackRetirement({ name, retirement }: SigningKeyState): void {
    if (retirement === undefined || retirement.isFinal) this.#retiredSince.delete(name);
    else if (!this.#retiredSince.has(name))
      this.#retiredSince.set(name, { atMs: this.#clock.monotonicMs(), baseMs: retirement.retiredMs });
  }

  /** Undefined when nothing moved. More than the window decides nothing. */
  #observeRetirement({ name, retirement }: SigningKeyState): { readonly retiredMs: number } | undefined {
    const since = this.#retiredSince.get(name);
    if (since === undefined || retirement === undefined) return undefined;
    const elapsedMs = Math.floor(this.#clock.monotonicMs() - since.atMs);
    const retiredMs = Math.min(since.baseMs + elapsedMs, retirement.window.windowMs);
    return retiredMs > retirement.retiredMs ? { retiredMs } : undefined;
  }

  #forget(kid: Kid): void {
    this.#served.delete(kid);
    this.#answered.delete(kid);
    this.#servedBase.delete(kid);
    this.#quietSince.delete(kid);
  }

  #totalServedMs(keySet: KeySetName, version: KeyVersion): number {
    const { kid } = version;
    const latest = this.#lastAnswer.get(keySet);
    const stretchMs = latest?.kids.has(kid) === true ? latest.stretchMs : 0;
    return (this.#servedBase.get(kid) ?? version.servedMs) + Math.floor((this.#served.get(kid) ?? 0) + stretchMs);
  }

  #totalQuietMs(version: KeyVersion): number {
    const since = this.#quietSince.get(version.kid);
    if (since === undefined) return version.quietMs;
    return Math.min(since.baseMs + Math.floor(this.#clock.monotonicMs() - since.atMs), neededQuietMs(version));
  }
}

function retiredTimeDueInMs(
  { retirement: recorded }: SigningKeyState,
  { retirement: observed }: SigningKeyState,
): number {
  if (recorded === undefined || observed === undefined) return Number.POSITIVE_INFINITY;
  const { windowMs } = observed.window;
  if (recorded.retiredMs + recordStepMs(windowMs) > windowMs) return Number.POSITIVE_INFINITY;
  return recordStepMs(windowMs) - (observed.retiredMs - recorded.retiredMs);
}

function recordStepMs(wantedMs: number): number {
  return Math.max(MIN_RECORD_STEP_MS, wantedMs * RECORD_SHARE);
}

/** More quiet time than this decides nothing, so no more is counted. */
function neededQuietMs(version: KeyVersion): number {
  return Math.max(version.keepMs ?? 0, version.window?.windowMs ?? 0);
}

/** It doesn't sign any more, and is published: its quiet time decides about withdrawal. */
function isQuiet(version: KeyVersion): boolean {
  return version.isPublished && (version.state === 'SUSPENDED' || version.state === 'DEACTIVATED');
}
