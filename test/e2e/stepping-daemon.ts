/**
 * The daemon with every call to the store and to the token numbered: `stepping-daemon.ts CONFIG HALT-AT`.
 * It prints `STEP n when what` before and after each call, and at step HALT-AT stands still for ever: whoever started
 * it then ends it with SIGKILL, at exactly that place. HALT-AT 0 never stands still and only counts.
 */
import { writeSync } from 'node:fs';
import type * as SystemClock from '../../src/base/system-clock.ts';
import type * as LoadConfig from '../../src/config/load-config.ts';
import type { Hsm } from '../../src/hsm/hsm.ts';
import type * as Main from '../../src/main.ts';
import type * as TelemetryLogger from '../../src/server/telemetry/logger.ts';
import type { EventStore, StreamAppend } from '../../src/store/store.ts';
import { builtFile } from '../fixtures/built.ts';

const { systemClock } = (await import(builtFile('base/system-clock.js'))) as typeof SystemClock;
const { loadConfig } = (await import(builtFile('config/load-config.js'))) as typeof LoadConfig;
const { startDaemon } = (await import(builtFile('main.js'))) as typeof Main;
const { createLogger } = (await import(builtFile('server/telemetry/logger.js'))) as typeof TelemetryLogger;

const [configFile = '', haltAtText = '0'] = process.argv.slice(2);
const haltAt = Number(haltAtText);
let steps = 0;

function step(when: string, what: string): void {
  steps += 1;
  writeSync(1, `STEP ${steps} ${when} ${what}\n`);
  if (steps === haltAt) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

async function around<T>(what: string, call: () => Promise<T>): Promise<T> {
  step('before', what);
  const result = await call();
  step('after', what);
  return result;
}

function describe(appends: readonly StreamAppend[]): string {
  return appends.flatMap((append) => append.events.map((event) => event.type)).join('+');
}

/** Ceilings and meters come by time, not by command: numbering them would make runs differ. */
const UNNUMBERED = new Set([
  'METERS_RECORDED',
  'EXP_CEILING_RAISED',
  'KEY_SET_SERVED',
  'UP_TIME_RECORDED',
  'CLOCK_SEEN',
  'CLOCK_BASED',
]);

function isNumbered(appends: readonly StreamAppend[]): boolean {
  return appends.some((append) => append.events.some((event) => !UNNUMBERED.has(event.type)));
}

function steppingStore(store: EventStore): EventStore {
  return {
    get reservedEvents() {
      return store.reservedEvents;
    },
    load: (take) => store.load(take),
    commit: (appends, options) =>
      isNumbered(appends)
        ? around(`commit ${describe(appends)}`, () => store.commit(appends, options))
        : store.commit(appends, options),
    copy: () => store.copy(),
    close: () => store.close(),
  };
}

function steppingHsm(hsm: Hsm): Hsm {
  return {
    sign: (request) => hsm.sign(request),
    generateKeyPair: (request) => around('generateKeyPair', () => hsm.generateKeyPair(request)),
    tryKey: (key) => around('tryKey', () => hsm.tryKey(key)),
    destroyKeyPair: (ckaId) => around('destroyKeyPair', () => hsm.destroyKeyPair(ckaId)),
    readKeyPair: (key) => hsm.readKeyPair(key),
    listKeys: () => hsm.listKeys(),
    status: () => hsm.status(),
    onStateChange: (listener) => hsm.onStateChange(listener),
    retryLogin: () => {
      hsm.retryLogin();
    },
    close: (graceMs) => hsm.close(graceMs),
  };
}

const config = await loadConfig(configFile);
const log = createLogger({ level: 'info' });
const daemon = await startDaemon({
  config,
  clock: systemClock,
  log,
  version: 'stepping',
  decorators: { store: steppingStore, hsm: steppingHsm },
});
log.info({ httpUrl: daemon.httpUrl, grpcAddress: daemon.grpcAddress, pid: process.pid }, 'keyturn is listening');
process.once('SIGTERM', () => {
  void daemon.stop();
});
