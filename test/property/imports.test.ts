/**
 * Imported keys under whatever happens to the daemon, held against a model that knows only what was promised: an import
 * is published until its time is over by both clocks or somebody removes it, and what left never comes back.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasReason } from '../../src/base/errors.ts';
import { type AppHarness, OPERATOR, startApp } from '../fixtures/app-harness.ts';
import { settle } from '../fakes/fake-clock.ts';
import { DAY, MINUTE } from '../fixtures/lifecycle.ts';
import { makeOldSigner } from '../fixtures/old-signer.ts';

const MAX_PUBLISHED = 3;
const PROMISE = { maxPublishedVersions: MAX_PUBLISHED };
/** What time is advanced by at once, and so how late something may be noticed. */
const TICK_MS = 20_000;
/** A crash loses at most a twentieth of the shortest stay, or a second, of up-time. */
const LOST_SHARE = 1 / 20;

type Happening =
  | { readonly kind: 'import'; readonly name: number; readonly minutes: number }
  | { readonly kind: 'remove'; readonly name: number; readonly compromised: boolean }
  | { readonly kind: 'wait'; readonly minutes: number }
  | { readonly kind: 'crash' | 'stop'; readonly downMinutes: number }
  | { readonly kind: 'reboot'; readonly leapDays: number }
  | { readonly kind: 'full disk' | 'broken disk' | 'good disk' };

const minutes = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const name = fc.integer({ min: 1, max: 5 });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('import' as const), name, minutes: minutes(60) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('remove' as const), name, compromised: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), minutes: minutes(30) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('crash' as const, 'stop' as const), downMinutes: minutes(20) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('reboot' as const), leapDays: fc.integer({ min: 0, max: 3 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('full disk' as const, 'broken disk' as const, 'good disk' as const) }),
  },
);

interface Expected {
  stayMs: number;
  expiresAtMs: number;
  /** In the model's up-time. */
  readonly importedUpMs: number;
  /** A removal was answered with OK, or is in effect in this run of the daemon. */
  removal: 'none' | 'in effect' | 'durable';
  hasLeft: boolean;
}

class Course {
  readonly #keys = new Map<number, Expected>();
  #harness: AppHarness;
  #upMs = 0;
  #crashes = 0;

  constructor(harness: AppHarness) {
    this.#harness = harness;
  }

  async play(next: Happening): Promise<void> {
    const { store, clock } = this.#harness;
    switch (next.kind) {
      case 'import':
        await this.#import(next);
        break;
      case 'remove':
        await this.#remove(next);
        break;
      case 'wait':
        await this.wait(next.minutes * MINUTE);
        break;
      case 'stop':
        await this.#restart('stop', next.downMinutes * MINUTE);
        break;
      case 'crash':
        this.#crashes += 1;
        await this.#restart('crash', next.downMinutes * MINUTE);
        break;
      case 'reboot':
        this.#crashes += 1;
        clock.stepWall(next.leapDays * DAY);
        clock.reboot();
        await this.#restart('crash', 0);
        break;
      case 'full disk':
        store.fillDisk();
        break;
      case 'broken disk':
        store.failNextCommits(1_000);
        break;
      case 'good disk':
        this.mend();
        break;
    }
    this.check();
  }

  mend(): void {
    this.#harness.store.freeDisk();
    this.#harness.store.failNextCommits(0);
  }

  async wait(ms: number): Promise<void> {
    this.#upMs += ms;
    await this.#harness.clock.advanceAsync(ms, TICK_MS);
  }

  check(): void {
    const { clock } = this.#harness;
    const published = this.#harness.published();
    expect(published.length).toBeLessThanOrEqual(MAX_PUBLISHED);
    for (const [number, key] of this.#keys) {
      const isThere = published.includes(kidOf(number));
      const isOver = clock.wallMs() >= key.expiresAtMs && this.#upMs - key.importedUpMs >= key.stayMs;
      if (key.removal !== 'none' || key.hasLeft) expect(isThere, `kid ${number} has left`).toBe(false);
      else if (!isOver) expect(isThere, `kid ${number} is promised`).toBe(true);
      if (!isThere) key.hasLeft ||= key.removal !== 'in effect';
    }
  }

  /** Nothing stays for ever: when the disk is good and so much time has passed, everything is gone. */
  async finish(): Promise<void> {
    this.mend();
    const longestMs = Math.max(0, ...[...this.#keys.values()].map(({ stayMs }) => stayMs));
    await this.wait(longestMs * (1 + LOST_SHARE * this.#crashes) + (this.#crashes + 2) * TICK_MS);
    this.check();
    const farOff = [...this.#keys.values()].some(({ expiresAtMs }) => expiresAtMs > this.#harness.clock.wallMs());
    if (!farOff) expect(this.#harness.published()).toEqual([]);
  }

  async #import({ name: number, minutes: stay }: Happening & { kind: 'import' }): Promise<void> {
    const { app, clock } = this.#harness;
    const signer = await signerOf(number);
    const iat = Math.floor(clock.wallMs() / 1_000);
    const expiresAtMs = clock.wallMs() + stay * MINUTE;
    const known = this.#keys.get(number);
    const importing = app.importPublicKey(OPERATOR, {
      keySet: '',
      jwk: Buffer.from(JSON.stringify(signer.jwk)),
      proof: await signer.proof('default', { iat, exp: iat + 60 }),
      expiresAtMs,
      validateOnly: false,
      reason: 'property',
    });
    try {
      await importing;
    } catch (refusal) {
      const reasons = [
        'PUBLIC_KEY_KNOWN',
        'KEY_SET_FULL',
        'STORE_UNAVAILABLE',
        'COMMAND_NOT_POSSIBLE',
        'CLOCK_UNTRUSTED',
      ] as const;
      if (!reasons.some((reason) => hasReason(refusal, reason))) throw refusal;
      return;
    }
    expect(known === undefined || (!known.hasLeft && known.removal === 'none'), 'what left never comes back').toBe(
      true,
    );
    if (known === undefined)
      this.#keys.set(number, {
        stayMs: stay * MINUTE,
        expiresAtMs,
        importedUpMs: this.#upMs,
        removal: 'none',
        hasLeft: false,
      });
    else if (expiresAtMs > known.expiresAtMs) {
      known.stayMs += expiresAtMs - known.expiresAtMs;
      known.expiresAtMs = expiresAtMs;
    }
  }

  async #remove({ name: number, compromised }: Happening & { kind: 'remove' }): Promise<void> {
    const { app } = this.#harness;
    const key = this.#keys.get(number);
    const command = { keySet: '', kid: kidOf(number), compromised, validateOnly: false, reason: 'property' };
    try {
      await app.removePublicKey(OPERATOR, command);
      if (key !== undefined) key.removal = 'durable';
    } catch (refusal) {
      if (hasReason(refusal, 'IMPORTED_KEY_NOT_FOUND')) expect(key).toBeUndefined();
      else if (hasReason(refusal, 'STORE_UNAVAILABLE')) {
        if (key?.removal === 'none' && !key.hasLeft) key.removal = 'in effect';
      } else throw refusal;
    }
  }

  /** What is in effect and not durable is forgotten, unless the disk was mended meanwhile: that is the answer's warning. */
  async #restart(how: 'crash' | 'stop', downMs: number): Promise<void> {
    const { app, store, clock } = this.#harness;
    if (how === 'stop') await app.stop();
    const durable = store.reopened();
    void app.stop();
    await settle();
    clock.advance(downMs);
    this.#harness = await startApp({ promise: PROMISE, clock, store: durable });
    for (const [number, key] of this.#keys) {
      if (key.removal !== 'in effect') continue;
      key.removal = this.#harness.published().includes(kidOf(number)) ? 'none' : 'durable';
    }
  }
}

const kidOf = (number: number): string => `old-${number}`;
const signers = new Map<number, ReturnType<typeof makeOldSigner>>();
function signerOf(number: number): ReturnType<typeof makeOldSigner> {
  const signer = signers.get(number) ?? makeOldSigner({ kid: kidOf(number) });
  signers.set(number, signer);
  return signer;
}

describe('imported keys', () => {
  it('stay until their time is over by both clocks or they are removed, and never come back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 1, maxLength: 20 }), async (happenings) => {
        const course = new Course(await startApp({ promise: PROMISE }));
        for (const next of happenings) await course.play(next);
        await course.finish();
      }),
      { numRuns: 60 },
    );
  });
});
