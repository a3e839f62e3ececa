/**
 * From the queue of sign requests to the sessions and back: the least loaded session first, a few requests in flight on
 * each, every signature verified before anyone sees it. What a fault means for the request is done here; what it means
 * for the worker is said to the ladder.
 */
import type { KeyObject } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { KeyturnError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Mutex } from '../base/mutex.ts';
import { specOf } from '../jose/algorithms.ts';
import { toPublicKey } from '../jose/public-key.ts';
import { toTokenInput } from '../jose/token-input.ts';
import { FairQueue } from './fair-queue.ts';
import { classifyFault, nameFault } from './faults.ts';
import { MAX_PAYLOAD_BYTES } from './frames.ts';
import type { SignRequest } from './hsm.ts';
import { isOfTheToken, retryDelayMs } from './ladder.ts';
import type { Reply, SessionLink } from './session-link.ts';
import type { SignatureChecks } from './signature-checks.ts';
import type { TrialKey } from './trial.ts';
import { encodeSignHead, type Fault, REFUSAL, REQUEST, toCkaIdBytes } from './wire.ts';

/** In flight on one session: enough that it never waits for the daemon, few enough that little is lost with it. */
const MAX_IN_FLIGHT = 4;
/**
 * Signing is idempotent: a request is tried again until its deadline, unless the failures may be its own doing. So many
 * times it may fail in a session that goes on well: by a code that says nothing, or for want of its key.
 */
const MAX_FAILURES = 3;
/** So many workers may end while they have it: most that end have seven innocent requests beside the one that did it. */
const MAX_LOSSES = 5;
/** How often one request may have its key searched; each session that doesn't know a key yet costs one. */
const MAX_SEARCHES = 8;
/** So many bad signatures for one request are a defect of the token, not of one session. */
const MAX_BAD_SIGNATURES = 3;
const RETRY_AFTER_MS = 100;
/** A sign frame's own bytes before the token's input. */
const SIGN_HEAD_ALLOWANCE = 64;

export interface DispatcherOptions {
  readonly maxQueuedRequests: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tokenMutex: Mutex;
  readonly checks: SignatureChecks;
  readonly sessions: () => readonly SessionLink[];
  /** An operation failed in the session. */
  readonly faulted: (link: SessionLink, fault: Fault, isOfCanary: boolean) => void;
  /** The session gave a signature that doesn't verify, or doesn't find the key. */
  readonly suspected: (link: SessionLink, why: string) => void;
  /** The session made a signature that verified. */
  readonly proven: (link: SessionLink, key: TrialKey) => void;
}

interface Job {
  readonly request: SignRequest;
  readonly publicKey: KeyObject;
  readonly tokenInput: Uint8Array;
  readonly resolve: (signature: Uint8Array) => void;
  readonly reject: (error: KeyturnError) => void;
  /** That may be its own doing. */
  failures: number;
  losses: number;
  passingFaults: number;
  searches: number;
  badSignatures: number;
  /** The session that gave a bad signature: another one is tried first. */
  avoid: SessionLink | undefined;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #queue: FairQueue<Job>;
  readonly #open = new Set<Job>();
  /** Requests that wait for a fault to pass, beside the queue. */
  #delayed = 0;
  readonly #searches = new Map<SessionLink, Map<string, Promise<Reply>>>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const { maxQueuedRequests } = options;
    this.#queue = new FairQueue(maxQueuedRequests, (job) => this.#fail(job, queueFullError(maxQueuedRequests)));
  }

  get queueDepth(): number {
    return this.#queue.size;
  }

  /** Requests without an answer, waiting or in flight. */
  get openRequests(): number {
    return this.#open.size;
  }

  sign(request: SignRequest): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const tokenInput = toTokenInput(request.algorithm, request.signingInput);
      if (tokenInput.length > MAX_PAYLOAD_BYTES - SIGN_HEAD_ALLOWANCE) {
        reject(
          new KeyturnError(
            'CLAIMS_TOO_LARGE',
            `${request.algorithm} signs at most ${MAX_PAYLOAD_BYTES - SIGN_HEAD_ALLOWANCE} bytes`,
          ),
        );
        return;
      }
      if (request.deadlineMs <= this.#options.clock.monotonicMs()) {
        reject(lateError());
        return;
      }
      const job: Job = {
        request,
        publicKey: toPublicKey(request.publicKey),
        tokenInput,
        resolve,
        reject,
        failures: 0,
        losses: 0,
        passingFaults: 0,
        searches: 0,
        badSignatures: 0,
        avoid: undefined,
      };
      if (this.#delayed >= this.#queue.capacity || !this.#queue.push(request.caller, job)) {
        reject(queueFullError(this.#queue.capacity));
        return;
      }
      this.#open.add(job);
      this.pump();
    });
  }

  /** Gives waiting requests to sessions that have room. */
  pump(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const sessions = this.#options.sessions();
    while (this.#queue.size > 0) {
      const idlest = leastLoaded(sessions, undefined);
      if (idlest === undefined) return;
      const job = this.#queue.shift();
      if (job === undefined) return;
      if (!this.#open.has(job)) continue;
      if (job.request.deadlineMs <= nowMs) this.#fail(job, lateError());
      else this.#send(job, job.avoid === undefined ? idlest : (leastLoaded(sessions, job.avoid) ?? idlest));
    }
  }

  /** Answers what is past its deadline, wherever it is. */
  expire(nowMs: number): void {
    let expired = 0;
    for (const job of this.#open) {
      if (job.request.deadlineMs > nowMs) continue;
      this.#fail(job, lateError());
      expired += 1;
    }
    if (expired > 0) this.#queue.retain((job) => this.#open.has(job));
  }

  failAll(error: KeyturnError): void {
    for (const job of this.#open) this.#fail(job, error);
    this.#queue.retain(() => false);
  }

  /** A find on a session, together with whoever asks for the same, and never while a key pair is made. */
  findKey(link: SessionLink, ckaId: SignRequest['ckaId']): Promise<Reply> {
    let searches = this.#searches.get(link);
    if (searches === undefined) this.#searches.set(link, (searches = new Map()));
    const known = searches.get(ckaId);
    if (known !== undefined) return known;
    const search = this.#options.tokenMutex
      .run(() => link.request(REQUEST.find, toCkaIdBytes(ckaId)))
      .finally(() => {
        searches.delete(ckaId);
        if (searches.size === 0) this.#searches.delete(link);
      });
    searches.set(ckaId, search);
    return search;
  }

  #send(job: Job, link: SessionLink): void {
    const { algorithm, ckaId } = job.request;
    const { epoch } = this.#options.checks;
    link.send(REQUEST.sign, [encodeSignHead(specOf(algorithm).code, ckaId), job.tokenInput], (reply) => {
      this.#received(job, link, reply, epoch);
      this.pump();
    });
  }

  #received(job: Job, link: SessionLink, reply: Reply, epoch: object): void {
    switch (reply.kind) {
      case 'ok':
        void this.#check(job, link, reply.payload, epoch);
        return;
      case 'lost':
        job.losses += 1;
        this.#again(job, 'every HSM worker that tried this request ended');
        return;
      case 'refused':
        this.#refused(job, link, reply.refusal);
        return;
      case 'fault':
        this.#faulted(job, link, reply.fault);
        return;
    }
  }

  async #check(job: Job, link: SessionLink, signature: Buffer, epoch: object): Promise<void> {
    const { algorithm, signingInput, ckaId } = job.request;
    if (this.#options.checks.mayBelieve(job.request, link, job.publicKey, signature)) {
      if (this.#open.delete(job)) job.resolve(signature);
      return;
    }
    if (await this.#options.checks.verify(algorithm, job.publicKey, signingInput, signature)) {
      this.#options.checks.believe(link, ckaId, epoch);
      this.#options.proven(link, { algorithm, ckaId, publicKey: job.publicKey });
      if (this.#open.delete(job)) job.resolve(signature);
      return;
    }
    this.#options.log.error(
      { ckaId, algorithm, signatureBytes: signature.length },
      'the token gave a signature that does not verify; it was not delivered',
    );
    job.badSignatures += 1;
    job.avoid = link;
    // With the session go all its handles: one of them is not the key's that it was found for.
    link.send(REQUEST.reopen, [], () => undefined);
    this.#options.suspected(link, `a signature under CKA_ID ${ckaId} does not verify`);
    if (job.badSignatures < MAX_BAD_SIGNATURES) this.#again(job, 'the token gave signatures that do not verify');
    else
      this.#fail(
        job,
        new KeyturnError(
          'SIGNATURE_INVALID',
          `the token's signatures under CKA_ID ${ckaId} do not verify; examine the token`,
        ),
      );
    this.pump();
  }

  #refused(job: Job, link: SessionLink, refusal: number): void {
    const { ckaId } = job.request;
    if (refusal === REFUSAL.paused) {
      this.#again(job, 'the token is being opened');
      return;
    }
    if (refusal === REFUSAL.noSuchKey) {
      void this.#findAgain(job, link);
      return;
    }
    const problem =
      refusal === REFUSAL.severalKeys
        ? `several private keys have CKA_ID ${ckaId}`
        : 'the HSM worker refused the request';
    this.#fail(job, new KeyturnError('TOKEN_OPERATION_FAILED', problem));
  }

  async #findAgain(job: Job, link: SessionLink): Promise<void> {
    job.searches += 1;
    this.#options.checks.doubt();
    const reply = await this.findKey(link, job.request.ckaId);
    const problem = `the token has no single private key with CKA_ID ${job.request.ckaId}`;
    if (reply.kind === 'refused' && reply.refusal === REFUSAL.severalKeys) {
      this.#fail(job, new KeyturnError('TOKEN_OPERATION_FAILED', problem));
    } else {
      if (reply.kind === 'fault') this.#options.faulted(link, reply.fault, job.request.isCanary);
      if (reply.kind === 'refused' && reply.refusal === REFUSAL.noSuchKey) {
        // Gone, or hidden because the login is: the trial signature shows which, and another session may know it.
        job.failures += 1;
        this.#options.suspected(link, problem);
      }
      this.#again(job, problem);
    }
    this.pump();
  }

  #faulted(job: Job, link: SessionLink, fault: Fault): void {
    const { ckr } = fault;
    const problem = `${fault.functionName} failed with ${nameFault(ckr)}`;
    const faultClass = classifyFault(ckr);
    this.#options.log.warn({ ckaId: job.request.ckaId, ckr, faultClass, problem }, 'signing failed in the token');
    this.#options.faulted(link, fault, job.request.isCanary);
    job.searches = 0;
    // An outage is not the request's doing: it waits for the end of it, up to its deadline.
    if (isOfTheToken(ckr) || !fault.isSessionUsable) this.#again(job, problem);
    else if (faultClass === 'requestFault' || faultClass === 'operator')
      this.#fail(job, new KeyturnError('TOKEN_OPERATION_FAILED', problem));
    else if (faultClass === 'retry') this.#later(job, problem);
    else {
      job.failures += 1;
      this.#again(job, problem);
    }
  }

  /** What passes is given time to pass. */
  #later(job: Job, problem: string): void {
    job.passingFaults += 1;
    this.#delayed += 1;
    this.#options.clock.after(retryDelayMs(job.passingFaults), () => {
      this.#delayed -= 1;
      this.#again(job, problem);
      this.pump();
    });
  }

  /** In front of the queue, unless it has failed too often. */
  #again(job: Job, problem: string): void {
    if (!this.#open.has(job)) return;
    const { failures, losses, searches } = job;
    if (failures < MAX_FAILURES && losses < MAX_LOSSES && searches <= MAX_SEARCHES) {
      this.#queue.putBack(job);
      return;
    }
    const message = `given up after ${failures + losses} failed attempts: ${problem}`;
    this.#fail(job, new KeyturnError('TOKEN_OPERATION_FAILED', message));
  }

  #fail(job: Job, error: KeyturnError): void {
    if (this.#open.delete(job)) job.reject(error);
  }
}

function leastLoaded(sessions: readonly SessionLink[], avoid: SessionLink | undefined): SessionLink | undefined {
  let best: SessionLink | undefined;
  for (const link of sessions) {
    if (link === avoid || !link.isOpen || link.inFlight >= MAX_IN_FLIGHT) continue;
    if (best === undefined || link.inFlight < best.inFlight) best = link;
  }
  return best;
}

function queueFullError(capacity: number): KeyturnError {
  const message = `${capacity} requests wait for the token already; try again later`;
  return new KeyturnError('QUEUE_FULL', message, { retryAfterMs: RETRY_AFTER_MS });
}

function lateError(): KeyturnError {
  return new KeyturnError('DEADLINE_EXCEEDED', 'the token did not answer in time; allow more time or lower the load');
}
