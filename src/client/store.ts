/** The client's methods about the daemon's event log: copies of it, and what it can't know. */
import { createHash } from 'node:crypto';
import { KeyturnError } from '../base/errors.ts';
import type { RecoveredVersion__Output } from '../gen/keyturn/v1/RecoveredVersion.ts';
import type { RecoverRequest as RecoverMessage } from '../gen/keyturn/v1/RecoverRequest.ts';
import type { RecoverResponse__Output } from '../gen/keyturn/v1/RecoverResponse.ts';
import type { LifecycleState } from '../lifecycle/model.ts';
import { parseOptionalState, toSigningKeyMessage } from './messages.ts';
import type { ProposedSigningKey } from './planning.ts';
import { storeMethods } from './protos.ts';
import type { Transport } from './transport.ts';
import type { CallOptions } from './types.ts';
import { fromCount, fromText, fromTime, requireTime, toDuration } from './values.ts';

export interface RecoverRequest {
  /** Of signing keys that the store doesn't know and the token does; others are passed over. */
  readonly signingKeys?: readonly ProposedSigningKey[] | undefined;
  /** Versions that were declared compromised after what the store knows. */
  readonly compromisedKids?: readonly string[] | undefined;
  /** Versions whose private key is gone from the token, and which were good. */
  readonly keptKids?: readonly string[] | undefined;
  /** The longest lifetime that a JWT may have got, when that was longer than the policies say. */
  readonly longestJwtLifetimeMs?: number | undefined;
  /** The token was restored from a backup as well. Default: false. */
  readonly tokenRestored?: boolean | undefined;
  /** Tell what would become of everything, change nothing. */
  readonly validateOnly?: boolean | undefined;
  /** Refuse (ETAG_MISMATCH) unless the plan is the one that had this etag. */
  readonly etag?: string | undefined;
  /** Why; kept in the event log. Required unless `validateOnly`. */
  readonly reason?: string | undefined;
}

export interface Recovery {
  /** When the store was restored; undefined when it wasn't. */
  readonly restoreTime: Date | undefined;
  /** The latest event of the copy. */
  readonly knownUntilTime: Date | undefined;
  readonly signingKeys: readonly RecoveredSigningKey[];
  /** Every version that is published or becomes something else, and every object that the store can't explain. */
  readonly versions: readonly RecoveredVersion[];
  /** Imported keys that are published: the token knows nothing of them. */
  readonly imports: readonly RecoveredImport[];
  readonly etag: string;
}

export interface RecoveredImport {
  readonly keySet: string;
  readonly kid: string;
  readonly compromised: boolean;
  readonly expireTime: Date;
}

export interface RecoveredSigningKey {
  readonly name: string;
  readonly keySet: string;
  readonly created: boolean;
  /** Undefined when nothing signs at once. */
  readonly activeVersion: number | undefined;
  readonly readyTime: Date | undefined;
}

const FATES = {
  RECOVERY_FATE_STAYS: 'STAYS',
  RECOVERY_FATE_DEACTIVATED: 'DEACTIVATED',
  RECOVERY_FATE_WITHDRAWN: 'WITHDRAWN',
  RECOVERY_FATE_COMPROMISED: 'COMPROMISED',
  RECOVERY_FATE_DESTROYED_AGAIN: 'DESTROYED_AGAIN',
  RECOVERY_FATE_IGNORED: 'IGNORED',
} as const;

export interface RecoveredVersion {
  /** Undefined when the object's label names none. */
  readonly signingKey: string | undefined;
  readonly version: number | undefined;
  readonly kid: string | undefined;
  readonly ckaId: string;
  readonly ckaLabel: string;
  readonly fate: (typeof FATES)[keyof typeof FATES];
  readonly why: string;
  /** As the store has it; undefined when it doesn't know the version. */
  readonly recordedState: LifecycleState | undefined;
  /** Afterwards. */
  readonly state: LifecycleState | undefined;
  readonly published: boolean;
  readonly publishEndTime: Date | undefined;
}

export interface StoreMethods {
  /** Decides about everything that a restored or a lost store can't know. COMMAND_NOT_POSSIBLE when there is nothing. */
  recover(request: RecoverRequest, options?: CallOptions): Promise<Recovery>;
  /**
   * The whole event log as one file, given to `write` part by part. Resolves when every byte has arrived as it was sent.
   * Default deadline: 5 min.
   */
  backUpStore(
    write: (chunk: Uint8Array) => void | Promise<void>,
    options?: CallOptions,
  ): Promise<{ readonly sha256: string }>;
}

const BACK_UP_DEADLINE_MS = 300_000;

export function createStoreMethods(
  transport: Transport,
  toDeadlineMs: (options: CallOptions | undefined) => number,
): StoreMethods {
  return {
    async recover(request, options) {
      const message = toRecoverMessage(request);
      return fromRecovery(await transport.call(storeMethods.Recover, message, toDeadlineMs(options)));
    },
    async backUpStore(write, { deadlineMs = BACK_UP_DEADLINE_MS } = {}) {
      const digest = createHash('sha256');
      let sent = '';
      for await (const { chunk, sha256 } of transport.stream(storeMethods.BackUp, {}, { deadlineMs })) {
        if (sha256.length > 0) sent = sha256.toString('hex');
        if (chunk.length === 0) continue;
        digest.update(chunk);
        await write(chunk);
      }
      const received = digest.digest('hex');
      if (received === sent) return { sha256: received };
      throw new KeyturnError('INTERNAL', 'the backup did not arrive as it was sent; make another one');
    },
  };
}

export function toRecoverMessage(request: RecoverRequest): RecoverMessage {
  const { signingKeys = [], compromisedKids = [], keptKids = [], longestJwtLifetimeMs } = request;
  const { tokenRestored = false, validateOnly = false, etag = '', reason = '' } = request;
  return {
    signingKeys: signingKeys.map(toSigningKeyMessage),
    compromisedKids: [...compromisedKids],
    keptKids: [...keptKids],
    ...(longestJwtLifetimeMs === undefined ? {} : { longestJwtLifetime: toDuration(longestJwtLifetimeMs) }),
    tokenRestored,
    validateOnly,
    etag,
    reason,
  };
}

function fromRecovery(answer: RecoverResponse__Output): Recovery {
  return {
    restoreTime: fromTime(answer.restoreTime),
    knownUntilTime: fromTime(answer.knownUntilTime),
    signingKeys: answer.signingKeys.map(({ activeVersion, readyTime, ...signingKey }) => {
      return { ...signingKey, activeVersion: fromCount(activeVersion), readyTime: fromTime(readyTime) };
    }),
    versions: answer.versions.map(fromRecoveredVersion),
    imports: answer.imports.map(({ expireTime, ...imported }) => {
      return { ...imported, expireTime: requireTime(expireTime, 'expire_time') };
    }),
    etag: answer.etag,
  };
}

function fromRecoveredVersion(message: RecoveredVersion__Output): RecoveredVersion {
  if (message.fate === 'RECOVERY_FATE_UNSPECIFIED') {
    throw new KeyturnError(
      'INTERNAL',
      "the daemon names a fate of a key version that this client doesn't know; update the client",
    );
  }
  return {
    ...message,
    signingKey: fromText(message.signingKey),
    version: fromCount(message.version),
    kid: fromText(message.kid),
    fate: FATES[message.fate],
    recordedState: parseOptionalState(message.recordedState),
    state: parseOptionalState(message.state),
    publishEndTime: fromTime(message.publishEndTime),
  };
}
