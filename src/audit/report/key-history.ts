/**
 * One signing key's life, as its events in the audit log tell it: policies, versions, and whether each rotation came in
 * time. Deliberately not the daemon's own fold: it takes a log that begins in the middle of a life, and it would find
 * what the daemon's reckoning got wrong. Pure.
 */
import { formatDuration } from '../../base/duration.ts';
import type { SigningKeyEvent } from '../../lifecycle/events.ts';
import type { LifecyclePolicy } from '../../lifecycle/model.ts';
import { doubtsAbout } from './birth-doubts.ts';
import type { Birth, Ending, Happening, Period, PolicySpan, SigningKeySection, Turn } from './report.ts';

/** What the daemon and its disk may take for a rotation that is due, without being late. */
const PUNCTUAL_MS = 60_000;

interface Version {
  readonly number: number;
  kid: string;
  activatedMs: number | undefined;
  stoppedMs: number | undefined;
  withdrawnMs: number | undefined;
  privateKeyDestroyedMs: number | undefined;
  compromised: Ending['compromised'];
  isRetained: boolean;
  isEnded: boolean;
}

interface Active {
  readonly version: number;
  readonly sinceMs: number | undefined;
  /** A rollback holds rotation until the longest signing period is over. */
  isHeld: boolean;
  scheduledMs: number | undefined;
}

interface FailureRun {
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly problem: string;
}

export class KeyHistory {
  readonly #name: string;
  readonly #versions = new Map<number, Version>();
  readonly #byKid = new Map<string, Version>();
  readonly #policies: PolicySpan[] = [];
  readonly #turns: Turn[] = [];
  readonly #births: Birth[] = [];
  readonly #failureRuns: FailureRun[] = [];
  /** Attempts to make a version, in a row, that came to nothing. */
  #failures: FailureRun | undefined;
  #keySet: string | undefined;
  #algorithm: string | undefined;
  #createdMs: number | undefined;
  #retiredMs: number | undefined;
  #active: Active | undefined;
  /** It signed, was declared compromised, and nothing has taken its place yet. */
  #fallen: (Active & { readonly fellMs: number; readonly caller: string; readonly reason: string }) | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  add(event: SigningKeyEvent): void {
    const { atMs } = event;
    switch (event.type) {
      case 'SIGNING_KEY_CREATED':
        this.#createdMs = atMs;
        this.#keySet = event.keySet;
        this.#algorithm = event.spec.algorithm;
        this.#notePolicy(atMs, event);
        return;
      case 'POLICY_CHANGED':
        this.#notePolicy(atMs, event);
        return;
      case 'VERSION_MADE':
      case 'VERSION_RECOVERED':
        this.#version(event.version).kid = event.kid;
        this.#byKid.set(event.kid, this.#version(event.version));
        this.#endFailures();
        this.#births.push({
          signingKey: this.#name,
          version: event.version,
          kid: event.kid,
          atMs,
          isRecovered: event.type === 'VERSION_RECOVERED',
          record: event.birth,
          doubts: doubtsAbout(event.birth),
        });
        return;
      case 'INTENT_ABANDONED':
        this.#failures = {
          count: (this.#failures?.count ?? 0) + 1,
          firstMs: this.#failures?.firstMs ?? atMs,
          lastMs: atMs,
          problem: event.problem,
        };
        return;
      case 'VERSION_ACTIVATED':
        this.#activate(event);
        return;
      case 'VERSION_SUSPENDED':
        this.#version(event.version).stoppedMs ??= atMs;
        return;
      case 'ROTATION_SCHEDULED':
        if (this.#active !== undefined) this.#active.scheduledMs = event.dueMs;
        return;
      case 'ROTATION_UNSCHEDULED':
        if (this.#active !== undefined) this.#active.scheduledMs = undefined;
        return;
      case 'SIGNING_HALTED':
        this.#halt(event);
        return;
      case 'SIGNING_KEY_RETIRED':
        this.#retiredMs = atMs;
        this.#halt(event);
        return;
      case 'SIGNING_KEY_UNRETIRED':
        this.#retiredMs = undefined;
        return;
      case 'VERSION_COMPROMISED':
        this.#compromise(event);
        return;
      case 'PRIVATE_KEY_DESTROYED':
        this.#version(event.version).privateKeyDestroyedMs = atMs;
        return;
      case 'VERSION_DESTROYED':
        this.#version(event.version).withdrawnMs = atMs;
        this.#version(event.version).isEnded = true;
        return;
      default:
    }
  }

  section(): SigningKeySection {
    return {
      name: this.#name,
      keySet: this.#keySet,
      algorithm: this.#algorithm,
      createdMs: this.#createdMs,
      retiredMs: this.#retiredMs,
      policies: this.#policies,
    };
  }

  /** Those that happened in the period, and what was due in it and hadn't happened when it ended. */
  turns(period: Period): readonly Turn[] {
    const fallen = this.#fallen;
    const stopped = fallen === undefined ? [] : [this.#toTurn(fallen, undefined, fallen.fellMs, 'compromise', fallen)];
    const done = [...this.#turns, ...stopped].filter(({ doneMs }) => doneMs !== undefined && isIn(doneMs, period));
    const active = this.#active;
    const dueMs = active === undefined ? undefined : this.#dueMs(active);
    if (active === undefined || dueMs === undefined || dueMs + PUNCTUAL_MS >= period.toMs) return done;
    const overdue: Turn = {
      signingKey: this.#name,
      fromVersion: active.version,
      toVersion: undefined,
      cause: 'due',
      sinceMs: active.sinceMs,
      dueMs,
      doneMs: undefined,
      lateMs: period.toMs - dueMs,
      punctuality: 'overdue',
      caller: '',
      reason: '',
    };
    return [...done, overdue];
  }

  births(period: Period): readonly Birth[] {
    return this.#births.filter(({ atMs }) => isIn(atMs, period));
  }

  /** Versions of which something ended in the period. */
  endings(period: Period): readonly Ending[] {
    return [...this.#versions.values()].flatMap((version): Ending[] => {
      const { compromised, withdrawnMs, privateKeyDestroyedMs, isRetained, stoppedMs, kid, number } = version;
      const moments = [compromised?.atMs, withdrawnMs, privateKeyDestroyedMs];
      if (!version.isEnded && privateKeyDestroyedMs === undefined) return [];
      if (!moments.some((atMs) => atMs !== undefined && isIn(atMs, period))) return [];
      return [
        {
          signingKey: this.#name,
          version: number,
          kid,
          compromised,
          isRetained,
          stoppedSigningMs: stoppedMs,
          withdrawnMs,
          privateKeyDestroyedMs,
        },
      ];
    });
  }

  /** Attempts to make a version that came to nothing: they leave gaps between the numbers of versions. */
  failures(period: Period): readonly Happening[] {
    const open = this.#failures === undefined ? [] : [this.#failures];
    return [...this.#failureRuns, ...open]
      .filter(({ lastMs }) => isIn(lastMs, period))
      .map(({ count, firstMs, lastMs, problem }) => ({
        sequence: 0,
        atMs: firstMs,
        what: `${count} attempts to make a version of ${this.#name} came to nothing, over ${formatDuration(lastMs - firstMs)}, the last because: ${problem}`,
      }));
  }

  #endFailures(): void {
    if (this.#failures !== undefined) this.#failureRuns.push(this.#failures);
    this.#failures = undefined;
  }

  /** Why a JWT with this kid should not be sent to the token now; undefined when nothing speaks against it. */
  objectionTo(kid: string, atMs: number, lifetimeMs: number): string | undefined {
    const longestMs = this.#policies.at(-1)?.policy.maxJwtLifetimeMs;
    if (longestMs !== undefined && lifetimeMs > longestMs)
      return `it lives longer than ${formatDuration(longestMs)}, as its policy allows`;
    const version = this.#byKid.get(kid);
    if (version === undefined)
      return this.#createdMs === undefined ? undefined : `no version of that signing key has kid ${kid}`;
    if (version.compromised !== undefined) return `version ${version.number} had been declared compromised`;
    if (version.stoppedMs === undefined || atMs <= version.stoppedMs + PUNCTUAL_MS) return undefined;
    return `version ${version.number} had been replaced`;
  }

  #version(number: number): Version {
    const known = this.#versions.get(number);
    if (known !== undefined) return known;
    const version: Version = {
      number,
      kid: '',
      activatedMs: undefined,
      stoppedMs: undefined,
      withdrawnMs: undefined,
      privateKeyDestroyedMs: undefined,
      compromised: undefined,
      isRetained: false,
      isEnded: false,
    };
    this.#versions.set(number, version);
    return version;
  }

  #notePolicy(sinceMs: number, event: { caller: string; reason: string; policy: LifecyclePolicy }): void {
    const { caller, reason, policy } = event;
    this.#policies.push({ sinceMs, caller, reason, policy });
  }

  #activate(event: SigningKeyEvent & { readonly type: 'VERSION_ACTIVATED' }): void {
    const { version, atMs, cause, caller, reason } = event;
    if (this.#active !== undefined || this.#fallen !== undefined || cause !== 'first')
      this.#turns.push(this.#toTurn(this.#active ?? this.#fallen, version, atMs, cause, { caller, reason }));
    this.#fallen = undefined;
    const next = this.#version(version);
    next.activatedMs ??= atMs;
    next.stoppedMs = undefined;
    this.#active = { version, sinceMs: atMs, isHeld: cause === 'rollback', scheduledMs: undefined };
  }

  #halt(event: { readonly atMs: number; readonly caller: string; readonly reason: string }): void {
    if (this.#active === undefined) return;
    this.#turns.push(this.#toTurn(this.#active, undefined, event.atMs, 'halt', event));
    this.#active = undefined;
  }

  #compromise(event: SigningKeyEvent & { readonly type: 'VERSION_COMPROMISED' }): void {
    const { atMs, caller, reason, retain } = event;
    const version = this.#version(event.version);
    version.compromised = { atMs, caller, reason };
    version.isRetained = retain;
    version.stoppedMs ??= atMs;
    version.withdrawnMs = atMs;
    version.isEnded = true;
    if (this.#active?.version !== event.version) return;
    this.#fallen = { ...this.#active, fellMs: atMs, caller, reason };
    this.#active = undefined;
  }

  #toTurn(
    active: Active | undefined,
    toVersion: number | undefined,
    doneMs: number,
    cause: Turn['cause'],
    by: { readonly caller: string; readonly reason: string },
  ): Turn {
    const dueMs = active === undefined ? undefined : this.#dueMs(active);
    const lateMs = dueMs === undefined ? 0 : Math.max(0, doneMs - dueMs);
    return {
      signingKey: this.#name,
      fromVersion: active?.version,
      toVersion,
      cause,
      sinceMs: active?.sinceMs,
      dueMs,
      doneMs,
      lateMs,
      punctuality: lateMs <= PUNCTUAL_MS ? 'onTime' : this.#isTooLate(active, doneMs) ? 'tooLate' : 'late',
      caller: by.caller,
      reason: by.reason,
    };
  }

  /** The end of the signing period, which the daemon comes before to spread rotations; or what a command said instead. */
  #dueMs({ sinceMs, isHeld, scheduledMs }: Active): number | undefined {
    const span = this.#policies.at(-1);
    if (span === undefined || sinceMs === undefined) return scheduledMs;
    const endsMs = sinceMs + span.policy.maxSigningPeriodMs;
    if (scheduledMs !== undefined) return Math.min(scheduledMs, endsMs);
    // A shorter period can't have been kept before it was in force.
    return Math.max(span.sinceMs, isHeld ? endsMs : sinceMs + span.policy.signingPeriodMs);
  }

  #isTooLate(active: Active | undefined, doneMs: number): boolean {
    const policy = this.#policies.at(-1)?.policy;
    if (policy === undefined || active?.sinceMs === undefined) return false;
    return doneMs > active.sinceMs + policy.maxSigningPeriodMs + PUNCTUAL_MS;
  }
}

export function isIn(atMs: number, { fromMs, toMs }: Period): boolean {
  return atMs >= fromMs && atMs < toMs;
}
