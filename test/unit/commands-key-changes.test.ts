/** What suspend, reactivate, rollback and declare-compromised tell people. */
import { describe, expect, it } from 'vitest';
import type { CompromiseEffect, SigningKey } from '../../src/client/client.ts';
import {
  describeCompromise,
  describeNewSigner,
  describeRetirement,
  describeRotationTime,
} from '../../src/commands/key-change-views.ts';
import { parseVersion } from '../../src/commands/key-command.ts';

const NOW_MS = Date.UTC(2026, 10, 24, 12);
const HOUR_MS = 3_600_000;
const at = (distanceMs: number): Date => new Date(NOW_MS + distanceMs);

const BEFORE: SigningKey = {
  name: 'access-tokens',
  keySet: 'default',
  algorithm: 'ES256',
  rsaBits: undefined,
  lifecyclePolicy: {
    signingPeriodMs: 30 * 24 * HOUR_MS,
    maxSigningPeriodMs: 60 * 24 * HOUR_MS,
    maxJwtLifetimeMs: HOUR_MS,
    rollbackWindowMs: HOUR_MS,
    standbys: 2,
    addJti: true,
    addNbf: false,
  },
  etag: 'e',
  createTime: at(-HOUR_MS),
  activeVersion: 3,
  activeKid: 'kid-3',
  propagatedStandbys: 2,
  publishedStandbys: 2,
  rotateAllowedTime: undefined,
  readyTime: undefined,
  rotationDueTime: undefined,
  halted: false,
  retireTime: undefined,
  unretireUntilTime: undefined,
  scheduledRotationTime: undefined,
  reconciling: false,
  lastProblem: undefined,
};
const done = { isDryRun: false, nowMs: NOW_MS };
const preview = { isDryRun: true, nowMs: NOW_MS };

describe('who signs now', () => {
  const after = { ...BEFORE, activeVersion: 4, activeKid: 'kid-4' };

  it('is told with how the former version comes back', () => {
    expect(describeNewSigner(BEFORE, after, done)).toEqual([
      'version 4 signs now, kid kid-4',
      'version 3 is suspended and stays published: `keyturn key reactivate access-tokens 3` brings it back',
    ]);
    expect(describeNewSigner(BEFORE, after, preview).join('\n')).toMatch(
      /^version 4 would sign.*\nversion 3 would be /,
    );
  });

  it('is nobody when it was halted, and that lasts until a command', () => {
    const halted = { ...BEFORE, activeVersion: undefined, activeKid: undefined, halted: true };
    expect(describeNewSigner(BEFORE, halted, done)[0]).toBe(
      'signing key access-tokens has stopped signing; no standby takes over until `keyturn key reactivate access-tokens VERSION` or `key rotate access-tokens`',
    );
    expect(describeNewSigner(BEFORE, halted, preview)[0]).toContain('would stop signing');
  });

  it('is nobody without a standby, until one is propagated', () => {
    const waiting = { ...BEFORE, activeVersion: undefined, activeKid: undefined, readyTime: at(HOUR_MS) };
    expect(describeNewSigner(BEFORE, waiting, done)[0]).toMatch(
      /stopped signing; .* at 2026-11-24T13:00:00Z \(in 1 h\)$/,
    );
  });
});

describe('a retirement', () => {
  const ENDS =
    'its private keys are destroyed, each version leaves the key set when its last JWT has expired, and the name is never used again';

  it('is told with the way back, and what comes when that is closed', () => {
    const after = { ...BEFORE, activeVersion: undefined, retireTime: at(0), unretireUntilTime: at(HOUR_MS) };
    expect(describeRetirement(after, done)).toEqual([
      'signing key access-tokens signs nothing from now on; JWTs that are out go on verifying',
      `until 2026-11-24T13:00:00Z (in 1 h) \`keyturn key unretire access-tokens\` brings it back; after that ${ENDS}`,
    ]);
    expect(describeRetirement(after, preview).join('\n')).toMatch(/would sign nothing .*\n.* would bring it back/);
  });

  it('says when there is no way back', () => {
    const after = { ...BEFORE, activeVersion: undefined, retireTime: at(0) };
    expect(describeRetirement(after, done)[1]).toBe(`it can't come back (rollback_window): ${ENDS}`);
    expect(describeRetirement(after, preview)[1]).toMatch(/^it would not come back /);
  });
});

describe('a rotation at a time', () => {
  const scheduled = { ...BEFORE, rotationDueTime: at(HOUR_MS), scheduledRotationTime: at(HOUR_MS) };

  it('is told with its time, and with the usual one when it was taken back', () => {
    expect(describeRotationTime(scheduled, done)).toEqual([
      'version 3 is due to be replaced at 2026-11-24T13:00:00Z (in 1 h), as scheduled',
    ]);
    expect(describeRotationTime(scheduled, preview)[0]).toContain('would be due');
    expect(describeRotationTime({ ...scheduled, scheduledRotationTime: undefined }, done)[0]).toMatch(
      /, by its policy$/,
    );
  });
});

describe('a declaration of compromise', () => {
  const EFFECT: CompromiseEffect = {
    signingKey: 'access-tokens',
    withdrawnVersions: [3],
    activeVersion: 4,
    readyTime: undefined,
    lastJwtExpireTime: at(HOUR_MS),
  };
  const ALL: CompromiseEffect = {
    ...EFFECT,
    withdrawnVersions: [3, 4, 5],
    activeVersion: undefined,
    readyTime: at(2 * HOUR_MS),
  };

  it('tells what falls, who takes over, and what old copies of the key set still accept', () => {
    const lines = describeCompromise([EFFECT], { ...preview, isRetained: false });
    expect(lines.slice(0, 4)).toEqual([
      'signing key access-tokens:',
      '- version 3 would be withdrawn for good, the private key destroyed',
      '- signing would go on with version 4',
      '- the last JWT of the withdrawn version expires before 2026-11-24T13:00:00Z (in 1 h)',
    ]);
    expect(lines.slice(4).join(' ')).toMatch(/old copy of the key set .*verifierCacheCeiling/);
  });

  it('tells that signing stops, and until when', () => {
    const lines = describeCompromise([ALL], { ...done, isRetained: true });
    expect(lines.slice(1, 3)).toEqual([
      '- versions 3, 4 and 5 are withdrawn for good, the private keys kept in the token as evidence',
      '- signing has stopped; it could go on at 2026-11-24T14:00:00Z (in 2 h), when a new version is known to all verifiers',
    ]);
  });

  it('tells when it changes nothing', () => {
    const again = { ...EFFECT, withdrawnVersions: [], lastJwtExpireTime: undefined };
    expect(describeCompromise([again], { ...done, isRetained: false })).toEqual([
      'signing key access-tokens:',
      '- nothing falls: it was declared before',
      '- signing goes on with version 4',
    ]);
    expect(describeCompromise([], { ...done, isRetained: false })).toEqual([
      'there is no signing key, so nothing falls',
    ]);
  });
});

describe('a version as typed', () => {
  it('is a whole number from 1 on', () => {
    expect(parseVersion('12', 'version')).toBe(12);
    for (const text of ['0', '-1', '1.5', 'v3', '', '1e3', '9999999999'])
      expect(() => parseVersion(text, 'version'), text).toThrow('version must be the number of a version');
  });
});
