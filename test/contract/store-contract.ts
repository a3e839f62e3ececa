/** What every store does, whatever it is made of: one suite for each adapter and each fake. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EventStore, MAX_CHUNK_BYTES, type StoredEvent, type StreamAppend } from '../../src/store/store.ts';
import { readAll } from '../fixtures/read-all.ts';

export interface StoreSubject {
  readonly store: EventStore;
  /** The store as a restart finds it; closes the present one. */
  reopen(): Promise<EventStore>;
  cleanUp(): Promise<void>;
}

/** A store whose disk can be filled to the last byte, and freed again. */
export interface DiskSubject extends StoreSubject {
  fillDisk(): void;
  freeDisk(): void;
}

function event(type: string, members: object = {}): StoredEvent {
  return { ...members, type, atMs: 1_700_000_000_000 };
}

function append(stream: string, expectedSequence: number, ...events: StoredEvent[]): StreamAppend {
  return { stream, expectedSequence, events };
}

export function describeStore(name: string, open: () => Promise<StoreSubject>): void {
  describe(`${name} as a store`, () => {
    let subject: StoreSubject;
    let store: EventStore;

    beforeEach(async () => {
      subject = await open();
      store = subject.store;
    });
    afterEach(() => subject.cleanUp());

    it('is empty at first', async () => {
      expect(await readAll(store)).toEqual([]);
    });

    it('gives back each stream with its events in order, after a restart too', async () => {
      const rich = event('made', {
        nested: { list: [1, null, 'ü€😀', true], empty: {} },
        precise: 0.1,
        big: Number.MAX_SAFE_INTEGER,
      });
      await store.commit([append('signing-key/b', 0, event('b1'), event('b2'))]);
      await store.commit([append('signing-key/a', 0, rich), append('signing-key/b', 2, event('b3'))]);
      const expected = [
        { stream: 'signing-key/a', events: [rich] },
        { stream: 'signing-key/b', events: [event('b1'), event('b2'), event('b3')] },
      ];
      expect(await readAll(store)).toEqual(expected);
      store = await subject.reopen();
      expect(await readAll(store)).toEqual(expected);
    });

    it('makes a copy of what is durable, in parts, and goes on meanwhile', async () => {
      const long = 'x'.repeat(MAX_CHUNK_BYTES);
      await store.commit([append('s', 0, event('kept', { long }), event('kept', { long }))]);
      const copy = await store.copy();
      await store.commit([append('s', 2, event('later'))]);
      const parts: Uint8Array[] = [];
      for await (const part of copy.read()) parts.push(part);
      await copy.dispose();
      await copy.dispose();
      expect(parts.length).toBeGreaterThan(1);
      for (const part of parts) expect(part.length).toBeLessThanOrEqual(MAX_CHUNK_BYTES);
      const text = Buffer.concat(parts).toString('latin1');
      expect(text).toContain('kept');
      expect(text).not.toContain('later');
      expect(await (await store.copy()).dispose()).toBeUndefined();
    });

    it.each([
      ['too low', 0],
      ['one too low', 1],
      ['one too high', 3],
    ])('refuses an append whose expected sequence is %s', async (_, expectedSequence) => {
      await store.commit([append('s', 0, event('one'), event('two'))]);
      await expect(store.commit([append('s', expectedSequence, event('three'))])).rejects.toMatchObject({
        reason: 'CONCURRENT_CHANGE',
      });
      expect((await readAll(store))[0]?.events).toHaveLength(2);
      await store.commit([append('s', 2, event('three'))]);
    });

    it('keeps nothing of a commit of which one stream has changed', async () => {
      await store.commit([append('changed', 0, event('one'))]);
      const both = [append('fresh', 0, event('lost')), append('changed', 0, event('lost'))];
      await expect(store.commit(both)).rejects.toMatchObject({ reason: 'CONCURRENT_CHANGE' });
      expect(await readAll(store)).toEqual([{ stream: 'changed', events: [event('one')] }]);
    });

    it('lets exactly one of many simultaneous commits win, and the others on other streams through', async () => {
      const racing = Array.from({ length: 20 }, (_, index) =>
        store.commit([append('race', 0, event(`racer-${index}`))]),
      );
      const others = Array.from({ length: 20 }, (_, index) =>
        store.commit([append(`other-${index}`, 0, event('one'))]),
      );
      const outcomes = await Promise.allSettled(racing);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      await Promise.all(others);
      const streams = await readAll(store);
      expect(streams).toHaveLength(21);
      expect(streams.find(({ stream }) => stream === 'race')?.events).toHaveLength(1);
    });

    it('accepts a stream in steps without waiting for each', async () => {
      await Promise.all(
        Array.from({ length: 200 }, (_, index) => store.commit([append('s', index, event(`e${index}`))])),
      );
      const [stream] = await readAll(store);
      expect(stream?.events.map(({ type }) => type)).toEqual(Array.from({ length: 200 }, (_, index) => `e${index}`));
    });

    it('can compare without appending', async () => {
      await store.commit([append('s', 0, event('one'))]);
      await store.commit([append('s', 1), append('t', 0, event('one'))]);
      await expect(store.commit([append('s', 0), append('t', 1, event('two'))])).rejects.toMatchObject({
        reason: 'CONCURRENT_CHANGE',
      });
      expect((await readAll(store)).map(({ events }) => events.length)).toEqual([1, 1]);
    });

    it('finishes on close what was asked before, and refuses everything after it', async () => {
      const before = [0, 1, 2].map((index) => store.commit([append('s', index, event('one'))]));
      const closing = store.close();
      const late = { reason: 'SHUTTING_DOWN' };
      await expect(store.commit([append('s', 3, event('late'))])).rejects.toMatchObject(late);
      await Promise.all([...before, closing, store.close()]);
      await expect(readAll(store)).rejects.toMatchObject(late);
      expect((await readAll(await subject.reopen()))[0]?.events).toHaveLength(3);
    });
  });
}

/** Rule 6: what takes power from a key is durable on a full disk too. */
export function describeStoreOnFullDisk(
  name: string,
  open: () => Promise<DiskSubject>,
  options: { readonly skip: boolean },
): void {
  describe.skipIf(options.skip)(`${name} as a store on a full disk`, () => {
    let subject: DiskSubject;
    let store: EventStore;
    const mayUseReserve = { mayUseReserve: true };
    const unavailable = { reason: 'STORE_UNAVAILABLE' };
    const large = (type: string): StoredEvent => event(type, { filling: 'x'.repeat(60_000) });
    const typesOf = async (stream: string): Promise<string[] | undefined> =>
      (await readAll(store)).find((each) => each.stream === stream)?.events.map(({ type }) => type);
    const reopen = async (): Promise<void> => {
      store = await subject.reopen();
    };

    beforeEach(async () => {
      subject = await open();
      store = subject.store;
      await store.commit([append('s', 0, event('made'))]);
    });
    afterEach(() => subject.cleanUp());

    /** What was written before may have left the store some room of its own. */
    async function fill(): Promise<void> {
      subject.fillDisk();
      for (let sequence = (await typesOf('filler'))?.length ?? 0; ; sequence += 1) {
        try {
          await store.commit([append('filler', sequence, large('filler'))]);
        } catch (failure) {
          expect(failure).toMatchObject(unavailable);
          return;
        }
      }
    }

    it('refuses ordinary commits, and goes on with them when there is room again', async () => {
      await fill();
      await expect(store.commit([append('t', 0, large('one'))])).rejects.toMatchObject(unavailable);
      subject.freeDisk();
      await store.commit([append('t', 0, large('one'))]);
      await reopen();
      expect(await typesOf('t')).toEqual(['one']);
    });

    it('commits what may use the reserve, shows it at once, and finds it after a restart on the full disk', async () => {
      await fill();
      await store.commit([append('s', 1, large('compromised')), append('t', 0, event('taken over'))], mayUseReserve);
      expect(await typesOf('s')).toEqual(['made', 'compromised']);
      await reopen();
      expect(await typesOf('s')).toEqual(['made', 'compromised']);
      expect(await typesOf('t')).toEqual(['taken over']);
      await store.commit([append('s', 2, event('compromised again'))], mayUseReserve);
      await reopen();
      expect(await typesOf('s')).toEqual(['made', 'compromised', 'compromised again']);
    });

    it('compares sequences with what the reserve holds', async () => {
      await fill();
      await store.commit([append('s', 1, event('compromised'))], mayUseReserve);
      const race = { reason: 'CONCURRENT_CHANGE' };
      await expect(store.commit([append('s', 1, event('late'))], mayUseReserve)).rejects.toMatchObject(race);
      await expect(store.commit([append('s', 3, event('early'))], mayUseReserve)).rejects.toMatchObject(race);
      await store.commit([append('s', 2, event('next'))], mayUseReserve);
      subject.freeDisk();
      await expect(store.commit([append('s', 1, event('late'))])).rejects.toMatchObject(race);
      await store.commit([append('s', 3, event('ordinary'))]);
      await reopen();
      expect(await typesOf('s')).toEqual(['made', 'compromised', 'next', 'ordinary']);
    });

    it('fills the reserve again whenever there is room', async () => {
      const expected = ['made'];
      const commit = async (type: string, options?: object): Promise<void> => {
        await store.commit([append('s', expected.length, large(type))], options);
        expected.push(type);
      };
      for (let round = 0; round < 3; round += 1) {
        await fill();
        for (let index = 0; index < 40; index += 1) await commit(`compromised ${round} ${index}`, mayUseReserve);
        subject.freeDisk();
        await commit(`ordinary ${round}`);
        if (round === 1) await reopen();
      }
      await reopen();
      expect(await typesOf('s')).toEqual(expected);
    });

    it('does not use up the reserve for commits that have room', async () => {
      for (let index = 1; index <= 100; index += 1) await store.commit([append('s', index, large('x'))], mayUseReserve);
      await fill();
      await store.commit([append('s', 101, large('compromised'))], mayUseReserve);
    });
  });
}
