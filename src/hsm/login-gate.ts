/**
 * Who may call C_Login, and when: section 6 of the design, to the letter. A refused PIN is tried once, over all workers
 * and restarts: the refusal is recorded durably before anything else happens, and nobody logs in until an operator
 * clears it. A failure that might have been the PIN's counts as a refusal when it comes again.
 * Every login happens in turn, under the token's mutex: the gate is asked before, and told after.
 */
import type { Clock } from '../base/clock.ts';
import { KeyturnError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { LoginLatch } from './hsm.ts';
import { DOUBTFUL_LOGIN_DELAY_MS, MAX_DOUBTFUL_LOGINS } from './ladder.ts';
import type { OpenFailure } from './worker-process.ts';

export interface LoginGateOptions {
  readonly clock: Clock;
  readonly latch: LoginLatch;
  readonly log: Logger;
  readonly onRefused: () => void;
}

export class LoginGate {
  readonly #clock: Clock;
  readonly #latch: LoginLatch;
  readonly #log: Logger;
  readonly #onRefused: () => void;
  #isRefused = false;
  #mayUseFinalTry = false;
  #doubtfulLogins = 0;
  #notBeforeMs = 0;

  constructor({ clock, latch, log, onRefused }: LoginGateOptions) {
    this.#clock = clock;
    this.#latch = latch;
    this.#log = log;
    this.#onRefused = onRefused;
  }

  /** Until a login may be tried; Infinity until an operator says so. */
  get waitMs(): number {
    if (this.#isRefused || this.#latch.isSet()) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#notBeforeMs - this.#clock.monotonicMs());
  }

  /** An operator asked for the attempt: CKF_USER_PIN_FINAL_TRY doesn't forbid it. */
  get mayUseFinalTry(): boolean {
    return this.#mayUseFinalTry;
  }

  /** Why nobody may log in. */
  static latched(): KeyturnError {
    const message = 'the token refused the PIN earlier; correct the PIN file, then run keyturn token retry-login';
    return new KeyturnError('LOGIN_LATCHED', message);
  }

  succeeded(): void {
    this.#doubtfulLogins = 0;
    this.#notBeforeMs = 0;
    this.#mayUseFinalTry = false;
  }

  /** Resolves when a refusal is durable. Failures of other kinds change nothing here. */
  async failed({ problem, isLoginInDoubt }: OpenFailure): Promise<void> {
    const refusal = this.#refusalOf(problem, isLoginInDoubt);
    if (refusal === undefined) return;
    this.#isRefused = true;
    this.#mayUseFinalTry = false;
    this.#onRefused();
    try {
      await this.#latch.set(refusal);
    } catch (error) {
      this.#log.error({ error: String(error) }, 'the login latch could not be made durable; it holds in this process');
    }
  }

  /** An operator cleared the latch. */
  clear(): void {
    this.#isRefused = false;
    this.#mayUseFinalTry = true;
    this.#doubtfulLogins = 0;
    this.#notBeforeMs = 0;
  }

  #refusalOf({ reason }: KeyturnError, isLoginInDoubt: boolean): 'PIN_INCORRECT' | 'PIN_LOCKED' | undefined {
    if (reason === 'PIN_INCORRECT' || reason === 'PIN_LOCKED') return reason;
    if (!isLoginInDoubt) return undefined;
    this.#doubtfulLogins += 1;
    this.#notBeforeMs = this.#clock.monotonicMs() + DOUBTFUL_LOGIN_DELAY_MS;
    return this.#doubtfulLogins < MAX_DOUBTFUL_LOGINS ? undefined : 'PIN_INCORRECT';
  }
}
