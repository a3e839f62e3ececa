import { describe, expect, it } from 'vitest';
import { ClockGuard } from '../../src/app/clock-guard.ts';
import { Ledger } from '../../src/app/ledger.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { silentLog } from '../fixtures/hsm-pool.ts';
import { readAll } from '../fixtures/read-all.ts';
import { MINUTE, T0 } from '../fixtures/lifecycle.ts';

describe('the clock guard of the application', () => {
  it('takes one base, though two look at a new store at once', async () => {
    const clock = new FakeClock(T0);
    const store = new MemoryStore();
    const ledger = await Ledger.open(store, clock, new Map());
    const guard = new ClockGuard({
      ledger,
      clock,
      log: silentLog,
      stepLimitMs: MINUTE,
      onTrustChange: () => undefined,
    });
    await Promise.all([guard.tick(), guard.tick()]);
    const streams = await readAll(store);
    const events = streams.flatMap(({ stream, events: found }) => (stream === 'clock' ? found : []));
    expect(events.map(({ type }) => type)).toEqual(['CLOCK_BASED']);
    expect(guard.problem).toBe('');
  });
});
