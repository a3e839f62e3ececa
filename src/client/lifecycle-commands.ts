/**
 * The client's methods that take key versions out of service or bring them back. Each call has a request id, so that the
 * channel may try it again (transport.ts): without one, a second suspension would suspend the successor.
 */
import { randomUUID } from 'node:crypto';
import type { CompromiseEffect__Output } from '../gen/keyturn/v1/CompromiseEffect.ts';
import type { DeclareCompromisedRequest as DeclareCompromisedMessage } from '../gen/keyturn/v1/DeclareCompromisedRequest.ts';
import type { RollbackRequest as RollbackMessage } from '../gen/keyturn/v1/RollbackRequest.ts';
import type { ScheduleRotationRequest as ScheduleRotationMessage } from '../gen/keyturn/v1/ScheduleRotationRequest.ts';
import type { CallOptions, SigningKey } from './types.ts';
import { fromSigningKey } from './messages.ts';
import { keyAdminMethods } from './protos.ts';
import type { Transport } from './transport.ts';
import { fromCount, fromTime, toTime } from './values.ts';

/** What every command on an existing signing key may carry. */
export interface KeyCommand {
  readonly signingKey: string;
  /** Check everything, change nothing; the answer shows the signing key as it would be. */
  readonly validateOnly?: boolean | undefined;
  /** Refuse (ETAG_MISMATCH) unless the signing key's etag is this one. */
  readonly etag?: string | undefined;
  /** Why; kept in the event log. */
  readonly reason?: string | undefined;
  /** A UUID; a repeat within a day gets the first answer and does nothing more. Default: a new one for each call. */
  readonly requestId?: string | undefined;
}

export interface SuspendRequest extends KeyCommand {
  /** No standby takes over: the signing key stops signing. Default: false. */
  readonly halt?: boolean | undefined;
}

export interface ReactivateRequest extends KeyCommand {
  /** A SUSPENDED one. */
  readonly version: number;
}

export interface ScheduleRotationRequest extends KeyCommand {
  /** When the ACTIVE version is due to be replaced; undefined takes back what was scheduled. */
  readonly rotateTime: Date | undefined;
}

/** What is compromised: one version, a signing key with all its versions, or every key of the token. */
export type CompromiseScope =
  | { readonly version: { readonly signingKey: string; readonly version: number } }
  | { readonly signingKey: string }
  | { readonly wholeToken: true };

export interface DeclareCompromisedRequest {
  readonly scope: CompromiseScope;
  /** Keep the private keys in the token, as evidence; they never sign again. Default: false, they are destroyed. */
  readonly retain?: boolean | undefined;
  /** Tell what would happen, change nothing. */
  readonly validateOnly?: boolean | undefined;
  /** Why; kept in the event log. */
  readonly reason: string;
  /** A UUID; a repeat within a day gets the first answer. Default: a new one for each call. */
  readonly requestId?: string | undefined;
}

/** What a declaration does to one signing key. */
export interface CompromiseEffect {
  readonly signingKey: string;
  /** Versions that fall with this declaration; empty when they had fallen before. */
  readonly withdrawnVersions: readonly number[];
  /** The version that signs from here on; undefined when signing stops. */
  readonly activeVersion: number | undefined;
  /** When it can sign again, as far as can be known now; undefined when it goes on signing. */
  readonly readyTime: Date | undefined;
  /** The latest `exp` of a JWT that the withdrawn versions may have signed. */
  readonly lastJwtExpireTime: Date | undefined;
}

export interface LifecycleCommands {
  /** The ACTIVE version stops signing, for now; a propagated standby takes over unless halted. */
  suspend(request: SuspendRequest, options?: CallOptions): Promise<{ readonly signingKey: SigningKey }>;
  /** A SUSPENDED version signs again, in place of the one that does now. */
  reactivate(request: ReactivateRequest, options?: CallOptions): Promise<{ readonly signingKey: SigningKey }>;
  /** Undoes the latest rotation within its rollback window. */
  rollback(request: KeyCommand, options?: CallOptions): Promise<{ readonly signingKey: SigningKey }>;
  /** Nothing of it signs from now on; within its rollback window it can come back. A repetition changes nothing. */
  retire(request: KeyCommand, options?: CallOptions): Promise<{ readonly signingKey: SigningKey }>;
  /** What signed when it was retired signs again. */
  unretire(request: KeyCommand, options?: CallOptions): Promise<{ readonly signingKey: SigningKey }>;
  /** Under the same rules as a rotation at the end of the signing period, in its place. */
  scheduleRotation(
    request: ScheduleRotationRequest,
    options?: CallOptions,
  ): Promise<{ readonly signingKey: SigningKey }>;
  /**
   * Final. One effect for each signing key concerned. STORE_UNAVAILABLE means that it is in effect and not durable yet.
   */
  declareCompromised(
    request: DeclareCompromisedRequest,
    options?: CallOptions,
  ): Promise<{ readonly effects: readonly CompromiseEffect[] }>;
}

/** `toDeadlineMs`: how long a call may take whose version is tried in the token first. */
export function createLifecycleCommands(
  transport: Transport,
  toDeadlineMs: (options: CallOptions | undefined) => number,
): LifecycleCommands {
  return {
    async suspend({ halt = false, ...command }, options) {
      const message = { ...toKeyCommand(command), halt };
      const { signingKey } = await transport.call(keyAdminMethods.Suspend, message, toDeadlineMs(options));
      return { signingKey: fromSigningKey(signingKey) };
    },
    async reactivate({ version, ...command }, options) {
      const message = { ...toKeyCommand(command), version };
      const { signingKey } = await transport.call(keyAdminMethods.Reactivate, message, toDeadlineMs(options));
      return { signingKey: fromSigningKey(signingKey) };
    },
    async rollback(command, options) {
      const message = toKeyCommand(command);
      const { signingKey } = await transport.call(keyAdminMethods.Rollback, message, toDeadlineMs(options));
      return { signingKey: fromSigningKey(signingKey) };
    },
    async retire(command, options) {
      const message = toKeyCommand(command);
      const { signingKey } = await transport.call(keyAdminMethods.Retire, message, toDeadlineMs(options));
      return { signingKey: fromSigningKey(signingKey) };
    },
    async unretire(command, options) {
      const message = toKeyCommand(command);
      const { signingKey } = await transport.call(keyAdminMethods.Unretire, message, toDeadlineMs(options));
      return { signingKey: fromSigningKey(signingKey) };
    },
    async scheduleRotation({ rotateTime, ...command }, options) {
      const schedule = rotateTime === undefined ? { cancel: true } : { rotateTime: toTime(rotateTime) };
      const message: ScheduleRotationMessage = { ...toKeyCommand(command), ...schedule };
      const { signingKey } = await transport.call(keyAdminMethods.ScheduleRotation, message, toDeadlineMs(options));
      return { signingKey: fromSigningKey(signingKey) };
    },
    async declareCompromised(request, options) {
      const message = toDeclarationMessage(request);
      const { effects } = await transport.call(keyAdminMethods.DeclareCompromised, message, toDeadlineMs(options));
      return { effects: effects.map(fromCompromiseEffect) };
    },
  };
}

export function toDeclarationMessage(request: DeclareCompromisedRequest): DeclareCompromisedMessage {
  const { scope, retain = false, validateOnly = false, reason, requestId = randomUUID() } = request;
  return { ...scope, retain, validateOnly, reason, requestId };
}

function toKeyCommand(command: KeyCommand): RollbackMessage {
  const { signingKey, validateOnly = false, etag = '', reason = '', requestId = randomUUID() } = command;
  return { signingKey, validateOnly, etag, reason, requestId };
}

function fromCompromiseEffect(message: CompromiseEffect__Output): CompromiseEffect {
  return {
    signingKey: message.signingKey,
    withdrawnVersions: message.withdrawnVersions,
    activeVersion: fromCount(message.activeVersion),
    readyTime: fromTime(message.readyTime),
    lastJwtExpireTime: fromTime(message.lastJwtExpireTime),
  };
}
