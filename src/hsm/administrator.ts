/**
 * Makes, tries, destroys and lists key pairs. Everything that searches, makes or destroys objects takes its turn at the
 * token's mutex, because a search during a generation can wipe the new object's attributes (seen on SoftHSM2).
 */
import { randomBytes } from 'node:crypto';
import { KeyturnError } from '../base/errors.ts';
import type { CkaId } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Mutex } from '../base/mutex.ts';
import { type KeySpec, specOf } from '../jose/algorithms.ts';
import { toPublicKey } from '../jose/public-key.ts';
import { toTokenInput } from '../jose/token-input.ts';
import { unavailable } from './availability.ts';
import { nameFault } from './faults.ts';
import type { GeneratedKey, GenerateRequest, Hsm, TokenKey } from './hsm.ts';
import { proveBirth } from './prove-birth.ts';
import { toPublicMembers } from './public-members.ts';
import type { Reply, SessionLink } from './session-link.ts';
import type { SignatureChecks } from './signature-checks.ts';
import type { Supervisor } from './supervisor.ts';
import {
  encodeJson,
  encodeSignHead,
  type MadeKey,
  parseDestroyed,
  parseFoundKeys,
  parseMadeKey,
  REFUSAL,
  REQUEST,
  toCkaIdBytes,
} from './wire.ts';
import type { WorkerProcess } from './worker-process.ts';

export type KeyToTry = Parameters<Hsm['tryKey']>[0];
export type KeyToRead = Parameters<Hsm['readKeyPair']>[0];

export interface AdministratorOptions {
  readonly supervisor: Supervisor;
  readonly tokenMutex: Mutex;
  readonly checks: SignatureChecks;
  readonly log: Logger;
  /** Throws once the pool is closing. */
  readonly requireOpen: () => void;
}

const TRIAL_BYTES = 32;
/** By these a token says that it has no such keys: value (TPM2, of a size), size, mechanism, domain parameters, curve, parameter set. */
const NOT_SUPPORTED: ReadonlySet<number> = new Set([0x13, 0x62, 0x70, 0x130, 0x140, 0x209]);

export class Administrator {
  readonly #supervisor: Supervisor;
  readonly #tokenMutex: Mutex;
  readonly #checks: SignatureChecks;
  readonly #log: Logger;
  readonly #requireOpen: () => void;

  constructor({ supervisor, tokenMutex, checks, log, requireOpen }: AdministratorOptions) {
    this.#supervisor = supervisor;
    this.#tokenMutex = tokenMutex;
    this.#checks = checks;
    this.#log = log;
    this.#requireOpen = requireOpen;
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
        this.#log.error({ ckaId: request.ckaId, problem: problem.message }, 'a new key pair was refused and destroyed');
        await this.#destroy(worker, request.ckaId);
        throw problem;
      };
      try {
        return toProvenKey(worker, request.spec, made);
      } catch (error) {
        if (error instanceof KeyturnError) return refuse(error);
        throw error;
      }
    });
  }

  tryKey(key: KeyToTry): Promise<void> {
    return this.#administer(async () => {
      let tried = 0;
      const blind = new Set<WorkerProcess>();
      for (const worker of this.#supervisor.readyWorkers()) {
        for (const link of worker.signing) {
          const outcome = await this.#trySession(worker, link, key);
          if (outcome === 'signed') tried += 1;
          if (outcome === 'notFound') blind.add(worker);
        }
      }
      if (tried === 0 && blind.size > 0) throw noSingleKey(key.ckaId);
      if (tried === 0)
        throw new KeyturnError('TOKEN_UNAVAILABLE', 'no session of the token could try the key; try again later');
      // Some modules show a process only the objects that were there when it began (seen on TPM2): a new one has it.
      for (const worker of blind) this.#supervisor.replace(worker, `its module doesn't show the new key ${key.ckaId}`);
    });
  }

  destroyKeyPair(ckaId: CkaId): Promise<{ readonly destroyedObjects: number }> {
    return this.#administer(async (worker) => {
      // First, so that no session ever holds a handle that outlives its object.
      const links = this.#supervisor.readyWorkers().flatMap(({ signing }) => signing);
      await Promise.all(links.map((link) => link.request(REQUEST.forget, toCkaIdBytes(ckaId))));
      const destroyedObjects = await this.#destroy(worker, ckaId);
      await this.#endGhosts(ckaId);
      return { destroyedObjects };
    });
  }

  /** Some modules go on showing a process what another one destroyed, and sign with it (seen on TPM2). */
  async #endGhosts(ckaId: CkaId): Promise<void> {
    for (const worker of this.#supervisor.readyWorkers()) {
      const found = await worker.administration.request(REQUEST.find, toCkaIdBytes(ckaId));
      const isShown = found.kind === 'ok' || (found.kind === 'refused' && found.refusal === REFUSAL.severalKeys);
      if (isShown) this.#supervisor.replace(worker, `its module still shows the destroyed key ${ckaId}`);
    }
  }

  readKeyPair({ ckaId, spec }: KeyToRead): Promise<GeneratedKey> {
    return this.#administer(async (worker) => {
      const reply = await worker.administration.request(REQUEST.read, toCkaIdBytes(ckaId));
      if (reply.kind === 'refused' && reply.refusal === REFUSAL.noSuchKey)
        throw new KeyturnError('KEY_NOT_PROVEN', 'the token has not exactly one private and one public key of it');
      return toProvenKey(worker, spec, parseMadeKey(this.#requireOk(worker, reply)));
    });
  }

  listKeys(): Promise<readonly TokenKey[]> {
    return this.#administer(async (worker) => {
      const reply = await worker.administration.request(REQUEST.list);
      this.#requireOk(worker, reply);
      return reply.kind === 'ok' ? reply.parts.flatMap(parseFoundKeys) : [];
    });
  }

  /** One administrative piece of work at a time, on a ready worker. */
  async #administer<T>(work: (worker: WorkerProcess) => Promise<T>): Promise<T> {
    this.#requireOpen();
    return this.#tokenMutex.run(() => {
      const [worker] = this.#supervisor.readyWorkers();
      if (worker !== undefined) return work(worker);
      this.#requireOpen();
      throw unavailable(this.#supervisor.problem);
    });
  }

  async #destroy(worker: WorkerProcess, ckaId: CkaId): Promise<number> {
    return parseDestroyed(
      this.#requireOk(worker, await worker.administration.request(REQUEST.destroy, toCkaIdBytes(ckaId))),
    );
  }

  /** `lost`: the session went away meanwhile; a worker that comes later finds the key by itself. */
  async #trySession(worker: WorkerProcess, link: SessionLink, key: KeyToTry): Promise<'signed' | 'notFound' | 'lost'> {
    const { ckaId, algorithm, publicKey } = key;
    const challenge = randomBytes(TRIAL_BYTES);
    const found = await link.request(REQUEST.find, toCkaIdBytes(ckaId));
    if (isAway(found)) return 'lost';
    if (found.kind === 'refused' && found.refusal === REFUSAL.noSuchKey) return 'notFound';
    this.#requireOk(worker, found, ckaId);
    const input = toTokenInput(algorithm, challenge);
    const signed = await link.request(REQUEST.sign, encodeSignHead(specOf(algorithm).code, ckaId), input);
    if (isAway(signed)) return 'lost';
    const signature = this.#requireOk(worker, signed, ckaId);
    if (await this.#checks.verify(algorithm, toPublicKey(publicKey), challenge, signature)) return 'signed';
    throw new KeyturnError(
      'SIGNATURE_INVALID',
      `the token's trial signature under CKA_ID ${ckaId} does not verify; the key is not used`,
    );
  }

  #requireOk(worker: WorkerProcess, reply: Reply, ckaId?: CkaId): Buffer {
    switch (reply.kind) {
      case 'ok':
        return reply.payload;
      case 'lost':
        throw new KeyturnError(
          'TOKEN_UNAVAILABLE',
          'the HSM worker ended before it answered; what the token did is unknown',
        );
      case 'refused':
        if (reply.refusal === REFUSAL.paused) throw unavailable(undefined);
        throw reply.refusal === REFUSAL.malformedRequest
          ? new KeyturnError('TOKEN_OPERATION_FAILED', 'the HSM worker refused the request')
          : noSingleKey(ckaId);
      case 'fault': {
        const { ckr, functionName } = reply.fault;
        const problem = `${functionName} failed with ${nameFault(ckr)}`;
        this.#supervisor.faulted(worker.administration, reply.fault, false);
        throw new KeyturnError(NOT_SUPPORTED.has(ckr) ? 'ALGORITHM_NOT_SUPPORTED' : 'TOKEN_OPERATION_FAILED', problem);
      }
    }
  }
}

function noSingleKey(ckaId: CkaId | undefined): KeyturnError {
  return new KeyturnError('TOKEN_OPERATION_FAILED', `the token has no single private key with CKA_ID ${ckaId ?? ''}`);
}

/** Errors: KEY_NOT_PROVEN. */
function toProvenKey({ token }: WorkerProcess, spec: KeySpec, made: MadeKey): GeneratedKey {
  const objections = proveBirth(made.attributes);
  if (objections.length > 0) {
    throw new KeyturnError(
      'KEY_NOT_PROVEN',
      `the token doesn't prove that the key can't be exported: ${objections.join(', ')}`,
    );
  }
  if (token === undefined) throw new TypeError('a ready worker knows its token');
  return { publicKey: toPublicMembers(spec, made), birth: { ...birthOf(token), attributes: made.attributes } };
}

/** The session went away, or is being opened anew. */
function isAway(reply: Reply): boolean {
  return reply.kind === 'lost' || (reply.kind === 'refused' && reply.refusal === REFUSAL.paused);
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
