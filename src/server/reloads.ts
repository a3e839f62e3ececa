/**
 * What SIGHUP takes up again: each part on its own, all of it or nothing of it. A part that can't be used leaves what is in
 * force, says why, and keeps no other part from being taken up.
 */
import { toKeyturnError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';

export const RELOAD_PARTS = ['accessPolicy', 'tls', 'pin'] as const;
export type ReloadPart = (typeof RELOAD_PARTS)[number];

export interface ReloadPorts {
  /** In this order. Each resolves with what became of it, for the log; rejects with nothing changed. */
  readonly parts: Readonly<Partial<Record<ReloadPart, () => Promise<string> | string>>>;
  readonly log: Logger;
  readonly onResult: (part: ReloadPart, isGood: boolean) => void;
}

export class Reloads {
  readonly #ports: ReloadPorts;
  #latest: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | undefined;

  constructor(ports: ReloadPorts) {
    this.#ports = ports;
  }

  /** One at a time. Asked for while one is going on, another one follows; asked for more often, no more than one. */
  request(): Promise<void> {
    this.#waiting ??= this.#latest.then(() => {
      this.#waiting = undefined;
      this.#latest = this.#reload();
      return this.#latest;
    });
    return this.#waiting;
  }

  async #reload(): Promise<void> {
    const { parts, log, onResult } = this.#ports;
    for (const part of RELOAD_PARTS) {
      const reload = parts[part];
      if (reload === undefined) continue;
      try {
        const result = await reload();
        onResult(part, true);
        log.info({ part, result }, 'reloaded');
      } catch (thrown) {
        const { reason, message } = toKeyturnError(thrown);
        onResult(part, false);
        log.error({ part, reason, problem: message }, 'not reloaded: what was in force stays');
      }
    }
  }
}
