/**
 * `npm run stress [-- --faults N --kind NAME --outage-seconds S --json]`: the daemon as a process over SoftHSM2 behind the fault
 * shim, with 108 key versions and 64 calls in flight, and so many faults, shared between the kinds. Held against the
 * promises of docs/operate/hsm-outage.md: nothing wrong is delivered, a call whose deadline allows it is answered, the
 * workers are whole again in time, and nothing leaks. Exit code 1 on any violation.
 */
import { parseArgs } from 'node:util';
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../test/fixtures/daemon-process.ts';
import { SHORT_PROMISE } from '../test/fixtures/deployment.ts';
import { descriptorsOf, residentMiB } from '../test/fixtures/proc.ts';
import { makeShimmedDeployment, type ShimmedDeployment } from '../test/fixtures/shimmed-deployment.ts';
import type { Shim } from '../test/shim/shim.ts';
import { type Check, reportEvidence } from './lib/evidence.ts';
import { pause } from './soak/load.ts';
import { MemoryLog } from './soak/memory.ts';
import { type Kind, kindsOf } from './stress/kinds.ts';
import { type Failure, StressLoad } from './stress/load.ts';

const IN_FLIGHT = 64;
const CONNECTIONS = 4;
const DEADLINE_MS = 5_000;
const KEY_SETS = ['default', 'second', 'third'];
/** A key set holds at most 64 versions, and each signing key may need four. */
const SIGNING_KEYS_PER_SET = 12;
const VERSIONS_PER_SIGNING_KEY = 3;
const WORKERS = 2;
/** The login's, the administration's and one that signs. */
const SESSIONS_PER_WORKER = 3;
const RECOVERY_MS = { sameProcess: 1_000, newWorker: 2_000 };
/** Later it counts as no recovery. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 10;
const SAMPLE_MS = 500;
const STABLE_MS = 300;
const MAX_GROWTH_MIB = 16;
const MAX_GROWTH_DESCRIPTORS = 4;
const MAX_FAILURES_SHOWN = 20;
const NONE = { atMost: 0 };

const { values: options } = parseArgs({
  options: {
    faults: { type: 'string', default: '80' },
    kind: { type: 'string' },
    'outage-seconds': { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  },
});

interface Round {
  readonly kind: string;
  readonly requests: number;
  readonly signsAfterMs: number;
  readonly wholeAfterMs: number;
  readonly failures: readonly (Failure & { readonly hadTime: boolean })[];
}

function tell(text: string): void {
  if (!options.json) process.stdout.write(`${text}\n`);
}

const signingKeys = KEY_SETS.flatMap((keySet) =>
  Array.from({ length: SIGNING_KEYS_PER_SET }, (_, index) => ({ name: `${keySet}-${index}`, keySet })),
);

function deploy(): Promise<ShimmedDeployment> {
  const keySet = { ...SHORT_PROMISE, maxPublishedVersions: 64 };
  return makeShimmedDeployment({
    signingKeys: signingKeys.map(({ name }) => name),
    config: {
      token: { workers: WORKERS },
      keySets: Object.fromEntries(KEY_SETS.map((name) => [name, keySet])),
    },
  });
}

/** Resolves with the key set of each signing key. */
async function applySigningKeys(
  daemon: DaemonProcess,
): Promise<(name: string) => ReturnType<typeof createLocalJWKSet>> {
  await Promise.all(
    signingKeys.map(({ name, keySet }) =>
      daemon.admin.applySigningKey({ name, algorithm: 'ES256', keySet }, { deadlineMs: PATIENCE_MS }),
    ),
  );
  await waitFor(
    'every signing key to be ready',
    async () => {
      const keys = await daemon.admin.listSigningKeys();
      return keys.signingKeys.every(({ activeKid }) => activeKid !== undefined);
    },
    PATIENCE_MS,
  );
  const published = new Map<string, ReturnType<typeof createLocalJWKSet>>();
  let versions = 0;
  for (const keySet of KEY_SETS) {
    const response = await fetch(`${daemon.httpUrl}/${keySet}/jwks.json`);
    const jwks = (await response.json()) as JSONWebKeySet;
    versions += jwks.keys.length;
    for (const signingKey of signingKeys)
      if (signingKey.keySet === keySet) published.set(signingKey.name, createLocalJWKSet(jwks));
  }
  if (versions !== signingKeys.length * VERSIONS_PER_SIGNING_KEY)
    throw new Error(`${versions} key versions are published`);
  return (name) => published.get(name) ?? createLocalJWKSet({ keys: [] });
}

/**
 * Resolves when all workers are there and take requests, with the time at which that began: the daemon may not have
 * noticed the fault yet.
 */
async function becomeWhole({ admin }: DaemonProcess, sinceMs: number): Promise<number> {
  let wholeSinceMs: number | undefined;
  for (;;) {
    const askedAtMs = performance.now();
    const { workers } = await admin.getTokenStatus();
    const isWhole =
      workers.length === WORKERS && workers.every(({ state, sessions }) => state === 'ready' && sessions > 0);
    if (!isWhole) wholeSinceMs = undefined;
    else wholeSinceMs ??= performance.now();
    if (wholeSinceMs !== undefined && askedAtMs - wholeSinceMs > STABLE_MS) return wholeSinceMs;
    if (askedAtMs - sinceMs > PATIENCE_MS) throw new Error(`the workers are not whole after ${PATIENCE_MS} ms`);
    await pause(LOOK_MS);
  }
}

async function runRound(daemon: DaemonProcess, load: StressLoad, kind: Kind, round: number): Promise<Round> {
  const { asked, failures } = load;
  const failuresBefore = failures.length;
  const endMs = await kind.run(round);
  const after = (momentMs: number): number => Math.round(momentMs - endMs);
  const [signsAfterMs, wholeAfterMs] = await Promise.all([
    load.signedAfter(endMs).then(after),
    becomeWhole(daemon, endMs).then(after),
  ]);
  const mustBeWellAtMs = endMs + RECOVERY_MS[kind.mendedBy];
  // Time ran out before the token had to be well again: nobody could have answered.
  const hadTime = ({ reason, deadlineAtMs }: Failure): boolean =>
    reason !== 'DEADLINE_EXCEEDED' || deadlineAtMs > mustBeWellAtMs;
  return {
    kind: kind.name,
    requests: load.asked - asked,
    signsAfterMs,
    wholeAfterMs,
    failures: failures.slice(failuresBefore).map((failure) => ({ ...failure, hadTime: hadTime(failure) })),
  };
}

function look(daemon: DaemonProcess, pids: readonly number[]): object {
  return {
    daemonMiB: Math.round(residentMiB(daemon.pid)),
    daemonDescriptors: descriptorsOf(daemon.pid),
    workersMiB: pids.map((pid) => Math.round(residentMiB(pid))),
  };
}

async function stress(daemon: DaemonProcess, shim: Shim): Promise<boolean> {
  const keySetOf = await applySigningKeys(daemon);
  const kinds = kindsOf(shim, () => daemon.workerPids(), Number(options['outage-seconds']) * 1_000).filter(
    ({ name }) => options.kind === undefined || options.kind === name,
  );
  const load = new StressLoad({
    clients: Array.from({ length: CONNECTIONS }, () => daemon.clientOf('auth-service')),
    inFlight: IN_FLIGHT,
    signingKeys: signingKeys.map(({ name }) => name),
    deadlineMs: DEADLINE_MS,
    keySetOf,
  });
  /** While the workers are the same from the beginning to the end, and over all. */
  const logs = { sameProcess: new MemoryLog(), all: new MemoryLog() };
  let isSameProcess = true;
  const sampling = setInterval(() => {
    void daemon.workerPids().then((pids) => {
      logs.all.look(daemon.pid, pids);
      if (isSameProcess) logs.sameProcess.look(daemon.pid, pids);
    });
  }, SAMPLE_MS);
  const rounds: Round[] = [];
  const sizes: Record<string, object> = {};
  let lost: unknown;
  try {
    await becomeWhole(daemon, performance.now());
    sizes['before'] = look(daemon, await daemon.workerPids());
    for (const kind of kinds) {
      isSameProcess &&= kind.mendedBy === 'sameProcess';
      for (let round = 0; round < Number(options.faults) / kinds.length; round += 1) {
        const result = await runRound(daemon, load, kind, round);
        rounds.push(result);
        const failed = result.failures.length;
        tell(
          `${kind.name}: signs after ${result.signsAfterMs} ms, whole after ${result.wholeAfterMs} ms, ${failed} failed`,
        );
      }
      sizes[kind.name] = look(daemon, await daemon.workerPids());
      tell(JSON.stringify(sizes[kind.name]));
    }
  } catch (error) {
    lost = error;
    tell(String(error));
  } finally {
    clearInterval(sampling);
    shim.clear();
    await load.stop();
  }
  const { workerRestarts } = await daemon.admin.getTokenStatus();
  const mostSessions = Math.max(...shim.mostSessions().values());
  const table = kinds.map((kind) => summarise(kind, rounds));
  const shown = rounds
    .flatMap(({ failures }) => failures.filter(({ hadTime }) => hadTime))
    .slice(0, MAX_FAILURES_SHOWN);
  const details = { kinds: table, sizes, workerRestarts, failures: shown };
  tell(JSON.stringify(details, undefined, 1));
  const growth = (log: MemoryLog, name: Parameters<MemoryLog['growth']>[0], label: string, isSize: boolean): Check => ({
    name: label,
    value: log.growth(name),
    unit: isSize ? 'MiB' : 'descriptors',
    bar: { atMost: isSize ? MAX_GROWTH_MIB : MAX_GROWTH_DESCRIPTORS },
  });
  const checks: Check[] = [
    { name: 'faults', value: rounds.length, unit: 'faults', bar: { atLeast: Number(options.faults) } },
    { name: 'faults without a recovery', value: lost === undefined ? 0 : 1, unit: 'faults', bar: NONE },
    { name: 'JWTs signed', value: load.signed, unit: 'JWTs', bar: { atLeast: 1 } },
    { name: 'wrong JWTs', value: load.wrong, unit: 'JWTs', bar: NONE },
    {
      name: 'requests that failed though their deadline allowed a retry',
      value: rounds.reduce((sum, { failures }) => sum + failures.filter(({ hadTime }) => hadTime).length, 0),
      unit: 'requests',
      bar: NONE,
    },
    ...(['sameProcess', 'newWorker'] as const).map((mendedBy): Check => {
      const names = new Set(kinds.filter((kind) => kind.mendedBy === mendedBy).map(({ name }) => name));
      const slowest = Math.max(
        0,
        ...rounds.filter(({ kind }) => names.has(kind)).map(({ wholeAfterMs }) => wholeAfterMs),
      );
      return {
        name: `slowest recovery: ${mendedBy}`,
        value: slowest,
        unit: 'ms',
        bar: { atMost: RECOVERY_MS[mendedBy] },
      };
    }),
    { name: 'most sessions of a worker', value: mostSessions, unit: 'sessions', bar: { atMost: SESSIONS_PER_WORKER } },
    growth(logs.all, 'daemonMiB', 'daemon grows by', true),
    growth(logs.all, 'daemonDescriptors', 'daemon opens', false),
    growth(logs.sameProcess, 'workerMiB', 'largest worker grows by', true),
    growth(logs.sameProcess, 'workerDescriptors', 'largest worker opens', false),
  ];
  return reportEvidence(checks, details, options.json);
}

function summarise({ name }: Kind, all: readonly Round[]): object {
  const rounds = all.filter(({ kind }) => kind === name);
  const failures = rounds.flatMap((round) => round.failures);
  const failed: Record<string, number> = {};
  for (const { reason, hadTime } of failures) {
    const key = hadTime ? reason : `${reason}, no time for a retry`;
    failed[key] = (failed[key] ?? 0) + 1;
  }
  const sorted = (which: 'signsAfterMs' | 'wholeAfterMs'): readonly number[] =>
    rounds.map((round) => round[which]).toSorted((left, right) => left - right);
  const spread = (values: readonly number[]): object => ({
    median: values[values.length >> 1],
    slowest: values.at(-1),
  });
  return {
    name,
    faults: rounds.length,
    requests: rounds.reduce((sum, { requests }) => sum + requests, 0),
    failed,
    signsAfterMs: spread(sorted('signsAfterMs')),
    wholeAfterMs: spread(sorted('wholeAfterMs')),
  };
}

const deployment = await deploy();
try {
  const daemon = await startDaemonProcess(deployment);
  try {
    process.exitCode = (await stress(daemon, deployment.shim)) ? 0 : 1;
  } finally {
    await daemon.stop();
  }
} finally {
  await deployment.dispose();
}
