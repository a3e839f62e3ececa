/**
 * A software HSM that behaves like the real pool, for tests of everything above the port: keys in a map, signatures by
 * node:crypto, and switches for what goes wrong. It passes the same contract as the pool.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Clock, sleep } from '../../src/base/clock.ts';
import { KeyturnError } from '../../src/base/errors.ts';
import type { CkaId } from '../../src/base/ids.ts';
import type { Reason } from '../../src/base/reasons.ts';
import { systemClock } from '../../src/base/system-clock.ts';
import type { GeneratedKey, GenerateRequest, Hsm, SignRequest, TokenKey, TokenStatus } from '../../src/hsm/hsm.ts';
import { countRungs } from '../../src/hsm/ladder.ts';
import { type Algorithm, type KeySpec, specOf } from '../../src/jose/algorithms.ts';
import type { PublicKeyMembers } from '../../src/jose/jwk.ts';
import { toPublicKey } from '../../src/jose/public-key.ts';
import { verifySignature } from '../../src/jose/signature.ts';
import { makeSoftwareKey, signInSoftware } from '../fixtures/software-keys.ts';

interface StoredKey {
  readonly ckaLabel: string;
  readonly algorithm: Algorithm;
  readonly privateKey: KeyObject;
}

/** What the fake's token says of every key it makes. */
const ATTRIBUTES = {
  CKA_SENSITIVE: true,
  CKA_EXTRACTABLE: false,
  CKA_ALWAYS_SENSITIVE: true,
  CKA_NEVER_EXTRACTABLE: true,
  CKA_LOCAL: true,
  CKA_SIGN: true,
} as const;

export class FakeHsm implements Hsm {
  /** What is in the token; outlives a "daemon" when it is handed to the next fake. */
  readonly keys: Map<CkaId, StoredKey>;
  /** Keys that came from outside, for all that the token says. */
  readonly unproven = new Set<CkaId>();
  /** Each signature takes so long. */
  latencyMs = 0;
  signatures = 0;
  /** While false no key pair can be made; everything else goes on. */
  canGenerate = true;
  retriedLogins = 0;
  readonly #clock: Clock;
  readonly #listeners = new Set<(status: TokenStatus) => void>();
  #failures: { generate: KeyturnError[]; sign: KeyturnError[]; try: KeyturnError[]; destroy: KeyturnError[] } = {
    generate: [],
    sign: [],
    try: [],
    destroy: [],
  };
  #outage: { readonly reason: Reason; readonly message: string } | undefined;
  #isClosed = false;
  #generationGate: Promise<void> | undefined;

  constructor({ clock = systemClock, keys = new Map() }: { clock?: Clock; keys?: Map<CkaId, StoredKey> } = {}) {
    this.#clock = clock;
    this.keys = keys;
  }

  /** The next call of that kind fails so, once; several queue up. */
  failNext(kind: 'generate' | 'sign' | 'try' | 'destroy', reason: Reason = 'TOKEN_OPERATION_FAILED'): void {
    this.#failures[kind].push(new KeyturnError(reason, `the fake was told to fail: ${kind}`));
  }

  /** Keys are made when the returned function is called. */
  holdGeneration(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#generationGate = promise;
    return resolve;
  }

  makeUnavailable(reason: Reason = 'TOKEN_NOT_FOUND', message = 'the fake was told to be unavailable'): void {
    this.#outage = { reason, message };
    this.#tell();
  }

  makeAvailable(): void {
    this.#outage = undefined;
    this.#tell();
  }

  async sign(request: SignRequest): Promise<Uint8Array> {
    this.#require();
    if (request.deadlineMs <= this.#clock.monotonicMs()) throw late();
    if (this.latencyMs > 0) await sleep(this.#clock, this.latencyMs);
    if (request.deadlineMs <= this.#clock.monotonicMs()) throw late();
    this.#throwNext('sign');
    return this.#signature(request.ckaId, request.algorithm, request.signingInput, request.publicKey);
  }

  async generateKeyPair({ ckaId, ckaLabel, spec }: GenerateRequest): Promise<GeneratedKey> {
    await this.#turn('generate');
    await this.#generationGate;
    if (!this.canGenerate) throw new KeyturnError('TOKEN_OPERATION_FAILED', 'the fake was told to make no keys');
    if (this.keys.has(ckaId)) throw new KeyturnError('TOKEN_OPERATION_FAILED', `CKA_ID ${ckaId} is in use already`);
    const { privateKey } = makeSoftwareKey(spec);
    this.keys.set(ckaId, { ckaLabel, algorithm: spec.algorithm, privateKey });
    return { publicKey: toMembers(privateKey), birth: toBirth(spec) };
  }

  async tryKey({ ckaId, algorithm, publicKey }: Parameters<Hsm['tryKey']>[0]): Promise<void> {
    await this.#turn('try');
    this.#signature(ckaId, algorithm, Buffer.from('trial'), publicKey);
  }

  async destroyKeyPair(ckaId: CkaId): Promise<{ readonly destroyedObjects: number }> {
    await this.#turn('destroy');
    return { destroyedObjects: this.keys.delete(ckaId) ? 2 : 0 };
  }

  async readKeyPair({ ckaId, spec }: Parameters<Hsm['readKeyPair']>[0]): Promise<GeneratedKey> {
    await Promise.resolve();
    this.#require();
    const key = this.keys.get(ckaId);
    if (key === undefined || this.unproven.has(ckaId) || key.algorithm !== spec.algorithm)
      throw new KeyturnError('KEY_NOT_PROVEN', `CKA_ID ${ckaId} is not a proven ${spec.algorithm} key`);
    return { publicKey: toMembers(key.privateKey), birth: toBirth(spec) };
  }

  async listKeys(): Promise<readonly TokenKey[]> {
    await Promise.resolve();
    this.#require();
    return [...this.keys].map(([ckaId, { ckaLabel }]) => ({ ckaId, ckaLabel, privateKeys: 1, publicKeys: 1 }));
  }

  status(): TokenStatus {
    const common = {
      workerRestarts: 0,
      faultRungs: countRungs(),
      signatures: { verified: this.signatures, wrong: 0, unchecked: 0 },
      queueDepth: 0,
    };
    if (this.#outage !== undefined || this.#isClosed)
      return { state: 'unavailable', ...this.#outage, workers: [], ...common };
    const workers = [{ pid: process.pid, state: 'ready', sessions: 1, inFlight: 0, sinceMs: 0 }] as const;
    return { state: 'ready', label: 'fake', serial: 'fake-1', workers, ...common };
  }

  onStateChange(listener: (status: TokenStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  retryLogin(): void {
    this.#requireOpen();
    this.retriedLogins += 1;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listeners.clear();
    await Promise.resolve();
  }

  async #turn(kind: 'generate' | 'try' | 'destroy'): Promise<void> {
    this.#require();
    await Promise.resolve();
    this.#throwNext(kind);
  }

  #signature(ckaId: CkaId, algorithm: Algorithm, input: Uint8Array, publicKey: PublicKeyMembers): Uint8Array {
    const key = this.keys.get(ckaId);
    if (key === undefined)
      throw new KeyturnError('TOKEN_OPERATION_FAILED', `the token has no single private key with CKA_ID ${ckaId}`);
    const signature = signInSoftware(algorithm, key.privateKey, input);
    if (!verifySignature(algorithm, toPublicKey(publicKey), input, signature))
      throw new KeyturnError('SIGNATURE_INVALID', 'the signature does not verify');
    this.signatures += 1;
    return signature;
  }

  #throwNext(kind: 'generate' | 'sign' | 'try' | 'destroy'): void {
    const failure = this.#failures[kind].shift();
    if (failure !== undefined) throw failure;
  }

  #require(): void {
    this.#requireOpen();
    if (this.#outage !== undefined)
      throw new KeyturnError('TOKEN_UNAVAILABLE', `the token is unavailable (${this.#outage.reason})`);
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new KeyturnError('SHUTTING_DOWN', 'the daemon is shutting down; try again later');
  }

  #tell(): void {
    for (const listener of this.#listeners) listener(this.status());
  }
}

function toBirth({ algorithm }: KeySpec): GeneratedKey['birth'] {
  return {
    tokenSerial: 'fake-1',
    tokenLabel: 'fake',
    manufacturer: 'keyturn tests',
    model: 'fake',
    firmwareVersion: '0.0',
    attributes: { ...ATTRIBUTES, CKA_KEY_GEN_MECHANISM: specOf(algorithm).generateMechanism },
  };
}

function toMembers(privateKey: KeyObject): PublicKeyMembers {
  return createPublicKey(privateKey).export({ format: 'jwk' }) as PublicKeyMembers;
}

function late(): KeyturnError {
  return new KeyturnError('DEADLINE_EXCEEDED', 'the token did not answer in time');
}
