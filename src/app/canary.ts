/**
 * Readiness by evidence: a token may say that it is well and sign nothing. Every signature that verified is evidence, a
 * caller's as well as a canary's. A signing key without any of late gets a canary: a signature with its own ACTIVE
 * version over bytes that are no JWT's, and that nobody gets to see. A busy signing key needs none.
 */
import type { Clock } from '../base/clock.ts';
import { type KeyturnError, toKeyturnError } from '../base/errors.ts';
import { type CkaId, parseCallerName, type SigningKeyName } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Reason } from '../base/reasons.ts';
import type { Hsm } from '../hsm/hsm.ts';
import type { Signer } from './signers.ts';

/** Looks within one period. A canary is due after one of them and has two, so that a failure shows within the period. */
const LOOKS = 4;
/** Canaries of one look: with more idle signing keys than this they take turns, so that the token's load has a bound. */
const MAX_CANARIES = 16;
const RANDOM_BYTES = 31;
/** A signing input is ASCII (RFC 7515, section 5.1): nothing that begins so is one. */
const NO_SIGNING_INPUT = Uint8Array.of(0);
/** For the fair share of the queue. */
const CALLER = parseCallerName('keyturn-canary');
/** They tell of the daemon's load or end, not of the token. */
const SAYS_NOTHING: ReadonlySet<Reason> = new Set(['QUEUE_FULL', 'SHUTTING_DOWN']);

/** What is known of a signing key's ACTIVE version. */
interface Evidence {
  readonly ckaId: CkaId;
  /** Monotonic time of its latest signature that verified, or of a canary's start. */
  latestAtMs: number;
  /** Why its canary failed; gone with the next signature. */
  problem: KeyturnError | undefined;
}

export interface CanaryPorts {
  readonly hsm: Pick<Hsm, 'sign' | 'status'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** How old evidence may be; undefined: readiness is what the token says of itself. */
  readonly periodMs: number | undefined;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly signingKeys: () => Iterable<SigningKeyName>;
  /** The version that may sign now. */
  readonly findSigner: (name: SigningKeyName) => Signer | undefined;
  /** A signing key's readiness may have changed. */
  readonly onChange: () => void;
}

export class Canary {
  readonly #ports: CanaryPorts;
  readonly #evidence = new Map<SigningKeyName, Evidence>();
  readonly #inFlight = new Set<CkaId>();
  /** Of any version: a new one was tried on every session before it became ACTIVE. */
  #provenAtMs = Number.NEGATIVE_INFINITY;
  #wasFresh = false;
  /** The signing key at which the next look begins. */
  #turn = 0;
  #cancel = (): void => undefined;

  constructor(ports: CanaryPorts) {
    this.#ports = ports;
  }

  start(): void {
    if (this.#ports.periodMs !== undefined) this.#look(this.#ports.periodMs);
  }

  stop(): void {
    this.#cancel();
  }

  /** The token came back, or a signing key may sign now: the first evidence isn't waited for. */
  wake(): void {
    const { periodMs } = this.#ports;
    if (periodMs !== undefined && !this.#isFresh(periodMs)) this.#tryIdle(periodMs);
  }

  /** Whether the token signed of late, and the signing key's version not in vain. */
  isProven(name: SigningKeyName, ckaId: CkaId): boolean {
    const { periodMs } = this.#ports;
    return periodMs === undefined || (this.#isFresh(periodMs) && this.#find(name, ckaId)?.problem === undefined);
  }

  /** Why the latest canary of the version that signs now failed; empty when it didn't. */
  problemOf(name: SigningKeyName): string {
    const ckaId = this.#ports.findSigner(name)?.ckaId;
    const problem = ckaId === undefined ? undefined : this.#find(name, ckaId)?.problem;
    return problem === undefined ? '' : `the token doesn't sign with it: ${problem.reason}: ${problem.message}`;
  }

  /** The version made a signature that verified. On the hot path. */
  proven(name: SigningKeyName, ckaId: CkaId): void {
    const { clock, periodMs, log, onChange } = this.#ports;
    if (periodMs === undefined) return;
    const wasProven = this.isProven(name, ckaId);
    const evidence = this.#findOrMake(name, ckaId);
    if (evidence.problem !== undefined) log.info({ signingKey: name }, 'the signing key signs again');
    this.#provenAtMs = evidence.latestAtMs = clock.monotonicMs();
    evidence.problem = undefined;
    if (!wasProven) onChange();
  }

  #look(periodMs: number): void {
    const { clock, onChange } = this.#ports;
    this.#tryIdle(periodMs);
    const isFresh = this.#isFresh(periodMs);
    if (this.#wasFresh && !isFresh) onChange();
    this.#wasFresh = isFresh;
    this.#cancel = clock.after(periodMs / LOOKS, () => {
      this.#look(periodMs);
    });
  }

  #tryIdle(periodMs: number): void {
    const { hsm, signingKeys, findSigner } = this.#ports;
    if (hsm.status().state !== 'ready') return;
    const names = [...signingKeys()];
    let tried = 0;
    for (let seen = 0; seen < names.length && tried < MAX_CANARIES; seen += 1) {
      const name = names[this.#turn % names.length];
      this.#turn = (this.#turn + 1) % names.length;
      const signer = name === undefined ? undefined : findSigner(name);
      if (name === undefined || signer === undefined || !this.#isIdle(name, signer.ckaId, periodMs)) continue;
      tried += 1;
      void this.#try(name, signer, periodMs);
    }
  }

  #isIdle(name: SigningKeyName, ckaId: CkaId, periodMs: number): boolean {
    if (this.#inFlight.has(ckaId)) return false;
    const latestAtMs = this.#find(name, ckaId)?.latestAtMs ?? Number.NEGATIVE_INFINITY;
    return this.#ports.clock.monotonicMs() - latestAtMs >= periodMs / LOOKS;
  }

  async #try(name: SigningKeyName, { ckaId, algorithm, publicKey }: Signer, periodMs: number): Promise<void> {
    const { hsm, clock, randomBytes } = this.#ports;
    const startMs = clock.monotonicMs();
    const signingInput = Buffer.concat([NO_SIGNING_INPUT, randomBytes(RANDOM_BYTES)]);
    const deadlineMs = startMs + (2 * periodMs) / LOOKS;
    this.#inFlight.add(ckaId);
    this.#findOrMake(name, ckaId).latestAtMs = startMs;
    try {
      const request = { ckaId, algorithm, publicKey, signingInput, deadlineMs };
      await hsm.sign({ ...request, caller: CALLER, mustVerify: true, isCanary: true });
      this.proven(name, ckaId);
    } catch (thrown) {
      this.#failed(name, ckaId, toKeyturnError(thrown), startMs);
    } finally {
      this.#inFlight.delete(ckaId);
    }
  }

  #failed(name: SigningKeyName, ckaId: CkaId, problem: KeyturnError, startMs: number): void {
    const { findSigner, log, onChange } = this.#ports;
    // Its private key may have been destroyed meanwhile: its successor has the word.
    if (SAYS_NOTHING.has(problem.reason) || findSigner(name)?.ckaId !== ckaId) return;
    const evidence = this.#findOrMake(name, ckaId);
    if (evidence.latestAtMs > startMs) return;
    if (evidence.problem === undefined)
      log.error({ signingKey: name, ckaId, err: problem }, 'the signing key is not ready: its canary failed');
    evidence.problem = problem;
    onChange();
  }

  #isFresh(periodMs: number): boolean {
    return this.#ports.clock.monotonicMs() - this.#provenAtMs <= periodMs;
  }

  #find(name: SigningKeyName, ckaId: CkaId): Evidence | undefined {
    const evidence = this.#evidence.get(name);
    return evidence?.ckaId === ckaId ? evidence : undefined;
  }

  #findOrMake(name: SigningKeyName, ckaId: CkaId): Evidence {
    const known = this.#find(name, ckaId);
    if (known !== undefined) return known;
    const made: Evidence = { ckaId, latestAtMs: Number.NEGATIVE_INFINITY, problem: undefined };
    this.#evidence.set(name, made);
    return made;
  }
}
