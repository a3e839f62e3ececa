/**
 * Rotation rules of others, re-stated from what they do and not from their code, behind the same interface as keyturn's:
 * a check that couldn't find their counter-examples would prove nothing. One signing key rotates, on schedule and by
 * hand; there are no faults, because rotation alone is enough.
 */
import { signCheaply } from './cheap-signature.ts';
import type { Subject } from './daemon.ts';
import type { Machine } from './machine.ts';
import type { Scenario } from './scenario.ts';
import type { Answer } from './verifiers.ts';
import type { MachineTime } from './virtual-time.ts';
import type { MakeSubject } from './world.ts';
import type { KeySetPromise, LifecyclePolicy } from '../../src/lifecycle/model.ts';
import type { StreamAppend } from '../../src/store/store.ts';

const FOREIGN_RULES = ['hydra', 'openbao', 'spire'] as const;
export type ForeignRules = (typeof FOREIGN_RULES)[number];

export function isForeignRules(name: string): name is ForeignRules {
  return (FOREIGN_RULES as readonly string[]).includes(name);
}

interface Version {
  readonly number: number;
  readonly kid: string;
  readonly publicKey: Buffer;
  state: 'next' | 'active' | 'old';
  /** When an old one leaves the key set. */
  keptUntilMs: number;
}

interface ForeignKey {
  readonly policy: LifecyclePolicy;
  versions: Version[];
  made: number;
  rotatedAtMs: number;
}

/** SPIRE prepares at half of a lifetime and activates at five sixths; an operator may do both by hand at any time. */
const PREPARE_SHARE = 1 / 2;
const ACTIVATE_SHARE = 5 / 6;

class ForeignSigner implements Subject {
  readonly isUp = true;
  readonly #rules: ForeignRules;
  readonly #world: Parameters<MakeSubject>[0];
  readonly #keys = new Map<string, ForeignKey>();
  readonly #times: MachineTime;
  readonly #machine: Machine;
  #promise: KeySetPromise;
  #body: Buffer | undefined;
  #generation = 0;

  constructor(rules: ForeignRules, world: Parameters<MakeSubject>[0]) {
    this.#rules = rules;
    this.#world = world;
    this.#times = world.time;
    this.#machine = world.machine;
    this.#promise = world.scenario.promise;
  }

  boot(promise: KeySetPromise): Promise<void> {
    this.#promise = promise;
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  kill(): void {
    this.#keys.clear();
  }

  pace(): 'calm' {
    return 'calm';
  }

  suspend(): Promise<void> {
    return Promise.resolve();
  }

  reactivate(): Promise<void> {
    return Promise.resolve();
  }

  rollback(): Promise<void> {
    return Promise.resolve();
  }

  retire(): Promise<void> {
    return Promise.resolve();
  }

  unretire(): Promise<void> {
    return Promise.resolve();
  }

  scheduleRotation(): Promise<void> {
    return Promise.resolve();
  }

  declareCompromised(): Promise<void> {
    return Promise.resolve();
  }

  confirmClock(): Promise<void> {
    return Promise.resolve();
  }

  propagatedStandbys(): number {
    return 0;
  }

  tellTokenState(): void {
    // No token, no faults.
  }

  findUnlistedKey(): undefined {
    return undefined;
  }

  fetch(): Answer {
    if (this.#body === undefined) return { kind: 'absent' };
    return { kind: 'document', body: this.#body, maxAgeMs: this.#promise.jwksMaxAgeMs };
  }

  async apply(name: string, policy: LifecyclePolicy): Promise<void> {
    const key: ForeignKey = { policy, versions: [], made: 0, rotatedAtMs: this.#times.nowMs };
    this.#keys.set(name, key);
    const first = this.#make(name, key);
    first.state = 'active';
    const made = [first];
    // OpenBao publishes the next key from the beginning; SPIRE prepares it later, Hydra never.
    if (this.#rules === 'openbao') made.push(this.#make(name, key));
    this.#commit(
      name,
      made.map((version) => toMade(version)),
      [first],
    );
    await Promise.resolve();
  }

  async rotate(name: string): Promise<void> {
    const key = this.#keys.get(name);
    if (key !== undefined) this.#rotate(name, key);
    await Promise.resolve();
  }

  async sign(name: string, lifetimeMs: number | undefined): Promise<string> {
    await Promise.resolve();
    const key = this.#keys.get(name);
    const active = key?.versions.find(({ state }) => state === 'active');
    if (key === undefined || active === undefined) throw new Error('no key signs');
    const iat = Math.floor(this.#times.nowMs / 1_000);
    const exp = iat + Math.floor(Math.min(lifetimeMs ?? Infinity, key.policy.maxJwtLifetimeMs) / 1_000);
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const input = `${encode({ alg: 'Ed25519', kid: active.kid })}.${encode({ iat, exp })}`;
    return `${input}.${signCheaply(active.publicKey, Buffer.from(input)).toString('base64url')}`;
  }

  nextTimerMs(): number {
    return Math.min(...[...this.#keys.values()].map((key) => this.#nextStepMs(key)));
  }

  fireTimers(): void {
    for (const [name, key] of this.#keys) {
      if (this.#nextStepMs(key) > this.#times.nowMs) continue;
      const isKept = ({ state, keptUntilMs }: Version): boolean => state !== 'old' || keptUntilMs > this.#times.nowMs;
      if (!key.versions.every(isKept)) {
        key.versions = key.versions.filter(isKept);
        this.#commit(name, [], []);
      } else if (this.#isPreparing(key)) {
        this.#commit(name, [toMade(this.#make(name, key))], []);
      } else {
        this.#rotate(name, key);
      }
    }
  }

  #isPreparing(key: ForeignKey): boolean {
    return this.#rules === 'spire' && !key.versions.some(({ state }) => state === 'next');
  }

  #nextStepMs(key: ForeignKey): number {
    const { signingPeriodMs } = key.policy;
    const share = this.#rules !== 'spire' ? 1 : this.#isPreparing(key) ? PREPARE_SHARE : ACTIVATE_SHARE;
    const old = key.versions.filter(({ state }) => state === 'old').map(({ keptUntilMs }) => keptUntilMs);
    return Math.min(key.rotatedAtMs + share * signingPeriodMs, ...old);
  }

  /**
   * Hydra: the old key goes, then a new one is made and signs. OpenBao: what is next signs, whatever its age, and a new
   * next is made; old ones stay for their time. SPIRE: whatever is prepared may sign; by hand, what is prepared now.
   */
  #rotate(name: string, key: ForeignKey): void {
    const { nowMs } = this.#times;
    const made: Version[] = [];
    if (this.#rules === 'hydra') {
      key.versions = [];
      this.#commit(name, [], []);
    }
    for (const version of key.versions) {
      if (version.state !== 'active') continue;
      version.state = 'old';
      version.keptUntilMs = nowMs + key.policy.maxJwtLifetimeMs + this.#promise.verifierSkewMs + 1_000;
    }
    let next = key.versions.find(({ state }) => state === 'next');
    if (next === undefined) {
      next = this.#make(name, key);
      made.push(next);
    }
    next.state = 'active';
    key.rotatedAtMs = nowMs;
    if (this.#rules === 'openbao') made.push(this.#make(name, key));
    this.#commit(
      name,
      made.map((version) => toMade(version)),
      [next],
    );
  }

  #make(name: string, key: ForeignKey): Version {
    key.made += 1;
    const publicKey = this.#machine.makeKey();
    const version: Version = { number: key.made, kid: `${name}-${key.made}`, publicKey, state: 'next', keptUntilMs: 0 };
    key.versions.push(version);
    return version;
  }

  /** Publishes, and tells the world in the form in which keyturn's commits tell it. */
  #commit(name: string, made: readonly StreamEvent[], activated: readonly Version[]): void {
    const { nowMs } = this.#times;
    const versions = [...this.#keys.values()].flatMap((key) => key.versions);
    this.#generation += 1;
    const generation = {
      type: 'GENERATION_COMMITTED',
      atMs: nowMs,
      generation: this.#generation,
      kids: versions.map(({ kid }) => kid),
    };
    const changes = activated.flatMap(({ number }) => [
      ...(number > 1 ? [{ type: 'VERSION_SUSPENDED', atMs: nowMs, version: number - 1, cause: 'rotation' }] : []),
      { type: 'VERSION_ACTIVATED', atMs: nowMs, version: number, cause: number > 1 ? 'rotation' : 'first' },
    ]);
    const events = [...made.map((event) => ({ ...event, atMs: nowMs })), ...changes];
    const appends: readonly StreamAppend[] = [
      { stream: `signing-key/${name}`, expectedSequence: 0, events },
      { stream: 'key-set/default', expectedSequence: 0, events: [generation] },
    ];
    this.#world.hooks.beforeCommit(appends);
    const keys = versions.map(({ kid, publicKey }) => ({
      kid,
      kty: 'OKP',
      crv: 'Ed25519',
      x: publicKey.toString('base64url'),
    }));
    this.#body = Buffer.from(JSON.stringify({ keys }));
    this.#world.hooks.afterCommit(appends);
  }
}

interface StreamEvent {
  readonly type: string;
  readonly version: number;
  readonly kid: string;
}

function toMade({ number, kid }: Version): StreamEvent {
  return { type: 'VERSION_MADE', version: number, kid };
}

/** What a simulation of others' rules needs: their subject, and worlds with rotations and nothing else. */
export function foreignRules(rules: ForeignRules): {
  readonly makeSubject: MakeSubject;
  readonly adapt: (scenario: Scenario) => Scenario;
} {
  return {
    makeSubject: (world) => new ForeignSigner(rules, world),
    adapt: (scenario) => ({
      ...scenario,
      keys: scenario.keys.slice(0, 1),
      happenings: scenario.happenings.filter((happening) => happening.kind === 'rotate' && happening.key === 0),
    }),
  };
}
