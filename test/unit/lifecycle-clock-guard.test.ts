import { describe, expect, it } from 'vitest';
import {
  type ClockEvent,
  type ClockState,
  decideClockBase,
  evolveClock,
  judgeClock,
  NEW_CLOCK_STATE,
} from '../../src/lifecycle/clock-guard.ts';
import { DAY, HOUR, MINUTE, T0 } from '../fixtures/lifecycle.ts';

const LIMIT = MINUTE;
const at = (wallMs: number, bootMs: number, bootId = 'a') => ({ wallMs, bootMs, bootId });
const fold = (events: readonly ClockEvent[], from: ClockState = NEW_CLOCK_STATE) => events.reduce(evolveClock, from);
const based = fold(decideClockBase(NEW_CLOCK_STATE, at(T0, HOUR), LIMIT));

describe('the clock guard', () => {
  it('believes a clock that goes on with time since boot, exactly up to the limit', () => {
    expect(judgeClock(based, at(T0 + DAY, HOUR + DAY), LIMIT)).toEqual({ isTrusted: true, stepMs: 0 });
    expect(judgeClock(based, at(T0 + LIMIT, HOUR), LIMIT).isTrusted).toBe(true);
    expect(judgeClock(based, at(T0 + LIMIT + 1, HOUR), LIMIT)).toEqual({ isTrusted: false, stepMs: LIMIT + 1 });
    expect(judgeClock(based, at(T0 - LIMIT, HOUR), LIMIT).isTrusted).toBe(true);
    expect(judgeClock(based, at(T0 - LIMIT - 1, HOUR), LIMIT).isTrusted).toBe(false);
  });

  it('adds up small steps: it compares with the base, not with the last look', () => {
    let offset = 0;
    const verdicts = [];
    for (let step = 1; step <= 4; step += 1) {
      offset += 20_000;
      verdicts.push(judgeClock(based, at(T0 + step * HOUR + offset, HOUR + step * HOUR), LIMIT).isTrusted);
    }
    expect(verdicts).toEqual([true, true, true, false]);
  });

  it('keeps its base over a restart of the daemon: the same boot takes no new one', () => {
    expect(decideClockBase(based, at(T0 + 365 * DAY, 2 * HOUR), LIMIT)).toEqual([]);
  });

  it('does not mind a suspended machine: time since boot counts it', () => {
    expect(judgeClock(based, at(T0 + 8 * HOUR, 9 * HOUR), LIMIT).isTrusted).toBe(true);
  });

  it('after a reboot believes a clock after the last heartbeat, and not one before it', () => {
    const seen = fold([{ type: 'CLOCK_SEEN', atMs: T0 + DAY }], based);
    expect(judgeClock(seen, at(T0 + DAY, 5_000, 'b'), LIMIT).isTrusted, 'not before it has a base').toBe(false);
    expect(decideClockBase(seen, at(T0 + DAY - LIMIT - 1, 5_000, 'b'), LIMIT)).toEqual([]);
    const again = fold(decideClockBase(seen, at(T0 + 3 * DAY, 5_000, 'b'), LIMIT), seen);
    expect(judgeClock(again, at(T0 + 3 * DAY, 5_000, 'b'), LIMIT).isTrusted).toBe(true);
  });

  it('takes a confirmed time as its base', () => {
    const wrong = at(T0 + 2 * HOUR, HOUR);
    expect(judgeClock(based, wrong, LIMIT).isTrusted).toBe(false);
    const confirmed = fold(
      [
        {
          type: 'CLOCK_CONFIRMED',
          atMs: wrong.wallMs,
          offsetMs: wrong.wallMs - wrong.bootMs,
          bootId: 'a',
          caller: 'x' as never,
          reason: '',
        },
      ],
      based,
    );
    expect(judgeClock(confirmed, wrong, LIMIT).isTrusted).toBe(true);
  });
});
