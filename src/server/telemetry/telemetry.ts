/**
 * Metrics, whole: instruments, decorators for the ports, hooks for the servers, and the text that a scraper gets. Made
 * only when the configuration says where to listen: without it nothing is counted.
 */
import { setImmediate } from 'node:timers/promises';
import { Registry } from 'prom-client';
import type { Application } from '../../app/application.ts';
import type { JwksProbe } from '../../app/jwks-probe.ts';
import { METHOD_RULES } from '../../access/methods.ts';
import type { AccessPolicy } from '../../access/policy.ts';
import type { Clock } from '../../base/clock.ts';
import type { CallerName } from '../../base/ids.ts';
import type { Config, HttpConfig } from '../../config/config.ts';
import type { TlsFiles } from '../../config/tls-files.ts';
import type { EventStore } from '../../store/store.ts';
import type { ReloadPart } from '../reloads.ts';
import { addProcessMetrics, createInstruments, type Instruments } from './instruments.ts';
import { MeteredProbe, meterSigning, meterStore } from './metered-ports.ts';
import { readState, type StateSources } from './state-metrics.ts';

const SECOND_MS = 1_000;
/** Scrapers that ask more often than this share one answer: nobody can keep the daemon busy with it. */
const FRESH_MS = 1_000;
/** Stands for every method that there isn't. */
const UNKNOWN_METHOD = 'unknown';

export type TelemetryConfig = Pick<Config, 'keySets' | 'limits'>;

export class Telemetry {
  /** Where the metrics are served. */
  readonly address: HttpConfig;
  readonly #registry = new Registry();
  readonly #instruments: Instruments;
  readonly #config: TelemetryConfig;
  readonly #clock: Clock;
  #app: StateSources['app'] | undefined;
  #audit: StateSources['audit'];
  #probe: MeteredProbe | undefined;
  #latest: { readonly text: string; readonly atMs: number } | undefined;
  #writing: Promise<string> | undefined;

  constructor(address: HttpConfig, config: TelemetryConfig, clock: Clock) {
    this.address = address;
    this.#config = config;
    this.#clock = clock;
    this.#instruments = createInstruments(this.#registry);
    this.#instruments.queueLimit.set(config.limits.maxQueuedRequests);
    addProcessMetrics(this.#registry);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  meterStore(store: EventStore): EventStore {
    return meterStore(store, this.#instruments, this.#clock);
  }

  meterSigning(signing: Pick<Application, 'signJwt'>): Pick<Application, 'signJwt'> {
    return meterSigning(signing, this.#instruments, this.#clock);
  }

  meterProbe(probe: JwksProbe): JwksProbe {
    this.#probe = new MeteredProbe(probe, this.#clock);
    return this.#probe;
  }

  /** What the state gauges are read from, once it is there. */
  watch(app: StateSources['app'], audit: StateSources['audit']): void {
    this.#app = app;
    this.#audit = audit;
  }

  countCall(method: string, code: string): void {
    this.#instruments.grpcRequests.inc({ method: Object.hasOwn(METHOD_RULES, method) ? method : UNKNOWN_METHOD, code });
  }

  /** What the TLS listener has loaded. */
  setTlsFiles({ certificateNotAfterMs, listsGoodUntilMs }: TlsFiles): void {
    const { certificateExpiry, revocationListsNextUpdate } = this.#instruments;
    certificateExpiry.set(certificateNotAfterMs / SECOND_MS);
    if (listsGoodUntilMs === undefined) revocationListsNextUpdate.reset();
    else revocationListsNextUpdate.set(listsGoodUntilMs / SECOND_MS);
  }

  /** Which access policy is in force. */
  setAccessPolicy({ documentHash }: AccessPolicy): void {
    this.#instruments.accessPolicy.reset();
    this.#instruments.accessPolicy.set({ sha256: documentHash }, 1);
  }

  /** Of the latest SIGHUP. */
  setReload(part: ReloadPart, isGood: boolean): void {
    this.#instruments.reloadFailed.set({ part }, isGood ? 0 : 1);
  }

  countRateLimited(caller: CallerName): void {
    this.#instruments.rateLimited.inc({ caller });
  }

  setKeySetWatches(open: number): void {
    this.#instruments.keySetWatches.set(open);
  }

  countHttpAnswer(status: number): void {
    this.#instruments.jwksRequests.inc({ status: String(status) });
  }

  /** In Prometheus' text format. */
  toText(): Promise<string> {
    const atMs = this.#clock.monotonicMs();
    if (this.#latest !== undefined && atMs - this.#latest.atMs < FRESH_MS) return Promise.resolve(this.#latest.text);
    this.#writing ??= this.#write(atMs).finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  /** Never two at once. Metric by metric, so that a thousand signing keys don't hold up everything else. */
  async #write(atMs: number): Promise<string> {
    const clock = this.#clock;
    if (this.#app !== undefined) {
      await readState(this.#instruments, {
        app: this.#app,
        audit: this.#audit,
        clock,
        keySets: this.#config.keySets,
        silenceMs: (keySet) => this.#probe?.silenceMs(keySet) ?? 0,
      });
    }
    const parts: string[] = [];
    for (const { name } of this.#registry.getMetricsAsArray()) {
      parts.push(await this.#registry.getSingleMetricAsString(name));
      await setImmediate();
    }
    const text = `${parts.join('\n\n')}\n`;
    this.#latest = { text, atMs };
    return text;
  }
}
