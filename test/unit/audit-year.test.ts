/** The compliance report of a simulated year: what an auditor gets, and the sample of it in the documentation. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ComplianceReport } from '../../src/audit/report/report.ts';
import { type AuditYear, playYear } from '../fixtures/audit-year.ts';
import { normalized, reportOf, toSample } from '../fixtures/audit-year-report.ts';

const SAMPLE = path.resolve(import.meta.dirname, '../../docs/reference/sample-compliance-report.md');
const YEAR_TIMEOUT_MS = 120_000;

describe('the report of a simulated year', () => {
  let year: AuditYear;
  let report: ComplianceReport;
  beforeAll(async () => {
    year = await playYear();
    report = reportOf(year);
  }, YEAR_TIMEOUT_MS);

  it('rests on a log that verifies from end to end', () => {
    expect(report.coverage).toMatchObject({
      isVerified: true,
      firstSequence: 1,
      lastSequence: year.lines.length,
      signedThrough: year.lines.length - 1,
      knownThrough: year.lines.length,
    });
  });

  it('tells each rotation, and the one that was late, by how much', () => {
    const late = report.turns.filter(({ punctuality }) => punctuality !== 'onTime');
    expect(report.turns.length).toBeGreaterThan(15);
    expect(late).toMatchObject([
      { signingKey: 'access-tokens', punctuality: 'late', caller: 'operator', lateMs: (15 * 60 + 30) * 60_000 },
    ]);
  });

  it('tells the compromise: who, why, and how long withdrawal and destruction took', () => {
    const [fallen, ...others] = report.endings.filter(({ compromised }) => compromised !== undefined);
    expect(others).toEqual([]);
    expect(fallen?.compromised).toMatchObject({
      caller: 'security-officer',
      reason: expect.stringContaining('incident 17'),
    });
    const atMs = fallen?.compromised?.atMs ?? 0;
    expect((fallen?.withdrawnMs ?? 0) - atMs).toBe(0);
    expect((fallen?.privateKeyDestroyedMs ?? Number.POSITIVE_INFINITY) - atMs).toBeLessThanOrEqual(60_000);
  });

  it('tells commands, refusals, JWTs, changes of the access policy, gaps and the clock', () => {
    expect(report.commands.map(({ method, caller, outcome }) => [method, caller, outcome])).toEqual([
      ['ApplySigningKey', 'operator', 'OK'],
      ['ApplySigningKey', 'operator', 'OK'],
      ['DeclareCompromised', 'security-officer', 'OK'],
      ['Rotate', 'operator', 'OK'],
      ['ScheduleRotation', 'operator', 'OK'],
      ['ApplySigningKey', 'operator', 'OK'],
    ]);
    expect(report.refusals).toMatchObject([
      { caller: 'reporting-job', reason: 'SIGNING_KEY_NOT_PERMITTED', count: 12 },
    ]);
    expect(report.jwts.reduce((sum, { dispatched }) => sum + dispatched, 0)).toBe(4 * 365 + 1);
    expect(report.jwts.reduce((sum, { failed }) => sum + failed, 0)).toBe(1);
    expect(report.accessPolicies).toHaveLength(2);
    expect(report.gaps.map(({ what }) => what)).toEqual([
      expect.stringContaining('it was killed, or crashed'),
      'the daemon was not running for 12 min',
    ]);
    expect(report.clock.length).toBeGreaterThan(0);
    expect(report.births.every(({ doubts }) => doubts.length === 0)).toBe(true);
  });

  it('is the sample in the documentation (`npm run audit-year` makes it anew)', () => {
    expect(normalized(readFileSync(SAMPLE, 'utf8'))).toBe(normalized(toSample(report)));
  });
});
