/**
 * Trial signatures: what a session is worth, shown by a real operation, because session and token information say
 * CKR_OK on a dead token. The key is the one that signed last, the input random, and nobody gets the signature.
 */
import { type KeyObject, randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { CkaId } from '../base/ids.ts';
import type { Mutex } from '../base/mutex.ts';
import { type Algorithm, specOf } from '../jose/algorithms.ts';
import { toTokenInput } from '../jose/token-input.ts';
import { classifyFault, nameFault } from './faults.ts';
import type { Reply, SessionLink } from './session-link.ts';
import type { SignatureChecks } from './signature-checks.ts';
import { encodeSignHead, REFUSAL, REQUEST } from './wire.ts';

/** A session that owes its trial signature for so long has failed it. */
const TIMEOUT_MS = 2_000;
const INPUT_BYTES = 32;

/** `unknown` where no key is known to sign with or the token is only busy, `keyMissing` where the key isn't found. */
export type TrialOutcome =
  | { readonly kind: 'passed' | 'unknown' | 'keyMissing' }
  | { readonly kind: 'failed'; readonly why: string; readonly ckr?: number };

export interface TrialKey {
  readonly algorithm: Algorithm;
  readonly ckaId: CkaId;
  readonly publicKey: KeyObject;
}

export interface TrialsOptions {
  readonly clock: Clock;
  readonly tokenMutex: Mutex;
  readonly checks: SignatureChecks;
  readonly findKey: (link: SessionLink, ckaId: CkaId) => Promise<Reply>;
}

export class Trials {
  readonly #options: TrialsOptions;
  #key: TrialKey | undefined;

  constructor(options: TrialsOptions) {
    this.#options = options;
  }

  /** The key made a signature that verified. On the hot path. */
  keep(key: TrialKey): void {
    this.#key = key;
  }

  /** The key was destroyed; without a name, the one that was kept. */
  drop(ckaId = this.#key?.ckaId): void {
    if (this.#key?.ckaId === ckaId) this.#key = undefined;
  }

  /**
   * Finds the keys of a session again that was opened anew: in one sweep, because a search for each would take as long
   * as all together, again and again. Never while a key pair is made.
   */
  async sweep(link: SessionLink): Promise<void> {
    await this.#options.tokenMutex.run(() => link.request(REQUEST.sweep));
  }

  /** Always answers in time. */
  async run(link: SessionLink): Promise<TrialOutcome> {
    let cancel = (): void => undefined;
    const silence = new Promise<TrialOutcome>((resolve) => {
      cancel = this.#options.clock.after(TIMEOUT_MS, () => {
        resolve({ kind: 'failed', why: `no trial signature within ${TIMEOUT_MS} ms` });
      });
    });
    const outcome = await Promise.race([this.#sign(link), silence]);
    cancel();
    return outcome;
  }

  async #sign(link: SessionLink): Promise<TrialOutcome> {
    if (this.#key === undefined) return { kind: 'unknown' };
    const { algorithm, ckaId, publicKey } = this.#key;
    const input = randomBytes(INPUT_BYTES);
    const parts = [encodeSignHead(specOf(algorithm).code, ckaId), toTokenInput(algorithm, input)];
    let reply = await link.request(REQUEST.sign, ...parts);
    if (reply.kind === 'refused' && reply.refusal === REFUSAL.noSuchKey) {
      const found = await this.#options.findKey(link, ckaId);
      reply = found.kind === 'ok' ? await link.request(REQUEST.sign, ...parts) : found;
    }
    switch (reply.kind) {
      case 'ok':
        return (await this.#options.checks.verify(algorithm, publicKey, input, reply.payload))
          ? { kind: 'passed' }
          : { kind: 'failed', why: `a trial signature under CKA_ID ${ckaId} does not verify` };
      case 'fault': {
        const { functionName, ckr, isSessionUsable } = reply.fault;
        // Busy, or in need of a person: the token is there, and answers. A refusal of what it granted before is no answer.
        if (isSessionUsable && isNoFailure(ckr)) return { kind: 'unknown' };
        return { kind: 'failed', why: `the trial signature failed: ${functionName}: ${nameFault(ckr)}`, ckr };
      }
      case 'lost':
        return { kind: 'failed', why: 'the HSM worker ended during its trial signature' };
      case 'refused':
        return reply.refusal === REFUSAL.noSuchKey ? { kind: 'keyMissing' } : { kind: 'unknown' };
    }
  }
}

function isNoFailure(ckr: number): boolean {
  const faultClass = classifyFault(ckr);
  return faultClass === 'retry' || faultClass === 'operator';
}
