/**
 * The HSM port's adapter over PKCS#11: the public door of this folder. Signing goes through the dispatcher; everything
 * that searches, makes or destroys objects takes its turn at the token's mutex and runs on an administration session.
 */
import { randomBytes } from 'node:crypto';
import { type Clock, sleep } from '../base/clock.ts';
import { KeyturnError } from '../base/errors.ts';
import type { CkaId } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import { Mutex } from '../base/mutex.ts';
import type { LimitsConfig, TokenConfig } from '../config/config.ts';
import { type KeySpec, specOf } from '../jose/algorithms.ts';
import { verifySignature } from '../jose/signature.ts';
import { toTokenInput } from '../jose/token-input.ts';
import { Dispatcher } from './dispatcher.ts';
import { classifyFault, nameFault } from './faults.ts';
import type { GeneratedKey, GenerateRequest, Hsm, LoginLatch, SignRequest, TokenKey, TokenStatus } from './hsm.ts';
import { proveBirth } from './prove-birth.ts';
import { toPublicMembers } from './public-members.ts';
import type { Reply, SessionLink } from './session-link.ts';
import { Supervisor } from './supervisor.ts';
import type { WorkerProcess } from './worker-process.ts';
import { encodeJson, encodeSignHead, parseDestroyed, parseFoundKeys, parseMadeKey, REFUSAL, REQUEST, toCkaIdBytes } from './wire.ts';

export interface HsmPoolOptions {
  readonly config: TokenConfig;
  readonly limits: Pick<LimitsConfig, 'maxQueuedRequests'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly latch: LoginLatch;
  /** Opens the PIN file and checks its permissions; the pool passes the descriptor on and closes its own copy. */
  readonly openPin: () => number;
  /** Locked as long as any worker of this store lives. */
  readonly workerLockFile: string;
}

/** Deadlines and hangs are looked for this often. */
const TICK_MS = 50;
/** A tick that comes this late says that the daemon slept, not that the workers did. */
const LATE_TICK_MS = 1_000;
const DRAIN_POLL_MS = 10;
const TRIAL_BYTES = 32;
const CKR_MECHANISM_INVALID = 0x70;

/** Returns at once; the token is opened in the background, and again whenever it was lost. */
export function createHsmPool(options: HsmPoolOptions): Hsm {
  return new HsmPool(options);
}

class HsmPool implements Hsm {
  readonly #options: HsmPoolOptions;
  readonly #tokenMutex = new Mutex();
  readonly #supervisor: Supervisor;
  readonly #dispatcher: Dispatcher;
  readonly #listeners = new Set<(status: TokenStatus) => void>();
  #lastState: TokenStatus['state'] = 'starting';
  #lastTickMs: number;
  #cancelTick: () => void;
  #closing: Promise<void> | undefined;

  constructor(options: HsmPoolOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#dispatcher = new Dispatcher({
      maxQueuedRequests: options.limits.maxQueuedRequests,
      clock,
      log,
      tokenMutex: this.#tokenMutex,
      sessions: () => this.#supervisor.signing,
      replaceOwner: (link, why) => {
        this.#supervisor.replaceOwner(link, why);
      },
    });
    this.#supervisor = new Supervisor({
      ...options,
      tokenMutex: this.#tokenMutex,
      onChange: () => {
        // Not from within the supervisor's constructor, and after all that happens with the change.
        queueMicrotask(() => {
          this.#changed();
        });
      },
    });
    this.#lastTickMs = clock.monotonicMs();
    this.#cancelTick = clock.after(TICK_MS, () => {
      this.#tick();
    });
  }

  async sign(request: SignRequest): Promise<Uint8Array> {
    this.#requireOpen();
    const { problem } = this.#supervisor;
    if (problem !== undefined) throw unavailable(problem);
    return this.#dispatcher.sign(request);
  }

  generateKeyPair(request: GenerateRequest): Promise<GeneratedKey> {
    return this.#administer(async (worker) => {
      requireMechanisms(worker, request.spec);
      const reply = await worker.administration.request(REQUEST.generate, encodeJson(request));
      if (reply.kind === 'refused' && reply.refusal === REFUSAL.ckaIdInUse) {
        throw new KeyturnError('TOKEN_OPERATION_FAILED', `CKA_ID ${request.ckaId} is in use already; nothing was made`);
      }
      const made = parseMadeKey(this.#requireOk(worker, reply));
      const refuse = async (problem: KeyturnError): Promise<never> => {
        this.#options.log.error({ ckaId: request.ckaId, problem: problem.message }, 'a new key pair was refused and destroyed');
        await this.#destroy(worker, request.ckaId);
        throw problem;
      };
      const objections = proveBirth(made.attributes);
      if (objections.length > 0) {
        return refuse(new KeyturnError('KEY_NOT_PROVEN', `the token doesn't prove that the new key can't be exported: ${objections.join(', ')}`));
      }
      const { token } = worker;
      if (token === undefined) throw new TypeError('a ready worker knows its token');
      try {
        return { publicKey: toPublicMembers(request.spec, made), birth: { ...birthOf(token), attributes: made.attributes } };
      } catch (error) {
        if (error instanceof KeyturnError) return refuse(error);
        throw error;
      }
    });
  }

  tryKey(key: Parameters<Hsm['tryKey']>[0]): Promise<void> {
    return this.#administer(async () => {
      let tried = 0;
      for (const worker of this.#supervisor.readyWorkers()) {
        for (const link of worker.signing) if (await this.#trySession(worker, link, key)) tried += 1;
      }
      if (tried === 0) throw new KeyturnError('TOKEN_UNAVAILABLE', 'no session of the token could try the key; try again later');
    });
  }

  destroyKeyPair(ckaId: CkaId): Promise<{ readonly destroyedObjects: number }> {
    return this.#administer(async (worker) => {
      // First, so that no session ever holds a handle that outlives its object.
      const links = this.#supervisor.signing;
      await Promise.all(links.map((link) => link.request(REQUEST.forget, toCkaIdBytes(ckaId))));
      return { destroyedObjects: await this.#destroy(worker, ckaId) };
    });
  }

  listKeys(): Promise<readonly TokenKey[]> {
    return this.#administer(async (worker) => {
      const reply = await worker.administration.request(REQUEST.list);
      this.#requireOk(worker, reply);
      return reply.kind === 'ok' ? reply.parts.flatMap(parseFoundKeys) : [];
    });
  }

  status(): TokenStatus {
    const { problem, signing, workers, restarts } = this.#supervisor;
    const token = [...workers].find((worker) => worker.token !== undefined)?.token;
    return {
      state: signing.length > 0 ? 'ready' : problem === undefined ? 'starting' : 'unavailable',
      ...(problem === undefined ? {} : { reason: problem.reason, message: problem.message }),
      ...token,
      workers: [...workers].map((worker) => ({
        pid: worker.pid,
        state: worker.state,
        sessions: worker.state === 'ready' ? worker.signing.length : 0,
        inFlight: worker.signing.reduce((sum, link) => sum + link.inFlight, 0),
        sinceMs: worker.sinceMs,
      })),
      workerRestarts: restarts,
      queueDepth: this.#dispatcher.queueDepth,
    };
  }

  onStateChange(listener: (status: TokenStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  retryLogin(): void {
    this.#requireOpen();
    this.#supervisor.retryLogin();
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    const { clock } = this.#options;
    const endMs = clock.monotonicMs() + graceMs;
    let isAdministrationDone = false;
    void this.#tokenMutex.run(async () => {
      isAdministrationDone = true;
      await Promise.resolve();
    });
    const isBusy = (): boolean => this.#dispatcher.openRequests > 0 || !isAdministrationDone;
    while (isBusy() && this.#supervisor.signing.length > 0 && clock.monotonicMs() < endMs) await sleep(clock, DRAIN_POLL_MS);
    this.#dispatcher.failAll(shuttingDown());
    this.#cancelTick();
    await this.#supervisor.close();
    this.#listeners.clear();
  }

  /** One administrative piece of work at a time, on a ready worker. */
  async #administer<T>(work: (worker: WorkerProcess) => Promise<T>): Promise<T> {
    this.#requireOpen();
    return this.#tokenMutex.run(() => {
      const [worker] = this.#supervisor.readyWorkers();
      if (worker !== undefined) return work(worker);
      if (this.#closing !== undefined) throw shuttingDown();
      throw unavailable(this.#supervisor.problem);
    });
  }

  async #destroy(worker: WorkerProcess, ckaId: CkaId): Promise<number> {
    return parseDestroyed(this.#requireOk(worker, await worker.administration.request(REQUEST.destroy, toCkaIdBytes(ckaId))));
  }

  /** False when the session went away meanwhile; a worker that comes later finds the key by itself. */
  async #trySession(worker: WorkerProcess, link: SessionLink, key: Parameters<Hsm['tryKey']>[0]): Promise<boolean> {
    const { ckaId, algorithm, publicKey } = key;
    const challenge = randomBytes(TRIAL_BYTES);
    const found = await link.request(REQUEST.find, toCkaIdBytes(ckaId));
    if (found.kind === 'lost') return false;
    this.#requireOk(worker, found, ckaId);
    const input = toTokenInput(algorithm, challenge);
    const signed = await link.request(REQUEST.sign, encodeSignHead(specOf(algorithm).code, ckaId), input);
    if (signed.kind === 'lost') return false;
    if (verifySignature(algorithm, publicKey, challenge, this.#requireOk(worker, signed, ckaId))) return true;
    throw new KeyturnError('SIGNATURE_INVALID', `the token's trial signature under CKA_ID ${ckaId} does not verify; the key is not used`);
  }

  #requireOk(worker: WorkerProcess, reply: Reply, ckaId?: CkaId): Buffer {
    switch (reply.kind) {
      case 'ok':
        return reply.payload;
      case 'lost':
        throw new KeyturnError('TOKEN_UNAVAILABLE', 'the HSM worker ended before it answered; what the token did is unknown');
      case 'refused':
        throw new KeyturnError(
          'TOKEN_OPERATION_FAILED',
          reply.refusal === REFUSAL.malformedRequest ? 'the HSM worker refused the request' : `the token has no single private key with CKA_ID ${ckaId ?? ''}`,
        );
      case 'fault': {
        const { ckr, functionName, isSessionUsable } = reply.fault;
        const problem = `${functionName} failed with ${nameFault(ckr)}`;
        const faultClass = classifyFault(ckr);
        const needsNewWorker = faultClass === 'login' || faultClass === 'reinitialise' || faultClass === 'restartWorker';
        if (needsNewWorker || !isSessionUsable) this.#supervisor.replace(worker, problem);
        throw new KeyturnError(ckr === CKR_MECHANISM_INVALID ? 'ALGORITHM_NOT_SUPPORTED' : 'TOKEN_OPERATION_FAILED', problem);
      }
    }
  }

  #tick(): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#dispatcher.expire(nowMs);
    if (nowMs - this.#lastTickMs < LATE_TICK_MS) this.#supervisor.killHung(nowMs);
    this.#lastTickMs = nowMs;
    this.#cancelTick = clock.after(TICK_MS, () => {
      this.#tick();
    });
  }

  #changed(): void {
    const status = this.status();
    if (status.state === 'unavailable') this.#dispatcher.failAll(unavailable(this.#supervisor.problem));
    this.#dispatcher.pump();
    if (status.state === this.#lastState) return;
    this.#lastState = status.state;
    for (const listener of this.#listeners) listener(status);
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw shuttingDown();
  }
}

function birthOf(token: NonNullable<WorkerProcess['token']>): Omit<GeneratedKey['birth'], 'attributes'> {
  const { serial, label, manufacturer, model, firmwareVersion } = token;
  return { tokenSerial: serial, tokenLabel: label, manufacturer, model, firmwareVersion };
}

/** A token that lists no mechanism at all is asked all the same. */
function requireMechanisms({ mechanisms }: WorkerProcess, { algorithm }: KeySpec): void {
  const { generateMechanism, signMechanism } = specOf(algorithm);
  if (mechanisms.size === 0 || (mechanisms.has(generateMechanism) && mechanisms.has(signMechanism))) return;
  throw new KeyturnError('ALGORITHM_NOT_SUPPORTED', `the token doesn't have the mechanisms of ${algorithm}`);
}

function unavailable(problem: KeyturnError | undefined): KeyturnError {
  const message = problem === undefined ? 'the token is being opened; try again later' : `the token is unavailable (${problem.reason}): ${problem.message}`;
  return new KeyturnError('TOKEN_UNAVAILABLE', message);
}

function shuttingDown(): KeyturnError {
  return new KeyturnError('SHUTTING_DOWN', 'the daemon is shutting down; try again later');
}
