/** Where the log says nothing, or says that something is missing; and where its times don't go forward. Pure. */
import { formatDuration } from '../../base/duration.ts';
import type { ClockEvent } from '../../lifecycle/clock-guard.ts';
import type { AuditEntry } from '../entries.ts';
import { isIn } from './key-history.ts';
import type { Happening, Period } from './report.ts';

/** Entries of one write may be some milliseconds out of order. */
const BACKWARD_SLACK_MS = 1_000;
/** A longer pause between a stop and a start is told: nothing was signed in it. */
const TOLD_PAUSE_MS = 60_000;
/** A daemon in service signs its log every hour, whatever happens. */
const TOLD_SILENCE_MS = 2 * 3_600_000;

export class Continuity {
  readonly #period: Period;
  readonly #gaps: Happening[] = [];
  readonly #clock: Happening[] = [];
  #firstMs: number | undefined;
  #lastMs: number | undefined;
  #hasStopped = true;
  #goesOn = false;

  constructor(period: Period) {
    this.#period = period;
  }

  add(entry: AuditEntry): void {
    const atMs = Date.parse(entry.time);
    const lastMs = this.#lastMs;
    this.#firstMs ??= atMs;
    if (lastMs !== undefined && atMs < lastMs - BACKWARD_SLACK_MS)
      this.#tellClock(entry, `the time of the entries goes back by ${formatDuration(lastMs - atMs)}`);
    const gap = this.#gapAt(entry, lastMs === undefined ? undefined : atMs - lastMs);
    if (gap !== undefined && isIn(atMs, this.#period)) this.#gaps.push({ sequence: entry.seq, atMs, what: gap });
    if (entry.kind === 'EVENT' && entry.stream === 'clock') this.#addClockEvent(entry, entry.data as ClockEvent);
    // A last checkpoint follows the stop; what is missing is told before the next start.
    if (entry.kind !== 'CHECKPOINT' && entry.kind !== 'HISTORY_MISSING')
      this.#hasStopped = entry.kind === 'LOG_STOPPED';
    this.#lastMs = atMs;
  }

  /** There is an entry after the period: the log doesn't end within. */
  goOn(): void {
    this.#goesOn = true;
  }

  gaps(): readonly Happening[] {
    const { fromMs, toMs } = this.#period;
    const begins = this.#firstMs;
    const ends = this.#lastMs;
    const before: Happening[] =
      begins === undefined || begins > fromMs
        ? [
            {
              sequence: 0,
              atMs: fromMs,
              what: `the log begins ${begins === undefined ? 'after the period' : at(begins)}`,
            },
          ]
        : [];
    const after: Happening[] =
      !this.#goesOn && ends !== undefined && ends < toMs - TOLD_SILENCE_MS
        ? [{ sequence: 0, atMs: ends, what: `the log ends ${at(ends)}, before the period does` }]
        : [];
    return [...before, ...this.#gaps, ...after];
  }

  clock(): readonly Happening[] {
    return this.#clock;
  }

  #gapAt(entry: AuditEntry, pauseMs: number | undefined): string | undefined {
    switch (entry.kind) {
      case 'LOG_STARTED':
        return this.#pauseBefore(pauseMs);
      case 'TAIL_CUT':
        return `an incomplete last line of ${entry.bytes} bytes was cut off after a crash: nobody was answered for it`;
      case 'HISTORY_MISSING':
        return `the store knew the log up to ${entry.expected}, and the log ended with ${entry.found}: entries were removed, or an old copy was put in its place`;
      case 'LOG_INTERRUPTED':
        return `the disk took no entries since ${entry.since} (${entry.problem}): ${entry.refused} requests were refused for it, and ${entry.lost} entries are missing`;
      case 'SEGMENTS_REMOVED':
        return `the retention rule removed the entries through ${entry.through}`;
      default:
        return undefined;
    }
  }

  #pauseBefore(pauseMs: number | undefined): string | undefined {
    if (pauseMs === undefined) return undefined;
    const pause = formatDuration(pauseMs);
    if (!this.#hasStopped)
      return `the daemon was started anew, and had not stopped in order: it was killed, or crashed, in the ${pause} since the entry before`;
    return pauseMs >= TOLD_PAUSE_MS ? `the daemon was not running for ${pause}` : undefined;
  }

  #addClockEvent(entry: AuditEntry, event: ClockEvent): void {
    if (event.type === 'CLOCK_CONFIRMED') this.#tellClock(entry, `${event.caller} confirmed the time: ${event.reason}`);
    else if (event.type === 'CLOCK_BASED' && event.basis === 'reboot')
      this.#tellClock(entry, 'the machine was booted anew, and its clock was believed');
  }

  #tellClock({ seq, time }: AuditEntry, what: string): void {
    const atMs = Date.parse(time);
    if (isIn(atMs, this.#period)) this.#clock.push({ sequence: seq, atMs, what });
  }
}

function at(timeMs: number): string {
  return `at ${new Date(timeMs).toISOString()}`;
}
