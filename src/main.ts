/**
 * The daemon's composition root: every adapter is chosen here and nowhere else, and closed in the order that loses
 * nothing. Start: configuration → store → application → HSM workers → listeners → rotation. The JWKS is served before
 * the token is ready and goes on being served while it isn't: verifiers must not suffer from an HSM outage.
 */
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { AccessPolicy } from './access/policy.ts';
import { AuditTrail } from './app/audit-trail.ts';
import { AuditedStore } from './app/audited-store.ts';
import { Checkpoints } from './app/checkpoints.ts';
import { createLoginLatch } from './app/login-latch.ts';
import { Ledger } from './app/ledger.ts';
import { Keyturn } from './app/keyturn.ts';
import { openFileAuditLog } from './audit/files/file-audit-log.ts';
import type { Clock } from './base/clock.ts';
import type { Logger } from './base/logger.ts';
import { systemClock } from './base/system-clock.ts';
import { requireUsableConfig } from './config/check-config.ts';
import type { Config } from './config/config.ts';
import { CurrentAccessPolicy } from './config/current-access-policy.ts';
import { allowsCoreDumps } from './config/core-limit.ts';
import { loadConfig } from './config/load-config.ts';
import { checkSecretFile, identifySecretFile, openSecretFile } from './config/secrets.ts';
import type { Hsm } from './hsm/hsm.ts';
import { createHsmPool } from './hsm/pool.ts';
import { startServers } from './server/daemon-servers.ts';
import { Reloads } from './server/reloads.ts';
import { HttpJwksProbe } from './server/http/http-jwks-probe.ts';
import { createLogger } from './server/telemetry/logger.ts';
import { Telemetry } from './server/telemetry/telemetry.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import type { EventStore } from './store/store.ts';

/** What a test may put between the application and its adapters; the daemon itself puts nothing. */
export interface Decorators {
  readonly store?: (store: EventStore) => EventStore;
  readonly hsm?: (hsm: Hsm) => Hsm;
}

export interface Daemon {
  readonly httpUrl: string;
  readonly metricsUrl: string | undefined;
  readonly grpcAddress: { readonly host: string; readonly port: number } | undefined;
  /** Takes up the access policy, the TLS listener's files and the PIN file again, each whole or not at all. Never rejects. */
  reload(): Promise<void>;
  /** Ordered and idempotent: refuse new work, finish what is in flight, stop the workers, close the store. */
  stop(): Promise<void>;
}

export interface DaemonParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of keyturn. */
  readonly version: string;
  readonly decorators?: Decorators;
}

export async function startDaemon({ config, clock, log, version, decorators = {} }: DaemonParts): Promise<Daemon> {
  await requireUsableConfig(config);
  const policies = await CurrentAccessPolicy.load(config.accessPolicyFile);
  const accessPolicy = (): AccessPolicy => policies.policy;
  let knownPinFile = identifySecretFile(config.token.pinFile);
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) await close();
  };
  try {
    const telemetry = config.metrics === undefined ? undefined : new Telemetry(config.metrics, config, clock);
    const openedStore = await openSqliteStore({ file: config.storeFile, log });
    const decoratedStore = decorators.store?.(openedStore) ?? openedStore;
    const store = telemetry?.meterStore(decoratedStore) ?? decoratedStore;
    closers.push(() => store.close());
    const audit = await openAudit(store, { config, clock, log, version }, closers);
    const ledger = await Ledger.open(audit?.store ?? store, clock, config.keySets);
    const pool = createHsmPool({
      config: config.token,
      limits: config.limits,
      clock,
      log,
      latch: createLoginLatch(ledger, clock),
      openPin: () => openSecretFile(config.token.pinFile),
      workerLockFile: join(dirname(config.storeFile), 'workers.lock'),
    });
    const hsm = decorators.hsm?.(pool) ?? pool;
    closers.push(() => hsm.close(config.limits.drainMs));
    const probe = new HttpJwksProbe();
    const app = new Keyturn({
      ledger,
      hsm,
      clock,
      log,
      probe: telemetry?.meterProbe(probe) ?? probe,
      accessPolicy,
      limits: config.limits,
      clockStepLimitMs: config.clockStepLimitMs,
      canaryPeriodMs: config.canaryPeriodMs,
      verifyOneIn: config.verifyOneIn,
      randomBytes,
      audit: audit?.trail,
    });
    telemetry?.watch(app, audit?.trail);
    const servers = await startServers({
      config,
      app,
      telemetry,
      accessPolicy,
      audit: audit?.trail,
      log,
      clock,
    });
    probe.baseUrl = servers.httpUrl;
    app.start();
    const checkpoints = audit?.checkpointsWith(hsm);
    checkpoints?.start();
    closers.push(async () => {
      await Promise.all([servers.drain(config.limits.drainMs), app.stop()]);
      await checkpoints?.stop();
    });
    policies.onLoaded((policy) => {
      telemetry?.setAccessPolicy(policy);
      audit?.trail.accessPolicyLoaded(policy.documentHash, policy.rights.size);
      log.info({ sha256: policy.documentHash, callers: policy.rights.size }, 'access policy in force');
    });
    const reloads = new Reloads({
      log,
      onResult: (part, isGood) => telemetry?.setReload(part, isGood),
      parts: {
        accessPolicy: async () => {
          if (!(await policies.reload())) return 'unchanged';
          servers.dropUnwantedCallers();
          return policies.policy.documentHash;
        },
        ...(servers.reloadTls === undefined ? {} : { tls: servers.reloadTls }),
        pin: () => {
          const pinFile = identifySecretFile(config.token.pinFile);
          if (pinFile === knownPinFile) return 'unchanged';
          checkSecretFile(config.token.pinFile);
          knownPinFile = pinFile;
          pool.renewLogins();
          return 'new HSM workers log in with the new PIN';
        },
      },
    });
    const { httpUrl, metricsUrl, grpcAddress } = servers;
    return { httpUrl, metricsUrl, grpcAddress, reload: () => reloads.request(), stop: closeAll };
  } catch (failure) {
    await closeAll();
    throw failure;
  }
}

interface Audit {
  readonly store: EventStore;
  readonly trail: AuditTrail;
  readonly checkpointsWith: (hsm: Hsm) => Checkpoints;
}

/** It outlives the store, whose last events it takes. */
async function openAudit(
  store: EventStore,
  { config, clock, log, version }: Omit<DaemonParts, 'decorators'>,
  closers: (() => Promise<void>)[],
): Promise<Audit | undefined> {
  if (config.audit === undefined) {
    log.warn({}, 'audit.enabled is false: nobody will be able to prove what was signed');
    return undefined;
  }
  const { checkpointPeriodMs: periodMs, ...options } = config.audit;
  const auditLog = await openFileAuditLog({ ...options, clock, log });
  closers.splice(-1, 0, () => auditLog.close());
  const auditedStore = new AuditedStore({ store, auditLog, clock, log, version });
  return {
    store: auditedStore,
    trail: new AuditTrail({ auditLog, clock, log }),
    checkpointsWith: (hsm) =>
      new Checkpoints({ auditLog, store: auditedStore, hsm, clock, log, periodMs, randomBytes }),
  };
}

/** Runs the daemon until SIGTERM or SIGINT. Resolves when it has drained. Rejects when it can't start. */
export async function runDaemon(configFile: string, version: string): Promise<void> {
  const config = await loadConfig(configFile);
  const log = createLogger({ level: config.logLevel });
  if (allowsCoreDumps())
    log.warn(
      {},
      'a crash may leave TLS private keys in a core file: start with `ulimit -c 0`, or LimitCORE=1 in the unit',
    );
  const stopSignal = new Promise<string>((resolve) => {
    // The handlers stay: a second signal must not cut off the drain, which is bounded anyway.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, resolve);
  });
  let reload = async (): Promise<void> => undefined;
  process.on('SIGHUP', () => {
    log.info({}, 'SIGHUP: access policy, TLS files and PIN file are read again; keyturn.yaml needs a restart');
    void reload();
  });
  const daemon = await startDaemon({ config, clock: systemClock, log, version });
  reload = () => daemon.reload();
  const { httpUrl, metricsUrl, grpcAddress } = daemon;
  log.info({ httpUrl, metricsUrl, grpcAddress, pid: process.pid }, 'keyturn is listening');
  const signal = await stopSignal;
  log.info({ signal }, 'draining');
  await daemon.stop();
  log.info({}, 'stopped');
}
