/**
 * Holds store and token against each other once the token is ready, and on demand (rule 9). It reports and never deletes:
 * repairs are an operator's commands, and what may not happen until then is for fences.ts.
 */
import { KeyturnError, toKeyturnError } from '../base/errors.ts';
import { type CallerName, parseCkaId } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Clock } from '../base/clock.ts';
import type { Hsm } from '../hsm/hsm.ts';
import type { KeyVersion, SigningKeyState } from '../lifecycle/signing-key-state.ts';
import { isUnexplained } from '../lifecycle/fence.ts';
import { compareWithToken, type Finding } from '../lifecycle/reconcile.ts';
import type { Change } from './folded-log.ts';
import type { Ledger } from './ledger.ts';
import type { ResolveObjectCommand } from './proposals.ts';

const RETRY_MS = 2_000;

export interface ReconcilerPorts {
  readonly ledger: Ledger;
  readonly hsm: Hsm;
  readonly clock: Clock;
  readonly log: Logger;
  /** Store and token were compared: the fences may have changed. */
  readonly onFindings: (findings: readonly Finding[]) => void;
}

export class Reconciler {
  readonly #ports: ReconcilerPorts;
  #findings: readonly Finding[] | undefined;
  #isRunning = false;
  readonly #waiting = new Set<() => void>();
  #retry: (() => void) | undefined;

  constructor(ports: ReconcilerPorts) {
    this.#ports = ports;
  }

  /** The token is ready: look once, and again until it worked. */
  onTokenReady(): void {
    if (this.#findings !== undefined || this.#isRunning) return;
    this.#isRunning = true;
    void this.#firstLook();
  }

  stop(): void {
    this.#retry?.();
  }

  /** What the latest comparison found; undefined before the first. */
  get findings(): readonly Finding[] | undefined {
    return this.#findings;
  }

  /** Whether store and token have been held against each other since the start. */
  get hasCompared(): boolean {
    return this.#findings !== undefined;
  }

  /** Resolves when the first comparison is done, when the token is unavailable, or after `timeoutMs`. */
  async untilCompared(timeoutMs: number): Promise<void> {
    if (this.hasCompared || this.#ports.hsm.status().state === 'unavailable') return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#ports.clock.after(timeoutMs, resolve);
    this.#waiting.add(resolve);
    await promise;
    this.#waiting.delete(resolve);
    cancel();
  }

  /** Compares anew, with a challenge signature by every published version whose private key should be there. */
  async reconcile(): Promise<readonly Finding[]> {
    const { ledger, hsm, log } = this.#ports;
    const before = ledger.signingKeys;
    const objects = await hsm.listKeys();
    const findings = [...compareWithToken({ before: before.values(), now: ledger.signingKeys.values(), objects })];
    for (const state of ledger.signingKeys.values()) {
      for (const version of state.versions.filter(isChallengeable)) {
        if (findings.some(({ ckaId }) => ckaId === version.ckaId)) continue;
        if (!(await this.#passesChallenge(state, version))) {
          const { ckaId, ckaLabel, number } = version;
          findings.push({ kind: 'challengeFailed', ckaId, ckaLabel, signingKey: state.name, version: number });
        }
      }
    }
    for (const finding of findings) log.error({ finding }, 'store and token differ');
    this.setFindings(findings);
    return findings;
  }

  /**
   * An operator's decision about an object that fences: `destroy` it in the token, or `ignore` it and lift the fence.
   * Errors: KEY_VERSION_NOT_FOUND for an object that isn't among the findings.
   */
  async resolve(
    caller: CallerName,
    { ckaId: ckaIdText, action, reason }: ResolveObjectCommand,
    check?: (finding: Finding) => void,
  ): Promise<void> {
    const finding = await this.requireUnexplained(ckaIdText);
    check?.(finding);
    const { ckaId } = finding;
    const { ledger, hsm, clock } = this.#ports;
    const record = (type: 'OBJECT_IGNORED' | 'OBJECT_DESTROYED'): Promise<void> =>
      ledger.transact(() => {
        const atMs = clock.wallMs();
        const { ckaLabel } = finding;
        return [
          { to: 'token', events: [{ type, atMs, ckaId, ckaLabel, caller, reason }] },
          ...(finding.kind === 'orphan' ? beginKeySets(ledger, atMs) : []),
        ];
      });
    if (action === 'ignore') {
      await record('OBJECT_IGNORED');
    } else {
      await hsm.destroyKeyPair(ckaId);
      await record('OBJECT_DESTROYED');
    }
    await this.reconcile();
  }

  /** Compares anew. Errors: KEY_VERSION_NOT_FOUND for an object that the store can explain, or that isn't there. */
  async requireUnexplained(ckaIdText: string): Promise<Finding> {
    const ckaId = parseCkaId(ckaIdText);
    const finding = (await this.reconcile()).find((candidate) => candidate.ckaId === ckaId && isUnexplained(candidate));
    if (finding !== undefined) return finding;
    throw new KeyturnError(
      'KEY_VERSION_NOT_FOUND',
      `the token holds no object with CKA_ID ${ckaId} that the store can't explain; keyturn token reconcile lists those`,
      { field: 'cka_id' },
    );
  }

  /** What a comparison found that was made elsewhere. */
  setFindings(findings: readonly Finding[]): void {
    this.#findings = findings;
    for (const resume of this.#waiting) resume();
    this.#ports.onFindings(findings);
  }

  async #passesChallenge(state: SigningKeyState, version: KeyVersion): Promise<boolean> {
    try {
      const { ckaId, publicKey } = version;
      await this.#ports.hsm.tryKey({ ckaId, algorithm: state.spec.algorithm, publicKey });
      return true;
    } catch (thrown) {
      const error = toKeyturnError(thrown);
      // Gone meanwhile, with the store's knowledge: that is no finding.
      const now = this.#ports.ledger.signingKeys
        .get(state.name)
        ?.versions.find(({ number }) => number === version.number);
      if (now === undefined || !isChallengeable(now)) return true;
      if (error.reason === 'TOKEN_UNAVAILABLE' || error.reason === 'SHUTTING_DOWN') throw error;
      return false;
    }
  }

  async #firstLook(): Promise<void> {
    for (let isDone = false; !isDone; ) {
      try {
        await this.reconcile();
        isDone = true;
      } catch (thrown) {
        const error = toKeyturnError(thrown);
        if (error.reason === 'SHUTTING_DOWN') return;
        this.#ports.log.warn({ err: error, retryInMs: RETRY_MS }, 'store and token could not be compared');
        await new Promise<void>((resolve) => {
          const cancel = this.#ports.clock.after(RETRY_MS, resolve);
          this.#retry = () => {
            cancel();
            isDone = true;
            resolve();
          };
        });
      }
    }
    this.#isRunning = false;
  }
}

function isChallengeable(version: KeyVersion): boolean {
  return version.isPublished && version.privateKey === 'present';
}

/**
 * Rule 4 ends for key sets that this store never published: what it doesn't know may have been in them, and copies of
 * them may be in use. Their present content is a generation like any other, be it empty.
 */
export function beginKeySets({ keySets }: Pick<Ledger, 'keySets'>, atMs: number): readonly Change[] {
  return [...keySets.values()]
    .filter(({ generation }) => generation === 0)
    .map(({ name, kids }) => ({
      to: 'keySet',
      name,
      events: [{ type: 'GENERATION_COMMITTED', atMs, generation: 1, kids }],
    }));
}
