/**
 * Rule 8: whether the wall clock may be believed. It is held against time since boot (which counts a suspended machine
 * and survives a restart of the daemon) and a fixed base, never against the last sample: small steps add up. Pure.
 */
import { assertNever } from '../base/assert-never.ts';
import type { CallerName } from '../base/ids.ts';

/** The clocks at one moment. */
export interface ClockReading {
  /** Unix time in ms. */
  readonly wallMs: number;
  /** Milliseconds since the machine booted. */
  readonly bootMs: number;
  /** Names this boot. */
  readonly bootId: string;
}

export type ClockEvent = { readonly atMs: number } & (
  | {
      readonly type: 'CLOCK_BASED';
      /** `wallMs - bootMs` of a clock that was believed. */
      readonly offsetMs: number;
      readonly bootId: string;
      readonly basis: 'first' | 'reboot';
    }
  | {
      readonly type: 'CLOCK_CONFIRMED';
      readonly offsetMs: number;
      readonly bootId: string;
      readonly caller: CallerName;
      readonly reason: string;
    }
  /** A heartbeat: the clock was believed at `atMs`. */
  | { readonly type: 'CLOCK_SEEN' }
);

export interface ClockState {
  readonly base: { readonly offsetMs: number; readonly bootId: string } | undefined;
  /** The latest believed wall-clock time. */
  readonly lastSeenMs: number;
  readonly sequence: number;
}

export const NEW_CLOCK_STATE: ClockState = { base: undefined, lastSeenMs: 0, sequence: 0 };

export function evolveClock(state: ClockState, event: ClockEvent): ClockState {
  const sequence = state.sequence + 1;
  switch (event.type) {
    case 'CLOCK_BASED':
    case 'CLOCK_CONFIRMED':
      return { base: { offsetMs: event.offsetMs, bootId: event.bootId }, lastSeenMs: event.atMs, sequence };
    case 'CLOCK_SEEN':
      return { ...state, lastSeenMs: Math.max(state.lastSeenMs, event.atMs), sequence };
    default:
      return assertNever(event);
  }
}

export interface ClockJudgement {
  readonly isTrusted: boolean;
  /** How far the wall clock is from where the base says it should be; after a reboot, from the last heartbeat. */
  readonly stepMs: number;
}

export function judgeClock(state: ClockState, now: ClockReading, stepLimitMs: number): ClockJudgement {
  const { base } = state;
  if (base === undefined) return { isTrusted: false, stepMs: 0 };
  if (base.bootId !== now.bootId) return { isTrusted: false, stepMs: now.wallMs - state.lastSeenMs };
  const stepMs = now.wallMs - now.bootMs - base.offsetMs;
  return { isTrusted: Math.abs(stepMs) <= stepLimitMs, stepMs };
}

/**
 * The base that a new store or a new boot begins with. After a reboot a clock before the last heartbeat is not believed
 * (no event); one after it is, and the gap is for the log.
 */
export function decideClockBase(state: ClockState, now: ClockReading, stepLimitMs: number): readonly ClockEvent[] {
  if (state.base?.bootId === now.bootId) return [];
  if (state.base !== undefined && now.wallMs < state.lastSeenMs - stepLimitMs) return [];
  const basis = state.base === undefined ? 'first' : 'reboot';
  return [{ type: 'CLOCK_BASED', atMs: now.wallMs, offsetMs: now.wallMs - now.bootMs, bootId: now.bootId, basis }];
}
