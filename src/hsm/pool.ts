/**
 * The HSM port's adapter over PKCS#11: the public door of this folder. Signing goes through the dispatcher, everything
 * about key pairs through the administrator, and the supervisor keeps the workers that both use.
 */
import { type Clock, sleep } from '../base/clock.ts';
import type { CkaId } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import { Mutex } from '../base/mutex.ts';
import type { LimitsConfig, TokenConfig } from '../config/config.ts';
import { Administrator, type KeyToRead, type KeyToTry } from './administrator.ts';
import { shuttingDown, unavailable } from './availability.ts';
import { Dispatcher } from './dispatcher.ts';
import type { GeneratedKey, GenerateRequest, Hsm, LoginLatch, SignRequest, TokenKey, TokenStatus } from './hsm.ts';
import { SignatureChecks } from './signature-checks.ts';
import { Supervisor } from './supervisor.ts';
import { Trials } from './trial.ts';

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

/** What only the daemon's own process asks for, not the application. */
export interface HsmWorkers extends Hsm {
  /** The PIN file was replaced: new workers log in before the old ones go. */
  renewLogins(): void;
}

/** Returns at once; the token is opened in the background, and again whenever it was lost. */
export function createHsmPool(options: HsmPoolOptions): HsmWorkers {
  return new HsmPool(options);
}

class HsmPool implements HsmWorkers {
  readonly #options: HsmPoolOptions;
  readonly #tokenMutex = new Mutex();
  readonly #checks = new SignatureChecks();
  readonly #supervisor: Supervisor;
  readonly #dispatcher: Dispatcher;
  readonly #trials: Trials;
  readonly #administrator: Administrator;
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
      checks: this.#checks,
      sessions: () => this.#supervisor.signing,
      faulted: (link, fault, isOfCanary) => {
        this.#checks.doubt();
        this.#supervisor.faulted(link, fault, isOfCanary);
      },
      suspected: (link, why) => {
        this.#supervisor.suspected(link, why);
      },
      proven: (link, key) => {
        this.#trials.keep(key);
        this.#supervisor.proven(link);
      },
    });
    this.#trials = new Trials({
      clock,
      tokenMutex: this.#tokenMutex,
      checks: this.#checks,
      findKey: (link, ckaId) => this.#dispatcher.findKey(link, ckaId),
    });
    this.#supervisor = new Supervisor({
      ...options,
      tokenMutex: this.#tokenMutex,
      trials: this.#trials,
      onChange: () => {
        this.#checks.doubt();
        // Not from within the supervisor's constructor, and after all that happens with the change.
        queueMicrotask(() => {
          this.#changed();
        });
      },
    });
    this.#administrator = new Administrator({
      supervisor: this.#supervisor,
      tokenMutex: this.#tokenMutex,
      checks: this.#checks,
      log,
      requireOpen: () => {
        this.#requireOpen();
      },
    });
    this.#lastTickMs = clock.monotonicMs();
    this.#cancelTick = clock.after(TICK_MS, () => {
      this.#tick();
    });
  }

  async sign(request: SignRequest): Promise<Uint8Array> {
    this.#requireOpen();
    const { refusal } = this.#supervisor;
    if (refusal !== undefined) throw unavailable(refusal);
    return this.#dispatcher.sign(request);
  }

  generateKeyPair(request: GenerateRequest): Promise<GeneratedKey> {
    return this.#administrator.generateKeyPair(request);
  }

  tryKey(key: KeyToTry): Promise<void> {
    return this.#administrator.tryKey(key);
  }

  destroyKeyPair(ckaId: CkaId): Promise<{ readonly destroyedObjects: number }> {
    return this.#administrator.destroyKeyPair(ckaId).finally(() => {
      this.#trials.drop(ckaId);
    });
  }

  readKeyPair(key: KeyToRead): Promise<GeneratedKey> {
    return this.#administrator.readKeyPair(key);
  }

  listKeys(): Promise<readonly TokenKey[]> {
    return this.#administrator.listKeys();
  }

  status(): TokenStatus {
    const { problem, workers, restarts, faultRungs } = this.#supervisor;
    const isReady = this.#supervisor.readyWorkers().length > 0;
    const token = [...workers].find((worker) => worker.token !== undefined)?.token;
    return {
      state: isReady ? 'ready' : problem === undefined ? 'starting' : 'unavailable',
      ...(problem === undefined ? {} : { reason: problem.reason, message: problem.message }),
      ...token,
      workers: [...workers].map((worker) => ({
        pid: worker.pid,
        state: worker.state,
        sessions: worker.state === 'ready' && !worker.isOnTrial ? worker.signing.length : 0,
        inFlight: worker.signing.reduce((sum, link) => sum + link.inFlight, 0),
        sinceMs: worker.sinceMs,
      })),
      workerRestarts: restarts,
      faultRungs: { ...faultRungs },
      signatures: this.#checks.counts,
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

  renewLogins(): void {
    if (this.#closing === undefined) this.#supervisor.renewLogins();
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
    while (isBusy() && this.#supervisor.signing.length > 0 && clock.monotonicMs() < endMs)
      await sleep(clock, DRAIN_POLL_MS);
    this.#dispatcher.failAll(shuttingDown());
    this.#cancelTick();
    await this.#supervisor.close();
    this.#listeners.clear();
  }

  #tick(): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#dispatcher.expire(nowMs);
    this.#refuseWaiting();
    if (nowMs - this.#lastTickMs < LATE_TICK_MS) this.#supervisor.killHung(nowMs);
    this.#lastTickMs = nowMs;
    this.#cancelTick = clock.after(TICK_MS, () => {
      this.#tick();
    });
  }

  #changed(): void {
    const status = this.status();
    this.#refuseWaiting();
    this.#dispatcher.pump();
    if (status.state === this.#lastState) return;
    this.#lastState = status.state;
    for (const listener of this.#listeners) listener(status);
  }

  #refuseWaiting(): void {
    const { refusal } = this.#supervisor;
    if (refusal !== undefined) this.#dispatcher.failAll(unavailable(refusal));
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw shuttingDown();
  }
}
