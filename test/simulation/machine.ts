/**
 * The machine that the simulated daemon runs on: what outlives a process (disk, token), what can go wrong with it, and
 * where a crash may strike. A process reaches it through `ProcessPorts`; once the process is killed, nothing that it
 * had asked for is ever answered.
 */
import type { KeyturnError } from '../../src/base/errors.ts';
import type { KeySetName, Kid } from '../../src/base/ids.ts';
import type { GeneratedKey, GenerateRequest, Hsm, SignRequest, TokenKey, TokenStatus } from '../../src/hsm/hsm.ts';
import { countRungs } from '../../src/hsm/ladder.ts';
import type {
  CommitOptions,
  EventStore,
  StoreCopy as CopiedFile,
  StoredEvent,
  StoredStream,
  StreamAppend,
} from '../../src/store/store.ts';
import type { JwksProbe } from '../../src/app/jwks-probe.ts';
import { CountingAuditLog } from './counting-audit-log.ts';
import { signCheaply } from './cheap-signature.ts';
import { drawOf } from './prng.ts';
import type { SourceModules } from './sources.ts';

/** Worlds with an audit log: the token must do without it in the others. */
const AUDITED_ONE_IN = 3;
const TOKEN_KEY_BYTES = 32;
const BIRTH = {
  tokenSerial: 'sim-1',
  tokenLabel: 'simulation',
  manufacturer: 'keyturn tests',
  model: 'simulated',
  firmwareVersion: '0.0',
  attributes: { CKA_SENSITIVE: true, CKA_EXTRACTABLE: false, CKA_NEVER_EXTRACTABLE: true },
};

/** The store as it was at one moment. */
export type StoreCopy = ReadonlyMap<string, readonly StoredEvent[]>;

/** What survives a crash, and the faults that are in force. */
export class Machine {
  #streams = new Map<string, StoredEvent[]>();
  /** Undefined in a world whose daemon keeps none. */
  readonly auditLog: CountingAuditLog | undefined;
  /** Public keys by CKA_ID. */
  readonly tokenKeys = new Map<string, { readonly ckaLabel: string; readonly publicKey: Buffer }>();
  readonly #seed: number;
  readonly #served = new Set<string>();
  #lastServed: ReadonlySet<Kid> | undefined;
  #keysMade = 0;
  get keysMade(): number {
    return this.#keysMade;
  }

  isDiskFull = false;
  /** What is kept free for a narrowing is gone, too: the disk is broken rather than full. */
  isReserveGone = false;
  isTokenDown = false;
  canTokenGenerate = true;
  isHttpDown = false;

  constructor(seed: number) {
    this.#seed = seed;
    this.auditLog = drawOf(seed, AUDITED_ONE_IN) % AUDITED_ONE_IN === 0 ? new CountingAuditLog() : undefined;
  }

  load(): readonly StoredStream[] {
    return [...this.#streams].map(([stream, events]) => ({ stream, events: [...events] }));
  }

  copyStore(): StoreCopy {
    return new Map([...this.#streams].map(([stream, events]) => [stream, [...events]]));
  }

  /** Somebody puts an old copy in the store's place, and tells nobody. */
  replaceStore(copy: StoreCopy): void {
    this.#streams = new Map([...copy].map(([stream, events]) => [stream, [...events]]));
  }

  /** Kids that HTTP has answered with, ever. */
  wasServed(kid: string): boolean {
    return this.#served.has(kid);
  }

  noteServed(kids: ReadonlySet<Kid> | undefined): void {
    if (kids === undefined || kids === this.#lastServed) return;
    this.#lastServed = kids;
    for (const kid of kids) this.#served.add(kid);
  }

  sequenceOf(stream: string): number {
    return this.#streams.get(stream)?.length ?? 0;
  }

  append({ stream, events }: StreamAppend): void {
    const log = this.#streams.get(stream);
    if (log === undefined) this.#streams.set(stream, [...events]);
    else log.push(...events);
  }

  /** 32 octets that no other key has. They are no point of a curve, and nobody looks: an Ed25519 key is just octets. */
  makeKey(): Buffer {
    this.#keysMade += 1;
    const publicKey = Buffer.alloc(TOKEN_KEY_BYTES);
    for (let word = 0; word < TOKEN_KEY_BYTES / 4; word += 1) {
      publicKey.writeUInt32LE(drawOf(this.#seed, this.#keysMade, word), word * 4);
    }
    return publicKey;
  }
}

/** Where a process can be cut off: around each thing that it leaves on the machine. */
export type CrashPoint = 'before-commit' | 'after-commit' | 'before-token' | 'after-token';

export interface ProcessHooks {
  /** Returns true when the process dies here. */
  readonly diesAt: (point: CrashPoint) => boolean;
  readonly beforeCommit: (appends: readonly StreamAppend[]) => void;
  readonly afterCommit: (appends: readonly StreamAppend[]) => void;
  /** Resolves when the token has taken its time. */
  readonly tokenDelay: () => Promise<void>;
  readonly findKids: (keySet: KeySetName) => ReadonlySet<Kid> | undefined;
}

/** A promise of its own each time: one that all share would hold every process that ever waited for it. */
function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** One process's way to the machine: the ports that its application is made with. */
export class ProcessPorts implements EventStore, JwksProbe {
  readonly #machine: Machine;
  readonly #hooks: ProcessHooks;
  readonly #sources: SourceModules;
  readonly hsm: Hsm;
  #isKilled = false;
  #tokenListeners = new Set<(status: TokenStatus) => void>();

  constructor(machine: Machine, hooks: ProcessHooks, sources: SourceModules) {
    this.#machine = machine;
    this.#hooks = hooks;
    this.#sources = sources;
    this.hsm = this.#toHsm();
  }

  kill(): void {
    this.#isKilled = true;
    this.#tokenListeners.clear();
  }

  tellTokenState(): void {
    for (const listener of this.#tokenListeners) listener(this.hsm.status());
  }

  async load(take: (batch: readonly StoredStream[]) => void): Promise<void> {
    take(this.#machine.load());
    await Promise.resolve();
  }

  async commit(appends: readonly StreamAppend[], options?: CommitOptions): Promise<void> {
    const { diesAt, beforeCommit, afterCommit } = this.#hooks;
    await Promise.resolve();
    if (this.#isKilled || diesAt('before-commit')) return never();
    const isReserveUsed = options?.mayUseReserve === true && !this.#machine.isReserveGone;
    if (this.#machine.isDiskFull && !isReserveUsed) throw this.#failure('STORE_UNAVAILABLE', 'the disk is full');
    const stale = appends.find(({ stream, expectedSequence }) => this.#machine.sequenceOf(stream) !== expectedSequence);
    if (stale !== undefined) throw this.#failure('CONCURRENT_CHANGE', `${stale.stream} changed meanwhile`);
    beforeCommit(appends);
    for (const append of appends) this.#machine.append(append);
    afterCommit(appends);
    if (diesAt('after-commit')) return never();
  }

  get reservedEvents(): number {
    return 0;
  }

  copy(): Promise<CopiedFile> {
    return never();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async fetchKids(keySet: KeySetName): Promise<ReadonlySet<Kid> | undefined> {
    await Promise.resolve();
    if (this.#isKilled) return never();
    if (this.#machine.isHttpDown) throw new Error('connection refused');
    const kids = this.#hooks.findKids(keySet);
    this.#machine.noteServed(kids);
    return kids;
  }

  #failure(reason: KeyturnError['reason'], message: string): KeyturnError {
    return new this.#sources.KeyturnError(reason, message);
  }

  #toHsm(): Hsm {
    return {
      sign: (request) => this.#sign(request),
      generateKeyPair: (request) => this.#atToken(() => this.#generate(request)),
      tryKey: ({ ckaId }) => this.#atToken(() => void this.#requireKey(ckaId)),
      destroyKeyPair: (ckaId) =>
        this.#atToken(() => ({ destroyedObjects: this.#machine.tokenKeys.delete(ckaId) ? 2 : 0 })),
      readKeyPair: ({ ckaId }) => this.#atToken(() => toKeyPair(this.#requireKey(ckaId))),
      listKeys: () =>
        this.#atToken(() =>
          [...this.#machine.tokenKeys].map(
            ([ckaId, { ckaLabel }]): TokenKey => ({
              ckaId: ckaId as TokenKey['ckaId'],
              ckaLabel,
              privateKeys: 1,
              publicKeys: 1,
            }),
          ),
        ),
      status: () => ({
        state: this.#machine.isTokenDown ? 'unavailable' : 'ready',
        workers: [],
        workerRestarts: 0,
        faultRungs: countRungs(),
        signatures: { verified: 0, wrong: 0, unchecked: 0 },
        queueDepth: 0,
      }),
      onStateChange: (listener) => {
        this.#tokenListeners.add(listener);
        return () => this.#tokenListeners.delete(listener);
      },
      retryLogin: () => undefined,
      close: () => Promise.resolve(),
    };
  }

  async #atToken<T>(work: () => T): Promise<T> {
    const { diesAt, tokenDelay } = this.#hooks;
    await tokenDelay();
    if (this.#isKilled || diesAt('before-token')) return never();
    this.#requireToken();
    const result = work();
    return diesAt('after-token') ? never() : result;
  }

  async #sign({ ckaId, signingInput }: SignRequest): Promise<Uint8Array> {
    await this.#hooks.tokenDelay();
    if (this.#isKilled) return never();
    this.#requireToken();
    return signCheaply(this.#requireKey(ckaId), signingInput);
  }

  #generate({ ckaId, ckaLabel }: GenerateRequest): GeneratedKey {
    if (!this.#machine.canTokenGenerate) throw this.#failure('TOKEN_OPERATION_FAILED', 'the token makes no keys');
    const publicKey = this.#machine.makeKey();
    this.#machine.tokenKeys.set(ckaId, { ckaLabel, publicKey });
    return toKeyPair(publicKey);
  }

  #requireKey(ckaId: string): Buffer {
    const key = this.#machine.tokenKeys.get(ckaId);
    if (key === undefined) throw this.#failure('TOKEN_OPERATION_FAILED', `the token has no key with CKA_ID ${ckaId}`);
    return key.publicKey;
  }

  #requireToken(): void {
    if (this.#machine.isTokenDown) throw this.#failure('TOKEN_UNAVAILABLE', 'the token is unavailable');
  }
}

function toKeyPair(publicKey: Buffer): GeneratedKey {
  return { publicKey: { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') }, birth: BIRTH };
}
