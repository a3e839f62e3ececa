/**
 * Every signature that the token makes passes here before anybody sees it, and is counted by what it was worth. Where the
 * configuration samples, a session is believed with a key that it has signed well with, until anything changes.
 */
import type { KeyObject } from 'node:crypto';
import type { CkaId } from '../base/ids.ts';
import type { Algorithm } from '../jose/algorithms.ts';
import { signatureBytes, verifySignatureAsync } from '../jose/signature.ts';
import type { SignatureCounts, SignRequest } from './hsm.ts';
import type { SessionLink } from './session-link.ts';

export class SignatureChecks {
  readonly #counts = { verified: 0, wrong: 0, unchecked: 0 };
  /** The keys that a session has signed well with. */
  #believed = new WeakMap<SessionLink, Set<CkaId>>();

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
    if (!isGood) this.doubt();
    return isGood;
  }

  /** Whether the signature may leave unverified; its length is looked at all the same. */
  mayBelieve(
    { mustVerify, ckaId, algorithm }: SignRequest,
    link: SessionLink,
    publicKey: KeyObject,
    signature: Uint8Array,
  ): boolean {
    if (mustVerify || this.#believed.get(link)?.has(ckaId) !== true) return false;
    if (signature.length !== signatureBytes(algorithm, publicKey)) return false;
    this.#counts.unchecked += 1;
    return true;
  }

  /** Until the next doubt it is the same. */
  get epoch(): object {
    return this.#believed;
  }

  /** The session signed well with the key, in an answer to what was sent in that epoch. */
  believe(link: SessionLink, ckaId: CkaId, epoch: object): void {
    if (epoch !== this.#believed) return;
    const keys = this.#believed.get(link);
    if (keys === undefined) this.#believed.set(link, new Set([ckaId]));
    else keys.add(ckaId);
  }

  /** Handles may mean something else from here on: each session has to show each key again. */
  doubt(): void {
    this.#believed = new WeakMap();
  }
}
