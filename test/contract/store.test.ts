/** The store contract on the real adapter and on the fake. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { mountSmallDisk, NO_SMALL_DISK } from '../fixtures/small-disk.ts';
import { describeStore, describeStoreOnFullDisk } from './store-contract.ts';

describeStore('SQLite', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'keyturn-store-'));
  const file = path.join(folder, 'keyturn.db');
  let current = await openSqliteStore({ file });
  return {
    store: current,
    async reopen() {
      await current.close();
      current = await openSqliteStore({ file });
      return current;
    },
    async cleanUp() {
      await current.close();
      await rm(folder, { recursive: true });
    },
  };
});

describeStore('the memory store', async () => {
  const store = new MemoryStore();
  return Promise.resolve({
    store,
    reopen: () => Promise.resolve(store.reopened()),
    cleanUp: () => store.close(),
  });
});

const DISK_MEBIBYTES = 32;

describeStoreOnFullDisk(
  'SQLite',
  async () => {
    const disk = mountSmallDisk(DISK_MEBIBYTES);
    const file = path.join(disk.dir, 'keyturn.db');
    let current = await openSqliteStore({ file });
    return {
      store: current,
      fillDisk: () => disk.fill(),
      freeDisk: () => disk.free(),
      async reopen() {
        await current.close();
        current = await openSqliteStore({ file });
        return current;
      },
      async cleanUp() {
        await current.close();
        disk.dispose();
      },
    };
  },
  { skip: NO_SMALL_DISK !== undefined },
);

describeStoreOnFullDisk(
  'the memory store',
  () => {
    let current = new MemoryStore();
    return Promise.resolve({
      store: current,
      fillDisk: () => current.fillDisk(),
      freeDisk: () => current.freeDisk(),
      reopen: () => Promise.resolve((current = current.reopened())),
      cleanUp: () => current.close(),
    });
  },
  { skip: false },
);
