/**
 * Signs the audit log's head at intervals, with a key version of its own in the token. Truncation can't be found from the
 * log alone: each checkpoint also goes to the daemon's log and its metrics. The token's outages hold nothing else up.
 */
import type { AuditLog } from '../audit/audit-log.ts';
import { formatHead, type Head } from '../audit/chain.ts';
import { AUDIT_ALGORITHM, statementBytes, toCheckpoint } from '../audit/checkpoints.ts';
import type { CheckpointContent } from '../audit/entries.ts';
import type { Clock } from '../base/clock.ts';
import { toKeyturnError } from '../base/errors.ts';
import { parseCkaId } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Hsm } from '../hsm/hsm.ts';
import { toKid } from '../jose/thumbprint.ts';
import { type AuditKey, auditKeyLabel } from '../lifecycle/audit-register.ts';
import { DAEMON_CALLER } from '../lifecycle/step-events.ts';
import type { AuditedStore } from './audited-store.ts';

const TICK_MS = 1_000;
/** Between two checkpoints at most, whatever the period. */
const MAX_ENTRIES_BETWEEN = 10_000;
const SIGN_TIMEOUT_MS = 5_000;
/** A log to which nothing was added is signed so often all the same: its silence is the daemon's word, too. */
const QUIET_PERIOD_MS = 3_600_000;
/** After a failure. */
const RETRY_MS = 30_000;
/** How often the store learns the head (rule 9). */
const RECORD_PERIOD_MS = 3_600_000;
/** The cryptoperiod of an audit key (SP 800-57 Part 1, section 5.3.6: a private signature key, one to three years). */
const KEY_PERIOD_MS = 365 * 86_400_000;
const CKA_ID_BYTES = 16;

export interface CheckpointPorts {
  readonly auditLog: AuditLog;
  readonly store: AuditedStore;
  readonly hsm: Hsm;
  readonly clock: Clock;
  readonly log: Logger;
  /** Between two checkpoints, while there are new entries; without any it is an hour at least. */
  readonly periodMs: number;
  /** Cryptographic random bytes. */
  readonly randomBytes: (count: number) => Uint8Array;
}

export class Checkpoints {
  readonly #ports: CheckpointPorts;
  /** CKA_ID of the key that signed in this run: a look at the token is dear. */
  #known: string | undefined;
  /** The head at the latest checkpoint, its own entry included. */
  #coveredSeq = 0;
  #signedAtMs = Number.NEGATIVE_INFINITY;
  #recordedAtMs = Number.NEGATIVE_INFINITY;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(ports: CheckpointPorts) {
    this.#ports = ports;
  }

  start(): void {
    if (this.#isStopped) return;
    this.#cancel = this.#ports.clock.after(TICK_MS, () => {
      this.#running = this.#tick().finally(() => {
        this.#running = undefined;
        this.start();
      });
    });
  }

  /** The last entry and its checkpoint. The token must still be there; where it isn't, the log ends unsigned. Idempotent. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#cancel?.();
    await this.#running;
    const { auditLog, store, log } = this.#ports;
    try {
      await auditLog.append({ kind: 'LOG_STOPPED', storeEvents: store.storeEvents });
      if (this.#isReady) await this.#sign();
      await this.#recordHead();
    } catch (thrown) {
      log.warn({ err: toKeyturnError(thrown) }, 'the audit log ends without a checkpoint');
    }
  }

  get #isReady(): boolean {
    return this.#ports.hsm.status().state === 'ready';
  }

  async #tick(): Promise<void> {
    const { clock, log } = this.#ports;
    const nowMs = clock.monotonicMs();
    if (!this.#isDue(nowMs)) return;
    try {
      await this.#sign();
      if (nowMs - this.#recordedAtMs >= RECORD_PERIOD_MS) await this.#recordHead();
    } catch (thrown) {
      this.#notBeforeMs = nowMs + RETRY_MS;
      // Its key may be gone: the next try looks.
      this.#known = undefined;
      log.warn({ err: toKeyturnError(thrown), retryInMs: RETRY_MS }, 'the audit log could not be signed');
    }
  }

  #isDue(nowMs: number): boolean {
    const { auditLog, periodMs } = this.#ports;
    const { head, problem } = auditLog.status();
    const waitedMs = nowMs - this.#signedAtMs;
    const isNew = head.seq > this.#coveredSeq;
    const isTime = isNew
      ? waitedMs >= periodMs || head.seq - this.#coveredSeq >= MAX_ENTRIES_BETWEEN
      : waitedMs >= Math.max(periodMs, QUIET_PERIOD_MS);
    return isTime && head.seq > 0 && problem === undefined && nowMs >= this.#notBeforeMs && this.#isReady;
  }

  async #sign(): Promise<void> {
    const { auditLog, clock, log, store } = this.#ports;
    const { key, former } = await this.#keys();
    const { head } = auditLog.status();
    const content = await this.#toCheckpoint(head, key, former);
    log.info({ checkpoint: content }, 'audit checkpoint');
    const seq = await auditLog.append({ kind: 'CHECKPOINT', ...content });
    this.#coveredSeq = seq ?? head.seq;
    this.#known = key.ckaId;
    if (!key.isIntroduced)
      await store.commitRegister({ type: 'AUDIT_KEY_INTRODUCED', atMs: clock.wallMs(), ckaId: key.ckaId });
    this.#signedAtMs = clock.monotonicMs();
    this.#notBeforeMs = Number.NEGATIVE_INFINITY;
  }

  async #toCheckpoint(head: Head, key: AuditKey, former: AuditKey | undefined): Promise<CheckpointContent> {
    const { clock } = this.#ports;
    const { publicKey } = key;
    const statement = { head, signedAtMs: clock.wallMs(), publicKey, formerKid: former?.kid };
    const bytes = statementBytes(statement);
    const signature = await this.#signBytes(key, bytes);
    return toCheckpoint(statement, signature, former && (await this.#signBytes(former, bytes)));
  }

  #signBytes({ ckaId, publicKey }: AuditKey, signingInput: Uint8Array): Promise<Uint8Array> {
    const { hsm, clock } = this.#ports;
    const deadlineMs = clock.monotonicMs() + SIGN_TIMEOUT_MS;
    const request = { ckaId, publicKey, signingInput, deadlineMs, caller: DAEMON_CALLER };
    return hsm.sign({ ...request, algorithm: AUDIT_ALGORITHM, mustVerify: true, isCanary: false });
  }

  /** The key that signs, and until it is introduced, the one before, which signs for it. */
  async #keys(): Promise<{ readonly key: AuditKey; readonly former: AuditKey | undefined }> {
    const { clock, store, hsm, log } = this.#ports;
    const current = store.register.keys.at(-1);
    if (current !== undefined && this.#known === current.ckaId && !this.#isOld(current, clock.wallMs()))
      return { key: current, former: undefined };
    const objects = await hsm.listKeys();
    const isThere = ({ ckaId }: AuditKey): boolean =>
      objects.some((object) => object.ckaId === ckaId && object.privateKeys === 1);
    if (current !== undefined && !isThere(current)) {
      const { kid } = current;
      log.error({ kid }, "the audit log's key is not in the token any more: a new one signs, unsigned by the old one");
    }
    const isUsable = current !== undefined && isThere(current) && !this.#isOld(current, clock.wallMs());
    const key = isUsable ? current : await this.#makeKey();
    const former = key.isIntroduced ? undefined : store.register.keys.at(-2);
    return { key, former: former !== undefined && isThere(former) ? former : undefined };
  }

  #isOld({ madeAtMs }: AuditKey, nowMs: number): boolean {
    return nowMs - madeAtMs >= KEY_PERIOD_MS;
  }

  async #makeKey(): Promise<AuditKey> {
    const { hsm, store, clock, log, randomBytes } = this.#ports;
    for (const ckaId of store.register.intents) {
      await hsm.destroyKeyPair(ckaId);
      await store.commitRegister({ type: 'AUDIT_KEY_ABANDONED', atMs: clock.wallMs(), ckaId, problem: 'not finished' });
    }
    const ckaId = parseCkaId(Buffer.from(randomBytes(CKA_ID_BYTES)).toString('hex'));
    const ckaLabel = auditKeyLabel(store.register.intended + 1);
    await store.commitRegister({ type: 'AUDIT_KEY_INTENDED', atMs: clock.wallMs(), ckaId, ckaLabel });
    const spec = { algorithm: AUDIT_ALGORITHM } as const;
    const { publicKey, birth } = await hsm.generateKeyPair({ ckaId, ckaLabel, spec });
    await hsm.tryKey({ ckaId, algorithm: AUDIT_ALGORITHM, publicKey });
    const kid = toKid(publicKey);
    const madeAtMs = clock.wallMs();
    await store.commitRegister({ type: 'AUDIT_KEY_MADE', atMs: madeAtMs, ckaId, kid, publicKey, birth });
    log.info({ kid, ckaId, ckaLabel }, 'made a key for the audit log');
    return { ckaId, kid, publicKey, madeAtMs, isIntroduced: false };
  }

  async #recordHead(): Promise<void> {
    const { auditLog, store, clock } = this.#ports;
    const { head } = auditLog.status();
    if (head.seq === 0) return;
    await store.commitRegister({ type: 'AUDIT_HEAD_RECORDED', atMs: clock.wallMs(), head: formatHead(head) });
    this.#recordedAtMs = clock.monotonicMs();
  }
}
