/**
 * One simulated world: a scenario played against a subject, with verifiers that judge every JWT. It ends at its time,
 * or at the first violation of an invariant. The same scenario and sources end the same way every time.
 */
import type { KeySetPromise } from '../../src/lifecycle/model.ts';
import type { StreamAppend } from '../../src/store/store.ts';
import { Counts } from './counts.ts';
import { Daemon, type Subject } from './daemon.ts';
import { Facts, hasNewGeneration, tellEvents, type VersionFacts } from './facts.ts';
import { type CrashPoint, Machine, type ProcessHooks } from './machine.ts';
import { fractionOf } from './prng.ts';
import type { Happening, Scenario } from './scenario.ts';
import type { SourceModules } from './sources.ts';
import { describeHappening } from './story.ts';
import { type ParsedJwt, parseJwt, SharedCache, type Surroundings, Verifier } from './verifiers.ts';
import { EventQueue, type MachineTime, settle } from './virtual-time.ts';

export interface Violation {
  readonly invariant:
    | 'verifiable'
    | 'compromised-dies-out'
    | 'keeps-signing'
    | 'one-active'
    | 'every-key-listed'
    | 'no-defect';
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

/** How often every signing key signs in one shortest signing period, beside once when a version becomes ACTIVE. */
const SIGNINGS_PER_PERIOD = 3;
/** A start that failed is tried again after so long, as a supervisor would. */
const START_AGAIN_MS = 5_000;
/** Names for draws: each use of chance has its own. */
const HAWK = 1;
const CACHE = 2;
const LATE = 3;
const LIFETIME = 4;
const PAUSE = 5;
const RECHECK = 6;

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
  readonly #facts = new Facts();
  readonly #counts = new Counts();
  readonly #cache: SharedCache;
  readonly #verifiers: readonly Verifier[];
  readonly #trace: TraceLine[] = [];
  readonly #isTracing: boolean;
  #promise: KeySetPromise;
  #violation: Violation | undefined;
  #crashIn = 0;
  #crashDownMs = 0;
  #isBooting = false;
  #draws = 0;
  #pace: ReturnType<Subject['pace']> = 'busy';
  #isPaceKnown = false;

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
        beforeCommit: (appends) => this.#beforeCommit(appends),
        afterCommit: (appends) => this.#afterCommit(appends),
        tokenDelay: () => this.#tokenDelay(),
      },
    });
    const around: Surroundings = {
      fetch: () => this.#subject.fetch(),
      ceilingMs: () => this.#promise.verifierCacheCeilingMs,
    };
    this.#cache = new SharedCache(around);
    this.#verifiers = scenario.verifiers.map((plan) => new Verifier(plan, around, this.#cache));
  }

  async run(): Promise<Outcome> {
    const { startMs, durationMs, happenings, keys } = this.#scenario;
    const endMs = startMs + durationMs;
    this.#boot();
    keys.forEach(({ name, policy }, index) => {
      this.#queue.add(startMs + index * 1_000, () => this.#command(`apply ${name}`, this.#subject.apply(name, policy)));
    });
    this.#queue.add(startMs + keys.length * 1_000, () => this.#signForEver());
    for (const happening of happenings) this.#queue.add(startMs + happening.atMs, () => this.#happen(happening));
    await settle();
    while (this.#violation === undefined) {
      const timerMs = this.#subject.nextTimerMs(this.#latenessMs());
      const nextMs = Math.min(timerMs, this.#queue.nextAtMs);
      if (nextMs > endMs) break;
      this.#time.nowMs = Math.max(this.#time.nowMs, nextMs);
      if (timerMs <= this.#queue.nextAtMs) this.#subject.fireTimers();
      else this.#queue.take()?.run();
      await settle();
    }
    this.#subject.kill();
    this.#counts.add('keysMade', this.#machine.keysMade);
    return { scenario: this.#scenario, violation: this.#violation, counts: this.#counts, trace: this.#trace };
  }

  /** How late timers fire now: little while served time is counted, much while nothing but waiting is left to do. */
  #latenessMs(): number {
    if (!this.#isPaceKnown) {
      this.#pace = this.#subject.pace();
      this.#isPaceKnown = true;
    }
    const { busyLatenessMs, calmLatenessMs, stuckLatenessMs, isExact } = this.#scenario;
    if (isExact) return 0;
    if (this.#pace === 'counting' && !this.#machine.isHttpDown) {
      return Math.min(busyLatenessMs, this.#promise.verifierCacheCeilingMs / 8);
    }
    return this.#pace === 'calm' ? calmLatenessMs : stuckLatenessMs;
  }

  #tell(words: string): void {
    if (this.#isTracing) this.#trace.push({ atMs: this.#time.nowMs, words });
  }

  #violate(invariant: Violation['invariant'], words: string): void {
    this.#violation ??= { invariant, atMs: this.#time.nowMs, words };
  }

  #draw(...names: number[]): number {
    return fractionOf(this.#scenario.seed, ...names);
  }

  // ── processes ──────────────────────────────────────────────────────────────────────────────────────────────────

  #boot(): void {
    if (this.#subject.isUp || this.#isBooting) return;
    this.#isBooting = true;
    this.#isPaceKnown = false;
    this.#subject.boot(this.#promise).then(
      () => {
        this.#isBooting = false;
        this.#isPaceKnown = false;
        this.#tell('the daemon is up');
      },
      () => {
        this.#isBooting = false;
        this.#subject.kill();
        this.#counts.add('failedStarts');
        this.#bootIn(START_AGAIN_MS);
      },
    );
  }

  #bootIn(delayMs: number): void {
    this.#queue.add(this.#time.nowMs + delayMs, () => {
      this.#counts.add('restarts');
      this.#boot();
    });
  }

  #diesAt(point: CrashPoint): boolean {
    if (this.#crashIn === 0 || (this.#crashIn -= 1) > 0) return false;
    this.#tell(`the daemon crashes (${point.replace('-', ' ')})`);
    this.#counts.add('crashes');
    this.#subject.kill();
    this.#isBooting = false;
    this.#isPaceKnown = false;
    this.#bootIn(this.#crashDownMs);
    return true;
  }

  #stop(downMs: number): void {
    if (!this.#subject.isUp) return;
    this.#subject.stop().then(
      () => {
        this.#tell('the daemon has stopped');
        this.#isPaceKnown = false;
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

  #happen(happening: Happening): void {
    this.#tell(describeHappening(happening, this.#scenario));
    const machine = this.#machine;
    switch (happening.kind) {
      case 'rotate':
        return this.#command('rotate', this.#subject.rotate(this.#nameOf(happening.key), happening.useLastStandby));
      case 'policy':
        this.#counts.add('policyChanges');
        return this.#command('policy', this.#subject.apply(this.#nameOf(happening.key), happening.policy));
      case 'crash':
        this.#crashIn = happening.afterPoints;
        this.#crashDownMs = happening.downMs;
        return;
      case 'stop':
        if (happening.promise !== undefined) {
          this.#counts.add('promiseChanges');
          this.#promise = happening.promise;
        }
        return this.#stop(happening.downMs);
      case 'clock-step':
        this.#counts.add('clockSteps');
        this.#time.wallOffsetMs = happening.toOffsetMs;
        return;
      case 'token-outage':
        this.#counts.add('tokenOutages');
        machine.isTokenDown = true;
        this.#subject.tellTokenState();
        return this.#later(happening.forMs, 'the token is back', () => {
          machine.isTokenDown = false;
          this.#subject.tellTokenState();
        });
      case 'no-new-keys':
        this.#counts.add('generationOutages');
        machine.canTokenGenerate = false;
        return this.#later(happening.forMs, 'the token makes keys again', () => (machine.canTokenGenerate = true));
      case 'disk-full':
        this.#counts.add('diskFull');
        machine.isDiskFull = true;
        return this.#later(happening.forMs, 'the disk has room again', () => (machine.isDiskFull = false));
      case 'http-outage':
        this.#counts.add('httpOutages');
        machine.isHttpDown = true;
        return this.#later(happening.forMs, 'HTTP answers again', () => (machine.isHttpDown = false));
    }
  }

  #later(delayMs: number, words: string, run: () => void): void {
    this.#queue.add(this.#time.nowMs + delayMs, () => {
      this.#tell(words);
      run();
    });
  }

  #nameOf(key: number): string {
    return this.#scenario.keys[key]?.name ?? '';
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
        const { reason = String(refusal) } = refusal as { reason?: string };
        this.#tell(`${what}: refused (${reason})`);
        if (reason === 'INTERNAL' || reason === 'STORE_DAMAGED')
          this.#violate('no-defect', `${what} failed with ${reason}: ${String((refusal as Error).cause)}`);
      },
    );
  }

  // ── commits ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Some verifiers fetch at the worst moment: right before what is published changes. */
  #beforeCommit(appends: readonly StreamAppend[]): void {
    if (!hasNewGeneration(appends)) return;
    this.#draws += 1;
    const { nowMs } = this.#time;
    if (this.#draw(CACHE, this.#draws) < 0.5) this.#cache.refresh(nowMs);
    this.#verifiers.forEach((verifier, index) => {
      if (this.#draw(HAWK, this.#draws, index) < 0.5) return;
      if (verifier.plan.kind !== 'shared-cache') return verifier.fetch(nowMs);
      // Behind the cache the worst moment is the last one at which the cache still has it.
      this.#queue.add(nowMs + this.#promise.jwksMaxAgeMs - 1, () => verifier.fetch(this.#time.nowMs));
    });
  }

  #afterCommit(appends: readonly StreamAppend[]): void {
    this.#counts.add('commits');
    this.#isPaceKnown = false;
    const { nowMs } = this.#time;
    const noted = this.#facts.note(appends, this.#promise.verifierCacheCeilingMs, nowMs);
    if (this.#isTracing) for (const line of tellEvents(appends)) this.#tell(line);
    this.#counts.add('rotations', noted.rotations);
    this.#counts.add('activations', noted.activated.length);
    if (noted.problem !== undefined) this.#violate('one-active', noted.problem);
    // When the process has seen its own commit, too.
    for (const key of noted.activated) this.#queue.add(nowMs, () => this.#sign(key, undefined));
    if (noted.withdrawn.length > 0) this.#queue.add(nowMs, () => this.#recheck(noted.withdrawn));
  }

  /** Whoever fetches now must still be able to verify what those versions signed. */
  #recheck(kids: readonly string[]): void {
    for (const kid of kids) {
      const jwt = this.#facts.find(kid)?.longest;
      if (jwt === undefined || this.#time.nowMs >= jwt.expMs + this.#promise.verifierSkewMs) continue;
      this.#draws += 1;
      this.#verifiers.forEach((verifier, index) => {
        if (this.#draw(RECHECK, this.#draws, index) < 0.5) verifier.fetch(this.#time.nowMs);
        this.#judge(verifier, jwt);
      });
    }
  }

  // ── JWTs ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #signForEver(): void {
    const { shortestPeriodMs, keys } = this.#scenario;
    const { nowMs } = this.#time;
    // What is late is done now, so that callers find the daemon as it is when they do come.
    this.#subject.fireTimers();
    for (const { name } of keys) {
      this.#draws += 1;
      const lifetimeMs = this.#draw(LIFETIME, this.#draws) < 0.5 ? undefined : 1_000;
      this.#queue.add(nowMs, () => this.#sign(name, lifetimeMs));
    }
    const meanMs = shortestPeriodMs / SIGNINGS_PER_PERIOD;
    this.#queue.add(nowMs + Math.ceil(meanMs * (0.5 + this.#draw(PAUSE, this.#draws))), () => this.#signForEver());
    const unlisted = this.#subject.findUnlistedKey();
    if (unlisted !== undefined) this.#violate('every-key-listed', `the token holds ${unlisted}, which no record knows`);
  }

  #sign(key: string, lifetimeMs: number | undefined): void {
    if (!this.#subject.isUp) return;
    this.#subject.sign(key, lifetimeMs).then(
      (compact) => this.#onJwt(parseJwt(compact)),
      (refusal: unknown) => {
        this.#counts.add('jwtsRefused');
        const { reason = String(refusal) } = refusal as { reason?: string };
        if (reason === 'INTERNAL') this.#violate('no-defect', `signing failed: ${String((refusal as Error).cause)}`);
      },
    );
  }

  #onJwt(jwt: ParsedJwt): void {
    this.#counts.add('jwtsIssued');
    const facts = this.#facts.find(jwt.kid);
    if (facts === undefined) return this.#violate('verifiable', `a JWT has kid ${jwt.kid}, which was never made`);
    if (facts.longest === undefined || facts.longest.expMs < jwt.expMs) facts.longest = jwt;
    for (const verifier of this.#verifiers) this.#judge(verifier, jwt);
    this.#draws += 1;
    const lastMs = jwt.expMs + this.#promise.verifierSkewMs;
    const share = this.#draw(LATE, this.#draws);
    // Half of the late looks come at the very end of the JWT's life.
    const lateMs = share < 0.5 ? lastMs - 1 : this.#time.nowMs + (2 * share - 1) * (lastMs - this.#time.nowMs);
    if (lateMs > this.#time.nowMs)
      this.#queue.add(Math.floor(lateMs), () => {
        for (const verifier of this.#verifiers) this.#judge(verifier, jwt);
      });
  }

  #judge(verifier: Verifier, jwt: ParsedJwt): void {
    const { nowMs } = this.#time;
    const verdict = verifier.judge(jwt, nowMs);
    this.#counts.addVerification(verifier.plan.kind);
    if (verdict !== 'unknown-kid' && verdict !== 'bad-signature') return;
    const facts = this.#facts.find(jwt.kid);
    if (facts === undefined || facts.compromisedAtMs !== undefined || this.#isOutsidePromise(verifier, facts)) return;
    const { copy, plan } = verifier;
    const ageMs = nowMs - (copy?.answeredAtMs ?? nowMs);
    const why =
      verdict === 'unknown-kid'
        ? `its copy of the key set, ${Math.round(ageMs / 1_000)} s old, does not have the kid`
        : 'the key under that kid is another one';
    this.#violate(
      'verifiable',
      `the verifier "${plan.kind}" (clock ${plan.clockOffsetMs} ms off, leeway ${plan.leewayMs} ms) meets a JWT of version ${facts.number} of ${facts.key}, issued ${Math.round((nowMs - jwt.iatMs) / 1_000)} s ago and not expired, and can't verify it: ${why}`,
    );
  }

  /** A ceiling raised after the version began to sign covers no copy that is older than what was promised until then. */
  #isOutsidePromise({ copy }: Verifier, { activationCeilingMs }: VersionFacts): boolean {
    if (copy === undefined) return true;
    return this.#time.nowMs - copy.answeredAtMs > Math.max(copy.ceilingMs, activationCeilingMs);
  }
}
