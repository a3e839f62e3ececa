/**
 * Asks the daemon's own HTTP listener for each key set, again and again, and feeds the meters with what it answered:
 * served time is what verifiers could really have fetched, not what a record says.
 */
import type { Clock } from '../base/clock.ts';
import { toKeyturnError } from '../base/errors.ts';
import type { KeySetName } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { KeySetState } from '../lifecycle/fold-key-set.ts';
import type { JwksProbe } from './jwks-probe.ts';
import type { Ledger } from './ledger.ts';
import type { Meters } from './meters.ts';

/** A key set is asked for this share of its ceiling, within the bounds. */
const PROBE_SHARE = 1 / 20;
const MIN_PROBE_INTERVAL_MS = 100;
const MAX_PROBE_INTERVAL_MS = 5_000;
/**
 * Two answers further apart than this share of the ceiling prove nothing about the time between. Within it, a process
 * that was too busy to ask counts on: while it answered nobody, nobody got a copy without the version either.
 */
const MAX_GAP_SHARE = 7 * PROBE_SHARE;
const MIN_GAP_MS = 3 * MIN_PROBE_INTERVAL_MS;

export interface ServedTimePorts {
  readonly ledger: Ledger;
  readonly meters: Meters;
  readonly probe: JwksProbe;
  readonly clock: Clock;
  readonly log: Logger;
  /** After each answer: something may have become propagated, or served for the first time. */
  readonly onAnswer: () => void;
}

export class ServedTime {
  readonly #ports: ServedTimePorts;
  readonly #failing = new Set<KeySetName>();
  /** The generation that each key set had when it was last asked for. */
  readonly #asked = new Map<KeySetName, number>();
  #isRunning = false;
  #done: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;

  constructor(ports: ServedTimePorts) {
    this.#ports = ports;
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#wake?.();
    await this.#done;
  }

  /** Something was committed: a new generation is looked at now, so that no JWT waits for it (rule 4). */
  wake(): void {
    if (this.#published().some(({ name, generation }) => this.#asked.get(name) !== generation)) this.#wake?.();
  }

  #published(): readonly KeySetState[] {
    return [...this.#ports.ledger.keySets.values()].filter((keySet) => keySet.generation > 0);
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      const keySets = this.#published();
      const { promise: woken, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      for (const keySet of keySets) await this.#ask(keySet);
      if (!this.#isRunning) return;
      const pauseMs = Math.min(MAX_PROBE_INTERVAL_MS, ...keySets.map(probeIntervalMs));
      const cancel = this.#ports.clock.after(pauseMs, resolve);
      await woken;
      cancel();
    }
  }

  async #ask(keySet: KeySetState): Promise<void> {
    const { probe, meters, log, onAnswer } = this.#ports;
    this.#asked.set(keySet.name, keySet.generation);
    try {
      const kids = await probe.fetchKids(keySet.name);
      if (kids === undefined) this.#noteNothing(keySet);
      else meters.noteAnswer(keySet.name, kids, maxGapMs(keySet));
      if (this.#failing.delete(keySet.name))
        log.info({ keySet: keySet.name }, 'the HTTP server answers with the key set again');
    } catch (thrown) {
      this.#noteNothing(keySet);
      if (this.#failing.has(keySet.name) || !this.#isRunning) return;
      this.#failing.add(keySet.name);
      log.warn(
        { keySet: keySet.name, err: toKeyturnError(thrown) },
        'the HTTP server does not answer with the key set: no served time is counted',
      );
      return;
    }
    onAnswer();
  }

  /** The next commit may change that: it is asked again then. */
  #noteNothing({ name }: KeySetState): void {
    this.#ports.meters.noteFailure(name);
    this.#asked.delete(name);
  }
}

function probeIntervalMs({ promise }: KeySetState): number {
  const intervalMs = promise.verifierCacheCeilingMs * PROBE_SHARE;
  return Math.min(MAX_PROBE_INTERVAL_MS, Math.max(MIN_PROBE_INTERVAL_MS, intervalMs));
}

function maxGapMs({ promise }: KeySetState): number {
  return Math.max(MIN_GAP_MS, promise.verifierCacheCeilingMs * MAX_GAP_SHARE);
}
