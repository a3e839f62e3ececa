/** Signed heads: when, by which key, and what happens to the key. */
import { describe, expect, it } from 'vitest';
import { AuditedStore } from '../../src/app/audited-store.ts';
import { Checkpoints } from '../../src/app/checkpoints.ts';
import { formatHead, hashLine, parseHead } from '../../src/audit/chain.ts';
import { findCheckpointProblem } from '../../src/audit/checkpoints.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeHsm } from '../fakes/fake-hsm.ts';
import { MemoryAuditLog } from '../fakes/memory-audit-log.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { silentLog } from '../fixtures/hsm-pool.ts';
import { T0 } from '../fixtures/lifecycle.ts';
import { readAll } from '../fixtures/read-all.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const YEAR = 365 * 86_400_000;

interface Run {
  readonly clock: FakeClock;
  readonly hsm: FakeHsm;
  readonly store: MemoryStore;
  readonly log: MemoryAuditLog;
  readonly checkpoints: Checkpoints;
  note(): Promise<unknown>;
  restart(): Promise<Run>;
}

async function begin(parts: Partial<Run> = {}): Promise<Run> {
  const clock = parts.clock ?? new FakeClock(T0);
  const hsm = parts.hsm ?? new FakeHsm({ clock });
  const store = parts.store ?? new MemoryStore();
  const auditLog = parts.log ?? new MemoryAuditLog();
  const audited = new AuditedStore({ store, auditLog, clock, log: silentLog, version: 'test' });
  await readAll(audited);
  let count = hsm.keys.size * 100;
  const checkpoints = new Checkpoints({
    auditLog,
    store: audited,
    hsm,
    clock,
    log: silentLog,
    periodMs: MINUTE,
    randomBytes: (length) => {
      count += 1;
      return Buffer.alloc(length, count);
    },
  });
  checkpoints.start();
  return {
    clock,
    hsm,
    store,
    log: auditLog,
    checkpoints,
    note: () => auditLog.append({ kind: 'JWT_FAILED', dispatched: 1, reason: 'X' }),
    async restart() {
      await checkpoints.stop();
      return begin({ clock, hsm, store: store.reopened(), log: auditLog.reopened() });
    },
  };
}

function labels({ hsm }: Run): string[] {
  return [...hsm.keys.values()].map(({ ckaLabel }) => ckaLabel);
}

describe('checkpoints', () => {
  it('sign the head as it is on disk, with a key of their own that no signing key can have', async () => {
    const run = await begin();
    await run.note();
    await run.clock.advanceAsync(2_000);
    const [checkpoint] = run.log.ofKind('CHECKPOINT');
    if (checkpoint === undefined) throw new Error('there is no checkpoint');
    expect(findCheckpointProblem(checkpoint)).toBeUndefined();
    const { seq } = parseHead(checkpoint.head);
    expect(checkpoint.head).toBe(formatHead({ seq, hash: hashLine(run.log.lines[seq - 1] ?? '') }));
    expect(labels(run)).toEqual(['keyturn/@audit/1']);
    expect(run.log.status().checkpoint?.head.seq).toBe(seq);
  });

  it('come once an hour while nothing happens: that it didn’t is signed, too', async () => {
    const run = await begin();
    await run.clock.advanceAsync(3 * HOUR + MINUTE, 1_000);
    const checkpoints = run.log.ofKind('CHECKPOINT');
    expect(checkpoints).toHaveLength(4);
    // Each signs for the one before.
    expect(checkpoints.slice(1).map(({ head }) => parseHead(head).seq)).toEqual(
      checkpoints.slice(0, -1).map(({ seq }) => seq),
    );
  });

  it('come once a period, and not at once while nothing happens', async () => {
    const run = await begin();
    await run.clock.advanceAsync(10 * MINUTE, 1_000);
    expect(run.log.ofKind('CHECKPOINT')).toHaveLength(1);
    await run.note();
    await run.clock.advanceAsync(10 * MINUTE, 1_000);
    expect(run.log.ofKind('CHECKPOINT')).toHaveLength(2);
  });

  it('come before the period is over when there is much to sign', async () => {
    const run = await begin();
    await run.clock.advanceAsync(2_000);
    for (let index = 0; index < 10_000; index += 1) await run.note();
    await run.clock.advanceAsync(2_000);
    expect(run.log.ofKind('CHECKPOINT')).toHaveLength(2);
  });

  it('wait for a token that is away, and go on with the same key after a restart', async () => {
    const run = await begin();
    await run.clock.advanceAsync(2_000);
    const again = await run.restart();
    again.hsm.makeUnavailable();
    await again.note();
    await again.clock.advanceAsync(5 * MINUTE, 1_000);
    const before = again.log.ofKind('CHECKPOINT').length;
    again.hsm.makeAvailable();
    await again.clock.advanceAsync(40_000, 1_000);
    const checkpoints = again.log.ofKind('CHECKPOINT');
    expect(checkpoints.length).toBeGreaterThan(before);
    expect(new Set(checkpoints.map(({ kid }) => kid)).size).toBe(1);
    expect(again.hsm.keys.size).toBe(1);
  });

  it('end the log of a daemon that stops in order', async () => {
    const run = await begin();
    await run.clock.advanceAsync(2_000);
    await run.checkpoints.stop();
    expect(run.log.entries.slice(-2).map(({ kind }) => kind)).toEqual(['LOG_STOPPED', 'CHECKPOINT']);
    const [stopped, last] = run.log.entries.slice(-2);
    expect(last?.kind === 'CHECKPOINT' && parseHead(last.head).seq).toBe(stopped?.seq);
  });

  it('are by a new key after a year, which the old one signs for once', async () => {
    const run = await begin();
    await run.clock.advanceAsync(2_000);
    run.clock.advance(YEAR);
    await run.note();
    await run.clock.advanceAsync(2_000);
    await run.note();
    await run.clock.advanceAsync(2 * MINUTE, 1_000);
    const [old, first, second] = run.log.ofKind('CHECKPOINT');
    if (old === undefined || first === undefined || second === undefined) throw new Error('three were expected');
    expect(first.kid).not.toBe(old.kid);
    expect(findCheckpointProblem(first, old)).toBeUndefined();
    expect(second.kid).toBe(first.kid);
    expect(second.formerKid).toBeUndefined();
    expect(labels(run)).toEqual(['keyturn/@audit/1', 'keyturn/@audit/2']);
  });

  it('are by a new key when the old one is gone from the token while the daemon runs', async () => {
    const run = await begin();
    await run.clock.advanceAsync(2_000);
    run.hsm.keys.clear();
    await run.note();
    await run.clock.advanceAsync(3 * MINUTE, 1_000);
    const [old, latest] = run.log.ofKind('CHECKPOINT');
    if (old === undefined || latest === undefined) throw new Error('two were expected');
    expect(latest.kid).not.toBe(old.kid);
    expect(findCheckpointProblem(latest)).toBeUndefined();
    expect(latest.formerKid).toBeUndefined();
  });

  it('are by a new key that nobody signed for when the token has lost the old one', async () => {
    const run = await begin();
    await run.clock.advanceAsync(2_000);
    run.hsm.keys.clear();
    const again = await run.restart();
    await again.note();
    await again.clock.advanceAsync(40_000, 1_000);
    const [old, ...rest] = again.log.ofKind('CHECKPOINT');
    const latest = rest.at(-1);
    if (old === undefined || latest === undefined) throw new Error('two were expected');
    expect(findCheckpointProblem(latest)).toBeUndefined();
    expect(findCheckpointProblem(latest, old)).toContain('which did not sign for it');
  });

  it('leave no key behind that a crash left unfinished', async () => {
    const run = await begin();
    run.hsm.failNext('try');
    await run.clock.advanceAsync(2_000);
    expect(labels(run)).toEqual(['keyturn/@audit/1']);
    await run.clock.advanceAsync(40_000, 1_000);
    expect(labels(run)).toEqual(['keyturn/@audit/2']);
    expect(run.log.ofKind('CHECKPOINT')).toHaveLength(1);
  });
});

describe('an audit log that lacks what the store knows of', () => {
  it('says so in its next entry', async () => {
    const run = await begin();
    await run.clock.advanceAsync(2_000);
    const old = run.log.reopened();
    for (let index = 0; index < 5; index += 1) await run.note();
    await run.checkpoints.stop();
    const shorter = await begin({ clock: run.clock, hsm: run.hsm, store: run.store.reopened(), log: old });
    const [missing] = shorter.log.ofKind('HISTORY_MISSING');
    expect(missing?.expected).toBe(formatHead(run.log.status().head));
    expect(parseHead(missing?.found).seq).toBeLessThan(parseHead(missing?.expected).seq);
    // Once is enough.
    const next = await shorter.restart();
    expect(next.log.ofKind('HISTORY_MISSING')).toHaveLength(1);
  });
});
