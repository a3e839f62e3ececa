/**
 * `npm run soak [-- --minutes N --token p11-kit --seed N --json]`: the daemon as a process, mixed algorithms, 64 calls in
 * flight, keys that turn every ten seconds, and one random fault after the other. Every JWT is verified twice. By default
 * the token is SoftHSM2 behind the fault shim; a NAME of test/tokens whose server can be killed and stopped is the other
 * kind. Exit code 1 on any violation.
 */
import { parseArgs } from 'node:util';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../test/fixtures/daemon-process.ts';
import { type Deployment, makeDeployment, SHORT_PROMISE } from '../test/fixtures/deployment.ts';
import { Prng } from '../test/simulation/prng.ts';
import { type Check, reportEvidence } from './lib/evidence.ts';
import { workerFaults } from './soak/faults.ts';
import { pause, SoakLoad } from './soak/load.ts';
import { MemoryLog } from './soak/memory.ts';
import { prepareTarget, type Target } from './soak/target.ts';

const IN_FLIGHT = 64;
const CONNECTIONS = 4;
const SIGNING_PERIOD_MS = 10_000;
/** Generation may fail for a while without stopping a signing key. */
const MAX_SIGNING_PERIOD_MS = 120_000;
const LONGEST_LIFETIME_SECONDS = 12;
const JWKS_MAX_AGE_MS = 1_000;
/** A longer way back is no recovery. */
const RECOVERY_TIMEOUT_MS = 60_000;
const LONGEST_PAUSE_MS = 1_500;
const SAMPLE_MS = 1_000;
const WORKERS = 2;
/** Heaps breathe, and each rotation is remembered for ever. */
const MAX_GROWTH_MIB = 16;
const MAX_GROWTH_DESCRIPTORS = 4;
const NONE = { atMost: 0 };

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    token: { type: 'string', default: 'shim' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    json: { type: 'boolean', default: false },
  },
});
const minutes = Number(options.minutes);
if (!(minutes > 0)) throw new RangeError('--minutes is a number above 0');

interface Recovery {
  readonly fault: string;
  readonly hasHit: boolean;
  /** Until a request that was made after the fault's end had its JWT. */
  readonly signsAfterMs: number;
  /** Until all workers were ready again. */
  readonly wholeAfterMs: number;
}

function tell(text: string): void {
  if (!options.json) process.stdout.write(`${text}\n`);
}

function deploy({ config, label, signingKeys }: Target): Promise<Deployment> {
  const { moduleFile: module, pinFile, environment } = config;
  return makeDeployment({
    spy: false,
    signingKeys: signingKeys.map(({ name }) => name),
    config: {
      token: { module, label, pinFile, environment },
      keySets: { default: { ...SHORT_PROMISE, maxPublishedVersions: 64 } },
    },
  });
}

async function applySigningKeys({ admin }: DaemonProcess, { signingKeys }: Target): Promise<void> {
  for (const signingKey of signingKeys)
    await admin.applySigningKey({
      ...signingKey,
      lifecyclePolicy: {
        signingPeriodMs: SIGNING_PERIOD_MS,
        maxSigningPeriodMs: MAX_SIGNING_PERIOD_MS,
        maxJwtLifetimeMs: LONGEST_LIFETIME_SECONDS * 1_000,
        rollbackWindowMs: 0,
      },
    });
  // All but the first signing key of a key set wait until their versions have been served for long enough.
  await waitFor(
    'every signing key to be ready',
    async () => {
      const keys = await admin.listSigningKeys();
      return keys.signingKeys.every(({ activeKid }) => activeKid !== undefined);
    },
    RECOVERY_TIMEOUT_MS,
  );
}

async function recover(daemon: DaemonProcess, load: SoakLoad, fault: string): Promise<Omit<Recovery, 'hasHit'>> {
  const endMs = performance.now();
  const after = (): number => Math.round(performance.now() - endMs);
  await load.probe(RECOVERY_TIMEOUT_MS);
  const signsAfterMs = after();
  const isWhole = async (): Promise<boolean> => {
    const { workers } = await daemon.admin.getTokenStatus();
    return workers.length === WORKERS && workers.every(({ state }) => state === 'ready');
  };
  await waitFor(`all workers after ${fault}`, isWhole, RECOVERY_TIMEOUT_MS);
  return { fault, signsAfterMs, wholeAfterMs: after() };
}

async function soak(target: Target, daemon: DaemonProcess): Promise<boolean> {
  await applySigningKeys(daemon, target);
  const seed = Number(options.seed);
  // The faults' luck doesn't depend on how fast callers are served.
  const prng = new Prng(seed);
  const faults = [...target.faults(prng), ...workerFaults(() => daemon.workerPids(), prng)];
  const memory = new MemoryLog();
  const load = new SoakLoad({
    clients: Array.from({ length: CONNECTIONS }, () => daemon.clientOf('auth-service')),
    inFlight: IN_FLIGHT,
    signingKeys: target.signingKeys.map(({ name }) => name),
    longestLifetimeSeconds: LONGEST_LIFETIME_SECONDS,
    jwksUrl: `${daemon.httpUrl}/.well-known/jwks.json`,
    jwksMaxAgeMs: JWKS_MAX_AGE_MS,
    prng: new Prng(seed + 1),
  });
  load.start();
  const startMs = performance.now();
  const sampling = setInterval(() => {
    void daemon.workerPids().then((pids) => {
      memory.look(daemon.pid, pids);
    });
  }, SAMPLE_MS);
  const recoveries: Recovery[] = [];
  let lost = 0;
  let seconds = 0;
  try {
    while (performance.now() - startMs < minutes * 60_000) {
      await pause(prng.whole(0, LONGEST_PAUSE_MS));
      const fault = faults[prng.whole(0, faults.length - 1)];
      if (fault === undefined) break;
      const hasHit = await fault.run();
      const recovery = { ...(await recover(daemon, load, fault.name)), hasHit };
      recoveries.push(recovery);
      tell(
        `${fault.name}${hasHit ? '' : ' (met nothing)'}: signs after ${recovery.signsAfterMs} ms, whole after ${recovery.wholeAfterMs} ms`,
      );
    }
  } catch (error) {
    lost += 1;
    load.problems.push(String(error));
  } finally {
    clearInterval(sampling);
    seconds = (performance.now() - startMs) / 1_000;
    await load.stop();
  }
  const { failed, problems } = load;
  const { workerRestarts } = await daemon.admin.getTokenStatus();
  const details = { failed, quarters: memory.quarters(), workerRestarts, problems };
  tell(JSON.stringify(details, undefined, 2));
  const checks = [...checkLoad(load, target, seconds), ...checkRecoveries(recoveries, lost), ...checkMemory(memory)];
  return reportEvidence(checks, { seed, token: options.token, ...details, recoveries }, options.json);
}

function checkLoad(load: SoakLoad, { signingKeys }: Target, seconds: number): readonly Check[] {
  const { signed, verifiedAgain, longestBeforeExpMs, invalid, unverifiable, failures, kids } = load;
  // Faults make rotations late: half of those that are due must have come.
  const versions = signingKeys.length * Math.max(1, Math.floor((seconds * 1_000) / (2 * SIGNING_PERIOD_MS)));
  return [
    { name: 'JWTs signed', value: signed, unit: 'JWTs', bar: { atLeast: 1 } },
    { name: 'invalid JWTs', value: invalid, unit: 'JWTs', bar: NONE },
    { name: 'unverifiable JWTs', value: unverifiable, unit: 'JWTs', bar: NONE },
    {
      name: 'JWTs not verified again before they expired',
      value: signed - verifiedAgain,
      unit: 'JWTs',
      bar: NONE,
    },
    { name: 'longest between the second look and exp', value: longestBeforeExpMs, unit: 'ms' },
    { name: 'requests failed', value: failures, unit: 'requests' },
    { name: 'signing rate', value: signed / seconds, unit: 'JWTs/s' },
    { name: 'versions that signed', value: kids.size, unit: 'versions', bar: { atLeast: versions } },
  ];
}

function checkRecoveries(recoveries: readonly Recovery[], lost: number): readonly Check[] {
  const slowest = (name: 'signsAfterMs' | 'wholeAfterMs'): number =>
    Math.max(0, ...recoveries.map((each) => each[name]));
  const missed = recoveries.filter(({ hasHit }) => !hasHit).length;
  return [
    { name: 'faults', value: recoveries.length, unit: 'faults', bar: { atLeast: 1 } },
    { name: 'faults that met nothing', value: missed, unit: 'faults' },
    { name: 'faults without a recovery', value: lost, unit: 'faults', bar: NONE },
    { name: 'slowest to sign again', value: slowest('signsAfterMs'), unit: 'ms' },
    { name: 'slowest to be whole again', value: slowest('wholeAfterMs'), unit: 'ms' },
  ];
}

function checkMemory(memory: MemoryLog): readonly Check[] {
  const size = { unit: 'MiB', bar: { atMost: MAX_GROWTH_MIB } };
  const count = { unit: 'descriptors', bar: { atMost: MAX_GROWTH_DESCRIPTORS } };
  return [
    { name: 'daemon grows by', value: memory.growth('daemonMiB'), ...size },
    { name: 'largest worker grows by', value: memory.growth('workerMiB'), ...size },
    { name: 'daemon opens', value: memory.growth('daemonDescriptors'), ...count },
    { name: 'largest worker opens', value: memory.growth('workerDescriptors'), ...count },
  ];
}

const target = await prepareTarget(options.token);
try {
  const deployment = await deploy(target);
  try {
    const daemon = await startDaemonProcess(deployment);
    try {
      process.exitCode = (await soak(target, daemon)) ? 0 : 1;
    } finally {
      await daemon.stop();
    }
  } finally {
    await deployment.dispose();
  }
} finally {
  await target.dispose();
}
