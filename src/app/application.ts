/**
 * What the servers may ask of the daemon: the use cases, as one interface. The gRPC handlers and the HTTP server know
 * this file and nothing behind it. Times are Unix ms; durations are ms. Every method rejects with a KeyturnError.
 */
import type { CallerName, CkaId, KeySetName, Kid, SigningKeyName } from '../base/ids.ts';
import type { Reason } from '../base/reasons.ts';
import type { TokenStatus } from '../hsm/hsm.ts';
import type { Algorithm, KeySpec } from '../jose/algorithms.ts';
import type { CommandOutlook, Explanation } from '../lifecycle/explain.ts';
import type { Departure } from '../lifecycle/imports.ts';
import type { Forecast } from '../lifecycle/forecast.ts';
import type { Moment } from '../lifecycle/moments.ts';
import type { Step } from '../lifecycle/plan.ts';
import type { Finding } from '../lifecycle/reconcile.ts';
import type { ImportVerdict, Verdict } from '../lifecycle/recover.ts';
import type { Restoration } from '../lifecycle/token-log.ts';
import type { ApproveCommand, ProposalView, ProposedCommand, ResolveObjectCommand } from './proposals.ts';
import type { PolicyInput } from '../lifecycle/policy.ts';
import type { BirthRecord, LifecyclePolicy, LifecycleState } from '../lifecycle/model.ts';

export interface SignJwtCommand {
  readonly signingKey: string;
  readonly claims: Uint8Array;
  /** Empty means `JWT`. */
  readonly typ: string;
  /** Absent: the longest that grant and policy allow. */
  readonly lifetimeMs: number | undefined;
  /** Monotonic time in ms; the use case caps it. Absent: the cap. */
  readonly deadlineMs: number | undefined;
}

export interface SignedJwt {
  readonly jwt: string;
  readonly kid: Kid;
  readonly expireTimeMs: number;
  /**
   * Asked by whoever keeps the JWT waiting, when it is about to leave. False when it must not any more: its version was
   * declared compromised, the clock was set, or it has expired. It is then entered as never released.
   */
  readonly mayStillLeave: () => boolean;
}

export interface ApplySigningKeyCommand {
  readonly name: string;
  /** Empty means `default` at creation, and "as it is" afterwards. */
  readonly keySet: string;
  readonly algorithm: string;
  /** 0: the default. */
  readonly rsaBits: number;
  /** What is absent gets the documented default. */
  readonly lifecyclePolicy: PolicyInput;
  readonly etag: string;
  readonly validateOnly: boolean;
  readonly reason: string;
  readonly deadlineMs: number | undefined;
}

/** What every command on an existing signing key may carry. */
export interface KeyCommand {
  readonly signingKey: string;
  readonly validateOnly: boolean;
  readonly etag: string;
  readonly reason: string;
  /** A UUID; a repeat within a day gets the first answer. Empty: every request is a new one. */
  readonly requestId: string;
}

export interface RotateCommand extends KeyCommand {
  readonly useLastStandby: boolean;
}

export interface SuspendKeyCommand extends KeyCommand {
  readonly halt: boolean;
}

/** `dueMs` undefined: what was scheduled is taken back. */
export interface ScheduleRotationCommand extends KeyCommand {
  readonly dueMs: number | undefined;
}

export interface ReactivateCommand extends KeyCommand {
  readonly version: number;
}

export type CompromiseScope =
  | { readonly kind: 'version'; readonly signingKey: string; readonly version: number }
  | { readonly kind: 'signingKey'; readonly signingKey: string }
  | { readonly kind: 'token' };

export interface DeclareCompromisedCommand {
  readonly scope: CompromiseScope;
  readonly retain: boolean;
  readonly validateOnly: boolean;
  readonly reason: string;
  readonly requestId: string;
}

/** What a declaration does to one signing key. */
export interface CompromiseEffect {
  readonly signingKey: SigningKeyName;
  readonly withdrawnVersions: readonly number[];
  /** Undefined when signing stops. */
  readonly activeVersion: number | undefined;
  readonly readyAtMs: number | undefined;
  readonly lastJwtExpireTimeMs: number | undefined;
}

export interface SigningKeyView {
  readonly name: SigningKeyName;
  readonly keySet: KeySetName;
  readonly spec: KeySpec;
  readonly policy: LifecyclePolicy;
  readonly etag: string;
  readonly createdAtMs: number;
  readonly active: ActiveVersionView | undefined;
  readonly propagatedStandbys: number;
  readonly publishedStandbys: number;
  readonly rotateAllowedAtMs: number | undefined;
  readonly readyAtMs: number | undefined;
  readonly isReconciling: boolean;
  readonly lastProblem: string;
  /** Undefined without an ACTIVE version. */
  readonly rotationDueAtMs: number | undefined;
  readonly isHalted: boolean;
  /** Undefined while it is in service. */
  readonly retirement: RetirementView | undefined;
  /** When an operator wants the ACTIVE version to be replaced. */
  readonly scheduledRotationAtMs: number | undefined;
  /** Rule 9: the store may have forgotten what happened to it. */
  readonly isFenced: boolean;
  /** Until a step is due that only time makes due; 0 while one is due. */
  readonly nextStepInMs: number | undefined;
  readonly failingSteps: readonly FailingStep[];
}

export interface RetirementView {
  readonly atMs: number;
  /** Until when it can come back; undefined when it can't any more. */
  readonly untilMs: number | undefined;
}

export interface ActiveVersionView {
  readonly version: number;
  readonly kid: Kid;
  readonly activatedAtMs: number;
  readonly expCeilingMs: number;
}

/** A due step that failed when it was last tried. */
export interface FailingStep {
  readonly step: Step['kind'];
  readonly reason: Reason;
  readonly failingForMs: number;
}

export interface KeyVersionView {
  readonly signingKey: SigningKeyName;
  readonly version: number;
  readonly kid: Kid;
  readonly state: LifecycleState;
  readonly isPublished: boolean;
  readonly isPropagated: boolean;
  readonly servedMs: number;
  readonly servedRequiredMs: number;
  readonly createdAtMs: number;
  readonly activatedAtMs: number | undefined;
  readonly suspendedAtMs: number | undefined;
  /** While SUSPENDED: when it can't come back any more; undefined while an operator is to decide. */
  readonly suspensionEndsAtMs: number | undefined;
  readonly deactivatedAtMs: number | undefined;
  readonly destroyedAtMs: number | undefined;
  readonly expCeilingMs: number | undefined;
  readonly ckaId: CkaId;
  readonly ckaLabel: string;
  readonly hasPrivateKey: boolean;
  readonly birth: BirthRecord;
}

export interface RotateResult {
  readonly signingKey: SigningKeyView;
  readonly activated: KeyVersionView;
  /** Absent when the signing key had no ACTIVE version. */
  readonly suspended: KeyVersionView | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextPageToken: string;
}

/** One generation of a key set, ready to be sent: built once per change, never per request. */
export interface KeySetSnapshot {
  readonly keySet: KeySetName;
  readonly generation: number;
  readonly kids: ReadonlySet<Kid>;
  /** The JWKS document in UTF-8. */
  readonly body: Buffer;
  /** A strong entity tag, quotes included. */
  readonly etag: string;
  readonly maxAgeSeconds: number;
}

export interface ImportPublicKeyCommand {
  /** Empty means `default`. */
  readonly keySet: string;
  /** One public JWK, as JSON in UTF-8. */
  readonly jwk: Uint8Array;
  /** A JWT by the key's private half, made for this import. */
  readonly proof: string;
  readonly expiresAtMs: number;
  readonly validateOnly: boolean;
  readonly reason: string;
}

export interface RemovePublicKeyCommand {
  /** Empty means `default`. */
  readonly keySet: string;
  readonly kid: string;
  /** Somebody else may have the private key. */
  readonly compromised: boolean;
  readonly validateOnly: boolean;
  readonly reason: string;
}

/** A verify-only public key of an old signer (rule 10). */
export interface ImportedKeyView {
  readonly keySet: KeySetName;
  readonly kid: Kid;
  readonly algorithm: Algorithm;
  readonly thumbprint: Kid;
  readonly isPublished: boolean;
  readonly importedAtMs: number;
  readonly expiresAtMs: number;
  /** Of the latest import or extension. */
  readonly caller: CallerName;
  readonly reason: string;
  readonly departure: { readonly atMs: number; readonly cause: Departure } | undefined;
}

/** Of what is published now. */
export interface ImportSummary {
  readonly importedKeys: number;
  /** Until the next one leaves; undefined without one. */
  readonly nextExpiryInMs: number | undefined;
}

/** The import as it is now, or as it would be when only validated. */
export interface ImportOutcome {
  readonly importedKey: ImportedKeyView;
  readonly changed: boolean;
}

/** What waits for the store's disk. */
export interface StoreStatus {
  /** Commands that are in effect, and that a restart would undo. */
  readonly undurableNarrowings: number;
  /** Key sets whose promise the configuration changed, and that is not recorded yet. */
  readonly unrecordedPromises: number;
  /** Events in the reserve: durable, and a full disk keeps them from their place. */
  readonly reservedEvents: number;
}

/** Rule 8: whether the wall clock is believed. */
export interface ClockStatus {
  readonly isTrusted: boolean;
  /** How far it is from where it should be, in ms. */
  readonly stepMs: number;
  readonly stepLimitMs: number;
  readonly wallMs: number;
}

export interface PlanCommand {
  /** Empty when something is proposed. */
  readonly signingKey: string;
  readonly proposed: readonly ProposedSigningKey[];
  /** Absent: the default. */
  readonly horizonMs: number | undefined;
  readonly deadlineMs: number | undefined;
}

export type ProposedSigningKey = Pick<
  ApplySigningKeyCommand,
  'name' | 'keySet' | 'algorithm' | 'rsaBits' | 'lifecyclePolicy'
>;

export interface PlanView {
  readonly startMs: number;
  readonly moments: readonly Moment[];
  readonly explanations: readonly (Explanation & { readonly signingKey: SigningKeyName })[];
  readonly commands: readonly (CommandOutlook & { readonly signingKey: SigningKeyName })[];
  readonly keySets: readonly PlannedKeySet[];
  /** What stands against the plan now. */
  readonly remarks: readonly string[];
}

export interface PlannedKeySet extends Omit<Forecast, 'moments' | 'startMs'> {
  readonly keySet: KeySetName;
  readonly maxPublishedVersions: number;
}

export interface RecoverStoreCommand {
  /** Lifecycle policies of signing keys that the store doesn't know; others are passed over. */
  readonly signingKeys: readonly ProposedSigningKey[];
  readonly compromisedKids: readonly string[];
  readonly keptKids: readonly string[];
  /** Absent: as long as the policies say. */
  readonly longestJwtLifetimeMs: number | undefined;
  readonly isTokenRestored: boolean;
  readonly validateOnly: boolean;
  /** Of the plan that was looked at; empty: any. */
  readonly etag: string;
  readonly reason: string;
}

export interface RecoveredSigningKey {
  readonly name: SigningKeyName;
  readonly keySet: KeySetName;
  readonly isCreated: boolean;
  /** Undefined when nothing signs at once. */
  readonly activeVersion: number | undefined;
  readonly readyAtMs: number | undefined;
}

export interface RecoveryView {
  readonly restoration: Restoration | undefined;
  readonly signingKeys: readonly RecoveredSigningKey[];
  readonly versions: readonly (Verdict & { readonly signingKey: SigningKeyName | undefined })[];
  readonly imports: readonly ImportVerdict[];
  readonly etag: string;
}

export interface Application {
  signJwt(caller: CallerName, command: SignJwtCommand): Promise<SignedJwt>;

  applySigningKey(
    caller: CallerName,
    command: ApplySigningKeyCommand,
  ): Promise<{ readonly signingKey: SigningKeyView; readonly changed: boolean }>;
  getSigningKey(name: string): SigningKeyView;
  listSigningKeys(pageSize: number, pageToken: string): Page<SigningKeyView>;
  listKeyVersions(signingKey: string, pageSize: number, pageToken: string): Page<KeyVersionView>;
  rotate(caller: CallerName, command: RotateCommand): Promise<RotateResult>;
  suspend(caller: CallerName, command: SuspendKeyCommand): Promise<SigningKeyView>;
  reactivate(caller: CallerName, command: ReactivateCommand): Promise<SigningKeyView>;
  rollback(caller: CallerName, command: KeyCommand): Promise<SigningKeyView>;
  retire(caller: CallerName, command: KeyCommand): Promise<SigningKeyView>;
  unretire(caller: CallerName, command: KeyCommand): Promise<SigningKeyView>;
  scheduleRotation(caller: CallerName, command: ScheduleRotationCommand): Promise<SigningKeyView>;
  /** In effect before it resolves; resolves when it is durable. STORE_UNAVAILABLE: in effect, and tried again until it is. */
  declareCompromised(caller: CallerName, command: DeclareCompromisedCommand): Promise<readonly CompromiseEffect[]>;
  /** What will happen and when, and why everything is as it is. Changes nothing. */
  plan(caller: CallerName, command: PlanCommand): Promise<PlanView>;

  /** Undefined for a key set that never had content. O(1), no allocation. */
  findKeySet(name: string): KeySetSnapshot | undefined;
  /** Rule 9: nobody knows what belongs into it until an operator has decided. */
  isKeySetWithheld(name: string): boolean;
  /** Whether there is a key set of that name, with or without content. */
  hasKeySet(name: string): boolean;
  /** Calls back when findKeySet or isKeySetWithheld may answer differently, from then on; returns the cancellation. */
  onKeySetsChange(listener: () => void): () => void;

  /** Publishes the key, or lets it stay longer. Durable, and published, when it resolves. */
  importPublicKey(caller: CallerName, command: ImportPublicKeyCommand): Promise<ImportOutcome>;
  /** Withdrawn before it resolves; resolves when it is durable. STORE_UNAVAILABLE: in effect, and tried again until it is. */
  removePublicKey(caller: CallerName, command: RemovePublicKeyCommand): Promise<ImportOutcome>;
  /** Those that left included, newest first. */
  listPublicKeys(keySet: string, pageSize: number, pageToken: string): Page<ImportedKeyView>;
  /** Undefined for an unknown key set. */
  summarizeImports(keySet: string): ImportSummary | undefined;

  tokenStatus(): TokenStatus;
  retryLogin(caller: CallerName, reason: string): Promise<void>;

  /** Compares store and token, with a challenge to each published version. */
  reconcile(): Promise<readonly Finding[]>;
  /** What the latest comparison found, without a new one; undefined before the first. */
  latestFindings(): readonly Finding[] | undefined;
  /** An operator's decision about an object that the store can't explain. */
  resolveObject(caller: CallerName, command: ResolveObjectCommand): Promise<void>;
  /** Decides about everything that a restored or a lost store can't know (rule 9), in one commit. */
  recover(caller: CallerName, command: RecoverStoreCommand): Promise<RecoveryView>;

  /** Shows what the command would do, and lets it wait for the approval of other officers. */
  proposeCommand(caller: CallerName, proposed: ProposedCommand): Promise<ProposalView>;
  /** The last approval that is needed executes the command; a failure of the command is the answer then. */
  approveProposal(caller: CallerName, command: ApproveCommand): Promise<ProposalView>;
  cancelProposal(caller: CallerName, id: string, reason: string): Promise<ProposalView>;
  /** Newest first. */
  listProposals(pageSize: number, pageToken: string): Page<ProposalView>;
  /** How many wait for approval. */
  openProposals(): number;

  /** The whole event log as the bytes of one file. Errors, at the first read: QUEUE_FULL while another one is made. */
  backUpStore(caller: CallerName): AsyncIterable<Uint8Array>;
  /** Names that neither sign nor change, nor can be made. */
  fencedSigningKeys(): readonly string[];
  /** The store was restored, and nobody has decided yet. */
  restoration(): Restoration | undefined;
  clockStatus(): ClockStatus;
  storeStatus(): StoreStatus;
  /** `typedMs`: the time it is now, from another source than this machine (Unix ms). Errors: FIELD_INVALID. */
  confirmClock(caller: CallerName, typedMs: number, reason: string): Promise<void>;

  /** Whether SignJwt for this signing key would find an ACTIVE version and a token that signs; undefined for an unknown name. */
  isSigningKeyReady(name: string): boolean | undefined;
  /** Calls back when any readiness may have changed; returns the cancellation. */
  onReadinessChange(listener: () => void): () => void;
}
