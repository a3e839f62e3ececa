/**
 * The typed client of a keyturn daemon: the package export `keyturn/client`. One method for each gRPC method, with the
 * API's names; times are Dates, durations are ms (or seconds where the name says so), and what is absent is undefined.
 *
 * Every method rejects with a KeyturnError whose `reason` is one of docs/reference/errors.md. UNAVAILABLE is tried
 * again, up to four attempts within the deadline, by the channel itself. A connection is made at the first call.
 */
import { randomUUID } from 'node:crypto';
import type { KeyturnError } from '../base/errors.ts';
import {
  type ApprovalMethods,
  createApprovalMethods,
  type ResolveObjectRequest,
  toResolutionMessage,
} from './approvals.ts';
import { type AuditMethods, createAuditMethods } from './audit.ts';
import { createImportMethods, type ImportMethods } from './imports.ts';
import { createKeySetMethods, type KeySetMethods } from './key-sets.ts';
import { createLifecycleCommands, type LifecycleCommands } from './lifecycle-commands.ts';
import {
  fromClockStatus,
  fromReconciliation,
  fromSignedJwt,
  fromKeyVersion,
  fromSigningKey,
  fromTokenStatus,
  toSigningKeyMessage,
  toSignJwtRequest,
} from './messages.ts';
import { createPlanning, type Planning } from './planning.ts';
import { fromRpcStatus } from './service-error.ts';
import { clockMethods, keyAdminMethods, signingMethods, tokenMethods } from './protos.ts';
import { createStoreMethods, type StoreMethods } from './store.ts';
import { type ClientTarget, openTransport } from './transport.ts';
import type {
  CallOptions,
  SignJwtRequest,
  SignedJwt,
  ApplySigningKeyRequest,
  SigningKey,
  KeyVersion,
  PageRequest,
  RotateRequest,
  RotateResponse,
  Reconciliation,
  ClockStatus,
  TokenStatus,
} from './types.ts';
import { requirePart, toTime } from './values.ts';

export { KeyturnError } from '../base/errors.ts';
export type { Reason } from '../base/reasons.ts';
export type {
  CompromiseEffect,
  CompromiseScope,
  DeclareCompromisedRequest,
  KeyCommand,
  ReactivateRequest,
  SuspendRequest,
} from './lifecycle-commands.ts';
export type { AuditCheckpoint } from './audit.ts';
export type { Approval, ApproveRequest, CommandToPropose, Proposal, ResolveObjectRequest } from './approvals.ts';
export type { ImportedKey, ImportOutcome, ImportPublicKeyRequest, RemovePublicKeyRequest } from './imports.ts';
export type {
  CommandOutlook,
  KeySetOutlook,
  Plan,
  PlannedMoment,
  PlanRequest,
  Prospect,
  ProposedSigningKey,
  VersionExplanation,
} from './planning.ts';
export type { RecoveredImport, RecoveredSigningKey, RecoveredVersion, RecoverRequest, Recovery } from './store.ts';
export type { ClientTarget } from './transport.ts';
export type {
  CallOptions,
  SignJwtRequest,
  SignedJwt,
  LifecyclePolicy,
  ApplySigningKeyRequest,
  SigningKey,
  KeyVersion,
  BirthRecord,
  PageRequest,
  RotateRequest,
  RotateResponse,
  KeySet,
  KeySetRequest,
  WatchOptions,
  Finding,
  Reconciliation,
  ClockStatus,
  TokenStatus,
  Worker,
} from './types.ts';

export interface ClientOptions {
  readonly target: ClientTarget;
  /** How long a call may take when it says nothing else, retries included. Default: 10 s; 30 s where keys are made or tried. */
  readonly defaultDeadlineMs?: number | undefined;
  /** Wait for the daemon, up to the deadline, rather than fail when it can't be reached. Default: false. */
  readonly waitForReady?: boolean | undefined;
}

export interface KeyturnClient
  extends LifecycleCommands,
    ImportMethods,
    Planning,
    StoreMethods,
    ApprovalMethods,
    AuditMethods,
    KeySetMethods {
  signJwt(request: SignJwtRequest, options?: CallOptions): Promise<SignedJwt>;
  /** 1 to 256 JWTs in one call. Resolves with one result for each request, in their order: one that fails fails alone. */
  batchSignJwt(
    requests: readonly SignJwtRequest[],
    options?: CallOptions,
  ): Promise<readonly (SignedJwt | KeyturnError)[]>;
  applySigningKey(
    request: ApplySigningKeyRequest,
    options?: CallOptions,
  ): Promise<{ readonly signingKey: SigningKey; readonly changed: boolean }>;
  getSigningKey(
    request: { readonly name: string },
    options?: CallOptions,
  ): Promise<{ readonly signingKey: SigningKey }>;
  /** Ordered by name. */
  listSigningKeys(
    request?: PageRequest,
    options?: CallOptions,
  ): Promise<{ readonly signingKeys: readonly SigningKey[]; readonly nextPageToken: string }>;
  /** Newest first, destroyed ones included. */
  listKeyVersions(
    request: PageRequest & { readonly signingKey: string },
    options?: CallOptions,
  ): Promise<{ readonly keyVersions: readonly KeyVersion[]; readonly nextPageToken: string }>;
  rotate(request: RotateRequest, options?: CallOptions): Promise<RotateResponse>;
  getTokenStatus(options?: CallOptions): Promise<TokenStatus>;
  reconcile(options?: CallOptions): Promise<Reconciliation>;
  resolveObject(request: ResolveObjectRequest, options?: CallOptions): Promise<void>;
  getClockStatus(options?: CallOptions): Promise<ClockStatus>;
  /** `time`: what time it is now, from another source than the daemon's machine. */
  confirmClock(
    request: { readonly time: Date; readonly reason?: string | undefined },
    options?: CallOptions,
  ): Promise<ClockStatus>;
  /** Never tried again by itself: a token may lock after a few wrong PINs. */
  retryLogin(request?: { readonly reason?: string | undefined }, options?: CallOptions): Promise<void>;
  /** Takes no more calls; the connection ends when those in flight have. Idempotent. */
  close(): void;
}

const DEFAULT_DEADLINE_MS = 10_000;
/** Keys are generated and tried in the token meanwhile. */
const KEY_WORK_DEADLINE_MS = 30_000;

/** Errors: FIELD_INVALID or SECRET_FILE_UNREADABLE for a file of the target that can't be read or isn't PEM. */
export function createKeyturnClient({ target, defaultDeadlineMs, waitForReady = false }: ClientOptions): KeyturnClient {
  const transport = openTransport(target, waitForReady);
  const short = ({ deadlineMs }: CallOptions = {}): number => deadlineMs ?? defaultDeadlineMs ?? DEFAULT_DEADLINE_MS;
  const long = ({ deadlineMs }: CallOptions = {}): number => deadlineMs ?? defaultDeadlineMs ?? KEY_WORK_DEADLINE_MS;
  return {
    ...createLifecycleCommands(transport, long),
    ...createImportMethods(transport, short),
    ...createPlanning(transport, long),
    ...createStoreMethods(transport, long),
    ...createApprovalMethods(transport, long),
    ...createAuditMethods(transport, short),
    ...createKeySetMethods(transport, short),
    async signJwt(request, options) {
      return fromSignedJwt(await transport.call(signingMethods.SignJwt, toSignJwtRequest(request), short(options)));
    },
    async batchSignJwt(requests, options) {
      const message = { requests: requests.map(toSignJwtRequest) };
      const { results } = await transport.call(signingMethods.BatchSignJwt, message, short(options));
      return results.map(({ signed = null, error = null }) =>
        error === null ? fromSignedJwt(requirePart(signed, 'signed')) : fromRpcStatus(error),
      );
    },
    async applySigningKey(request, options) {
      const { etag = '', validateOnly = false, reason = '' } = request;
      const message = { signingKey: toSigningKeyMessage(request), etag, validateOnly, reason };
      const { signingKey, changed } = await transport.call(keyAdminMethods.ApplySigningKey, message, long(options));
      return { signingKey: fromSigningKey(signingKey), changed };
    },
    async getSigningKey({ name }, options) {
      const { signingKey } = await transport.call(keyAdminMethods.GetSigningKey, { name }, short(options));
      return { signingKey: fromSigningKey(signingKey) };
    },
    async listSigningKeys({ pageSize = 0, pageToken = '' } = {}, options = {}) {
      const page = await transport.call(keyAdminMethods.ListSigningKeys, { pageSize, pageToken }, short(options));
      return { signingKeys: page.signingKeys.map(fromSigningKey), nextPageToken: page.nextPageToken };
    },
    async listKeyVersions({ signingKey, pageSize = 0, pageToken = '' }, options) {
      const page = await transport.call(
        keyAdminMethods.ListKeyVersions,
        { signingKey, pageSize, pageToken },
        short(options),
      );
      return { keyVersions: page.keyVersions.map(fromKeyVersion), nextPageToken: page.nextPageToken };
    },
    async rotate(request, options) {
      const {
        signingKey,
        useLastStandby = false,
        requestId = randomUUID(),
        validateOnly = false,
        etag = '',
        reason = '',
      } = request;
      const message = { signingKey, useLastStandby, requestId, validateOnly, etag, reason };
      const answer = await transport.call(keyAdminMethods.Rotate, message, long(options));
      return {
        signingKey: fromSigningKey(answer.signingKey),
        activated: fromKeyVersion(requirePart(answer.activated, 'activated')),
        suspended: answer.suspended === null ? undefined : fromKeyVersion(answer.suspended),
      };
    },
    async reconcile(options) {
      return fromReconciliation(await transport.call(tokenMethods.Reconcile, {}, long(options)));
    },
    async resolveObject(request, options) {
      await transport.call(tokenMethods.ResolveObject, toResolutionMessage(request), long(options));
    },
    async getClockStatus(options) {
      return fromClockStatus(await transport.call(clockMethods.GetClockStatus, {}, short(options)));
    },
    async confirmClock({ time, reason = '' }, options) {
      const request = { time: toTime(time), reason };
      const { status } = await transport.call(clockMethods.ConfirmClock, request, short(options));
      return fromClockStatus(requirePart(status, 'status'));
    },
    async getTokenStatus(options) {
      return fromTokenStatus(await transport.call(tokenMethods.GetTokenStatus, {}, short(options)));
    },
    async retryLogin({ reason = '' } = {}, options = {}) {
      await transport.call(tokenMethods.RetryLogin, { reason }, short(options));
    },
    close() {
      transport.close();
    },
  };
}
