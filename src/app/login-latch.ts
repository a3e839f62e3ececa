/** The HSM's login latch, kept in the event log: durable before anyone hears of the refusal. */
import type { Clock } from '../base/clock.ts';
import type { LoginLatch } from '../hsm/hsm.ts';
import type { Ledger } from './ledger.ts';

export function createLoginLatch(ledger: Ledger, clock: Clock): LoginLatch {
  return {
    isSet: () => ledger.token.isLoginLatched,
    set: (reason) =>
      ledger.transact(() => [{ to: 'token', events: [{ type: 'LOGIN_REFUSED', atMs: clock.wallMs(), reason }] }]),
  };
}
