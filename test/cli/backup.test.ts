/** Backup and restore as an operator runs them, the daemon stopped. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { EventStore } from '../../src/store/store.ts';
import { runCli, type CliResult } from './run-cli.ts';
import { readAll } from '../fixtures/read-all.ts';

const AT_MS = Date.UTC(2026, 0, 31);

let cwd = '';
let storeFile = '';

beforeAll(async () => {
  cwd = mkdtempSync(path.join(tmpdir(), 'keyturn-backup-'));
  const made = await runCli(['init'], { cwd });
  expect(made.code, made.stderr).toBe(0);
  storeFile = path.join(cwd, '.keyturn', 'keyturn.db');
  await write();
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const run = (...words: string[]): Promise<CliResult> => runCli(words, { cwd });
const open = (): Promise<EventStore> => openSqliteStore({ file: storeFile });

async function write(): Promise<void> {
  const store = await open();
  const expectedSequence = (await readAll(store))[0]?.events.length ?? 0;
  await store.commit([{ stream: 'token', expectedSequence, events: [{ type: 'LOGIN_CLEARED', atMs: AT_MS }] }]);
  await store.close();
}

describe('keyturn backup', () => {
  it('writes one checked file, and says what is in it', async () => {
    const { code, stdout, stderr } = await run('backup', '--output', 'first.db');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(
      /first\.db is a whole backup of .*keyturn\.db\nevents {3}1 in 1 streams\nlatest {3}2026-01-31T/,
    );
    expect(stdout).toMatch(/sha256 {3}[0-9a-f]{64}\n$/);
    expect(stderr).toContain('hint: private keys are in the token');
  });

  it('replaces nothing, and ends with 2', async () => {
    const { code, stderr } = await run('backup', '--output', 'first.db');
    expect(code).toBe(2);
    expect(stderr).toContain('a backup replaces nothing');
  });

  it('ends with 69 while a daemon has the store, and says so', async () => {
    const store = await open();
    const { code, stderr } = await run('backup', '--output', 'second.db');
    await store.close();
    expect(code).toBe(69);
    expect(stderr).toContain('STORE_IN_USE');
    expect(readdirSync(cwd)).not.toContain('second.db');
  });

  it('prints one JSON value for programs', async () => {
    const { stdout } = await run('backup', '--output', 'third.db', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      file: path.join(cwd, 'third.db'),
      events: 1,
      lastEventTime: '2026-01-31T00:00:00.000Z',
    });
  });
});

describe('keyturn restore', () => {
  it('does nothing without a terminal to ask at, or --yes', async () => {
    const { code, stderr } = await run('restore', '--input', 'first.db');
    expect(code).toBe(2);
    expect(stderr).toContain('nothing was changed');
  });

  it('ends with 69 while a daemon has the store', async () => {
    const store = await open();
    const { code, stderr } = await run('restore', '--input', 'first.db', '--yes');
    await store.close();
    expect([code, stderr]).toEqual([69, expect.stringContaining('STORE_IN_USE')]);
  });

  it('refuses what is no backup', async () => {
    writeFileSync(path.join(cwd, 'text'), 'not a backup\n'.repeat(1_000));
    const { code, stderr } = await run('restore', '--input', 'text', '--yes');
    expect([code, stderr]).toEqual([78, expect.stringContaining('STORE_NOT_KEYTURN')]);
  });

  it('puts the backup in place, marked as a copy, keeps the old store, and says what is next', async () => {
    await write();
    const { code, stdout, stderr } = await run('restore', '--input', 'first.db', '--yes');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/keyturn\.db is restored from .*first\.db/);
    expect(stderr).toContain('nothing signs and no key set is published yet');
    const kept = readdirSync(path.dirname(storeFile)).filter((name) => name.includes('.replaced-'));
    expect(kept[0]).toMatch(/^keyturn\.db\.replaced-\d{8}T\d{6}Z$/);
    const store = await open();
    const events = (await readAll(store))[0]?.events;
    expect(events).toMatchObject([{ type: 'LOGIN_CLEARED' }, { type: 'STORE_RESTORED', knownUntilMs: AT_MS }]);
    await store.close();
  });
});
