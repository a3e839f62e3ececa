/** Every signature that the token makes passes here before anybody sees it, and is counted by what it was worth. */
import type { KeyObject } from 'node:crypto';
import type { Algorithm } from '../jose/algorithms.ts';
import { verifySignatureAsync } from '../jose/signature.ts';
import type { SignatureCounts } from './hsm.ts';

export class SignatureChecks {
  readonly #counts = { verified: 0, wrong: 0 };

  get counts(): SignatureCounts {
    return { ...this.#counts };
  }

  /** In a thread of the libuv pool, so that the event loop doesn't pay for it. Never throws for what a token answered. */
  async verify(
    algorithm: Algorithm,
    publicKey: KeyObject,
    signingInput: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean> {
    const isGood = await verifySignatureAsync(algorithm, publicKey, signingInput, signature);
    this.#counts[isGood ? 'verified' : 'wrong'] += 1;
    return isGood;
  }
}
