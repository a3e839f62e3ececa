/**
 * Watches a world and judges it: verifiers that fetch and verify, what is known of every version, and the invariants.
 * It sees commits, published documents and JWTs, and never the subject's inside.
 */
import type { KeySetPromise } from '../../src/lifecycle/model.ts';
import type { StreamAppend } from '../../src/store/store.ts';
import type { Counts } from './counts.ts';
import { Facts, hasNewGeneration, type Noted, tellEvents, type VersionFacts } from './facts.ts';
import { fractionOf } from './prng.ts';
import type { Scenario } from './scenario.ts';
import { type Answer, type ParsedJwt, parseJwt, SharedCache, type Surroundings, Verifier } from './verifiers.ts';
import type { EventQueue, MachineTime } from './virtual-time.ts';

export type Invariant =
  /** No verifier within the promise meets an unexpired JWT that it can't verify, unless its version was compromised. */
  | 'verifiable'
  /** Nothing of a compromised version is signed any more, or verifies one ceiling after its withdrawal. */
  | 'compromised-dies-out'
  /** One compromise, when the one before has healed, stops nothing. */
  | 'keeps-signing'
  | 'one-active'
  /** After a rollback the rotation waits. */
  | 'operator-decides'
  /** Nothing is signed by a clock that stepped beyond the limit. */
  | 'right-clock'
  | 'every-key-listed'
  | 'no-defect';

export interface WitnessPorts {
  readonly scenario: Scenario;
  readonly time: MachineTime;
  readonly queue: EventQueue;
  readonly counts: Counts;
  readonly fetch: () => Answer;
  /** Whether HTTP has ever answered with a kid. */
  readonly wasServed: (kid: string) => boolean;
  readonly promise: () => KeySetPromise;
  readonly tell: ((words: string) => void) | undefined;
  readonly violate: (invariant: Invariant, words: string) => void;
}

/** Names for draws: each use of chance has its own. */
const HAWK = 1;
const CACHE = 2;
const LATE = 3;
const RECHECK = 4;

const seconds = (ms: number): number => Math.round(ms / 1_000);

export class Witness {
  readonly facts = new Facts();
  readonly #ports: WitnessPorts;
  readonly #cache: SharedCache;
  readonly #verifiers: readonly Verifier[];
  readonly #longestCeilingMs: number;
  /** The wall clock minus true time when the daemon took it for its base. */
  #baseOffsetMs = 0;
  /** Signing keys that must not sign, since the token shows that the store is old; undefined while it is the present one. */
  #mustWait: ReadonlySet<string> | undefined;
  #mustBeSilent = false;
  #draws = 0;

  constructor(ports: WitnessPorts) {
    this.#ports = ports;
    const around: Surroundings = {
      fetch: ports.fetch,
      ceilingMs: () => ports.promise().verifierCacheCeilingMs,
    };
    this.#cache = new SharedCache(around);
    this.#verifiers = ports.scenario.verifiers.map((plan) => new Verifier(plan, around, this.#cache));
    const later = ports.scenario.happenings.map((happening) =>
      happening.kind === 'stop' ? (happening.promise?.verifierCacheCeilingMs ?? 0) : 0,
    );
    this.#longestCeilingMs = Math.max(ports.scenario.promise.verifierCacheCeilingMs, ...later);
  }

  #draw(...names: number[]): number {
    return fractionOf(this.#ports.scenario.seed, ...names);
  }

  /** Some verifiers fetch at the worst moment: right before what is published changes. */
  beforeCommit(appends: readonly StreamAppend[]): void {
    if (hasNewGeneration(appends)) this.#fetchLastMoment();
  }

  #fetchLastMoment(): void {
    const { time, queue, promise } = this.#ports;
    this.#draws += 1;
    if (this.#draw(CACHE, this.#draws) < 0.5) this.#cache.refresh(time.nowMs);
    this.#verifiers.forEach((verifier, index) => {
      if (this.#draw(HAWK, this.#draws, index) < 0.5) return;
      if (verifier.plan.kind !== 'shared-cache') return verifier.fetch(time.nowMs);
      // Behind the cache the worst moment is the last one at which the cache still has it.
      queue.add(time.nowMs + promise().jwksMaxAgeMs - 1, () => verifier.fetch(time.nowMs));
    });
  }

  afterCommit(appends: readonly StreamAppend[]): Pick<Noted, 'activated' | 'lastResorts'> {
    const { time, queue, counts, promise, tell, violate } = this.#ports;
    counts.add('commits');
    const noted = this.facts.note(appends, promise().verifierCacheCeilingMs, time.nowMs);
    if (tell !== undefined) for (const line of tellEvents(appends)) tell(line);
    if (noted.isClockBased) this.#baseOffsetMs = time.wallOffsetMs;
    counts.add('rotations', noted.rotations);
    counts.add('activations', noted.activated.length);
    if (this.#mustWait === undefined) for (const { invariant, words } of noted.problems) violate(invariant, words);
    // When the process has seen its own commit, too.
    if (noted.withdrawn.length > 0) queue.add(time.nowMs, () => this.#recheck(noted.withdrawn));
    for (const facts of noted.compromised) this.#expectDeath(facts);
    return noted;
  }

  /**
   * An old copy is in the place of the store. What it publishes is old, and known to be (docs/operate): from here on only
   * what is signed is judged, by signing keys of which the token holds a key that the copy doesn't know. One that the
   * audit log unmasks signs nothing at all, until an operator decides: here none does.
   */
  noteOldStore(mustWait: ReadonlySet<string>, isUnmasked: boolean): void {
    this.#mustWait = mustWait;
    this.#mustBeSilent = isUnmasked;
  }

  /** An operator has begun to declare it compromised: from here on verifiers may miss it. */
  noteDeclared(facts: VersionFacts): void {
    if (facts.declaredAtMs === undefined) this.#fetchLastMoment();
    facts.declaredAtMs ??= this.#ports.time.nowMs;
  }

  /** The declaration was answered with OK: it must hold from here on, whatever happens. */
  noteCompromised(facts: VersionFacts): void {
    if (facts.compromisedAtMs !== undefined) return;
    facts.compromisedAtMs = this.#ports.time.nowMs;
    this.#expectDeath(facts);
  }

  isPublished(kid: string): boolean {
    const answer = this.#ports.fetch();
    return answer.kind === 'document' && Buffer.from(answer.body).includes(`"${kid}"`);
  }

  #expectDeath(facts: VersionFacts): void {
    const { time, queue, violate } = this.#ports;
    queue.add(time.nowMs + this.#longestCeilingMs, () => {
      if (this.#mustWait !== undefined) return;
      const { longest, number, key } = facts;
      if (longest === undefined) return;
      for (const verifier of this.#verifiers) {
        if (this.#verdict(verifier, longest) !== 'verified') continue;
        violate(
          'compromised-dies-out',
          `the verifier "${verifier.plan.kind}" still verifies a JWT of version ${number} of ${key}, which was declared compromised ${seconds(this.#longestCeilingMs)} s ago`,
        );
      }
    });
  }

  onJwt(compact: string): ParsedJwt {
    const { scenario, time, queue, counts, promise, violate } = this.#ports;
    const jwt = parseJwt(compact);
    counts.add('jwtsIssued');
    // By its own iat: a step while the token signed comes too late to make it wrong. NumericDates are whole seconds.
    const offsetMs = jwt.iatMs - time.nowMs;
    const limitMs = scenario.clockStepLimitMs + scenario.tokenDelayMs + 1_000;
    if (Math.abs(offsetMs) > limitMs) {
      // A clock that was wrong when it became the base, at a reboot, is believed, with an alarm. No verifier's agrees with it.
      if (Math.abs(offsetMs - this.#baseOffsetMs) > limitMs)
        violate('right-clock', `a JWT is issued by a wall clock that is ${seconds(offsetMs)} s off`);
      return jwt;
    }
    const facts = this.facts.find(jwt.kid);
    if (facts === undefined) {
      violate('verifiable', `a JWT has kid ${jwt.kid}, which was never made`);
      return jwt;
    }
    if (this.#mustBeSilent)
      violate('operator-decides', `${facts.key} signs in a store that is older than the audit log`);
    if (this.#mustWait?.has(facts.key) === false) return jwt;
    if (facts.compromisedAtMs !== undefined)
      violate(
        'compromised-dies-out',
        `a JWT of version ${facts.number} of ${facts.key} is issued after it was declared compromised`,
      );
    if (this.#mustWait !== undefined) return jwt;
    if (!this.#ports.wasServed(jwt.kid) && !this.isPublished(jwt.kid))
      violate(
        'verifiable',
        `a JWT of version ${facts.number} of ${facts.key} is released before HTTP has answered with that version once: whoever asks for the key set now can't verify it`,
      );
    if (facts.longest === undefined || facts.longest.expMs < jwt.expMs) facts.longest = jwt;
    this.#judgeByAll(jwt);
    this.#draws += 1;
    const share = this.#draw(LATE, this.#draws);
    const lastMs = jwt.expMs + promise().verifierSkewMs;
    // Half of the late looks come at the very end of the JWT's life.
    const lateMs = share < 0.5 ? lastMs - 1 : time.nowMs + (2 * share - 1) * (lastMs - time.nowMs);
    if (lateMs > time.nowMs) queue.add(Math.floor(lateMs), () => this.#judgeByAll(jwt));
    return jwt;
  }

  /** Whoever fetches now must still be able to verify what those versions signed. */
  #recheck(kids: readonly string[]): void {
    const { time, promise } = this.#ports;
    for (const kid of kids) {
      const jwt = this.facts.find(kid)?.longest;
      if (jwt === undefined || time.nowMs >= jwt.expMs + promise().verifierSkewMs) continue;
      this.#draws += 1;
      this.#verifiers.forEach((verifier, index) => {
        if (this.#draw(RECHECK, this.#draws, index) < 0.5) verifier.fetch(time.nowMs);
        this.#judge(verifier, jwt);
      });
    }
  }

  #judgeByAll(jwt: ParsedJwt): void {
    for (const verifier of this.#verifiers) this.#judge(verifier, jwt);
  }

  #verdict(verifier: Verifier, jwt: ParsedJwt): ReturnType<Verifier['judge']> {
    this.#ports.counts.addVerification(verifier.plan.kind);
    return verifier.judge(jwt, this.#ports.time.nowMs);
  }

  #judge(verifier: Verifier, jwt: ParsedJwt): void {
    if (this.#mustWait !== undefined) return;
    const verdict = this.#verdict(verifier, jwt);
    if (verdict !== 'unknown-kid' && verdict !== 'bad-signature') return;
    const facts = this.facts.find(jwt.kid);
    if (facts === undefined || facts.declaredAtMs !== undefined || this.#isOutsidePromise(verifier, facts)) return;
    const { nowMs } = this.#ports.time;
    const { copy, plan } = verifier;
    const why =
      verdict === 'unknown-kid'
        ? `its copy of the key set, ${seconds(nowMs - (copy?.answeredAtMs ?? nowMs))} s old, does not have the kid`
        : 'the key under that kid is another one';
    const clock = `clock ${seconds(plan.clockOffsetMs)} s off, leeway ${seconds(plan.leewayMs)} s`;
    this.#ports.violate(
      'verifiable',
      `the verifier "${plan.kind}" (${clock}) meets a JWT of version ${facts.number} of ${facts.key}, issued ${seconds(nowMs - jwt.iatMs)} s ago and not expired, and can't verify it: ${why}`,
    );
  }

  /** A ceiling raised after the version began to sign covers no copy that is older than what was promised until then. */
  #isOutsidePromise({ copy }: Verifier, { activationCeilingMs }: VersionFacts): boolean {
    if (copy === undefined) return true;
    return this.#ports.time.nowMs - copy.answeredAtMs > Math.max(copy.ceilingMs, activationCeilingMs);
  }
}
