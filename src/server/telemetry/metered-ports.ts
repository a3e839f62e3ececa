/**
 * Decorators that count and time what passes a port, and change nothing about it. The ports behind them know nothing
 * of metrics; main.ts puts these in between.
 */
import type { Application } from '../../app/application.ts';
import type { JwksProbe } from '../../app/jwks-probe.ts';
import type { Clock } from '../../base/clock.ts';
import { type KeyturnError, toKeyturnError } from '../../base/errors.ts';
import type { KeySetName } from '../../base/ids.ts';
import type { EventStore } from '../../store/store.ts';
import type { Instruments } from './instruments.ts';

const SECOND_MS = 1_000;
const OK = 'OK';

/** Outcomes are known before anyone asks about them: a counter that begins with its first failure hides the increase. */
export function meterSigning(
  signing: Pick<Application, 'signJwt'>,
  { signRequests, signDuration, jwtsSigned }: Pick<Instruments, 'signRequests' | 'signDuration' | 'jwtsSigned'>,
  clock: Clock,
): Pick<Application, 'signJwt'> {
  signRequests.inc({ reason: OK }, 0);
  return {
    async signJwt(caller, command) {
      const startMs = clock.monotonicMs();
      try {
        const signed = await signing.signJwt(caller, command);
        signDuration.observe((clock.monotonicMs() - startMs) / SECOND_MS);
        signRequests.inc({ reason: OK });
        // Only what was signed: a name that was refused is whatever the caller made up.
        jwtsSigned.inc({ signing_key: command.signingKey });
        return signed;
      } catch (thrown) {
        signRequests.inc({ reason: toKeyturnError(thrown).reason });
        throw thrown;
      }
    },
  };
}

export function meterStore(
  store: EventStore,
  { commitDuration, commitFailures }: Pick<Instruments, 'commitDuration' | 'commitFailures'>,
  clock: Clock,
): EventStore {
  commitFailures.inc({ reason: 'STORE_UNAVAILABLE' satisfies KeyturnError['reason'] }, 0);
  return {
    get reservedEvents() {
      return store.reservedEvents;
    },
    load: (take) => store.load(take),
    async commit(appends, options) {
      const startMs = clock.monotonicMs();
      try {
        await store.commit(appends, options);
        commitDuration.observe((clock.monotonicMs() - startMs) / SECOND_MS);
      } catch (thrown) {
        commitFailures.inc({ reason: toKeyturnError(thrown).reason });
        throw thrown;
      }
    },
    copy: () => store.copy(),
    close: () => store.close(),
  };
}

/** Remembers when each key set was last answered. */
export class MeteredProbe implements JwksProbe {
  readonly #probe: JwksProbe;
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #answeredAtMs = new Map<KeySetName, number>();

  constructor(probe: JwksProbe, clock: Clock) {
    this.#probe = probe;
    this.#clock = clock;
    this.#startMs = clock.monotonicMs();
  }

  async fetchKids(keySet: KeySetName): ReturnType<JwksProbe['fetchKids']> {
    const kids = await this.#probe.fetchKids(keySet);
    if (kids !== undefined) this.#answeredAtMs.set(keySet, this.#clock.monotonicMs());
    return kids;
  }

  /** Since the latest answer with the key set; since the start when there was none yet. */
  silenceMs(keySet: KeySetName): number {
    return this.#clock.monotonicMs() - (this.#answeredAtMs.get(keySet) ?? this.#startMs);
  }
}
