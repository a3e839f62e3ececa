/** The worker's threads as its main thread sees them: one order at a time, each answered by one report. */
import { Worker } from 'node:worker_threads';
import { sleep } from '../../base/clock.ts';
import { systemClock } from '../../base/system-clock.ts';
import { nameFault } from '../faults.ts';
import type { OwnLogin, ThreadOrder, ThreadReport, ThreadSettings } from './thread-settings.ts';
import { TokenOpenError } from './token.ts';

/** What a thread meets whose loading of the module nobody has initialised. */
const CKR_CRYPTOKI_NOT_INITIALIZED = 0x190;
/** Whether each loading of the module is a client of its own; learned from the first thread, before any has opened. */
let needsOwnLogin = false;
let hasOpened = false;

export class SessionThread {
  readonly #worker: Worker;

  /** `onDeath`: a thread that ends by itself leaves its connection open for ever, so the whole worker must go. */
  constructor(workerData: ThreadSettings, onDeath: (error: Error) => void) {
    // Beside this file, as source or compiled.
    const file = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url);
    this.#worker = new Worker(file, { workerData, resourceLimits: { maxYoungGenerationSizeMb: 4 } });
    this.#worker.on('error', onDeath);
  }

  /** Resolves with the CKA_IDs that are on several private keys. The main thread must be logged in. */
  async open(moduleFile: string, slot: Uint8Array, ownLogin: OwnLogin): Promise<readonly string[]> {
    const order = { kind: 'open', moduleFile, slot } as const;
    let report = await this.#ask({ ...order, ownLogin: needsOwnLogin ? ownLogin : undefined });
    if (!hasOpened && report.kind === 'failed' && report.ckr === CKR_CRYPTOKI_NOT_INITIALIZED) {
      needsOwnLogin = true;
      report = await this.#ask({ ...order, ownLogin });
    }
    hasOpened ||= report.kind === 'ready';
    if (report.kind === 'ready') return report.duplicates;
    if (report.kind !== 'failed') throw new TypeError(`unexpected report ${report.kind}`);
    const { functionName, ckr } = report;
    throw new TokenOpenError(
      'TOKEN_UNAVAILABLE',
      `a session could not be opened: ${functionName} failed with ${nameFault(ckr)}`,
      { functionName, ckr },
    );
  }

  /** False when the thread is stuck in the module for longer than that. */
  pause(withinMs: number): Promise<boolean> {
    return this.#within({ kind: 'pause' }, withinMs);
  }

  async close(withinMs: number): Promise<void> {
    await this.#within({ kind: 'close' }, withinMs);
  }

  #within(order: ThreadOrder, withinMs: number): Promise<boolean> {
    return Promise.race([this.#ask(order).then(() => true), sleep(systemClock, withinMs).then(() => false)]);
  }

  #ask(order: ThreadOrder): Promise<ThreadReport> {
    return new Promise((resolve) => {
      this.#worker.once('message', resolve);
      this.#worker.postMessage(order);
    });
  }
}
