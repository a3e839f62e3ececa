/**
 * Callers that sign without a pause, and what each call came to: JWTs verified against the key set when they arrive, and
 * failures with the time at which the caller would have given up.
 */
import { type createLocalJWKSet, jwtVerify } from 'jose';
import { toKeyturnError } from '../../src/base/errors.ts';
import type { Reason } from '../../src/base/reasons.ts';
import type { KeyturnClient } from '../../src/client/client.ts';
import { AUDIENCE, ISSUER } from '../../test/fixtures/deployment.ts';
import { pause } from '../soak/load.ts';

/** After a refusal a caller waits so long. */
const REFUSED_PAUSE_MS = 20;

export interface StressLoadOptions {
  readonly clients: readonly KeyturnClient[];
  readonly inFlight: number;
  readonly signingKeys: readonly string[];
  readonly deadlineMs: number;
  /** Key sets by signing key. */
  readonly keySetOf: (signingKey: string) => ReturnType<typeof createLocalJWKSet>;
}

/** Times are this process's monotonic clock's. */
export interface Failure {
  readonly askedAtMs: number;
  readonly failedAtMs: number;
  readonly deadlineAtMs: number;
  readonly reason: Reason;
  readonly message: string;
}

export class StressLoad {
  readonly #options: StressLoadOptions;
  readonly #running: Promise<unknown>;
  readonly #answered = new Set<(askedAtMs: number) => void>();
  #isStopping = false;
  asked = 0;
  signed = 0;
  /** JWTs that don't verify, or say something else than was asked for. */
  wrong = 0;
  readonly failures: Failure[] = [];

  constructor(options: StressLoadOptions) {
    this.#options = options;
    this.#running = Promise.all(Array.from({ length: options.inFlight }, (_, lane) => this.#call(lane)));
  }

  /** Resolves when a call that was made after that moment has its JWT, with the time of that. */
  signedAfter(momentMs: number): Promise<number> {
    return new Promise((resolve) => {
      const look = (askedAtMs: number): void => {
        if (askedAtMs <= momentMs) return;
        this.#answered.delete(look);
        resolve(performance.now());
      };
      this.#answered.add(look);
    });
  }

  /** Resolves when every call has its answer. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
  }

  async #call(lane: number): Promise<void> {
    const { signingKeys } = this.#options;
    for (let turn = lane; !this.#isStopping; turn += 1) {
      const isSigned = await this.#sign(lane, signingKeys[turn % signingKeys.length] ?? '');
      if (!isSigned) await pause(REFUSED_PAUSE_MS);
    }
  }

  async #sign(lane: number, signingKey: string): Promise<boolean> {
    const { clients, deadlineMs, keySetOf } = this.#options;
    const client = clients[lane % clients.length];
    if (client === undefined) throw new RangeError('the load needs a client');
    this.asked += 1;
    const sub = String(this.asked);
    const askedAtMs = performance.now();
    try {
      const claims = { iss: ISSUER, aud: AUDIENCE, sub };
      const { jwt } = await client.signJwt({ signingKey, claims }, { deadlineMs });
      this.signed += 1;
      for (const look of this.#answered) look(askedAtMs);
      await jwtVerify(jwt, keySetOf(signingKey), { issuer: ISSUER, audience: AUDIENCE, subject: sub }).catch(() => {
        this.wrong += 1;
      });
      return true;
    } catch (error) {
      const { reason, message } = toKeyturnError(error);
      const deadlineAtMs = askedAtMs + deadlineMs;
      this.failures.push({ askedAtMs, failedAtMs: performance.now(), deadlineAtMs, reason, message });
      return false;
    }
  }
}
