/** Watches the wall clock for the application (rule 8): the judgement is lifecycle/clock-guard.ts's, the base is in the log. */
import type { Clock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { KeyturnError, toKeyturnError } from '../base/errors.ts';
import type { CallerName } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import {
  type ClockEvent,
  type ClockJudgement,
  type ClockReading,
  decideClockBase,
  judgeClock,
} from '../lifecycle/clock-guard.ts';
import type { Ledger } from './ledger.ts';

/** How often a believed clock is written down; after a reboot an earlier clock than that is not believed. */
const HEARTBEAT_MS = 15 * 60_000;
/** How close a time that an operator typed must be to the wall clock: people need a moment to type. */
const CONFIRMATION_TOLERANCE_MS = 60_000;

export interface ClockGuardPorts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Logger;
  readonly stepLimitMs: number;
  /** Trust was lost, or is back. */
  readonly onTrustChange: () => void;
}

export class ClockGuard {
  readonly #ports: ClockGuardPorts;
  #wasTrusted = true;
  /** The clock would be believed, but for a store that can't record its new base. */
  #isUnrecorded = false;

  constructor(ports: ClockGuardPorts) {
    this.#ports = ports;
  }

  judge(): ClockJudgement {
    return judgeClock(this.#ports.ledger.clock, this.#read(), this.#ports.stepLimitMs);
  }

  /** Empty while the clock is trusted. */
  get problem(): string {
    const { isTrusted, stepMs } = this.judge();
    return isTrusted ? '' : this.#toUntrusted(stepMs).message;
  }

  /** The time that was judged: a second reading could come after a step. Errors: CLOCK_UNTRUSTED. */
  requireTrusted(): number {
    const now = this.#read();
    const { isTrusted, stepMs } = judgeClock(this.#ports.ledger.clock, now, this.#ports.stepLimitMs);
    if (!isTrusted) throw this.#toUntrusted(stepMs);
    return now.wallMs;
  }

  /** Takes a base where one is missing, and says so when trust is lost or back. */
  async tick(): Promise<void> {
    const { ledger, log, stepLimitMs } = this.#ports;
    const lastSeenMs = ledger.clock.lastSeenMs;
    const decide = (): readonly ClockEvent[] => decideClockBase(ledger.clock, this.#read(), stepLimitMs);
    let base = decide();
    try {
      if (base.length > 0)
        await ledger.transact(() => {
          // Two ticks may have found none: the second takes the first one's.
          base = decide();
          return base.length === 0 ? [] : [{ to: 'clock', events: base }];
        });
      this.#isUnrecorded = false;
    } catch (thrown) {
      this.#isUnrecorded = true;
      log.warn({ err: toKeyturnError(thrown) }, 'the clock could not be recorded');
    }
    if (base.length > 0 && lastSeenMs > 0) {
      const gapMs = this.#ports.clock.wallMs() - lastSeenMs;
      log.warn(
        { gapMs, gap: formatDuration(gapMs) },
        'the machine was rebooted: its clock is believed over the gap since the last heartbeat',
      );
    }
    const { isTrusted, stepMs } = this.judge();
    const hasChanged = isTrusted !== this.#wasTrusted;
    this.#wasTrusted = isTrusted;
    if (hasChanged) {
      if (isTrusted) log.info({}, 'the wall clock is trusted again');
      else
        log.error(
          { stepMs, step: formatDuration(stepMs) },
          'the wall clock stepped: nothing is signed and nothing final is done until it is right again or confirmed',
        );
      this.#ports.onTrustChange();
    }
  }

  /** An operator says, from another source, what time it is: the wall clock is right after all, and becomes the base. */
  async confirm(caller: CallerName, typedMs: number, reason: string): Promise<void> {
    const now = this.#read();
    const differenceMs = now.wallMs - typedMs;
    if (Math.abs(differenceMs) > CONFIRMATION_TOLERANCE_MS) {
      throw new KeyturnError(
        'FIELD_INVALID',
        `time must be the time it is now, from another source than this machine; the wall clock says ${new Date(now.wallMs).toISOString()}, which is ${formatDuration(differenceMs)} off: set the clock right instead`,
        { field: 'time' },
      );
    }
    const offsetMs = now.wallMs - now.bootMs;
    await this.#ports.ledger.transact(() => [
      {
        to: 'clock',
        events: [{ type: 'CLOCK_CONFIRMED', atMs: now.wallMs, offsetMs, bootId: now.bootId, caller, reason }],
      },
    ]);
    await this.tick();
  }

  /** The believed time, when it is due to be written down. */
  heartbeat(): readonly ClockEvent[] {
    const { ledger, clock } = this.#ports;
    const atMs = clock.wallMs();
    if (atMs - ledger.clock.lastSeenMs < HEARTBEAT_MS || !this.judge().isTrusted) return [];
    return [{ type: 'CLOCK_SEEN', atMs }];
  }

  #toUntrusted(stepMs: number): KeyturnError {
    const message = this.#isUnrecorded
      ? 'the machine was rebooted, and what its clock is held against since then can not be recorded; make room on the disk of the store, or mend it'
      : `the wall clock is ${formatDuration(stepMs)} from where it should be; set it right, or confirm it with keyturn clock confirm and a time from elsewhere`;
    return new KeyturnError('CLOCK_UNTRUSTED', message, { rule: 'clock-guard' });
  }

  #read(): ClockReading {
    const { clock } = this.#ports;
    return { wallMs: clock.wallMs(), bootMs: clock.bootMs(), bootId: clock.bootId() };
  }
}
