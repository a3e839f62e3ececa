/**
 * An Application without token, store or rules: keys are made in this process, and what it was asked is remembered.
 * For tests of the servers and the client. Its JWTs are real and verify against its key set.
 */
import type { Finding } from '../../src/lifecycle/reconcile.ts';
import type { Restoration } from '../../src/lifecycle/token-log.ts';
import { createHash, type KeyObject } from 'node:crypto';
import type {
  Application,
  ApplySigningKeyCommand,
  ClockStatus,
  StoreStatus,
  CompromiseEffect,
  DeclareCompromisedCommand,
  ImportedKeyView,
  ImportOutcome,
  ImportPublicKeyCommand,
  ImportSummary,
  KeyCommand,
  KeySetSnapshot,
  KeyVersionView,
  Page,
  PlanCommand,
  PlanView,
  ReactivateCommand,
  RemovePublicKeyCommand,
  RecoverStoreCommand,
  RecoveryView,
  RotateCommand,
  RotateResult,
  ScheduleRotationCommand,
  SignedJwt,
  SigningKeyView,
  SignJwtCommand,
  SuspendKeyCommand,
} from '../../src/app/application.ts';
import type { ApproveCommand, ProposalView, ProposedCommand, ResolveObjectCommand } from '../../src/app/proposals.ts';
import { KeyturnError } from '../../src/base/errors.ts';
import {
  type CallerName,
  DEFAULT_KEY_SET,
  parseCallerName,
  parseCkaId,
  parseKid,
  parsePublishedKid,
  parseSigningKeyName,
} from '../../src/base/ids.ts';
import type { TokenStatus } from '../../src/hsm/hsm.ts';
import { countRungs } from '../../src/hsm/ladder.ts';
import { parseAlgorithm, parseKeySpec } from '../../src/jose/algorithms.ts';
import { makeSoftwareKey, signInSoftware } from '../fixtures/software-keys.ts';

interface FakeKey {
  readonly privateKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
  readonly view: SigningKeyView;
}

export interface Asked {
  readonly caller: CallerName;
  readonly command: unknown;
}

const CREATED_AT_MS = 1_700_000_000_123;
const HOUR_MS = 3_600_000;

export class FakeApplication implements Application {
  /** What came in, newest last. */
  readonly asked: Asked[] = [];
  findings: readonly Finding[] = [];
  readonly withheldKeySets = new Set<string>();
  fenced: readonly string[] = [];
  backup: Iterable<Uint8Array> = [];
  recovery: RecoveryView = { restoration: undefined, signingKeys: [], versions: [], imports: [], etag: 'as planned' };
  /** Thrown by every method while set. */
  failure: Error | undefined;
  /** Awaited by signJwt, when set, before it answers. */
  gate: Promise<void> | undefined;
  readonly notReady = new Set<string>();
  readonly #keys = new Map<string, FakeKey>();
  readonly #listeners = new Set<() => void>();
  readonly #keySetsListeners = new Set<() => void>();
  #snapshot: KeySetSnapshot | undefined;

  async signJwt(caller: CallerName, command: SignJwtCommand): Promise<SignedJwt> {
    this.#remember(caller, command);
    await this.gate;
    const { privateKey, view } = this.#require(command.signingKey);
    const iat = Math.floor(Date.now() / 1_000);
    const exp = iat + (command.lifetimeMs ?? HOUR_MS) / 1_000;
    const claims: unknown = JSON.parse(Buffer.from(command.claims).toString('utf8'));
    const kid = view.active?.kid ?? parseKid('');
    const header = { alg: view.spec.algorithm, kid, typ: command.typ === '' ? 'JWT' : command.typ };
    const input = `${encode(header)}.${encode({ ...(claims as object), iat, exp })}`;
    return {
      jwt: `${input}.${signInSoftware(view.spec.algorithm, privateKey, Buffer.from(input)).toString('base64url')}`,
      kid,
      expireTimeMs: exp * 1_000,
      mayStillLeave: () => true,
    };
  }

  async applySigningKey(
    caller: CallerName,
    command: ApplySigningKeyCommand,
  ): Promise<{ signingKey: SigningKeyView; changed: boolean }> {
    this.#remember(caller, command);
    const known = this.#keys.get(command.name);
    if (known !== undefined) return { signingKey: known.view, changed: false };
    const key = makeKey(command);
    if (!command.validateOnly) {
      this.#keys.set(command.name, key);
      this.#publish();
      this.notifyReadiness();
    }
    return { signingKey: key.view, changed: true };
  }

  getSigningKey(name: string): SigningKeyView {
    this.#fail();
    return this.#require(name).view;
  }

  listSigningKeys(pageSize: number, pageToken: string): Page<SigningKeyView> {
    this.#fail();
    const all = [...this.#keys.values()]
      .map(({ view }) => view)
      .toSorted((left, right) => left.name.localeCompare(right.name));
    const start = pageToken === '' ? 0 : Number(pageToken);
    const end = start + (pageSize === 0 ? 50 : pageSize);
    return { items: all.slice(start, end), nextPageToken: end < all.length ? String(end) : '' };
  }

  listKeyVersions(signingKey: string): Page<KeyVersionView> {
    this.#fail();
    return { items: [toVersion(this.#require(signingKey).view, 1)], nextPageToken: '' };
  }

  async rotate(caller: CallerName, command: RotateCommand): Promise<RotateResult> {
    this.#remember(caller, command);
    const { view } = this.#require(command.signingKey);
    return {
      signingKey: view,
      activated: toVersion(view, 2),
      suspended: command.validateOnly ? undefined : toVersion(view, 1),
    };
  }

  async suspend(caller: CallerName, command: SuspendKeyCommand): Promise<SigningKeyView> {
    this.#remember(caller, command);
    const { view } = this.#require(command.signingKey);
    return { ...view, isHalted: command.halt, active: command.halt ? undefined : activeAs(view, 2) };
  }

  async reactivate(caller: CallerName, command: ReactivateCommand): Promise<SigningKeyView> {
    this.#remember(caller, command);
    const { view } = this.#require(command.signingKey);
    return { ...view, active: activeAs(view, command.version) };
  }

  async rollback(caller: CallerName, command: KeyCommand): Promise<SigningKeyView> {
    this.#remember(caller, command);
    return this.#require(command.signingKey).view;
  }

  async retire(caller: CallerName, command: KeyCommand): Promise<SigningKeyView> {
    this.#remember(caller, command);
    const retirement = { atMs: CREATED_AT_MS, untilMs: CREATED_AT_MS + HOUR_MS };
    return { ...this.#require(command.signingKey).view, active: undefined, retirement };
  }

  async unretire(caller: CallerName, command: KeyCommand): Promise<SigningKeyView> {
    this.#remember(caller, command);
    return this.#require(command.signingKey).view;
  }

  async scheduleRotation(caller: CallerName, command: ScheduleRotationCommand): Promise<SigningKeyView> {
    this.#remember(caller, command);
    return { ...this.#require(command.signingKey).view, scheduledRotationAtMs: command.dueMs };
  }

  /** A version's successor is the next one; when all fall, signing stops. */
  async declareCompromised(
    caller: CallerName,
    command: DeclareCompromisedCommand,
  ): Promise<readonly CompromiseEffect[]> {
    this.#remember(caller, command);
    const { scope } = command;
    const keys = scope.kind === 'token' ? [...this.#keys.values()] : [this.#require(scope.signingKey)];
    return keys.map(({ view }) => ({
      signingKey: view.name,
      withdrawnVersions: scope.kind === 'version' ? [scope.version] : [1, 2, 3],
      activeVersion: scope.kind === 'version' ? scope.version + 1 : undefined,
      readyAtMs: scope.kind === 'version' ? undefined : CREATED_AT_MS + HOUR_MS,
      lastJwtExpireTimeMs: CREATED_AT_MS + 2 * HOUR_MS,
    }));
  }

  /** One rotation of whatever was asked for, and a reason against it. */
  async plan(caller: CallerName, command: PlanCommand): Promise<PlanView> {
    this.#remember(caller, command);
    const signingKey = parseSigningKeyName(command.proposed[0]?.name ?? this.#require(command.signingKey).view.name);
    const atMs = CREATED_AT_MS + HOUR_MS;
    const content = [{ signingKey, version: 2, state: 'ACTIVE', ageMs: HOUR_MS }] as const;
    const then = { content, importedKeys: 0 };
    return {
      startMs: CREATED_AT_MS,
      moments: [
        { atMs, signingKey, version: 2, from: 'PRE_ACTIVE', to: 'ACTIVE', description: 'signs from here on', ...then },
        { atMs, signingKey, version: 4, from: undefined, to: undefined, description: "can't be made yet", ...then },
      ],
      explanations: [
        {
          signingKey,
          version: 1,
          state: 'ACTIVE',
          isPublished: true,
          why: 'it signs',
          next: [
            { by: 'time', to: 'SUSPENDED', atMs },
            { by: 'command', to: 'COMPROMISED', command: 'declare-compromised' },
          ],
        },
      ],
      commands: [
        {
          signingKey,
          command: 'rotate',
          isAllowed: false,
          refusal: { reason: 'LAST_STANDBY', message: 'wait', allowedAtMs: atMs },
          changes: [],
        },
        { signingKey, command: 'suspend', isAllowed: true, refusal: undefined, changes: [] },
      ],
      keySets: [
        {
          keySet: DEFAULT_KEY_SET,
          endMs: CREATED_AT_MS + (command.horizonMs ?? 0),
          isComplete: true,
          peak: { atMs, publishedVersions: 4 },
          maxPublishedVersions: 16,
        },
      ],
      remarks: ['the clock is odd'],
    };
  }

  isKeySetWithheld(name: string): boolean {
    return this.withheldKeySets.has(name);
  }

  withholdKeySet(name: string): void {
    this.withheldKeySets.add(name);
    this.#tellOfKeySets();
  }

  hasKeySet(name: string): boolean {
    return name === DEFAULT_KEY_SET;
  }

  onKeySetsChange(listener: () => void): () => void {
    this.#keySetsListeners.add(listener);
    return () => this.#keySetsListeners.delete(listener);
  }

  #tellOfKeySets(): void {
    for (const listener of this.#keySetsListeners) listener();
  }

  async importPublicKey(caller: CallerName, command: ImportPublicKeyCommand): Promise<ImportOutcome> {
    this.#remember(caller, command);
    return { importedKey: toImportedKey(command.expiresAtMs), changed: !command.validateOnly };
  }

  async removePublicKey(caller: CallerName, command: RemovePublicKeyCommand): Promise<ImportOutcome> {
    this.#remember(caller, command);
    const cause = command.compromised ? 'compromised' : 'removed';
    const departure = { atMs: CREATED_AT_MS + 1, cause } as const;
    return { importedKey: { ...toImportedKey(), isPublished: false, departure }, changed: true };
  }

  listPublicKeys(_keySet: string, _pageSize: number, pageToken: string): Page<ImportedKeyView> {
    this.#fail();
    return pageToken === '' ? { items: [toImportedKey()], nextPageToken: 'next' } : { items: [], nextPageToken: '' };
  }

  summarizeImports(): ImportSummary {
    return { importedKeys: 1, nextExpiryInMs: HOUR_MS };
  }

  findKeySet(name: string): KeySetSnapshot | undefined {
    return name === DEFAULT_KEY_SET ? this.#snapshot : undefined;
  }

  latestFindings(): readonly Finding[] {
    return [];
  }

  reconcile(): Promise<readonly Finding[]> {
    return Promise.resolve(this.findings);
  }

  resolveObject(caller: CallerName, command: ResolveObjectCommand): Promise<void> {
    this.#remember(caller, command);
    return Promise.resolve();
  }

  async proposeCommand(caller: CallerName, proposed: ProposedCommand): Promise<ProposalView> {
    this.#remember(caller, proposed);
    return toProposal({ method: proposed.method, proposer: caller, reason: proposed.command.reason });
  }

  async approveProposal(caller: CallerName, command: ApproveCommand): Promise<ProposalView> {
    this.#remember(caller, command);
    const approvals = [{ caller, reason: command.reason, atMs: CREATED_AT_MS + 1, accessPolicyHash: 'dd' }];
    return toProposal({ state: 'executed', approvals, changedAtMs: CREATED_AT_MS + 1 });
  }

  async cancelProposal(caller: CallerName, id: string, reason: string): Promise<ProposalView> {
    this.#remember(caller, { id, reason });
    return toProposal({ id, state: 'cancelled', remark: `${caller}: ${reason}` });
  }

  listProposals(_pageSize: number, pageToken: string): Page<ProposalView> {
    this.#fail();
    return pageToken === '' ? { items: [toProposal()], nextPageToken: 'next' } : { items: [], nextPageToken: '' };
  }

  async recover(caller: CallerName, command: RecoverStoreCommand): Promise<RecoveryView> {
    this.#remember(caller, command);
    return this.recovery;
  }

  openProposals(): number {
    return 1;
  }

  async *backUpStore(caller: CallerName): AsyncIterable<Uint8Array> {
    this.#remember(caller, 'backUpStore');
    for (const chunk of this.backup) {
      await Promise.resolve();
      yield chunk;
    }
  }

  fencedSigningKeys(): readonly string[] {
    return this.fenced;
  }

  restoration(): Restoration | undefined {
    return this.recovery.restoration;
  }

  storeStatus(): StoreStatus {
    return { undurableNarrowings: 0, unrecordedPromises: 0, reservedEvents: 0 };
  }

  clockStatus(): ClockStatus {
    return { isTrusted: true, stepMs: -1_500, stepLimitMs: 60_000, wallMs: 1_700_000_000_000 };
  }

  confirmClock(caller: CallerName, typedMs: number, reason: string): Promise<void> {
    this.#remember(caller, { typedMs, reason });
    return Promise.resolve();
  }

  tokenStatus(): TokenStatus {
    this.#fail();
    return {
      state: 'ready',
      label: 'fake',
      serial: '00',
      workers: [{ pid: 7, state: 'ready', sessions: 2, inFlight: 1, sinceMs: 0 }],
      workerRestarts: 3,
      faultRungs: { ...countRungs(), evictSession: 2, reinitialise: 1 },
      signatures: { verified: 12, wrong: 1, unchecked: 0 },
      queueDepth: 4,
    };
  }

  async retryLogin(caller: CallerName, reason: string): Promise<void> {
    this.#remember(caller, reason);
  }

  isSigningKeyReady(name: string): boolean | undefined {
    return this.#keys.has(name) ? !this.notReady.has(name) : undefined;
  }

  onReadinessChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  notifyReadiness(): void {
    for (const listener of this.#listeners) listener();
  }

  #require(name: string): FakeKey {
    const key = this.#keys.get(name);
    if (key !== undefined) return key;
    throw new KeyturnError('SIGNING_KEY_NOT_FOUND', `there is no signing key ${name}`, { subject: name });
  }

  #remember(caller: CallerName, command: unknown): void {
    this.asked.push({ caller, command });
    this.#fail();
  }

  #fail(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  #publish(): void {
    const jwks = [...this.#keys.values()].map(({ jwk }) => jwk);
    const body = Buffer.from(JSON.stringify({ keys: jwks }));
    this.#snapshot = {
      keySet: DEFAULT_KEY_SET,
      generation: jwks.length,
      kids: new Set(jwks.map(({ kid }) => parseKid(kid))),
      body,
      etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
      maxAgeSeconds: 300,
    };
    this.#tellOfKeySets();
  }
}

function makeKey(command: ApplySigningKeyCommand): FakeKey {
  const algorithm = parseAlgorithm(command.algorithm);
  const spec = parseKeySpec(algorithm, command.rsaBits);
  const { privateKey, publicKey } = makeSoftwareKey(spec);
  const members = publicKey.export({ format: 'jwk' });
  const kid = parseKid(createHash('sha256').update(JSON.stringify(members)).digest('base64url'));
  const view: SigningKeyView = {
    name: parseSigningKeyName(command.name),
    keySet: DEFAULT_KEY_SET,
    spec,
    policy: {
      signingPeriodMs: 720 * HOUR_MS,
      maxSigningPeriodMs: 1_440 * HOUR_MS,
      maxJwtLifetimeMs: HOUR_MS,
      rollbackWindowMs: HOUR_MS,
      standbys: 2,
      addJti: true,
    },
    etag: 'etag-1',
    createdAtMs: CREATED_AT_MS,
    active: { version: 1, kid, activatedAtMs: CREATED_AT_MS, expCeilingMs: CREATED_AT_MS + 2 * HOUR_MS },
    propagatedStandbys: 2,
    publishedStandbys: 2,
    rotateAllowedAtMs: undefined,
    readyAtMs: undefined,
    isReconciling: false,
    lastProblem: '',
    rotationDueAtMs: CREATED_AT_MS + 720 * HOUR_MS,
    isHalted: false,
    retirement: undefined,
    scheduledRotationAtMs: undefined,
    nextStepInMs: HOUR_MS,
    failingSteps: [],
    isFenced: false,
  };
  return { privateKey, jwk: { ...members, kid, alg: algorithm, use: 'sig' }, view };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function toImportedKey(expiresAtMs = CREATED_AT_MS + HOUR_MS): ImportedKeyView {
  return {
    keySet: DEFAULT_KEY_SET,
    kid: parsePublishedKid('old signer, 2024'),
    algorithm: 'RS256',
    thumbprint: parseKid('t'.repeat(43)),
    isPublished: true,
    importedAtMs: CREATED_AT_MS,
    expiresAtMs,
    caller: parseCallerName('security-officer'),
    reason: 'cut-over',
    departure: undefined,
  };
}

function toProposal(members: Partial<ProposalView> = {}): ProposalView {
  return {
    id: '00000000-0000-4000-8000-000000000001',
    method: 'DeclareCompromised',
    request: '{}',
    requestSha256: 'aa',
    effect: ['one', 'two'],
    effectSha256: 'bb',
    officers: 2,
    proposer: parseCallerName('security-officer'),
    reason: 'a laptop was stolen',
    proposedAtMs: CREATED_AT_MS,
    expiresAtMs: CREATED_AT_MS + HOUR_MS,
    accessPolicyHash: 'cc',
    currentAccessPolicyHash: 'dd',
    approvals: [],
    state: 'open',
    changedAtMs: CREATED_AT_MS,
    remark: '',
    ...members,
  };
}

function activeAs({ active }: SigningKeyView, version: number): SigningKeyView['active'] {
  return active === undefined ? undefined : { ...active, version };
}

function toVersion(view: SigningKeyView, version: number): KeyVersionView {
  return {
    signingKey: view.name,
    version,
    kid: view.active?.kid ?? parseKid(''),
    state: 'ACTIVE',
    isPublished: true,
    isPropagated: true,
    servedMs: 90_061_001,
    servedRequiredMs: HOUR_MS,
    createdAtMs: CREATED_AT_MS,
    activatedAtMs: CREATED_AT_MS + 1,
    suspendedAtMs: undefined,
    suspensionEndsAtMs: undefined,
    deactivatedAtMs: undefined,
    destroyedAtMs: undefined,
    expCeilingMs: CREATED_AT_MS + HOUR_MS,
    ckaId: parseCkaId('0123456789abcdef0123456789abcdef'),
    ckaLabel: `keyturn/${view.name}/${version}`,
    hasPrivateKey: true,
    birth: {
      tokenSerial: '00',
      tokenLabel: 'fake',
      manufacturer: 'nobody',
      model: 'none',
      firmwareVersion: '0.0',
      attributes: { CKA_SENSITIVE: true, CKA_MODULUS_BITS: 2_048, CKA_LOCAL: 'unreadable' },
    },
  };
}
