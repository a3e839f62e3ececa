/**
 * How long the daemon has been up, over all its runs, as each key set's stream knows it: monotonic time, beside the wall
 * clock, before an import may leave. Recorded in coarse steps; a crash loses at most one, and an import then stays longer.
 */
import type { Clock } from '../base/clock.ts';
import type { KeySetName } from '../base/ids.ts';
import type { ImportEvent } from '../lifecycle/events.ts';
import { evolveKeySet, type KeySetState } from '../lifecycle/fold-key-set.ts';
import { publishedImports } from '../lifecycle/imports.ts';

/** The step in which it is recorded, as a share of the shortest time that an import stays, within the bounds. */
const RECORD_SHARE = 1 / 20;
const MIN_RECORD_STEP_MS = 1_000;
const MAX_RECORD_STEP_MS = 3_600_000;

export class UpTime {
  readonly #clock: Clock;
  /** When the key set was first seen in this run, and its recorded total then. */
  readonly #since = new Map<KeySetName, { readonly atMs: number; readonly baseMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The key set with its up-time as it stands now, and the event that says so; an event says the same when it moved. */
  observe(recorded: KeySetState): { readonly state: KeySetState; readonly events: readonly ImportEvent[] } {
    const nowMs = this.#clock.monotonicMs();
    const since = this.#since.get(recorded.name) ?? { atMs: nowMs, baseMs: recorded.upMs };
    this.#since.set(recorded.name, since);
    const upMs = since.baseMs + Math.floor(nowMs - since.atMs);
    if (upMs <= recorded.upMs) return { state: recorded, events: [] };
    const event: ImportEvent = { type: 'UP_TIME_RECORDED', atMs: this.#clock.wallMs(), upMs };
    return { state: evolveKeySet(recorded, event), events: [event] };
  }
}

/** Whether so much has gathered that a crash now would keep an import noticeably longer. */
export function isUpTimeDue(recorded: KeySetState, observed: KeySetState): boolean {
  const stays = publishedImports(recorded).map(({ importedAtMs, expiresAtMs }) => expiresAtMs - importedAtMs);
  const stepMs = Math.max(MIN_RECORD_STEP_MS, Math.min(MAX_RECORD_STEP_MS, ...stays.map((ms) => ms * RECORD_SHARE)));
  return stays.length > 0 && observed.upMs - recorded.upMs >= stepMs;
}
