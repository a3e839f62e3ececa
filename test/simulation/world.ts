/**
 * One simulated world: a scenario played against a subject, watched by a witness. It ends at its time, or at the first
 * violation of an invariant. The same scenario and sources end the same way every time.
 */
import type { KeySetPromise } from '../../src/lifecycle/model.ts';
import { Counts } from './counts.ts';
import { Daemon, type Subject } from './daemon.ts';
import { Emergencies } from './emergencies.ts';
import { type CrashPoint, Machine, type ProcessHooks, type StoreCopy } from './machine.ts';
import { fractionOf } from './prng.ts';
import type { Happening, Scenario } from './scenario.ts';
import type { SourceModules } from './sources.ts';
import { describeHappening } from './story.ts';
import { EventQueue, type MachineTime, settle } from './virtual-time.ts';
import { type Invariant, Witness } from './witness.ts';

export interface Violation {
  readonly invariant: Invariant;
  readonly atMs: number;
  readonly words: string;
}

export interface TraceLine {
  readonly atMs: number;
  readonly words: string;
}

export interface Outcome {
  readonly scenario: Scenario;
  readonly violation: Violation | undefined;
  readonly counts: Counts;
  readonly trace: readonly TraceLine[];
}

/** As a supervisor starts a daemon that ended. */
const START_RETRY_MS = 5_000;
/** How often every signing key signs in one shortest signing period, beside once when a version becomes ACTIVE. */
const SIGNINGS_PER_PERIOD = 2;
/** Served time is counted across gaps up to 7/20 of the ceiling: timers stay below that while it is. */
const COUNTING_LATENESS_SHARE = 0.34;
/** Names for draws. */
const LIFETIME = 11;
const PAUSE = 12;

export type MakeSubject = (world: {
  readonly scenario: Scenario;
  readonly machine: Machine;
  readonly time: MachineTime;
  readonly hooks: Omit<ProcessHooks, 'findKids'>;
}) => Subject;

export function daemonOf(sources: SourceModules): MakeSubject {
  return ({ scenario, machine, time, hooks }) =>
    new Daemon({
      sources,
      machine,
      time,
      hooks,
      keyNames: scenario.keys.map(({ name }) => name),
      clockStepLimitMs: scenario.clockStepLimitMs,
      seed: scenario.seed,
    });
}

export class World {
  readonly #scenario: Scenario;
  readonly #time: MachineTime;
  readonly #queue = new EventQueue();
  readonly #machine: Machine;
  readonly #subject: Subject;
  readonly #witness: Witness;
  readonly #emergencies: Emergencies;
  readonly #counts = new Counts();
  readonly #trace: TraceLine[] = [];
  readonly #isTracing: boolean;
  #promise: KeySetPromise;
  #violation: Violation | undefined;
  #crashIn = 0;
  #crashDownMs = 0;
  #isBooting = false;
  /** An old copy is in the place of the store: what it says is not what the world knows. */
  #isStoreOld = false;
  #draws = 0;
  /** Signing keys whose retirement was answered with OK, and that nobody has brought back since. */
  readonly #retired = new Set<string>();
  #pace: ReturnType<Subject['pace']> | undefined;

  constructor(scenario: Scenario, makeSubject: MakeSubject, isTracing: boolean) {
    this.#scenario = scenario;
    this.#isTracing = isTracing;
    this.#time = { nowMs: scenario.startMs, wallOffsetMs: 0, bootedAtMs: scenario.startMs, boots: 1 };
    this.#promise = scenario.promise;
    this.#machine = new Machine(scenario.seed);
    this.#subject = makeSubject({
      scenario,
      machine: this.#machine,
      time: this.#time,
      hooks: {
        diesAt: (point) => this.#diesAt(point),
        beforeCommit: (appends) => this.#witness.beforeCommit(appends),
        afterCommit: (appends) => {
          this.#pace = undefined;
          const { activated, lastResorts } = this.#witness.afterCommit(appends);
          for (const key of lastResorts) this.#emergencies.noteWeakened(key);
          // When the process has seen its own commit, too.
          for (const key of activated) this.#queue.add(this.#time.nowMs, () => this.#sign(key, undefined));
        },
        tokenDelay: () => this.#tokenDelay(),
      },
    });
    this.#witness = new Witness({
      scenario,
      time: this.#time,
      queue: this.#queue,
      counts: this.#counts,
      fetch: () => this.#subject.fetch(),
      wasServed: (kid) => this.#machine.wasServed(kid),
      promise: () => this.#promise,
      tell: isTracing ? (words) => this.#tell(words) : undefined,
      violate: (invariant, words) => this.#violate(invariant, words),
    });
    this.#emergencies = new Emergencies({
      subject: this.#subject,
      witness: this.#witness,
      counts: this.#counts,
      violate: (invariant, words) => this.#violate(invariant, words),
      command: (what, done) => this.#command(what, done),
    });
  }

  async run(): Promise<Outcome> {
    const { startMs, durationMs, happenings, keys } = this.#scenario;
    const endMs = startMs + durationMs;
    this.#boot();
    keys.forEach(({ name, policy }, index) => {
      this.#queue.add(startMs + index * 1_000, () => this.#command(`apply ${name}`, this.#subject.apply(name, policy)));
    });
    this.#queue.add(startMs + keys.length * 1_000, () => this.#signForEver());
    for (const happening of happenings) this.#expect(happening);
    await settle();
    while (this.#violation === undefined) {
      const timerMs = this.#subject.nextTimerMs(this.#latenessMs());
      const nextMs = Math.min(timerMs, this.#queue.nextAtMs);
      if (nextMs > endMs) break;
      this.#time.nowMs = Math.max(this.#time.nowMs, nextMs);
      if (timerMs < this.#queue.nextAtMs) this.#subject.fireTimers();
      else await this.#queue.take()?.run();
      await settle();
    }
    this.#subject.kill();
    this.#counts.add('keysMade', this.#machine.keysMade);
    return { scenario: this.#scenario, violation: this.#violation, counts: this.#counts, trace: this.#trace };
  }

  /** How late timers fire now: little while served time is counted, much while nothing but waiting is left to do. */
  #latenessMs(): number {
    const { shortestPeriodMs, isExact } = this.#scenario;
    if (isExact) return 0;
    this.#pace ??= this.#subject.pace();
    if (this.#pace === 'counting' && !this.#machine.isHttpDown) {
      return this.#promise.verifierCacheCeilingMs * COUNTING_LATENESS_SHARE;
    }
    return shortestPeriodMs / (this.#pace === 'calm' ? 2 : 20);
  }

  #tell(words: string): void {
    if (this.#isTracing) this.#trace.push({ atMs: this.#time.nowMs, words });
  }

  #violate(invariant: Invariant, words: string): void {
    this.#violation ??= { invariant, atMs: this.#time.nowMs, words };
  }

  // ── processes ──────────────────────────────────────────────────────────────────────────────────────────────────

  #boot(): void {
    if (this.#subject.isUp || this.#isBooting) return;
    this.#isBooting = true;
    this.#pace = undefined;
    this.#subject.boot(this.#promise).then(
      () => {
        this.#isBooting = false;
        this.#pace = undefined;
        this.#tell('the daemon is up');
      },
      (defect: unknown) => this.#onFailedStart(defect),
    );
  }

  /** Neither a full disk nor a token that is away keeps it from starting; an old store that can't be marked does. */
  #onFailedStart(defect: unknown): void {
    if (!this.#isStoreOld || !this.#machine.isDiskFull || !this.#machine.isReserveGone)
      return this.#violate('no-defect', `a start failed: ${String(defect)}`);
    this.#die();
    this.#bootIn(START_RETRY_MS);
  }

  #bootIn(delayMs: number): void {
    this.#queue.add(this.#time.nowMs + delayMs, () => {
      this.#counts.add('restarts');
      this.#boot();
    });
  }

  #die(): void {
    this.#subject.kill();
    this.#isBooting = false;
    this.#pace = undefined;
  }

  #diesAt(point: CrashPoint): boolean {
    if (this.#crashIn === 0 || (this.#crashIn -= 1) > 0) return false;
    this.#tell(`the daemon crashes (${point.replace('-', ' ')})`);
    this.#counts.add('crashes');
    this.#die();
    this.#bootIn(this.#crashDownMs);
    return true;
  }

  #stop(downMs: number): void {
    if (!this.#subject.isUp) return;
    this.#subject.stop().then(
      () => {
        this.#tell('the daemon has stopped');
        this.#pace = undefined;
        this.#bootIn(downMs);
      },
      (defect: unknown) => this.#violate('no-defect', `stopping failed: ${String(defect)}`),
    );
  }

  #tokenDelay(): Promise<void> {
    const { tokenDelayMs } = this.#scenario;
    if (tokenDelayMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#queue.add(this.#time.nowMs + tokenDelayMs, resolve);
    });
  }

  // ── happenings ─────────────────────────────────────────────────────────────────────────────────────────────────

  #expect(happening: Happening): void {
    const atMs = this.#scenario.startMs + happening.atMs;
    if (happening.kind !== 'old-store') {
      this.#queue.add(atMs, () => this.#happen(happening));
      return;
    }
    this.#queue.add(atMs - happening.copiedBeforeMs, () => {
      this.#tell('somebody copies the store');
      const copy = this.#machine.copyStore();
      this.#queue.add(atMs, () => {
        this.#happen(happening);
        this.#replaceStore(copy, happening.downMs);
      });
    });
  }

  #happen(happening: Happening): void {
    if (this.#isTracing) this.#tell(describeHappening(happening, this.#scenario));
    const machine = this.#machine;
    const subject = this.#subject;
    switch (happening.kind) {
      case 'rotate':
      case 'policy':
      case 'suspend':
      case 'rollback':
      case 'retire':
      case 'schedule':
      case 'compromise':
        if (subject.isUp) this.#commandedBy(happening);
        return;
      case 'crash':
        this.#crashIn = happening.afterPoints;
        this.#crashDownMs = happening.downMs;
        return;
      case 'old-store':
        return this.#counts.add('oldStores');
      case 'reboot':
        return this.#reboot(happening);
      case 'stop':
        return this.#stopFor(happening);
      case 'clock-step':
        this.#counts.add('clockSteps');
        return this.#stepClock(happening.toOffsetMs, happening.untilRightMs);
      case 'token-outage':
        this.#counts.add('tokenOutages');
        machine.isTokenDown = true;
        subject.tellTokenState();
        return this.#later(happening.forMs, 'the token is back', () => {
          machine.isTokenDown = false;
          subject.tellTokenState();
        });
      case 'no-new-keys':
        this.#counts.add('generationOutages');
        machine.canTokenGenerate = false;
        return this.#later(happening.forMs, 'the token makes keys again', () => (machine.canTokenGenerate = true));
      case 'disk-full':
        this.#counts.add('diskFull');
        machine.isDiskFull = true;
        machine.isReserveGone = happening.isReserveGone;
        return this.#later(happening.forMs, 'the disk has room again', () => (machine.isDiskFull = false));
      case 'http-outage':
        this.#counts.add('httpOutages');
        machine.isHttpDown = true;
        return this.#later(happening.forMs, 'HTTP answers again', () => (machine.isHttpDown = false));
    }
  }

  #commandedBy(happening: Extract<Happening, { readonly key: number }>): void {
    const key = this.#scenario.keys[happening.key]?.name ?? '';
    const subject = this.#subject;
    switch (happening.kind) {
      case 'rotate':
        if (happening.useLastStandby) this.#emergencies.noteWeakened(key);
        return this.#command('rotate', subject.rotate(key, happening.useLastStandby));
      case 'policy':
        this.#counts.add('policyChanges');
        this.#emergencies.noteWeakened(key);
        return this.#command('policy', subject.apply(key, happening.policy));
      case 'rollback':
        this.#counts.add('rollbacks');
        return this.#command('rollback', subject.rollback(key));
      case 'suspend':
        this.#counts.add('suspensions');
        this.#emergencies.noteWeakened(key);
        this.#command('suspend', subject.suspend(key, happening.halt));
        return this.#later(happening.reactivateAfterMs, `an operator reactivates a version of ${key}`, () => {
          const [version] = this.#witness.facts.versionsOf(key, 'SUSPENDED').toReversed();
          if (version !== undefined && subject.isUp)
            this.#command('reactivate', subject.reactivate(key, version.number));
        });
      case 'schedule':
        this.#counts.add('schedules');
        return this.#command('schedule', subject.scheduleRotation(key, happening.afterMs));
      case 'retire':
        return this.#retire(key, happening.unretireAfterMs);
      case 'compromise':
        this.#counts.add('compromises');
        subject.fireTimers();
        // When what was late is done.
        this.#queue.add(this.#time.nowMs, () => this.#emergencies.compromise(happening, key));
    }
  }

  #retire(key: string, unretireAfterMs: number | undefined): void {
    this.#counts.add('retirements');
    this.#emergencies.noteWeakened(key);
    const retired = this.#subject.retire(key).then(() => void this.#retired.add(key));
    this.#command('retire', retired);
    if (unretireAfterMs === undefined) return;
    this.#later(unretireAfterMs, `an operator brings ${key} back`, () => {
      if (!this.#subject.isUp) return;
      const wasRetired = this.#retired.delete(key);
      const back = this.#subject.unretire(key).catch((refusal: unknown) => {
        if (wasRetired) this.#retired.add(key);
        throw refusal;
      });
      this.#command('unretire', back);
    });
  }

  #reboot({ downMs, toOffsetMs, untilRightMs }: Happening & { kind: 'reboot' }): void {
    const wasUp = this.#subject.isUp || this.#isBooting;
    this.#counts.add('reboots');
    this.#die();
    this.#time.boots += 1;
    this.#time.bootedAtMs = this.#time.nowMs + downMs;
    this.#stepClock(toOffsetMs, untilRightMs);
    // Whoever was down already has a start before it.
    if (wasUp) this.#bootIn(downMs);
  }

  #replaceStore(copy: StoreCopy, downMs: number): void {
    const wasUp = this.#subject.isUp || this.#isBooting;
    this.#die();
    this.#machine.replaceStore(copy);
    this.#isStoreOld = true;
    this.#retired.clear();
    const isUnmasked = (this.#machine.auditLog?.storeEvents ?? 0) > countEvents(copy);
    if (isUnmasked) this.#counts.add('unmaskedStores');
    this.#witness.noteOldStore(keysWithoutRecord(this.#machine, copy), isUnmasked);
    if (wasUp) this.#bootIn(downMs);
  }

  #stopFor({ downMs, promise }: Happening & { kind: 'stop' }): void {
    if (!this.#subject.isUp) return;
    this.#stop(downMs);
    if (promise === undefined) return;
    this.#counts.add('promiseChanges');
    if (promise.verifierCacheCeilingMs > this.#promise.verifierCacheCeilingMs)
      for (const { name } of this.#scenario.keys) this.#emergencies.noteWeakened(name);
    this.#promise = promise;
  }

  #stepClock(toOffsetMs: number, untilRightMs: number | undefined): void {
    const time = this.#time;
    time.wallOffsetMs = toOffsetMs;
    if (Math.abs(toOffsetMs) <= this.#scenario.clockStepLimitMs) return;
    this.#later(untilRightMs ?? 0, 'the wall clock is set right', () => {
      if (time.wallOffsetMs !== toOffsetMs) return;
      time.wallOffsetMs = 0;
      // After a reboot the wrong clock may have been believed: an operator says what is right.
      if (this.#subject.isUp) this.#command('clock confirm', this.#subject.confirmClock(time.nowMs));
    });
  }

  #later(delayMs: number, words: string, run: () => void): void {
    this.#queue.add(this.#time.nowMs + delayMs, () => {
      this.#tell(words);
      run();
    });
  }

  /** Refusals are answers; what isn't refused with a reason is a defect. */
  #command(what: string, done: Promise<void>): void {
    done.then(
      () => {
        this.#counts.add('commandsDone');
        this.#tell(`${what}: done`);
      },
      (refusal: unknown) => {
        this.#counts.add('commandsRefused');
        this.#tell(`${what}: refused (${this.#reasonOf(what, refusal)})`);
      },
    );
  }

  #reasonOf(what: string, refusal: unknown): string {
    const { reason = String(refusal), cause } = refusal as { reason?: string; cause?: unknown };
    if (reason === 'INTERNAL' || reason === 'STORE_DAMAGED' || refusal instanceof TypeError)
      this.#violate('no-defect', `${what} failed with ${reason}: ${String(cause)}`);
    return reason;
  }

  // ── JWTs ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #signForEver(): void {
    const { shortestPeriodMs, keys, seed } = this.#scenario;
    const { nowMs } = this.#time;
    // What is late is done now, so that callers find the daemon as it is when they do come.
    this.#subject.fireTimers();
    for (const { name } of keys) {
      this.#draws += 1;
      const lifetimeMs = fractionOf(seed, LIFETIME, this.#draws) < 0.5 ? undefined : 1_000;
      this.#queue.add(nowMs, () => this.#sign(name, lifetimeMs));
      if (!this.#isStoreOld) this.#emergencies.lookAt(name);
    }
    const meanMs = shortestPeriodMs / SIGNINGS_PER_PERIOD;
    const pauseMs = Math.ceil(meanMs * (0.5 + fractionOf(seed, PAUSE, this.#draws)));
    this.#queue.add(nowMs + pauseMs, () => this.#signForEver());
    const unlisted = this.#isStoreOld ? undefined : this.#subject.findUnlistedKey();
    if (unlisted !== undefined) this.#violate('every-key-listed', `the token holds ${unlisted}, which no record knows`);
  }

  #sign(key: string, lifetimeMs: number | undefined): void {
    if (!this.#subject.isUp) return;
    const isRetired = this.#retired.has(key);
    this.#subject.sign(key, lifetimeMs).then(
      (compact) => {
        this.#witness.onJwt(compact);
        if (isRetired) this.#violate('operator-decides', `${key} signs although it is retired`);
      },
      (refusal: unknown) => {
        this.#counts.add('jwtsRefused');
        this.#reasonOf('signing', refusal);
      },
    );
  }
}

function countEvents(copy: StoreCopy): number {
  return [...copy.values()].reduce((sum, { length }) => sum + length, 0);
}

/** Signing keys with a key in the token that the copy says nothing of. */
function keysWithoutRecord({ tokenKeys }: Machine, copy: StoreCopy): ReadonlySet<string> {
  const recorded = new Set<unknown>();
  for (const events of copy.values()) for (const event of events) if ('ckaId' in event) recorded.add(event.ckaId);
  const unknown = [...tokenKeys].filter(([ckaId]) => !recorded.has(ckaId));
  return new Set(unknown.map(([, { ckaLabel }]) => ckaLabel.split('/')[1] ?? ''));
}
