/**
 * What the use cases and the servers tell the audit log, and when somebody waits for it: a JWT leaves only when its entry
 * is durable, a command that widens neither begins nor is answered without one, and one that narrows waits for nothing.
 */
import { hash } from 'node:crypto';
import { type AuditLog, type AuditLogStatus } from '../audit/audit-log.ts';
import type { Digest } from '../audit/entries.ts';
import type { Clock } from '../base/clock.ts';
import { KeyturnError } from '../base/errors.ts';
import type { CallerName, Kid, SigningKeyName } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Reason } from '../base/reasons.ts';
import type { Algorithm } from '../jose/algorithms.ts';

/** Refusals that get an entry: whoever may connect can cause them, and must not fill the disk. */
const REFUSALS_PER_SECOND = 10;
const MAX_REFUSALS_AT_ONCE = 100;
/** Copies that are made at once: each reads the disk that entries are written to. */
const MAX_READERS = 4;
const SECOND_MS = 1_000;
/** Of what callers made up. */
const MAX_TEXT_LENGTH = 256;
const MAX_COMMENT_LENGTH = 512;

export interface DispatchedJwt {
  readonly caller: CallerName;
  readonly signingKey: SigningKeyName;
  readonly kid: Kid;
  readonly alg: Algorithm;
  readonly signingInput: Uint8Array;
  readonly jti: string | undefined;
  readonly expSeconds: number;
}

/** Resolves when the entry is durable; with its sequence, unless it was lost. */
export type PendingEntry = Promise<number | undefined>;

export interface AuditedCall {
  readonly caller: CallerName;
  readonly method: string;
  /** Of the request. */
  readonly sha256: Digest;
  readonly requestId?: string | undefined;
  readonly signingKey?: string | undefined;
  readonly keySet?: string | undefined;
  readonly version?: number | undefined;
  readonly kid?: string | undefined;
  readonly validateOnly?: true | undefined;
  readonly comment?: string | undefined;
}

export interface Refusal {
  /** A name of the access policy, or the identity that it doesn't name. */
  readonly caller: string;
  readonly method: string;
  readonly reason: Reason;
  readonly signingKey: string | undefined;
}

export interface AuditTrailPorts {
  readonly auditLog: AuditLog;
  readonly clock: Clock;
  readonly log: Logger;
}

export class AuditTrail {
  readonly #auditLog: AuditLog;
  readonly #clock: Clock;
  readonly #log: Logger;
  #refusalsLeft = MAX_REFUSALS_AT_ONCE;
  #refilledAtMs: number;
  #omittedRefusals = 0;
  #readers = 0;

  constructor({ auditLog, clock, log }: AuditTrailPorts) {
    this.#auditLog = auditLog;
    this.#clock = clock;
    this.#log = log;
    this.#refilledAtMs = clock.monotonicMs();
  }

  status(): AuditLogStatus {
    return this.#auditLog.status();
  }

  /** From the entry with this sequence on, 0 for the first that is kept. Errors: FIELD_INVALID, COMMAND_NOT_POSSIBLE, QUEUE_FULL. */
  async *read(fromSeq: number): AsyncGenerator<readonly Uint8Array[]> {
    const { head } = this.#auditLog.status();
    if (!Number.isSafeInteger(fromSeq) || fromSeq > head.seq + 1) {
      const message = `from_sequence must be at most ${head.seq + 1}: the log ends with entry ${head.seq}`;
      throw new KeyturnError('FIELD_INVALID', message, { field: 'from_sequence' });
    }
    if (this.#readers >= MAX_READERS) {
      throw new KeyturnError('QUEUE_FULL', `the audit log is being read by ${MAX_READERS} callers already; ask again`);
    }
    this.#readers += 1;
    try {
      yield* this.#auditLog.read(fromSeq);
    } finally {
      this.#readers -= 1;
    }
  }

  /** Before anything is done that must not be done without an entry. Errors: AUDIT_UNAVAILABLE. */
  requireWritable(): void {
    this.#auditLog.requireWritable();
  }

  /** The request goes to the token now, and its entry to the disk: whoever awaits the one must await the other. */
  dispatched({ caller, signingKey, kid, alg, signingInput, jti, expSeconds }: DispatchedJwt): PendingEntry {
    const sha256 = hash('sha256', signingInput, 'base64url');
    const entry = this.#auditLog.append({
      kind: 'JWT_DISPATCHED',
      caller,
      signingKey,
      kid,
      alg,
      sha256,
      jti,
      exp: expSeconds,
    });
    // The token may fail first: then nobody awaits this.
    void entry.catch(() => undefined);
    return entry;
  }

  /** No JWT of that entry was released. */
  failed(entry: PendingEntry, reason: Reason): void {
    void entry
      .then((dispatched) =>
        dispatched === undefined ? undefined : this.#auditLog.append({ kind: 'JWT_FAILED', dispatched, reason }),
      )
      .catch(() => undefined);
  }

  /** A command's end: `OK` or the reason why not. Resolves when this and whatever it did are durable. */
  async called(call: AuditedCall, outcome: 'OK' | Reason): Promise<void> {
    await this.#auditLog.append({
      kind: 'CALL',
      ...call,
      requestId: shorten(call.requestId),
      signingKey: shorten(call.signingKey),
      keySet: shorten(call.keySet),
      kid: shorten(call.kid),
      comment: shorten(call.comment, MAX_COMMENT_LENGTH),
      outcome,
    });
  }

  /** Waits for nothing, and fails nobody. */
  refused({ caller, method, reason, signingKey }: Refusal): void {
    if (!this.#takeRefusal()) {
      this.#omittedRefusals += 1;
      return;
    }
    const omitted = this.#omittedRefusals === 0 ? undefined : this.#omittedRefusals;
    this.#omittedRefusals = 0;
    const subject = { caller: shorten(caller) ?? '', method: shorten(method) ?? '', signingKey: shorten(signingKey) };
    this.#note(this.#auditLog.append({ kind: 'REFUSED', ...subject, reason, omitted }));
  }

  /** `documentHash`: SHA-256, hexadecimal. */
  accessPolicyLoaded(documentHash: string, callers: number): void {
    this.#note(this.#auditLog.append({ kind: 'ACCESS_POLICY_LOADED', documentHash, callers }));
  }

  /** Kept by the log until the disk takes it: nobody has to wait. */
  #note(entry: PendingEntry): void {
    void entry.catch((failure: unknown) => {
      this.#log.debug({ err: failure }, 'an audit entry waits for the disk');
    });
  }

  #takeRefusal(): boolean {
    const nowMs = this.#clock.monotonicMs();
    const earned = ((nowMs - this.#refilledAtMs) * REFUSALS_PER_SECOND) / SECOND_MS;
    this.#refusalsLeft = Math.min(MAX_REFUSALS_AT_ONCE, this.#refusalsLeft + earned);
    this.#refilledAtMs = nowMs;
    if (this.#refusalsLeft < 1) return false;
    this.#refusalsLeft -= 1;
    return true;
  }
}

function shorten(text: string | undefined, length = MAX_TEXT_LENGTH): string | undefined {
  return text === undefined || text === '' ? undefined : text.slice(0, length);
}
