/**
 * `npm run bench [-- --json] [--seconds N]`: keyturn's signing rate beside a C loop over the same PKCS#11 module, in
 * one run on one machine. Absolute figures depend on the machine; the ratios are what to compare.
 * Everything is on: mTLS, access policy, verification of every signature, the audit log. Load: 64 unary requests in
 * flight, and beside it four batches of 64. What access policy and audit log cost is told by three daemons that take turns: with the least policy and no
 * audit log, with the log alone, and with the log and a policy of every rule.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { KeyturnError, type KeyturnClient } from '../src/client/client.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../test/fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../test/fixtures/deployment.ts';
import { guardWithEveryRule } from './bench/guarded-policy.ts';
import { type Check, reportEvidence } from './lib/evidence.ts';

const run = promisify(execFile);
const IN_FLIGHT = 64;
const C_THREADS = 2;
const WARM_UP_SECONDS = 1;
/** /proc/PID/stat counts in ticks of 10 ms on every Linux that Node runs on (sysconf(_SC_CLK_TCK) = 100). */
const TICK_US = 10_000;

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, seconds: { type: 'string', default: '5' } },
});
const seconds = Number(options.seconds);

const KEYS = [
  { name: 'bench-es256', algorithm: 'ES256', rsaBits: undefined },
  { name: 'bench-rs256', algorithm: 'RS256', rsaBits: 2048 },
] as const;

interface Way {
  readonly name: string;
  /** JWTs in one call. */
  readonly size: number;
  readonly callsInFlight: number;
}
const UNARY: Way = { name: 'unary', size: 1, callsInFlight: IN_FLIGHT };
const BATCHES: Way = { name: 'batches of 64', size: 64, callsInFlight: 4 };

interface Load {
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

async function compileCLoop(dir: string): Promise<string> {
  const binary = join(dir, 'c-loop');
  const source = fileURLToPath(new URL('./bench/c-loop.c', import.meta.url));
  const headers = fileURLToPath(new URL('../node_modules/pkcs11js/includes/pkcs11', import.meta.url));
  await run('cc', ['-O2', '-I', headers, '-o', binary, source, '-lpthread', '-ldl']);
  return binary;
}

async function runCLoop(binary: string, { token }: Deployment, key: (typeof KEYS)[number]): Promise<number> {
  const parameters = [
    token.moduleFile,
    token.label,
    token.pinFile,
    `keyturn/${key.name}/1`,
    key.algorithm,
    String(C_THREADS),
    String(seconds),
  ];
  const { stdout } = await run(binary, parameters, { env: { ...process.env, ...token.environment } });
  const [signatures = 0, elapsed = 1] = stdout.trim().split(' ').map(Number);
  return signatures / elapsed;
}

/** User and system time of one process, all of its threads. */
function cpuUsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

async function serverCpuUs(daemon: DaemonProcess): Promise<number> {
  return [daemon.pid, ...(await daemon.workerPids())].map(cpuUsOf).reduce((sum, us) => sum + us, 0);
}

/** How long each call took, ascending. */
async function drive(client: KeyturnClient, signingKey: string, forSeconds: number, way = UNARY): Promise<number[]> {
  const latencies: number[] = [];
  const untilMs = performance.now() + forSeconds * 1_000;
  const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'user-1234567890', scope: 'read write' };
  const request = { signingKey, claims, lifetimeSeconds: 300 };
  const batch = Array.from({ length: way.size }, () => request);
  const sign = async (): Promise<void> => {
    if (way.size === 1) await client.signJwt(request);
    else for (const result of await client.batchSignJwt(batch)) if (result instanceof KeyturnError) throw result;
  };
  const lane = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const startedMs = performance.now();
      await sign();
      latencies.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: way.callsInFlight }, lane));
  return latencies.toSorted((left, right) => left - right);
}

async function measure(daemon: DaemonProcess, signingKey: string, way: Way): Promise<Load> {
  const client = daemon.clientOf('auth-service');
  await drive(client, signingKey, WARM_UP_SECONDS, way);
  const cpuBefore = await serverCpuUs(daemon);
  const startedMs = performance.now();
  const latencies = await drive(client, signingKey, seconds, way);
  const elapsedSeconds = (performance.now() - startedMs) / 1_000;
  const cpuUs = (await serverCpuUs(daemon)) - cpuBefore;
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
  return {
    perSecond: (latencies.length * way.size) / elapsedSeconds,
    cpuUs: cpuUs / (latencies.length * way.size),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

/** A signing key that joins a served key set waits for its propagation, as any does. */
async function makeReady(daemon: DaemonProcess, { name, algorithm, rsaBits }: (typeof KEYS)[number]): Promise<void> {
  await daemon.admin.applySigningKey({ name, algorithm, rsaBits });
  await waitFor(
    `${name} to sign`,
    async () => (await daemon.admin.getSigningKey({ name })).signingKey.activeKid !== undefined,
  );
}

const FSYNCS = 200;
const GUARD_ROUNDS = 21;
const SLICE_SECONDS = 1;
/** A few JWTs' entries, as one write of the audit log under load. */
const WRITE_BYTES = 8 * 1_024;
/** Of the rate with neither. */
const MIN_GUARDED_SHARE = 0.75;

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** One write and one fdatasync on the disk that the audit log is on, nothing else going on: the median. */
async function measureSync(dir: string): Promise<number> {
  const file = await open(join(dir, 'sync-probe'), 'w');
  const took: number[] = [];
  for (let count = 0; count < FSYNCS; count += 1) {
    const startedMs = performance.now();
    await file.write(Buffer.alloc(WRITE_BYTES, 'x'), 0, WRITE_BYTES, count * WRITE_BYTES);
    await file.datasync();
    took.push(performance.now() - startedMs);
  }
  await file.close();
  return median(took);
}

interface Variant {
  readonly name: string;
  readonly config: Readonly<Record<string, object>>;
  readonly hasEveryRule: boolean;
}

/** The first is what the others are held against. */
const VARIANTS: readonly Variant[] = [
  { name: 'least policy, no audit log', config: { audit: { enabled: false } }, hasEveryRule: false },
  { name: 'least policy, audit log', config: {}, hasEveryRule: false },
  { name: 'every rule, audit log', config: {}, hasEveryRule: true },
];

interface Run {
  readonly name: string;
  readonly daemon: DaemonProcess;
  readonly client: KeyturnClient;
  readonly rates: number[];
  cpuUs: number;
  jwts: number;
}

async function addSlice(run: Run, signingKey: string): Promise<void> {
  const cpuBefore = await serverCpuUs(run.daemon);
  const startedMs = performance.now();
  const { length } = await drive(run.client, signingKey, SLICE_SECONDS);
  run.rates.push((length * 1_000) / (performance.now() - startedMs));
  run.cpuUs += (await serverCpuUs(run.daemon)) - cpuBefore;
  run.jwts += length;
}

/** Deployments that differ in nothing else, in turns: what the machine does besides hits all of them. */
async function compareGuards(): Promise<readonly Check[]> {
  const [key] = KEYS;
  const closers: (() => Promise<unknown>)[] = [];
  try {
    const runs: Run[] = [];
    let logDir = '';
    for (const { name, config, hasEveryRule } of VARIANTS) {
      const deployment = await makeDeployment({ signingKeys: [key.name], spy: false, config });
      closers.push(() => deployment.dispose());
      logDir = deployment.dir;
      if (hasEveryRule) await guardWithEveryRule(deployment, key.name);
      const daemon = await startDaemonProcess(deployment);
      closers.push(() => daemon.stop());
      await makeReady(daemon, key);
      const client = daemon.clientOf('auth-service');
      await drive(client, key.name, 2 * WARM_UP_SECONDS);
      runs.push({ name, daemon, client, rates: [], cpuUs: 0, jwts: 0 });
    }
    for (let round = 0; round < GUARD_ROUNDS; round += 1)
      // Each round begins with another one: none always follows the same.
      for (const run of [...runs.slice(round % runs.length), ...runs.slice(0, round % runs.length)])
        await addSlice(run, key.name);
    return [{ name: 'one write and fdatasync', value: await measureSync(logDir), unit: 'ms' }, ...compare(runs)];
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

/** Round by round, since a machine that others use is slow in one and quick in the next: the median of the ratios. */
function compare(runs: readonly Run[]): readonly Check[] {
  const [plain, ...guarded] = runs;
  const shareOf = ({ rates }: Run): number =>
    median(rates.map((rate, round) => rate / (plain?.rates[round] ?? Number.NaN)));
  return [
    ...runs.flatMap(({ name, rates, cpuUs, jwts }) => [
      { name: `ES256 unary, ${name}`, value: median(rates), unit: 'JWT/s' },
      { name: `ES256 server CPU a JWT, ${name}`, value: cpuUs / jwts, unit: 'us' },
    ]),
    ...guarded.map((run, index) => ({
      name: `${run.name} / ${plain?.name ?? ''}`,
      value: shareOf(run),
      unit: 'ratio',
      ...(index === guarded.length - 1 ? { bar: { atLeast: MIN_GUARDED_SHARE } } : {}),
    })),
  ];
}

async function bench(): Promise<boolean> {
  const dir = await mkdtemp(join(tmpdir(), 'keyturn-bench-'));
  const deployment = await makeDeployment({ signingKeys: KEYS.map((key) => key.name), spy: false });
  try {
    const cLoop = await compileCLoop(dir);
    const daemon = await startDaemonProcess(deployment);
    try {
      const checks: Check[] = [];
      for (const key of KEYS) await makeReady(daemon, key);
      for (const key of KEYS) {
        const cPerSecond = await runCLoop(cLoop, deployment, key);
        const load = await measure(daemon, key.name, UNARY);
        const batches = await measure(daemon, key.name, BATCHES);
        checks.push(
          { name: `${key.algorithm} unary`, value: load.perSecond, unit: 'JWT/s' },
          { name: `${key.algorithm} C loop, ${C_THREADS} threads`, value: cPerSecond, unit: 'signatures/s' },
          { name: `${key.algorithm} unary / C loop`, value: load.perSecond / cPerSecond, unit: 'ratio' },
          { name: `${key.algorithm} server CPU a JWT`, value: load.cpuUs, unit: 'us' },
          { name: `${key.algorithm} latency p50 at ${IN_FLIGHT} in flight`, value: load.p50Ms, unit: 'ms' },
          { name: `${key.algorithm} latency p99 at ${IN_FLIGHT} in flight`, value: load.p99Ms, unit: 'ms' },
          { name: `${key.algorithm} ${BATCHES.name}`, value: batches.perSecond, unit: 'JWT/s' },
          {
            name: `${key.algorithm} ${BATCHES.name} / unary`,
            value: batches.perSecond / load.perSecond,
            unit: 'ratio',
          },
          { name: `${key.algorithm} ${BATCHES.name}, server CPU a JWT`, value: batches.cpuUs, unit: 'us' },
        );
      }
      checks.push(...(await compareGuards()));
      return reportEvidence(
        checks,
        { seconds, inFlight: IN_FLIGHT, cpus: cpus().length, node: process.version },
        options.json,
      );
    } finally {
      await daemon.stop();
    }
  } finally {
    await deployment.dispose();
    await rm(dir, { recursive: true, force: true });
  }
}

process.exitCode = (await bench()) ? 0 : 1;
