/**
 * The simulated subject: a signing service that verifiers and callers see, with processes that come and go. `Daemon`
 * runs keyturn's real application on the simulated machine; foreign-rules.ts has others behind the same interface.
 */
import type { KeyCommand } from '../../src/app/application.ts';
import type { Keyturn } from '../../src/app/keyturn.ts';
import type { Ledger } from '../../src/app/ledger.ts';
import type { AccessPolicy } from '../../src/access/policy.ts';
import type { CallerName, KeySetName, Kid, SigningKeyName } from '../../src/base/ids.ts';
import type { Logger } from '../../src/base/logger.ts';
import type { KeySetPromise, LifecyclePolicy } from '../../src/lifecycle/model.ts';
import { type Machine, ProcessPorts, type ProcessHooks } from './machine.ts';
import { drawOf } from './prng.ts';
import type { SourceModules } from './sources.ts';
import { type MachineTime, ProcessClock } from './virtual-time.ts';
import type { Answer } from './verifiers.ts';

export const KEY_SET = 'default' as KeySetName;
const CALLER = 'simulated' as CallerName;
const CLAIMS = Buffer.from('{"iss":"sim","aud":"sim","sub":"sim"}');
const MAX_LIFETIME_MS = 3_650 * 86_400_000;
const LIMITS = { maxClaimsBytes: 1_024, maxClaimsDepth: 4, maxRequestMs: 10_000 };
const SILENT: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** What the world asks of whatever it tests. */
function toKeyCommand(signingKey: string): KeyCommand {
  return { signingKey, validateOnly: false, etag: '', reason: '', requestId: '' };
}

export interface Subject {
  readonly isUp: boolean;
  /** Starts a process. Rejects when it can't. */
  boot(promise: KeySetPromise): Promise<void>;
  /** Ends the process in order. */
  stop(): Promise<void>;
  kill(): void;
  nextTimerMs(latenessMs: number): number;
  fireTimers(): void;
  /** `counting`: served time is wanted; `calm`: nothing is under way but waiting; `busy`: anything else. */
  pace(): 'counting' | 'calm' | 'busy';
  /** What HTTP answers, when it answers. */
  fetch(): Answer;
  /** A JWT; rejects with the reason when refused. */
  sign(key: string, lifetimeMs: number | undefined): Promise<string>;
  apply(key: string, policy: LifecyclePolicy): Promise<void>;
  rotate(key: string, useLastStandby: boolean): Promise<void>;
  suspend(key: string, halt: boolean): Promise<void>;
  reactivate(key: string, version: number): Promise<void>;
  rollback(key: string): Promise<void>;
  retire(key: string): Promise<void>;
  unretire(key: string): Promise<void>;
  /** By the subject's wall clock, so long from now; undefined takes it back. */
  scheduleRotation(key: string, afterMs: number | undefined): Promise<void>;
  /** `key` undefined: the whole token; `version` undefined: the whole signing key. */
  declareCompromised(key: string | undefined, version: number | undefined, retain: boolean): Promise<void>;
  /** An operator types the time, from elsewhere. */
  confirmClock(typedMs: number): Promise<void>;
  /** Standbys that the subject itself takes for propagated. */
  propagatedStandbys(key: string): number;
  /** Tells that the token came back or went. */
  tellTokenState(): void;
  /** The problem when a key in the token is in no record of the subject. */
  findUnlistedKey(): string | undefined;
}

interface Process {
  readonly clock: ProcessClock;
  readonly ports: ProcessPorts;
  ledger: Ledger | undefined;
  app: Keyturn | undefined;
}

export interface DaemonParts {
  readonly sources: SourceModules;
  readonly machine: Machine;
  readonly time: MachineTime;
  readonly hooks: Omit<ProcessHooks, 'findKids'>;
  readonly keyNames: readonly string[];
  readonly clockStepLimitMs: number;
  readonly seed: number;
}

export class Daemon implements Subject {
  readonly #parts: DaemonParts;
  readonly #accessPolicy: AccessPolicy;
  #process: Process | undefined;
  #randomCount = 0;

  constructor(parts: DaemonParts) {
    this.#parts = parts;
    const rules = {
      iss: ['sim'],
      aud: ['sim'],
      typ: ['JWT'],
      maxLifetimeMs: MAX_LIFETIME_MS,
      sub: undefined,
      required: [],
      forbidden: [],
    };
    const signingKeys = new Map(parts.keyNames.map((name) => [name as SigningKeyName, rules]));
    const roles = new Set(['signer', 'operator'] as const);
    const rights = { isDenied: false, roles, signingKeys, rateLimit: undefined, statements: [] };
    this.#accessPolicy = {
      callersByIdentity: new Map(),
      rights: new Map([[CALLER, rights]]),
      documentHash: '',
      approvals: new Map(),
    };
  }

  get isUp(): boolean {
    return this.#process?.app !== undefined;
  }

  async boot(promise: KeySetPromise): Promise<void> {
    const { sources, machine, time, hooks, clockStepLimitMs } = this.#parts;
    const clock = new ProcessClock(time);
    const ports = new ProcessPorts(
      machine,
      { ...hooks, findKids: (keySet) => this.#findKids(process, keySet) },
      sources,
    );
    const process: Process = { clock, ports, ledger: undefined, app: undefined };
    this.#process = process;
    const auditLog = machine.auditLog?.open();
    const store =
      auditLog === undefined
        ? ports
        : new sources.AuditedStore({ store: ports, auditLog, clock, log: SILENT, version: 'simulated' });
    const ledger = await sources.Ledger.open(store, clock, new Map([[KEY_SET, promise]]));
    const app = new sources.Keyturn({
      ledger,
      hsm: ports.hsm,
      clock,
      log: SILENT,
      probe: ports,
      accessPolicy: () => this.#accessPolicy,
      limits: LIMITS,
      clockStepLimitMs,
      canaryPeriodMs: undefined,
      verifyOneIn: 1,
      randomBytes: (count) => this.#randomBytes(count),
    });
    process.ledger = ledger;
    process.app = app;
    app.start();
  }

  async stop(): Promise<void> {
    const process = this.#process;
    await process?.app?.stop();
    if (process === this.#process) this.kill();
  }

  kill(): void {
    this.#process?.clock.kill();
    this.#process?.ports.kill();
    this.#process = undefined;
  }

  nextTimerMs(latenessMs: number): number {
    return this.#process?.clock.nextDueMs(latenessMs) ?? Number.POSITIVE_INFINITY;
  }

  fireTimers(): void {
    this.#process?.clock.fireDue();
  }

  pace(): 'counting' | 'calm' | 'busy' {
    const ledger = this.#process?.ledger;
    if (ledger === undefined) return 'calm';
    let isSettled = true;
    for (const { intents, versions, policy, retirement } of ledger.signingKeys.values()) {
      const standbys = versions.filter(({ state }) => state === 'PRE_ACTIVE');
      const isInService = retirement === undefined;
      if (
        isInService &&
        standbys.some(({ isPublished, propagatedAtMs }) => isPublished && propagatedAtMs === undefined)
      )
        return 'counting';
      const isComplete =
        !isInService || (standbys.length >= policy.standbys && versions.some(({ state }) => state === 'ACTIVE'));
      const isCleared = versions.every(
        ({ state, privateKey }) => state !== 'DEACTIVATED' || privateKey === 'destroyed',
      );
      if (intents.length > 0 || !isComplete || !isCleared) isSettled = false;
    }
    for (const { lingering } of ledger.keySets.values()) if (lingering.length > 0) return 'counting';
    return isSettled ? 'calm' : 'busy';
  }

  fetch(): Answer {
    const app = this.#process?.app;
    if (app === undefined || this.#parts.machine.isHttpDown) return { kind: 'failed' };
    const snapshot = app.findKeySet(KEY_SET);
    if (snapshot === undefined) return { kind: 'absent' };
    return { kind: 'document', body: snapshot.body, maxAgeMs: snapshot.maxAgeSeconds * 1_000 };
  }

  async sign(key: string, lifetimeMs: number | undefined): Promise<string> {
    const command = { signingKey: key, claims: CLAIMS, typ: '', lifetimeMs, deadlineMs: undefined };
    const { jwt } = await this.#requireApp().signJwt(CALLER, command);
    return jwt;
  }

  async apply(key: string, lifecyclePolicy: LifecyclePolicy): Promise<void> {
    await this.#requireApp().applySigningKey(CALLER, {
      name: key,
      keySet: KEY_SET,
      algorithm: 'Ed25519',
      rsaBits: 0,
      lifecyclePolicy,
      etag: '',
      validateOnly: false,
      reason: '',
      deadlineMs: undefined,
    });
  }

  async rotate(key: string, useLastStandby: boolean): Promise<void> {
    await this.#requireApp().rotate(CALLER, { ...toKeyCommand(key), useLastStandby });
  }

  async suspend(key: string, halt: boolean): Promise<void> {
    await this.#requireApp().suspend(CALLER, { ...toKeyCommand(key), halt });
  }

  async reactivate(key: string, version: number): Promise<void> {
    await this.#requireApp().reactivate(CALLER, { ...toKeyCommand(key), version });
  }

  async rollback(key: string): Promise<void> {
    await this.#requireApp().rollback(CALLER, toKeyCommand(key));
  }

  async retire(key: string): Promise<void> {
    await this.#requireApp().retire(CALLER, toKeyCommand(key));
  }

  async unretire(key: string): Promise<void> {
    await this.#requireApp().unretire(CALLER, toKeyCommand(key));
  }

  async scheduleRotation(key: string, afterMs: number | undefined): Promise<void> {
    const { time } = this.#parts;
    const dueMs = afterMs === undefined ? undefined : time.nowMs + time.wallOffsetMs + afterMs;
    await this.#requireApp().scheduleRotation(CALLER, { ...toKeyCommand(key), dueMs });
  }

  async declareCompromised(key: string | undefined, version: number | undefined, retain: boolean): Promise<void> {
    const scope =
      key === undefined
        ? ({ kind: 'token' } as const)
        : version === undefined
          ? ({ kind: 'signingKey', signingKey: key } as const)
          : ({ kind: 'version', signingKey: key, version } as const);
    const command = { scope, retain, validateOnly: false, reason: 'simulated', requestId: '' };
    await this.#requireApp().declareCompromised(CALLER, command);
  }

  async confirmClock(typedMs: number): Promise<void> {
    await this.#requireApp().confirmClock(CALLER, typedMs, '');
  }

  propagatedStandbys(key: string): number {
    return this.#process?.app?.getSigningKey(key).propagatedStandbys ?? 0;
  }

  tellTokenState(): void {
    this.#process?.ports.tellTokenState();
  }

  findUnlistedKey(): string | undefined {
    const ledger = this.#process?.ledger;
    if (ledger === undefined) return undefined;
    const listed = new Set<string>();
    for (const { intents, versions } of ledger.signingKeys.values()) {
      for (const { ckaId } of intents) listed.add(ckaId);
      for (const { ckaId, privateKey } of versions) if (privateKey !== 'destroyed') listed.add(ckaId);
    }
    for (const [ckaId, { ckaLabel }] of this.#parts.machine.tokenKeys) if (!listed.has(ckaId)) return ckaLabel;
    return undefined;
  }

  #findKids(process: Process, keySet: KeySetName): ReadonlySet<Kid> | undefined {
    return process.app?.findKeySet(keySet)?.kids;
  }

  #requireApp(): Keyturn {
    const app = this.#process?.app;
    if (app === undefined) throw new Error('the daemon is down');
    return app;
  }

  #randomBytes(count: number): Uint8Array {
    const bytes = Buffer.alloc(count);
    for (let index = 0; index < count; index += 1) {
      this.#randomCount += 1;
      bytes[index] = drawOf(this.#parts.seed, 0x1d, this.#randomCount) & 0xff;
    }
    return bytes;
  }
}
