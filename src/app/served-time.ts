/**
 * Asks the daemon's own HTTP listener for each key set, again and again, and feeds the meters with what it answered:
 * served time is what verifiers could really have fetched, not what a record says.
 */
import { type Clock, sleep } from '../base/clock.ts';
import { toKeyturnError } from '../base/errors.ts';
import type { KeySetName } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { KeySetState } from '../lifecycle/fold.ts';
import type { JwksProbe } from './jwks-probe.ts';
import type { Ledger } from './ledger.ts';
import type { Meters } from './meters.ts';

/** A key set is asked for this share of its ceiling, within the bounds. */
const PROBE_SHARE = 1 / 20;
const MIN_PROBE_INTERVAL_MS = 100;
const MAX_PROBE_INTERVAL_MS = 5_000;
/** Two answers further apart than so many intervals prove nothing about the time between. */
const MAX_GAP_INTERVALS = 3;

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

  /** A new generation is out: look at it now. */
  wake(): void {
    this.#wake?.();
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      const keySets = [...this.#ports.ledger.keySets.values()].filter((keySet) => keySet.generation > 0);
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      for (const keySet of keySets) await this.#ask(keySet);
      if (!this.#isRunning) return;
      await Promise.race([
        woken,
        sleep(this.#ports.clock, Math.min(MAX_PROBE_INTERVAL_MS, ...keySets.map(probeIntervalMs))),
      ]);
    }
  }

  async #ask(keySet: KeySetState): Promise<void> {
    const { probe, meters, ledger, log, onAnswer } = this.#ports;
    try {
      const kids = await probe.fetchKids(keySet.name);
      if (kids === undefined) meters.noteFailure(keySet.name);
      else meters.noteAnswer(keySet.name, kids, MAX_GAP_INTERVALS * probeIntervalMs(keySet));
      if (this.#failing.delete(keySet.name))
        log.info({ keySet: keySet.name }, 'the HTTP server answers with the key set again');
    } catch (thrown) {
      meters.noteFailure(keySet.name);
      if (this.#failing.has(keySet.name) || !this.#isRunning) return;
      this.#failing.add(keySet.name);
      log.warn(
        { keySet: keySet.name, err: toKeyturnError(thrown) },
        'the HTTP server does not answer with the key set: no served time is counted',
      );
      return;
    }
    onAnswer();
    await this.#recordKeySet(ledger, keySet);
  }

  async #recordKeySet(ledger: Ledger, { name }: KeySetState): Promise<void> {
    try {
      await ledger.transact(() => {
        const event = this.#ports.meters.observeKeySet(ledger.requireKeySet(name));
        return event === undefined ? [] : [{ to: 'keySet', name, events: [event] }];
      });
    } catch (thrown) {
      this.#ports.log.warn(
        { keySet: name, err: toKeyturnError(thrown) },
        'served time of the key set could not be recorded',
      );
    }
  }
}

function probeIntervalMs(keySet: KeySetState): number {
  return Math.min(
    MAX_PROBE_INTERVAL_MS,
    Math.max(MIN_PROBE_INTERVAL_MS, keySet.promise.verifierCacheCeilingMs * PROBE_SHARE),
  );
}
