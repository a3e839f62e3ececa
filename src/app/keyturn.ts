/**
 * The application: ledger, meters, publisher, rotator and signers wired together behind the Application interface.
 * It sees ports only; the composition root gives it adapters.
 */
import type { AccessPolicy } from '../access/policy.ts';
import type { Clock } from '../base/clock.ts';
import { KeyturnError } from '../base/errors.ts';
import { type CallerName, type KeySetName, type Kid, parseSigningKeyName, type SigningKeyName } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Hsm, TokenStatus } from '../hsm/hsm.ts';
import { requireInService, type Surroundings } from '../lifecycle/activation.ts';
import type { SigningKeyState } from '../lifecycle/signing-key-state.ts';
import type { Finding } from '../lifecycle/reconcile.ts';
import type { Restoration } from '../lifecycle/token-log.ts';
import { findEmergencySuccessor } from '../lifecycle/rules.ts';
import { type AdministerPorts, applySigningKey, parseReason, rotate } from './administer.ts';
import type {
  ApplySigningKeyCommand,
  Application,
  ClockStatus,
  CompromiseEffect,
  DeclareCompromisedCommand,
  ImportedKeyView,
  ImportOutcome,
  ImportPublicKeyCommand,
  ImportSummary,
  KeyCommand,
  ReactivateCommand,
  RemovePublicKeyCommand,
  SuspendKeyCommand,
  KeySetSnapshot,
  KeyVersionView,
  Page,
  PlanCommand,
  PlanView,
  RecoverStoreCommand,
  RecoveryView,
  RotateCommand,
  RotateResult,
  ScheduleRotationCommand,
  SignedJwt,
  SigningKeyView,
  SignJwtCommand,
  StoreStatus,
} from './application.ts';
import type { AuditTrail } from './audit-trail.ts';
import { Canary } from './canary.ts';
import { Fences } from './fences.ts';
import { Imports } from './imports.ts';
import type { JwksProbe } from './jwks-probe.ts';
import { declareCompromised, reactivate, rollback, suspend } from './interrupt.ts';
import type { Ledger } from './ledger.ts';
import { Meters } from './meters.ts';
import { ClockGuard } from './clock-guard.ts';
import { noActiveVersion } from './no-active-version.ts';
import { Planner } from './plan.ts';
import { Publisher } from './publisher.ts';
import { Reader } from './reader.ts';
import { Reconciler } from './reconciler.ts';
import { retire, scheduleRotation, unretire } from './retire.ts';
import { recover, type RecoverPorts } from './recover.ts';
import type { ApproveCommand, ProposalView, ProposedCommand, ResolveObjectCommand } from './proposals.ts';
import { Approvals } from './approvals.ts';
import { toApprovable } from './approvable-commands.ts';
import { Rotator } from './rotator.ts';
import { ServedTime } from './served-time.ts';
import { signJwt, type SignJwtLimits, type SignJwtPorts } from './sign-jwt.ts';
import { type Signer, Signers } from './signers.ts';

export interface KeyturnPorts {
  readonly ledger: Ledger;
  readonly hsm: Hsm;
  readonly clock: Clock;
  readonly log: Logger;
  readonly probe: JwksProbe;
  readonly accessPolicy: () => AccessPolicy;
  readonly limits: SignJwtLimits;
  readonly clockStepLimitMs: number;
  /** How old the evidence that the token signs may be; undefined: its own word is taken. */
  readonly canaryPeriodMs: number | undefined;
  /** One signature of so many is verified, at random. */
  readonly verifyOneIn: number;
  /** Cryptographic random bytes. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** Absent where the audit log is off. */
  readonly audit?: AuditTrail | undefined;
}

const CKA_ID_BYTES = 16;
const JTI_BYTES = 16;
const DRAW_BYTES = 4;

function isDrawn(draw: Uint8Array, oneIn: number): boolean {
  return Buffer.from(draw).readUInt32BE() % oneIn === 0;
}

export class Keyturn implements Application {
  readonly #ports: KeyturnPorts;
  readonly #meters: Meters;
  readonly #clockGuard: ClockGuard;
  readonly #fences: Fences;
  readonly #reconciler: Reconciler;
  readonly #imports: Imports;
  readonly #publisher = new Publisher();
  readonly #signers = new Signers();
  readonly #servedTime: ServedTime;
  readonly #rotator: Rotator;
  readonly #canary: Canary;
  readonly #signing: SignJwtPorts;
  readonly #administering: AdministerPorts;
  readonly #recovering: RecoverPorts;
  readonly #approvals: Approvals;
  readonly #planner: Planner;
  readonly #reader: Reader;
  readonly #readinessListeners = new Set<() => void>();
  readonly #keySetsListeners = new Set<() => void>();
  readonly #cancellations: (() => void)[] = [];
  #isBackingUp = false;

  constructor(ports: KeyturnPorts) {
    const { ledger, hsm, clock, log, randomBytes } = ports;
    this.#ports = ports;
    this.#meters = new Meters(clock);
    this.#fences = new Fences(ledger);
    this.#reconciler = new Reconciler({ ledger, hsm, clock, log, onFindings: (found) => this.#onFindings(found) });
    this.#clockGuard = new ClockGuard({
      ledger,
      clock,
      log,
      stepLimitMs: ports.clockStepLimitMs,
      onTrustChange: () => this.#notifyReadiness(),
    });
    this.#imports = new Imports({
      ledger,
      clock,
      log,
      fences: this.#fences,
      surroundingsIn: (keySet) => this.#surroundingsIn(keySet),
    });
    const stepPorts = {
      ledger,
      hsm,
      log,
      clock,
      meters: this.#meters,
      clockGuard: this.#clockGuard,
      imports: this.#imports,
      isUnfenced: (name: SigningKeyName) => this.#fences.isUnfenced(name),
      randomId: () => randomBytes(CKA_ID_BYTES),
      surroundingsOf: (state: SigningKeyState) => this.#surroundingsIn(state.keySet),
    };
    this.#rotator = new Rotator(stepPorts);
    this.#servedTime = new ServedTime({
      ledger,
      clock,
      log,
      meters: this.#meters,
      probe: ports.probe,
      onAnswer: () => this.#onAnswer(),
    });
    this.#administering = {
      ...stepPorts,
      rotator: this.#rotator,
      requireUnfenced: (name) => this.#fences.requireUnfenced(name),
      requireCreatable: (name, keySet) => this.#fences.requireCreatable(name, keySet),
      isSignable: (name) => this.#findSigner(name) !== undefined,
      surroundingsIn: (keySet) => this.#surroundingsIn(keySet),
    };
    this.#recovering = {
      ...this.#administering,
      setFindings: (findings) => this.#reconciler.setFindings(findings),
      isFenced: (name) => this.#fences.isFenced(name),
    };
    const approvable = {
      administering: this.#administering,
      recovering: this.#recovering,
      imports: this.#imports,
      reconciler: this.#reconciler,
    };
    this.#approvals = new Approvals({
      ledger,
      clock,
      log,
      randomBytes,
      accessPolicy: ports.accessPolicy,
      isClockTrusted: () => this.#clockGuard.judge().isTrusted,
      toApprovable: (proposed, origin) => toApprovable(approvable, proposed, origin),
    });
    this.#planner = new Planner(this.#administering);
    this.#reader = new Reader({
      ...stepPorts,
      rotator: this.#rotator,
      fences: this.#fences,
      canaryProblem: (name) => this.#canary.problemOf(name),
      hasCompared: () => this.#reconciler.hasCompared,
    });
    this.#canary = new Canary({
      hsm,
      clock,
      log,
      periodMs: ports.canaryPeriodMs,
      randomBytes,
      signingKeys: () => ledger.signingKeys.keys(),
      findSigner: (name) => this.#findSigner(name),
      onChange: () => this.#notifyReadiness(),
    });
    this.#signing = {
      hsm,
      clock,
      audit: ports.audit,
      limits: ports.limits,
      accessPolicy: ports.accessPolicy,
      requireSigner: (name) => this.#requireSigner(name),
      requireTrustedTime: () => this.#clockGuard.requireTrusted(),
      isStanding: (name, kid) => this.#signers.isStanding(name, kid),
      mustVerify: () => ports.verifyOneIn === 1 || isDrawn(randomBytes(DRAW_BYTES), ports.verifyOneIn),
      proven: (name, ckaId) => this.#canary.proven(name, ckaId),
      verifierSkewMs: (name) => ledger.requireKeySet(ledger.requireSigningKey(name).keySet).promise.verifierSkewMs,
      newJti: () => Buffer.from(randomBytes(JTI_BYTES)).toString('base64url'),
    };
    this.#onChange();
  }

  /** Begins to rotate and to count served time. The HTTP server must be listening by now. */
  start(): void {
    this.#cancellations.push(
      this.#ports.ledger.onChange(() => this.#onChange()),
      this.#ports.hsm.onStateChange((status) => {
        if (status.state === 'ready') {
          this.#reconciler.onTokenReady();
          this.#rotator.retryNow();
          this.#canary.wake();
        }
        this.#notifyReadiness();
      }),
    );
    if (this.#ports.hsm.status().state === 'ready') this.#reconciler.onTokenReady();
    this.#servedTime.start();
    this.#rotator.start();
    this.#canary.start();
  }

  /** Ends the step in progress and records the meters. The HSM and the store stay open. Idempotent. */
  async stop(): Promise<void> {
    this.#reconciler.stop();
    this.#canary.stop();
    await this.#servedTime.stop();
    await this.#rotator.stop();
    await this.#rotator.recordAllMeters();
    for (const cancel of this.#cancellations.splice(0)) cancel();
  }

  async signJwt(caller: CallerName, command: SignJwtCommand): Promise<SignedJwt> {
    // Right after a start a request waits for store and token to be compared, as it does for the workers.
    if (!this.#reconciler.hasCompared) await this.#reconciler.untilCompared(this.#remainingMs(command));
    return signJwt(this.#signing, caller, command);
  }

  #remainingMs({ deadlineMs }: SignJwtCommand): number {
    const { clock, limits } = this.#ports;
    const capMs = limits.maxRequestMs;
    return deadlineMs === undefined ? capMs : Math.max(0, Math.min(deadlineMs - clock.monotonicMs(), capMs));
  }

  async applySigningKey(
    caller: CallerName,
    command: ApplySigningKeyCommand,
  ): Promise<{ readonly signingKey: SigningKeyView; readonly changed: boolean }> {
    const { state, changed } = await applySigningKey(this.#administering, caller, command);
    return { signingKey: this.#reader.toView(state), changed };
  }

  getSigningKey(name: string): SigningKeyView {
    return this.#reader.view(parseSigningKeyName(name, 'name'));
  }

  listSigningKeys(pageSize: number, pageToken: string): Page<SigningKeyView> {
    return this.#reader.listSigningKeys(pageSize, pageToken);
  }

  listKeyVersions(signingKey: string, pageSize: number, pageToken: string): Page<KeyVersionView> {
    return this.#reader.listKeyVersions(parseSigningKeyName(signingKey), pageSize, pageToken);
  }

  async rotate(caller: CallerName, command: RotateCommand): Promise<RotateResult> {
    const { activated, suspended } = await rotate(this.#administering, caller, command);
    const name = parseSigningKeyName(command.signingKey);
    return {
      signingKey: this.#reader.view(name),
      activated: this.#reader.versionView(name, activated),
      suspended: suspended === undefined ? undefined : this.#reader.versionView(name, suspended),
    };
  }

  async suspend(caller: CallerName, command: SuspendKeyCommand): Promise<SigningKeyView> {
    return this.#reader.toView(await suspend(this.#administering, caller, command));
  }

  async reactivate(caller: CallerName, command: ReactivateCommand): Promise<SigningKeyView> {
    return this.#reader.toView(await reactivate(this.#administering, caller, command));
  }

  async rollback(caller: CallerName, command: KeyCommand): Promise<SigningKeyView> {
    return this.#reader.toView(await rollback(this.#administering, caller, command));
  }

  async retire(caller: CallerName, command: KeyCommand): Promise<SigningKeyView> {
    return this.#reader.toView(await retire(this.#administering, caller, command));
  }

  async unretire(caller: CallerName, command: KeyCommand): Promise<SigningKeyView> {
    return this.#reader.toView(await unretire(this.#administering, caller, command));
  }

  async scheduleRotation(caller: CallerName, command: ScheduleRotationCommand): Promise<SigningKeyView> {
    return this.#reader.toView(await scheduleRotation(this.#administering, caller, command));
  }

  async declareCompromised(
    caller: CallerName,
    command: DeclareCompromisedCommand,
  ): Promise<readonly CompromiseEffect[]> {
    if (!command.validateOnly) this.#approvals.requireNone('DeclareCompromised');
    return declareCompromised(this.#administering, caller, command);
  }

  plan(caller: CallerName, command: PlanCommand): Promise<PlanView> {
    return this.#planner.plan(caller, command);
  }

  findKeySet(name: string): KeySetSnapshot | undefined {
    return this.#publisher.find(name);
  }

  isKeySetWithheld(name: string): boolean {
    return this.#fences.isKeySetWithheld(name);
  }

  hasKeySet(name: string): boolean {
    return [...this.#ports.ledger.keySets.values()].some((keySet) => keySet.name === name);
  }

  onKeySetsChange(listener: () => void): () => void {
    this.#keySetsListeners.add(listener);
    return () => this.#keySetsListeners.delete(listener);
  }

  async importPublicKey(caller: CallerName, command: ImportPublicKeyCommand): Promise<ImportOutcome> {
    if (!command.validateOnly) this.#approvals.requireNone('ImportPublicKey');
    return this.#imports.importPublicKey(caller, command);
  }

  async removePublicKey(caller: CallerName, command: RemovePublicKeyCommand): Promise<ImportOutcome> {
    if (!command.validateOnly) this.#approvals.requireNone('RemovePublicKey');
    return this.#imports.removePublicKey(caller, command);
  }

  listPublicKeys(keySet: string, pageSize: number, pageToken: string): Page<ImportedKeyView> {
    return this.#imports.listPublicKeys(keySet, pageSize, pageToken);
  }

  summarizeImports(keySet: string): ImportSummary | undefined {
    return this.#imports.summarize(keySet);
  }

  tokenStatus(): TokenStatus {
    return this.#ports.hsm.status();
  }

  async retryLogin(caller: CallerName, reason: string): Promise<void> {
    const parsedReason = parseReason(reason);
    await this.#ports.ledger.transact(() => [
      {
        to: 'token',
        events: [{ type: 'LOGIN_ALLOWED', atMs: this.#ports.clock.wallMs(), caller, reason: parsedReason }],
      },
    ]);
    this.#ports.hsm.retryLogin();
    this.#rotator.retryNow();
  }

  async reconcile(): Promise<readonly Finding[]> {
    const findings = await this.#reconciler.reconcile();
    this.#rotator.retryNow();
    return findings;
  }

  latestFindings(): readonly Finding[] | undefined {
    return this.#reconciler.findings;
  }

  async resolveObject(caller: CallerName, command: ResolveObjectCommand): Promise<void> {
    this.#approvals.requireNone('ResolveObject');
    parseReason(command.reason);
    await this.#reconciler.resolve(caller, command);
  }

  async recover(caller: CallerName, command: RecoverStoreCommand): Promise<RecoveryView> {
    if (!command.validateOnly) this.#approvals.requireNone('Recover');
    return recover(this.#recovering, caller, command);
  }

  proposeCommand(caller: CallerName, proposed: ProposedCommand): Promise<ProposalView> {
    return this.#approvals.propose(caller, proposed);
  }

  approveProposal(caller: CallerName, command: ApproveCommand): Promise<ProposalView> {
    return this.#approvals.approve(caller, command);
  }

  cancelProposal(caller: CallerName, id: string, reason: string): Promise<ProposalView> {
    return this.#approvals.cancel(caller, id, reason);
  }

  listProposals(pageSize: number, pageToken: string): Page<ProposalView> {
    return this.#approvals.list(pageSize, pageToken);
  }

  openProposals(): number {
    return this.#approvals.countOpen();
  }

  async *backUpStore(caller: CallerName): AsyncIterable<Uint8Array> {
    if (this.#isBackingUp) throw new KeyturnError('QUEUE_FULL', 'a backup is being made already; ask again');
    this.#isBackingUp = true;
    try {
      const copy = await this.#ports.ledger.copyStore();
      try {
        yield* copy.read();
      } finally {
        await copy.dispose();
      }
      this.#ports.log.info({ caller }, 'the store was backed up');
    } finally {
      this.#isBackingUp = false;
    }
  }

  fencedSigningKeys(): readonly string[] {
    return this.#fences.names();
  }

  restoration(): Restoration | undefined {
    return this.#ports.ledger.token.restoration;
  }

  storeStatus(): StoreStatus {
    const { undurableNarrowings, unrecordedPromises, reservedEvents } = this.#ports.ledger;
    return { undurableNarrowings, unrecordedPromises, reservedEvents };
  }

  clockStatus(): ClockStatus {
    const { isTrusted, stepMs } = this.#clockGuard.judge();
    return { isTrusted, stepMs, wallMs: this.#ports.clock.wallMs(), stepLimitMs: this.#ports.clockStepLimitMs };
  }

  async confirmClock(caller: CallerName, typedMs: number, reason: string): Promise<void> {
    await this.#clockGuard.confirm(caller, typedMs, parseReason(reason));
    this.#rotator.wake();
  }

  isSigningKeyReady(name: string): boolean | undefined {
    const state = [...this.#ports.ledger.signingKeys.values()].find((candidate) => candidate.name === name);
    if (state === undefined) return undefined;
    const isTokenReady = this.#ports.hsm.status().state === 'ready';
    const signer = this.#findSigner(state.name);
    if (!isTokenReady || signer === undefined || !this.#clockGuard.judge().isTrusted) return false;
    return this.#canary.isProven(state.name, signer.ckaId);
  }

  onReadinessChange(listener: () => void): () => void {
    this.#readinessListeners.add(listener);
    return () => this.#readinessListeners.delete(listener);
  }

  #surroundingsIn(keySet: KeySetName): Surroundings {
    return {
      keySet: this.#ports.ledger.requireKeySet(keySet),
      clockStepLimitMs: this.#ports.clockStepLimitMs,
      nowMs: this.#ports.clock.wallMs(),
      isClockTrusted: this.#clockGuard.judge().isTrusted,
    };
  }

  /** Rule 4: a version signs only when this run's HTTP server has answered with it; rule 5: and not beyond its end. */
  #findSigner(name: SigningKeyName): Signer | undefined {
    const signer = this.#signers.find(name);
    if (signer === undefined || this.#ports.clock.wallMs() >= signer.signingEndsMs) return undefined;
    return this.#fences.isUnfenced(name) && this.#meters.hasBeenServed(signer.kid) ? signer : undefined;
  }

  #requireSigner(name: SigningKeyName): Signer {
    const signer = this.#findSigner(name);
    if (signer !== undefined) return signer;
    this.#fences.requireUnfenced(this.#ports.ledger.requireSigningKey(name).name);
    const state = this.#reader.observed(this.#ports.ledger.requireSigningKey(name).name);
    requireInService(state);
    const isOver = this.#ports.clock.wallMs() >= (this.#signers.find(name)?.signingEndsMs ?? Number.POSITIVE_INFINITY);
    throw noActiveVersion(state, this.#surroundingsIn(state.keySet), this.#rotator.lastProblem(name), isOver);
  }

  #onFindings(findings: readonly Finding[]): void {
    this.#fences.setFindings(findings);
    this.#onChange();
  }

  #onChange(): void {
    const { ledger } = this.#ports;
    this.#fences.refresh();
    const { withheld, signingKeys } = ledger;
    for (const state of signingKeys.values()) this.#meters.track(state);
    this.#publish();
    this.#signers.rebuild(signingKeys.values(), withheld, (recorded) => {
      const { state } = this.#meters.observe(recorded);
      const { keySet, nowMs } = this.#surroundingsIn(state.keySet);
      return findEmergencySuccessor(state, keySet, nowMs, ({ kid }) => withheld.has(kid));
    });
    this.#servedTime.wake();
    this.#rotator.wake();
    this.#notifyReadiness();
  }

  #publish(): void {
    const { ledger, clock } = this.#ports;
    const { withheld } = ledger;
    const isWithheld =
      withheld.size === 0 && !this.#fences.withholdsAny
        ? undefined
        : (kid: Kid): boolean => withheld.get(kid) === 'everything' || this.#fences.isWithheld(kid);
    const known = [...ledger.keySets.values()].filter(({ name }) => !this.#fences.isKeySetWithheld(name));
    this.#publisher.rebuild(known, (keySet) => ledger.signingKeysOf(keySet), isWithheld, clock.wallMs());
    for (const listener of this.#keySetsListeners) listener();
  }

  #onAnswer(): void {
    if (this.#ports.clock.wallMs() >= this.#publisher.incidentEndsMs) this.#publish();
    this.#rotator.wake();
    this.#canary.wake();
    this.#notifyReadiness();
  }

  #notifyReadiness(): void {
    for (const listener of this.#readinessListeners) listener();
  }
}
