/** A JWT that is signed and waits for others: what happens meanwhile decides whether it may leave. */
import { expect, it } from 'vitest';
import { settle } from '../fakes/fake-clock.ts';
import { MemoryAuditLog } from '../fakes/memory-audit-log.ts';
import { type AppHarness, OPERATOR, startApp } from '../fixtures/app-harness.ts';

const LIFETIME_MS = 60_000;

async function start(): Promise<{ readonly harness: AppHarness; readonly log: MemoryAuditLog }> {
  const log = new MemoryAuditLog();
  const harness = await startApp({ auditLog: log });
  await harness.apply();
  return { harness, log };
}

it('may leave, however often it is asked, while nothing happens', async () => {
  const { harness, log } = await start();
  const { mayStillLeave } = await harness.sign('access-tokens', LIFETIME_MS);
  await harness.clock.advanceAsync(LIFETIME_MS / 2, 1_000);
  expect([mayStillLeave(), mayStillLeave()]).toEqual([true, true]);
  expect(log.ofKind('JWT_FAILED')).toEqual([]);
});

it('may not when its version was declared compromised: it is entered as never released', async () => {
  const { harness, log } = await start();
  const waiting = await harness.sign();
  await harness.app.declareCompromised(OPERATOR, {
    scope: { kind: 'version', signingKey: 'access-tokens', version: 1 },
    retain: false,
    validateOnly: false,
    reason: 'stolen',
    requestId: '',
  });
  expect(waiting.mayStillLeave()).toBe(false);
  await settle();
  const [dispatched] = log.ofKind('JWT_DISPATCHED');
  expect(log.ofKind('JWT_FAILED')).toMatchObject([{ dispatched: dispatched?.seq, reason: 'VERSION_UNUSABLE' }]);
  expect((await harness.sign()).mayStillLeave(), "its successor's may").toBe(true);
});

it('may not when it has expired', async () => {
  const { harness } = await start();
  const waiting = await harness.sign('access-tokens', LIFETIME_MS);
  await harness.clock.advanceAsync(LIFETIME_MS + 1_000, 1_000);
  expect(waiting.mayStillLeave()).toBe(false);
});

it.each([-2_000, 2_000])('may not when the clock was set by %d ms', async (byMs) => {
  const { harness } = await start();
  const waiting = await harness.sign('access-tokens', LIFETIME_MS);
  harness.clock.stepWall(byMs);
  expect(waiting.mayStillLeave()).toBe(false);
});
