/**
 * What will happen to the signing keys of a key set, and when: the daemon's own `plan` and events on virtual time, with
 * an ideal token, a clock that is right and an HTTP server that never pauses. Pure; nothing is promised, as reality may
 * only be later.
 */
import { assertNever } from '../base/assert-never.ts';
import { type CkaId, type Kid, parseCkaId, parseKid, type SigningKeyName } from '../base/ids.ts';
import type { Surroundings } from './activation.ts';
import { decideActivateStandby, decideRotate } from './decide.ts';
import type { SigningKeyEvent } from './events.ts';
import { evolveSigningKey } from './fold.ts';
import type { SigningKeyState } from './signing-key-state.ts';
import { evolveKeySet, type KeySetState } from './fold-key-set.ts';
import { planImports, publishedImports, toExpiry } from './imports.ts';
import { describeChanges, type Moment, toContent } from './moments.ts';
import { plan, type Step } from './plan.ts';
import { expCeilingReserveMs, expCeilingStepMs } from './policy.ts';
import { activeVersion, nextExpCeilingMs, propagatedStandbys, rotationDueMs, signingEndsMs } from './rules.ts';
import { hasRoom, rotationCommand, TAKEOVER, toIntent, toMade, toStepEvents } from './step-events.ts';

/** A forecast ends early rather than outgrow these. */
const MAX_MOMENTS = 2_000;
const MAX_STEPS = 20_000;
/** Time always goes on: a wait of nothing must not stop it. */
const MIN_WAIT_MS = 1;
/** An `exp_ceiling` that needs no raise. */
const CEILING_ENOUGH_MS = Number.MAX_SAFE_INTEGER;
const CKA_ID_DIGITS = 32;
const KID_CHARACTERS = 43;

/** When a key set holds most. */
export interface Peak {
  readonly atMs: number;
  readonly publishedVersions: number;
}

export interface Forecast {
  readonly startMs: number;
  /** Earlier than asked for when a limit ended it. */
  readonly endMs: number;
  readonly isComplete: boolean;
  readonly moments: readonly Moment[];
  readonly peak: Peak;
}

/** `signingKeys`: all of the key set's, with their meters as they stand. */
export function forecast(signingKeys: readonly SigningKeyState[], around: Surroundings, horizonMs: number): Forecast {
  const course = forecasting(signingKeys, around, horizonMs);
  for (;;) {
    const next = course.next();
    if (next.done === true) return next.value;
  }
}

/** The same in small parts, for who must not be kept busy: each `next` does one step or lets time pass. */
export function* forecasting(
  signingKeys: readonly SigningKeyState[],
  around: Surroundings,
  horizonMs: number,
): Generator<undefined, Forecast> {
  const course = new Course(signingKeys, around);
  const untilMs = around.nowMs + horizonMs;
  let isComplete = true;
  for (;;) {
    yield* course.settle();
    isComplete = !course.isOverLimit;
    const waitMs = course.untilNext();
    if (!isComplete || waitMs === undefined || course.nowMs + waitMs > untilMs) break;
    course.pass(waitMs);
    yield;
  }
  const { moments, peak } = course;
  return { startMs: around.nowMs, endMs: isComplete ? untilMs : course.nowMs, isComplete, moments, peak };
}

class Course {
  readonly moments: Moment[] = [];
  nowMs: number;
  peak: Peak;
  readonly #clockStepLimitMs: number;
  readonly #signingKeys: Map<SigningKeyName, SigningKeyState>;
  /** What has been told once. */
  readonly #told = new Set<string>();
  #keySet: KeySetState;
  #steps = 0;

  constructor(signingKeys: readonly SigningKeyState[], around: Surroundings) {
    this.nowMs = around.nowMs;
    this.#clockStepLimitMs = around.clockStepLimitMs;
    this.#keySet = around.keySet;
    this.#signingKeys = new Map(signingKeys.map((state) => [state.name, state]));
    this.peak = { atMs: this.nowMs, publishedVersions: this.#keySet.kids.length };
  }

  get isOverLimit(): boolean {
    return this.moments.length >= MAX_MOMENTS || this.#steps >= MAX_STEPS;
  }

  /** Everything that is due now, as the rotator would: a step of each signing key in turn. */
  *settle(): Generator<undefined, void> {
    this.#expireImports();
    for (let isSettled = false; !isSettled; ) {
      isSettled = true;
      for (const name of this.#signingKeys.keys()) {
        if (!this.#performNext(name)) continue;
        isSettled = false;
        this.#steps += 1;
        yield;
        if (this.isOverLimit) return;
      }
    }
    for (const state of this.#signingKeys.values()) this.#tellWaits(state);
  }

  /** Until time makes something due; raised ceilings change nothing that anyone sees, and are made up for by `pass`. */
  untilNext(): number | undefined {
    const { lingering, servedMs } = this.#keySet;
    const waits = [
      ...[...this.#signingKeys.values()].flatMap(
        (state) => plan(withCeilings(state), this.#around()).lookAgainMs ?? [],
      ),
      // What an older ceiling still asks for is asked no more: a standby may be propagated all at once.
      ...lingering.map(({ expiresAtServedMs }) => expiresAtServedMs - servedMs),
      planImports(this.#keySet, this.#around()).lookAgainMs ?? Number.POSITIVE_INFINITY,
    ].filter((waitMs) => waitMs < CEILING_ENOUGH_MS / 2);
    return waits.length === 0 ? undefined : Math.max(MIN_WAIT_MS, Math.min(...waits));
  }

  /** Time passes: published versions are served, retired ones are quiet, ceilings rise as they would have. */
  pass(waitMs: number): void {
    const fromMs = this.nowMs;
    this.nowMs += waitMs;
    this.#steps += 1;
    for (const [name, state] of this.#signingKeys) {
      const events = [...toMeters(state, this.nowMs, waitMs), ...this.#toRaises(state, fromMs)];
      this.#signingKeys.set(name, fold(state, events));
    }
    if (publishedImports(this.#keySet).length > 0) {
      const upMs = this.#keySet.upMs + waitMs;
      this.#keySet = evolveKeySet(this.#keySet, { type: 'UP_TIME_RECORDED', atMs: this.nowMs, upMs });
    }
    if (this.#keySet.lingering.length === 0) return;
    const servedMs = this.#keySet.servedMs + waitMs;
    this.#keySet = evolveKeySet(this.#keySet, { type: 'KEY_SET_SERVED', atMs: this.nowMs, servedMs });
  }

  #around(): Surroundings {
    return {
      keySet: this.#keySet,
      clockStepLimitMs: this.#clockStepLimitMs,
      nowMs: this.nowMs,
      isClockTrusted: true,
    };
  }

  #performNext(name: SigningKeyName): boolean {
    const before = this.#signingKeys.get(name);
    if (before === undefined) return false;
    for (const step of plan(before, this.#around()).due) {
      const events = this.#eventsOf(before, step);
      if (events.length === 0) continue;
      this.#signingKeys.set(name, fold(before, events));
      this.#commitGeneration();
      this.#tellChanges(before, fold(before, events), events);
      this.#signingKeys.set(name, fold(before, events));
      return true;
    }
    return false;
  }

  #eventsOf(state: SigningKeyState, step: Step): readonly SigningKeyEvent[] {
    const around = this.#around();
    switch (step.kind) {
      case 'publishFirstGeneration':
      case 'publishVersions':
      case 'raiseExpCeiling':
      case 'notePropagated':
      case 'deactivate':
      case 'endRetirement':
      case 'withdraw':
        return toStepEvents(step, state, around);
      case 'activateStandby':
        return decideActivateStandby(state, TAKEOVER, around);
      case 'rotate':
        return decideRotate(
          state,
          { ...rotationCommand(state, step.useLastStandby), useLastStandby: step.useLastStandby },
          around,
        );
      case 'makeVersion':
        return hasRoom(this.#keySet, [...this.#signingKeys.values()]) ? makeVersion(state, around) : [];
      case 'abandonIntent':
        return [{ type: 'INTENT_ABANDONED', atMs: this.nowMs, version: step.version, problem: '' }];
      case 'destroyPrivateKey':
        return [{ type: 'PRIVATE_KEY_DESTROYED', atMs: this.nowMs, version: step.version }];
      default:
        return assertNever(step);
    }
  }

  #expireImports(): void {
    const expiry = toExpiry(this.#keySet, this.#around());
    this.#keySet = expiry.reduce<KeySetState>(evolveKeySet, this.#keySet);
    if (expiry.length > 0) this.#commitGeneration();
  }

  #commitGeneration(): void {
    const versions = [...this.#signingKeys.values()].flatMap((state) =>
      state.versions.filter(({ isPublished }) => isPublished),
    );
    const kids = [...versions, ...publishedImports(this.#keySet)].map(({ kid }) => kid);
    if (kids.join() === this.#keySet.kids.join()) return;
    const generation = this.#keySet.generation + 1;
    this.#keySet = evolveKeySet(this.#keySet, { type: 'GENERATION_COMMITTED', atMs: this.nowMs, generation, kids });
    if (kids.length > this.peak.publishedVersions) this.peak = { atMs: this.nowMs, publishedVersions: kids.length };
  }

  /** The ACTIVE version's ceiling and the next standby's rise when the reserve is reached (plan.ts): the last rise before now counts. */
  #toRaises(state: SigningKeyState, fromMs: number): readonly SigningKeyEvent[] {
    const { policy } = state;
    const reserveMs = expCeilingReserveMs(policy);
    const everyMs = expCeilingStepMs(policy) - reserveMs;
    const [next] = propagatedStandbys(state, this.#keySet);
    return [activeVersion(state), next].flatMap((version): SigningKeyEvent[] => {
      if (version === undefined) return [];
      const firstMs = Math.max(fromMs, (version.expCeilingMs ?? 0) - policy.maxJwtLifetimeMs - reserveMs);
      if (firstMs > this.nowMs) return [];
      const lastMs = firstMs + Math.floor((this.nowMs - firstMs) / everyMs) * everyMs;
      const expCeilingMs = nextExpCeilingMs(policy, lastMs);
      return [{ type: 'EXP_CEILING_RAISED', atMs: lastMs, version: version.number, expCeilingMs }];
    });
  }

  #tellChanges(before: SigningKeyState, after: SigningKeyState, events: readonly SigningKeyEvent[]): void {
    for (const change of describeChanges(before, after, events)) this.#tell(change);
  }

  /** What doesn't happen although it is due. */
  #tellWaits(state: SigningKeyState): void {
    const { name: signingKey, nextVersion } = state;
    const active = activeVersion(state);
    const tellOnce = (what: string, change: Change): void => {
      const key = `${what} ${signingKey} ${change.version}`;
      if (!this.#told.has(key)) this.#tell(change);
      this.#told.add(key);
    };
    if (active !== undefined && this.nowMs >= rotationDueMs(state, active, this.#keySet)) {
      const description = 'is due to be replaced: rotation waits until enough standbys are known to every verifier';
      tellOnce('overdue', { signingKey, version: active.number, from: 'ACTIVE', to: 'ACTIVE', description });
    }
    if (active !== undefined && this.nowMs >= signingEndsMs(state, active)) {
      const description = 'has reached max_signing_period without a successor: nothing is signed from here on';
      tellOnce('ended', { signingKey, version: active.number, from: 'ACTIVE', to: 'ACTIVE', description });
    }
    if (plan(state, this.#around()).due.some(({ kind }) => kind === 'makeVersion')) {
      const { maxPublishedVersions } = this.#keySet.promise;
      const description = `can't be made yet: the key set holds ${maxPublishedVersions} versions, its maximum`;
      tellOnce('full', { signingKey, version: nextVersion, from: undefined, to: undefined, description });
    }
  }

  #tell(change: Change): void {
    const content = toContent([...this.#signingKeys.values()], this.nowMs);
    const importedKeys = publishedImports(this.#keySet).length;
    this.moments.push({ ...change, atMs: this.nowMs, content, importedKeys });
  }
}

type Change = Omit<Moment, 'atMs' | 'content' | 'importedKeys'>;

function fold(state: SigningKeyState, events: readonly SigningKeyEvent[]): SigningKeyState {
  return events.reduce(evolveSigningKey, state);
}

function withCeilings(state: SigningKeyState): SigningKeyState {
  return { ...state, versions: state.versions.map((version) => ({ ...version, expCeilingMs: ceilingOf(version) })) };
}

function ceilingOf({ state, expCeilingMs }: SigningKeyState['versions'][number]): number {
  return state === 'ACTIVE' || state === 'PRE_ACTIVE' ? CEILING_ENOUGH_MS : (expCeilingMs ?? 0);
}

function toMeters(state: SigningKeyState, atMs: number, waitMs: number): readonly SigningKeyEvent[] {
  const published = state.versions.filter(({ isPublished }) => isPublished);
  const isQuiet = (is: string): boolean => is === 'SUSPENDED' || is === 'DEACTIVATED';
  const servedMs = published
    .filter((version) => version.state === 'PRE_ACTIVE')
    .map((version) => [version.number, version.servedMs + waitMs]);
  const quietMs = published
    .filter((version) => isQuiet(version.state))
    .map((version) => [version.number, version.quietMs + waitMs]);
  const { retirement } = state;
  if (servedMs.length + quietMs.length === 0 && retirement === undefined) return [];
  return [
    {
      type: 'METERS_RECORDED',
      atMs,
      servedMs: Object.fromEntries(servedMs) as Record<string, number>,
      quietMs: Object.fromEntries(quietMs) as Record<string, number>,
      ...(retirement === undefined ? {} : { retiredMs: retirement.retiredMs + waitMs }),
    },
  ];
}

/** As an ideal token makes it: at once, and never refused. Its ids are none that a token could give. */
function makeVersion(state: SigningKeyState, around: Surroundings): readonly SigningKeyEvent[] {
  const version = state.nextVersion;
  const made = {
    version,
    kid: forecastKid(state.name, version),
    publicKey: { kty: 'OKP', crv: 'Ed25519', x: '' } as const,
    birth: { tokenSerial: '', tokenLabel: '', manufacturer: '', model: '', firmwareVersion: '', attributes: {} },
  };
  return [toIntent(state, forecastCkaId(version), around.nowMs), ...toMade(state, made, around)];
}

function forecastCkaId(version: number): CkaId {
  return parseCkaId(String(version).padStart(CKA_ID_DIGITS, '0'));
}

/** Unlike any thumbprint, and of one version only. */
function forecastKid(name: SigningKeyName, version: number): Kid {
  return parseKid(`${name}-${version}`.slice(-KID_CHARACTERS).padStart(KID_CHARACTERS, '_'));
}
