/** The streams of WatchKeySet over the real application and a clock that tests turn: what they see, and what they leave. */
import { describe, expect, it } from 'vitest';
import type { KeySetSnapshot } from '../../src/app/application.ts';
import { KeyturnError } from '../../src/base/errors.ts';
import { type CallerName, DEFAULT_KEY_SET, parseCallerName, parseKeySetName } from '../../src/base/ids.ts';
import { KeySetWatches } from '../../src/server/grpc/key-set-watches.ts';
import { settle } from '../fakes/fake-clock.ts';
import { type AppHarness, OPERATOR, startApp } from '../fixtures/app-harness.ts';
import { HOUR, MINUTE } from '../fixtures/lifecycle.ts';

const STEP_MS = 5_000;
const MAX_WATCHES = 16;
const GATEWAY = parseCallerName('gateway');

interface Stream {
  readonly snapshots: AsyncIterator<KeySetSnapshot>;
  /** The reader is gone. */
  close(): void;
}

interface Bench {
  readonly harness: AppHarness;
  readonly watches: KeySetWatches;
  /** Open streams, as they were told. */
  readonly counts: number[];
  /** Why a new call would be refused. */
  refusal: KeyturnError | undefined;
  open(caller?: CallerName, keySet?: string): Stream;
}

async function startBench(): Promise<Bench> {
  const harness = await startApp();
  const counts: number[] = [];
  const watches = new KeySetWatches(harness.app, (open) => counts.push(open));
  const bench: Bench = {
    harness,
    watches,
    counts,
    refusal: undefined,
    open(caller = GATEWAY, keySet = DEFAULT_KEY_SET) {
      const closing = new AbortController();
      const snapshots = watches.open(parseKeySetName(keySet), {
        caller,
        closed: closing.signal,
        accept: () => undefined,
        requirePermitted: () => {
          if (bench.refusal !== undefined) throw bench.refusal;
        },
      });
      return { snapshots: snapshots[Symbol.asyncIterator](), close: () => closing.abort() };
    },
  };
  return bench;
}

async function read({ snapshots }: Stream): Promise<KeySetSnapshot> {
  const { done, value } = await snapshots.next();
  if (done === true) throw new Error('the stream has ended');
  return value;
}

const declare = ({ app }: AppHarness) =>
  app.declareCompromised(OPERATOR, {
    scope: { kind: 'version', signingKey: 'access-tokens', version: 1 },
    retain: false,
    validateOnly: false,
    reason: 'found in a log',
    requestId: '',
  });

/** Reads to the end; what was seen grows as it comes. */
function follow(stream: Stream): { readonly seen: KeySetSnapshot[]; readonly ended: Promise<unknown> } {
  const seen: KeySetSnapshot[] = [];
  const reading = async (): Promise<unknown> => {
    try {
      for (;;) {
        const { done, value } = await stream.snapshots.next();
        if (done === true) return undefined;
        seen.push(value);
      }
    } catch (thrown) {
      return thrown;
    }
  };
  return { seen, ended: reading() };
}

describe('a watch', () => {
  it('waits for the first generation of a key set without content, and says which key sets there are not', async () => {
    const bench = await startBench();
    const { seen } = follow(bench.open());
    await settle();
    expect(seen).toEqual([]);
    await bench.harness.apply();
    await settle();
    expect(seen.map(({ generation }) => generation)).toEqual([1]);
    expect(() => bench.open(GATEWAY, 'nowhere')).toThrow('there is no key set nowhere');
    expect(bench.counts, 'the refused one takes no place').toEqual([1]);
  });

  it('sees each snapshot that HTTP answers once, in order, with a key withdrawn before its generation is durable', async () => {
    const bench = await startBench();
    const { app, clock } = bench.harness;
    await bench.harness.apply();
    const { seen } = follow(bench.open());
    const answered: (KeySetSnapshot | undefined)[] = [app.findKeySet(DEFAULT_KEY_SET)];
    app.onKeySetsChange(() => {
      const found = app.findKeySet(DEFAULT_KEY_SET);
      if (found !== answered.at(-1)) answered.push(found);
    });
    await bench.harness.rotate();
    await clock.advanceAsync(2 * HOUR, STEP_MS);
    const declared = declare(bench.harness);
    await settle();
    await declared;
    await clock.advanceAsync(2 * HOUR, STEP_MS);
    expect(seen).toEqual(answered);
    expect(seen.map(({ generation, maxAgeSeconds, kids }) => [generation, maxAgeSeconds, kids.size])).toEqual([
      [1, 300, 3],
      [2, 300, 4],
      // In memory at once, and then durable.
      [2, 60, 3],
      [3, 60, 3],
      // The incident is over.
      [3, 300, 3],
    ]);
  });

  it('that is slow skips to the latest, and holds up neither the application nor another watch', async () => {
    const bench = await startBench();
    await bench.harness.apply();
    const slow = bench.open();
    expect((await read(slow)).generation).toBe(1);
    const { seen } = follow(bench.open());
    await bench.harness.rotate();
    await bench.harness.clock.advanceAsync(2 * HOUR, STEP_MS);
    await declare(bench.harness);
    await settle();
    const latest = bench.harness.app.findKeySet(DEFAULT_KEY_SET);
    expect(seen.length).toBeGreaterThan(3);
    expect(seen.at(-1)).toBe(latest);
    expect(await read(slow)).toBe(latest);
  });

  it('ends when its reader is gone, whether it waits or has something unread', async () => {
    const bench = await startBench();
    await bench.harness.apply();
    const waiting = bench.open();
    const { ended } = follow(waiting);
    const unread = bench.open();
    expect(bench.counts).toEqual([1, 2]);
    await settle();
    waiting.close();
    unread.close();
    expect(await ended).toBeUndefined();
    expect(await unread.snapshots.next()).toEqual({ done: true, value: undefined });
    expect(bench.counts).toEqual([1, 2, 1, 0]);
    bench.refusal = new KeyturnError('CALLER_DENIED', 'nobody (planted)');
    expect(bench.watches.judgeAnew(), 'nobody is left to be judged').toBe(false);
  });

  it('keeps its place while its stream is there, though nothing reads it any more', async () => {
    const bench = await startBench();
    await bench.harness.apply();
    const stalled = bench.open();
    await read(stalled);
    await stalled.snapshots.return?.();
    expect(bench.counts).toEqual([1]);
    bench.refusal = new KeyturnError('CALLER_DENIED', 'nobody (planted)');
    expect(bench.watches.judgeAnew()).toBe(false);
    stalled.close();
    expect(bench.counts).toEqual([1, 0]);
  });

  it('is refused to a caller who has all of its places, and to no other', async () => {
    const bench = await startBench();
    const streams = Array.from({ length: MAX_WATCHES }, () => bench.open());
    expect(() => bench.open()).toThrow(
      expect.objectContaining({
        reason: 'QUEUE_FULL',
        message: 'caller gateway watches key sets on 16 streams already; end one, or share one',
      }) as Error,
    );
    bench.open(OPERATOR);
    expect(bench.counts.at(-1)).toBe(MAX_WATCHES + 1);
    streams[3]?.close();
    bench.open();
    expect(() => bench.open()).toThrow('streams already');
  });

  it('ends with what a new call would be refused with, without what is unread', async () => {
    const bench = await startBench();
    await bench.harness.apply();
    const { ended } = follow(bench.open());
    const unread = bench.open();
    const { snapshots } = unread;
    await read(unread);
    await bench.harness.rotate();
    await bench.harness.clock.advanceAsync(MINUTE, STEP_MS);
    expect(bench.watches.judgeAnew()).toBe(false);
    bench.refusal = new KeyturnError('CALLER_DENIED', 'not any more (planted)');
    expect(bench.watches.judgeAnew()).toBe(true);
    expect(await ended).toBe(bench.refusal);
    await expect(snapshots.next()).rejects.toBe(bench.refusal);
  });

  it('ends with the daemon, and none begins then', async () => {
    const bench = await startBench();
    const { ended } = follow(bench.open());
    bench.watches.drain();
    expect(await ended).toMatchObject({ reason: 'SHUTTING_DOWN', code: 'UNAVAILABLE' });
    expect(() => bench.open()).toThrow('shutting down');
    bench.watches.drain();
  });
});
