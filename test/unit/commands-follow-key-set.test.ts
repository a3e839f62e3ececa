import { expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import type { Reason } from '../../src/base/reasons.ts';
import type { KeySet } from '../../src/client/client.ts';
import { followKeySet } from '../../src/commands/follow-key-set.ts';
import { FakeClock, settle } from '../fakes/fake-clock.ts';

const keySetOf = (generation: number, maxAgeMs = 300_000): KeySet => ({
  keySet: 'default',
  generation,
  jwks: Buffer.from(`${generation}`),
  etag: `"${generation}"`,
  maxAgeMs,
});

/** Follows connections that give these key sets and then fail so, or go on for ever after the last. */
function start(connections: readonly { readonly keySets?: readonly KeySet[]; readonly reason?: Reason }[]) {
  const clock = new FakeClock(0);
  const stopping = new AbortController();
  const [written, notes]: [number[], string[]] = [[], []];
  let opened = 0;
  async function* read(): AsyncIterable<KeySet> {
    const { keySets = [], reason } = connections[opened - 1] ?? {};
    yield* keySets;
    if (reason !== undefined) throw new KeyturnError(reason, 'planted');
    if (!stopping.signal.aborted) await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve));
  }
  const ended = followKeySet({
    open(use) {
      opened += 1;
      return use(read());
    },
    write({ generation }) {
      written.push(generation);
      return Promise.resolve();
    },
    note: (line) => notes.push(line),
    clock,
    signal: stopping.signal,
  });
  return { clock, written, notes, ended, stop: () => stopping.abort(), opened: () => opened };
}

it('writes each key set that differs from the one before, and the first of each connection', async () => {
  const { clock, written, ended, stop } = start([
    { keySets: [keySetOf(1), keySetOf(1, 60_000), keySetOf(2)], reason: 'SHUTTING_DOWN' },
    { keySets: [keySetOf(2), keySetOf(3)] },
  ]);
  await clock.advanceAsync(1_000);
  expect(written).toEqual([1, 2, 2, 3]);
  stop();
  await ended;
});

it('pauses longer each time, up to 30 s, and briefly again once it was well; a stop ends a pause', async () => {
  const away = { reason: 'DAEMON_UNREACHABLE' } as const;
  const { clock, notes, ended, stop, opened } = start([
    ...Array.from({ length: 8 }, () => away),
    { keySets: [keySetOf(1)], reason: 'KEY_SET_WITHHELD' },
    away,
  ]);
  await clock.advanceAsync(150_000, 500);
  expect(notes.map((note) => Number(/in ([\d.]+) s$/.exec(note)?.[1]))).toEqual([0.5, 1, 2, 4, 8, 16, 30, 30, 0.5, 1]);
  expect(notes[0]).toBe('planted (DAEMON_UNREACHABLE); the file stays as it is, next attempt in 0.5 s');
  expect(opened()).toBe(11);
  stop();
  await ended;

  const pausing = start([away]);
  await settle();
  pausing.stop();
  await pausing.ended;
  expect(pausing.opened()).toBe(1);
});

it.each(['CALLER_DENIED', 'KEY_SET_NOT_FOUND', 'FIELD_INVALID', 'INTERNAL'] as const)(
  'ends with %s',
  async (reason) => {
    await expect(start([{ reason }]).ended).rejects.toMatchObject({ reason });
  },
);
