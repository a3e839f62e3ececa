/** What the compliance report concludes from single entries, and how it says it. */
import { describe, expect, it } from 'vitest';
import { EMPTY_HEAD, hashLine, linkRecord } from '../../src/audit/chain.ts';
import { parseEntry } from '../../src/audit/encoding.ts';
import type { AuditRecord, EventData } from '../../src/audit/entries.ts';
import { ReportCollector } from '../../src/audit/report/collect.ts';
import { toMarkdown } from '../../src/audit/report/markdown.ts';
import type { ComplianceReport } from '../../src/audit/report/report.ts';
import { ChainVerifier } from '../../src/audit/verify-chain.ts';
import type { CallerName, Kid } from '../../src/base/ids.ts';
import { checkpointBy, makeAuditKey } from '../fixtures/audit-log.ts';
import {
  BIRTH,
  CALLER,
  created,
  DAY,
  firstGeneration,
  HOUR,
  kidOf,
  made,
  MINUTE,
  NAME,
  policyOf,
  T0,
} from '../fixtures/lifecycle.ts';

const PERIOD = { fromMs: T0, toMs: T0 + 100 * DAY };
const POLICY = policyOf({ signingPeriodMs: 30 * DAY, maxSigningPeriodMs: 40 * DAY });
const SIGNER = 'auth-service' as CallerName;

type Timed = AuditRecord & { readonly atMs: number };

function event(data: EventData): Timed {
  return {
    kind: 'EVENT',
    stream: `signing-key/${NAME}`,
    sequence: 1,
    type: data.type,
    data,
    storeEvents: 1,
    atMs: data.atMs,
  };
}

function activated(version: number, atMs: number, cause: 'rotation' | 'takeover' | 'rollback' = 'rotation'): Timed[] {
  return [
    event({ type: 'VERSION_SUSPENDED', atMs, version: version - 1, cause, keepMs: 0 } as EventData),
    event({
      type: 'VERSION_ACTIVATED',
      atMs,
      version,
      expCeilingMs: 0,
      cause,
      caller: 'keyturn',
      reason: '',
    } as EventData),
  ];
}

function dispatched(kid: Kid, atMs: number, lifetimeMs = HOUR): Timed {
  const exp = Math.floor((atMs + lifetimeMs) / 1_000);
  return {
    kind: 'JWT_DISPATCHED',
    caller: SIGNER,
    signingKey: NAME,
    kid,
    alg: 'ES256',
    sha256: hashLine(''),
    exp,
    atMs,
  };
}

function reportOn(records: readonly Timed[], period = PERIOD): ComplianceReport {
  const verifier = new ChainVerifier({ heads: [] });
  const collector = new ReportCollector(period);
  let head = EMPTY_HEAD;
  for (const { atMs, ...record } of records) {
    const link = linkRecord(head, record, atMs);
    head = link.head;
    verifier.push(Buffer.from(link.line));
    collector.add(parseEntry(Buffer.from(link.line)));
  }
  return collector.report(verifier.end());
}

const PROVEN = { CKA_SENSITIVE: true, CKA_EXTRACTABLE: false, CKA_ALWAYS_SENSITIVE: true, CKA_NEVER_EXTRACTABLE: true };
const BEGIN: readonly Timed[] = firstGeneration(POLICY).map((fact) =>
  event(fact.type === 'VERSION_MADE' ? ({ ...fact, birth: { ...BIRTH, attributes: PROVEN } } as EventData) : fact),
);

describe('a rotation', () => {
  it.each([
    [29 * DAY, 'onTime', 0],
    [30 * DAY + MINUTE, 'onTime', MINUTE],
    [30 * DAY + MINUTE + 1, 'late', MINUTE + 1],
    [40 * DAY + MINUTE, 'late', 10 * DAY + MINUTE],
    [40 * DAY + MINUTE + 1, 'tooLate', 10 * DAY + MINUTE + 1],
  ] as const)('after %d ms of a period of 30 d, at most 40 d, is %s', (afterMs, punctuality, lateMs) => {
    const { turns, anomalies } = reportOn([...BEGIN, ...activated(2, T0 + afterMs)], {
      ...PERIOD,
      toMs: T0 + afterMs + DAY,
    });
    expect(turns).toMatchObject([{ fromVersion: 1, toVersion: 2, punctuality, lateMs }]);
    expect(anomalies).toHaveLength(punctuality === 'onTime' ? 0 : 1);
  });

  it('that did not come is still due at the end of the period', () => {
    expect(reportOn(BEGIN).turns).toMatchObject([
      { fromVersion: 1, toVersion: undefined, punctuality: 'overdue', dueMs: T0 + 30 * DAY, lateMs: 70 * DAY },
    ]);
    expect(reportOn(BEGIN, { ...PERIOD, toMs: T0 + 30 * DAY }).turns).toEqual([]);
  });

  it('has until the longest period after a rollback, and until the time that an operator named', () => {
    const held = reportOn([...BEGIN, ...activated(2, T0 + DAY, 'rollback'), ...activated(3, T0 + 38 * DAY)], {
      ...PERIOD,
      toMs: T0 + 39 * DAY,
    });
    expect(held.turns.at(-1)).toMatchObject({ dueMs: T0 + 41 * DAY, punctuality: 'onTime' });
    const scheduled = event({
      type: 'ROTATION_SCHEDULED',
      atMs: T0,
      dueMs: T0 + DAY,
      caller: CALLER,
      reason: '',
    } as EventData);
    expect(
      reportOn([...BEGIN, scheduled, ...activated(2, T0 + 2 * DAY)], { ...PERIOD, toMs: T0 + 3 * DAY }).turns,
    ).toMatchObject([{ dueMs: T0 + DAY, punctuality: 'late', lateMs: DAY }]);
  });

  it('by a period that was shortened is not due before that', () => {
    const shorter = policyOf({ signingPeriodMs: 10 * DAY, maxSigningPeriodMs: 40 * DAY });
    const changed = event({
      type: 'POLICY_CHANGED',
      atMs: T0 + 20 * DAY,
      policy: shorter,
      caller: CALLER,
      reason: '',
    } as EventData);
    const { turns } = reportOn([...BEGIN, changed, ...activated(2, T0 + 20 * DAY)], { ...PERIOD, toMs: T0 + 21 * DAY });
    expect(turns).toMatchObject([{ dueMs: T0 + 20 * DAY, punctuality: 'onTime' }]);
  });
});

describe('a compromise', () => {
  const fell = event({
    type: 'VERSION_COMPROMISED',
    atMs: T0 + DAY,
    version: 1,
    retain: false,
    caller: CALLER,
    reason: 'stolen',
  } as EventData);

  it('names who took over', () => {
    const { turns } = reportOn([...BEGIN, fell, ...activated(2, T0 + DAY, 'takeover').slice(1)], {
      ...PERIOD,
      toMs: T0 + 2 * DAY,
    });
    expect(turns).toMatchObject([{ fromVersion: 1, toVersion: 2, cause: 'takeover', punctuality: 'onTime' }]);
  });

  it('that stopped signing is told so', () => {
    const { turns, anomalies } = reportOn([...BEGIN, fell]);
    expect(turns).toMatchObject([{ fromVersion: 1, toVersion: undefined, cause: 'compromise' }]);
    expect(anomalies.map(({ what }) => what)).toContain(
      `${NAME} stopped signing: nothing could take over from version 1`,
    );
  });

  it('makes every JWT of that version afterwards an anomaly', () => {
    const kid = kidOf(1);
    const { anomalies, jwts } = reportOn([
      ...BEGIN,
      dispatched(kid, T0 + HOUR),
      fell,
      dispatched(kid, T0 + DAY + 1),
      dispatched(kid, T0 + DAY + 2),
    ]);
    expect(jwts).toMatchObject([{ dispatched: 3, failed: 0 }]);
    expect(anomalies.map(({ what }) => what)).toContain(
      `a JWT of ${NAME} for ${SIGNER} was dispatched, and version 1 had been declared compromised; 2 such JWTs in all`,
    );
  });
});

describe('a JWT', () => {
  it.each([
    ['of a version that was replaced', kidOf(1), DAY + 2 * MINUTE, HOUR, 'version 1 had been replaced'],
    ['of no version', kidOf(9), 0, HOUR, `no version of that signing key has kid ${kidOf(9)}`],
    [
      'that lives longer than its policy allows',
      kidOf(2),
      DAY,
      2 * HOUR,
      'it lives longer than 1 h, as its policy allows',
    ],
  ])('%s is an anomaly', (_, kid, afterMs, lifetimeMs, objection) => {
    const { anomalies } = reportOn([...BEGIN, ...activated(2, T0 + DAY), dispatched(kid, T0 + afterMs, lifetimeMs)], {
      ...PERIOD,
      toMs: T0 + 2 * DAY,
    });
    expect(anomalies.map(({ what }) => what)).toEqual([
      `a JWT of ${NAME} for ${SIGNER} was dispatched, and ${objection}`,
    ]);
  });

  it('that failed is taken back', () => {
    const failed: Timed = {
      kind: 'JWT_FAILED',
      dispatched: BEGIN.length + 1,
      reason: 'TOKEN_UNAVAILABLE',
      atMs: T0 + 1,
    };
    expect(reportOn([...BEGIN, dispatched(kidOf(1), T0), failed]).jwts).toMatchObject([{ dispatched: 1, failed: 1 }]);
  });

  it('of a signing key whose beginning the log does not have is taken at its word', () => {
    expect(reportOn([dispatched(kidOf(1), T0)]).anomalies).toEqual([]);
  });
});

describe('a birth record', () => {
  it('that does not prove a key is an anomaly', () => {
    const { births, anomalies } = reportOn([event(created(POLICY)), ...made(1).map(event)]);
    expect(BIRTH.attributes).toEqual({ CKA_SENSITIVE: true });
    expect(births[0]?.doubts).toEqual([
      'CKA_EXTRACTABLE is not recorded',
      'CKA_ALWAYS_SENSITIVE is not recorded',
      'CKA_NEVER_EXTRACTABLE is not recorded',
    ]);
    expect(anomalies).toHaveLength(1);
  });
});

describe('the page', () => {
  it('keeps words that somebody typed words', () => {
    const comment = '| <img src=x onerror=alert(1)> [a](http://evil) `x` **b**\n# title \u202e';
    const call: Timed = {
      kind: 'CALL',
      caller: CALLER,
      method: '/a/Rotate',
      sha256: hashLine(''),
      comment,
      outcome: 'OK',
      atMs: T0,
    };
    const row = toMarkdown(reportOn([call]))
      .split('\n')
      .find((line) => line.includes('Rotate'));
    expect(row).toBe(
      String.raw`| 1 | 2026-01-01T00:00:00Z | operator | Rotate | – | \| \<img src=x onerror=alert(1)\> \[a\](http://evil) \`x\` \*\*b\*\* \# title | OK |`,
    );
  });

  it('says what nothing vouches for, and what it could not check', () => {
    const page = toMarkdown(reportOn(BEGIN));
    expect(page).toContain('Nothing outside the files vouches for the entries after 0');
    expect(page).toContain('(no public key was given)');
    expect(page).toContain('**1 of 1 were not**');
  });

  it('says that the log does not verify, and goes on', () => {
    const verifier = new ChainVerifier({ heads: [{ seq: 9, hash: EMPTY_HEAD.hash }] });
    const page = toMarkdown(new ReportCollector(PERIOD).report(verifier.end()));
    expect(page).toContain('| Is the log whole and unchanged? | **no**: the log ends with entry 0');
  });
});

describe('gaps', () => {
  const started = (atMs: number): Timed => ({ kind: 'LOG_STARTED', version: '1', storeEvents: 1, atMs });
  const stopped = (atMs: number): Timed => ({ kind: 'LOG_STOPPED', storeEvents: 1, atMs });
  const crashesIn = (records: readonly Timed[]): readonly string[] =>
    reportOn(records)
      .gaps.map(({ what }) => what)
      .filter((what) => what.includes('had not stopped in order'));
  const key = makeAuditKey();
  const checkpoint = (atMs: number): Timed => ({ ...checkpointBy(key, EMPTY_HEAD, atMs), atMs });

  it('have no crash where the log was stopped, and signed after that', () => {
    expect(crashesIn([started(T0), stopped(T0 + HOUR), checkpoint(T0 + HOUR), started(T0 + 2 * HOUR)])).toEqual([]);
  });

  it('have one where only a checkpoint, or more after a stop, comes before the next start', () => {
    expect(crashesIn([started(T0), checkpoint(T0 + HOUR), started(T0 + 2 * HOUR)])).toHaveLength(1);
    const goingOn = [started(T0), stopped(T0 + HOUR), dispatched(kidOf(1), T0 + HOUR), started(T0 + 2 * HOUR)];
    expect(crashesIn(goingOn)).toHaveLength(1);
  });
});
