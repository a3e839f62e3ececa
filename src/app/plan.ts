/**
 * The use case behind `keyturn plan`: the forecast of signing keys as they are, or as they would be with what is
 * proposed. It works in slices, so that a year of rotations never keeps the event loop from signing.
 */
import { sleep } from '../base/clock.ts';
import { KeyturnError } from '../base/errors.ts';
import { type CallerName, type KeySetName, parseSigningKeyName, type SigningKeyName } from '../base/ids.ts';
import { Mutex } from '../base/mutex.ts';
import { describeRetirement } from '../lifecycle/activation.ts';
import { explain } from '../lifecycle/explain.ts';
import { type Forecast, forecasting } from '../lifecycle/forecast.ts';
import { evolveSigningKey } from '../lifecycle/fold.ts';
import type { SigningKeyState } from '../lifecycle/signing-key-state.ts';
import { type AdministerPorts, decideApplication } from './administer.ts';
import type { PlanCommand, PlanView } from './application.ts';

const DAY_MS = 86_400_000;
const DEFAULT_HORIZON_MS = 90 * DAY_MS;
const MAX_PROPOSED = 256;
/** Plans that are made or wait for their turn. */
const MAX_PLANS = 8;
/** Steps of a forecast without a pause: about a millisecond. */
const SLICE_STEPS = 25;

export type PlanPorts = Pick<
  AdministerPorts,
  'ledger' | 'meters' | 'clock' | 'rotator' | 'surroundingsIn' | 'requireUnfenced'
>;

interface Subject {
  /** Every signing key, with its meters as they stand and what is proposed. */
  readonly signingKeys: ReadonlyMap<SigningKeyName, SigningKeyState>;
  /** The ones that were asked for. */
  readonly names: ReadonlySet<SigningKeyName>;
}

export class Planner {
  readonly #ports: PlanPorts;
  readonly #mutex = new Mutex();
  #plans = 0;

  constructor(ports: PlanPorts) {
    this.#ports = ports;
  }

  async plan(caller: CallerName, command: PlanCommand): Promise<PlanView> {
    if (this.#plans >= MAX_PLANS)
      throw new KeyturnError('QUEUE_FULL', `${MAX_PLANS} plans are being made already; ask again`);
    this.#plans += 1;
    try {
      return await this.#mutex.run(() => this.#make(this.#toSubject(caller, command), command));
    } finally {
      this.#plans -= 1;
    }
  }

  #toSubject(caller: CallerName, { signingKey, proposed }: PlanCommand): Subject {
    const { ledger, meters, surroundingsIn } = this.#ports;
    if ((signingKey === '') === (proposed.length === 0))
      throw new KeyturnError('FIELD_INVALID', 'signing_key or proposed must be set, and not both', {
        field: 'signing_key',
      });
    if (proposed.length > MAX_PROPOSED)
      throw new KeyturnError('FIELD_INVALID', `proposed must have at most ${MAX_PROPOSED} signing keys`, {
        field: 'proposed',
      });
    const signingKeys = new Map([...ledger.signingKeys].map(([name, state]) => [name, meters.observe(state).state]));
    if (signingKey !== '')
      return { signingKeys, names: new Set([ledger.requireSigningKey(parseSigningKeyName(signingKey)).name]) };
    const names = new Set<SigningKeyName>();
    for (const wanted of proposed) {
      const name = parseSigningKeyName(wanted.name, 'proposed.name');
      const events = decideApplication(signingKeys, { caller, command: { ...wanted, reason: '' }, surroundingsIn });
      const state = events.reduce<SigningKeyState | undefined>(evolveSigningKey, signingKeys.get(name));
      if (state !== undefined) signingKeys.set(name, state);
      names.add(name);
    }
    return { signingKeys, names };
  }

  async #make({ signingKeys, names }: Subject, { horizonMs, deadlineMs }: PlanCommand): Promise<PlanView> {
    const asked = [...names].flatMap((name) => signingKeys.get(name) ?? []);
    const startMs = this.#ports.clock.wallMs();
    const keySets = new Map<KeySetName, Forecast>();
    for (const keySet of new Set(asked.map((state) => state.keySet))) {
      const published = [...signingKeys.values()].filter((state) => state.keySet === keySet);
      const around = { ...this.#ports.surroundingsIn(keySet), nowMs: startMs };
      const course = forecasting(published, around, horizonMs ?? DEFAULT_HORIZON_MS);
      keySets.set(keySet, await this.#drain(course, deadlineMs));
    }
    const moments = [...keySets.values()]
      .flatMap((course) => course.moments)
      .filter(({ signingKey }) => names.has(signingKey))
      .toSorted((left, right) => left.atMs - right.atMs);
    const outlooks = asked.map((state) => ({
      signingKey: state.name,
      ...explain(state, { ...this.#ports.surroundingsIn(state.keySet), nowMs: startMs }, moments),
    }));
    return {
      startMs,
      moments,
      explanations: outlooks.flatMap(({ signingKey, versions }) => versions.map((each) => ({ signingKey, ...each }))),
      commands: outlooks.flatMap(({ signingKey, commands }) => commands.map((each) => ({ signingKey, ...each }))),
      keySets: [...keySets].map(([keySet, { endMs, isComplete, peak }]) => {
        const { maxPublishedVersions } = this.#ports.ledger.requireKeySet(keySet).promise;
        return { keySet, endMs, isComplete, peak, maxPublishedVersions };
      }),
      remarks: asked.flatMap((state) => this.#remarksOn(state)),
    };
  }

  async #drain(course: Generator<undefined, Forecast>, deadlineMs = Number.POSITIVE_INFINITY): Promise<Forecast> {
    const { clock } = this.#ports;
    for (let step = 1; ; step += 1) {
      const next = course.next();
      if (next.done === true) return next.value;
      if (step % SLICE_STEPS !== 0) continue;
      if (clock.monotonicMs() >= deadlineMs)
        throw new KeyturnError('DEADLINE_EXCEEDED', 'the plan was not finished in time; ask for a shorter one');
      await sleep(clock, 0);
    }
  }

  #remarksOn(state: SigningKeyState): readonly string[] {
    const { name, keySet, isHalted, retirement } = state;
    if (!this.#ports.ledger.signingKeys.has(name)) return [];
    const remarks: string[] = [];
    if (!this.#ports.surroundingsIn(keySet).isClockTrusted)
      remarks.push('the wall clock is not believed: what time decides waits until it is right or confirmed');
    if (isHalted) remarks.push(`signing key ${name} is halted: no standby takes over until an operator decides`);
    if (retirement !== undefined) remarks.push(describeRetirement(name, retirement));
    const problem = this.#ports.rotator.lastProblem(name);
    if (problem !== '') remarks.push(`signing key ${name}: a due step failed: ${problem}`);
    try {
      this.#ports.requireUnfenced(name);
    } catch (refusal) {
      if (!(refusal instanceof KeyturnError)) throw refusal;
      remarks.push(refusal.message);
    }
    return remarks;
  }
}
