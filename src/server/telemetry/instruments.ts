/** The instruments of the names file, made once in a registry of their own: the only door to prom-client. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from 'prom-client';
import { type MetricKey, METRICS, type MetricSpec } from './metric-names.ts';

/** From a batch-free software token (1 ms) to the longest request (limits.maxRequest, 10 s by default). */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

type InstrumentOf<Spec extends MetricSpec> = Spec['kind'] extends 'gauge'
  ? Gauge
  : Spec['kind'] extends 'counter'
    ? Counter
    : Histogram;

export type Instruments = { readonly [Key in MetricKey]: InstrumentOf<(typeof METRICS)[Key]> };

export function createInstruments(registry: Registry): Instruments {
  const entries = Object.entries(METRICS).map(([key, spec]) => [key, createInstrument(spec, registry)]);
  return Object.fromEntries(entries) as Instruments;
}

/** CPU, memory, event-loop delay and garbage collection of the daemon: `process_…` and `nodejs_…`. */
export function addProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
}

function createInstrument({ name, kind, labels, help }: MetricSpec, registry: Registry): Gauge | Counter | Histogram {
  const options = { name, help, labelNames: labels, registers: [registry] };
  switch (kind) {
    case 'gauge':
      return new Gauge(options);
    case 'counter':
      return new Counter(options);
    case 'histogram':
      return new Histogram({ ...options, buckets: DURATION_BUCKETS });
  }
}
