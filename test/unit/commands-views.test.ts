import { describe, expect, it } from 'vitest';
import type { KeyVersion, SigningKey } from '../../src/client/client.ts';
import { describeKeySet } from '../../src/commands/key-set-view.ts';
import {
  describeNext,
  describeSigningKey,
  describeSigningKeys,
  describeVersions,
} from '../../src/commands/key-views.ts';
import { collectPages } from '../../src/commands/paging.ts';
import { describeTokenStatus } from '../../src/commands/token-status.ts';

const NOW_MS = Date.UTC(2026, 10, 24, 12);
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const at = (distanceMs: number): Date => new Date(NOW_MS + distanceMs);

const KEY: SigningKey = {
  name: 'access-tokens',
  keySet: 'default',
  algorithm: 'ES256',
  rsaBits: undefined,
  lifecyclePolicy: {
    signingPeriodMs: 30 * DAY_MS,
    maxSigningPeriodMs: 60 * DAY_MS,
    maxJwtLifetimeMs: HOUR_MS / 4,
    rollbackWindowMs: HOUR_MS,
    standbys: 2,
    addJti: true,
    addNbf: false,
  },
  etag: '"7"',
  createTime: at(-3 * DAY_MS),
  activeVersion: 2,
  activeKid: 'kid-2',
  propagatedStandbys: 1,
  publishedStandbys: 2,
  rotateAllowedTime: at(40 * 60_000),
  readyTime: undefined,
  reconciling: false,
  lastProblem: undefined,
  rotationDueTime: at(29 * DAY_MS),
  halted: false,
  retireTime: undefined,
  unretireUntilTime: undefined,
  scheduledRotationTime: undefined,
};

const VERSION: KeyVersion = {
  signingKey: 'access-tokens',
  version: 2,
  kid: 'kid-2',
  state: 'ACTIVE',
  published: true,
  propagated: true,
  servedMs: 3 * DAY_MS,
  servedRequiredMs: HOUR_MS,
  createTime: at(-3 * DAY_MS),
  activateTime: at(-DAY_MS),
  suspendTime: undefined,
  suspensionEndTime: undefined,
  deactivateTime: undefined,
  destroyTime: undefined,
  expCeiling: at(HOUR_MS),
  ckaId: '00',
  ckaLabel: 'keyturn/access-tokens/2',
  privateKeyPresent: true,
  birthRecord: { tokenSerial: '', tokenLabel: '', manufacturer: '', model: '', firmwareVersion: '', attributes: {} },
};

const STANDBY: KeyVersion = {
  ...VERSION,
  version: 4,
  kid: 'kid-4',
  state: 'PRE_ACTIVE',
  propagated: false,
  servedMs: 20 * 60_000,
  activateTime: undefined,
  // Reserved for an emergency.
  expCeiling: at(2 * HOUR_MS),
};
const SUSPENDED: KeyVersion = {
  ...VERSION,
  version: 1,
  kid: 'kid-1',
  state: 'SUSPENDED',
  suspendTime: at(-20 * 60_000),
  suspensionEndTime: at(40 * 60_000),
  expCeiling: at(10 * 60_000),
};
const DESTROYED: KeyVersion = {
  ...SUSPENDED,
  state: 'DESTROYED',
  published: false,
  suspendTime: undefined,
  suspensionEndTime: undefined,
  expCeiling: at(-DAY_MS),
};

describe('the list of signing keys', () => {
  it('has one line for each, with its problem', () => {
    const lines = describeSigningKeys(
      [
        KEY,
        {
          ...KEY,
          name: 'new',
          activeVersion: undefined,
          rotateAllowedTime: undefined,
          lastProblem: 'the token is full',
        },
      ],
      NOW_MS,
    );
    expect(lines[1]).toBe('access-tokens  ES256      default  2       1 of 2 ready  in 40 min');
    expect(lines[2]).toBe('new            ES256      default  –       1 of 2 ready  allowed    the token is full');
  });
});

describe('a signing key', () => {
  it('is described in the words of its policy', () => {
    const text = describeSigningKey({ ...KEY, algorithm: 'RS256', rsaBits: 3072 }, NOW_MS).join('\n');
    expect(text).toContain('RS256 (3072 bits)');
    expect(text).toMatch(/^signs: +version 2, kid kid-2$/m);
    expect(text).toMatch(/^JWT lifetime: +at most 15 min$/m);
    expect(text).toContain('(3 d ago)');
  });

  it('shows of each version whether verifiers know it, or when they will', () => {
    const lines = describeVersions([STANDBY, VERSION, SUSPENDED, DESTROYED], NOW_MS);
    expect(lines[1]).toMatch(/^4 +PRE_ACTIVE +yes +in 40 min +3 d ago +kid-4$/);
    expect(lines[2]).toMatch(/^2 +ACTIVE +yes +yes /);
    expect(lines[4]).toMatch(/^1 +DESTROYED +no +– /);
  });

  it('says what may happen next, and when', () => {
    expect(describeNext(KEY, [STANDBY, VERSION, SUSPENDED, DESTROYED], NOW_MS)).toEqual([
      '- rotate is allowed from 2026-11-24T12:40:00Z (in 40 min)',
      '- version 2 is due to be replaced at 2026-12-23T12:00:00Z (in 29 d)',
      '- version 1 can come back until 2026-11-24T12:40:00Z (in 40 min)',
      '- the last JWT of version 1 expires before 2026-11-24T12:10:00Z (in 10 min)',
    ]);
  });

  it('says when a suspension waits for an operator, and when signing is halted', () => {
    const suspended = { ...SUSPENDED, suspensionEndTime: undefined };
    const halted = { ...KEY, activeVersion: undefined, activeKid: undefined, rotationDueTime: undefined, halted: true };
    const lines = describeNext(halted, [suspended], NOW_MS);
    expect(lines[0]).toMatch(/^- signing is halted: /);
    expect(lines).toContain('- version 1 is suspended until an operator decides: reactivate, or rotate');
    expect(lines.join('\n')).not.toMatch(/can sign from|due to be replaced|can come back/);
  });

  it('says that a rotation is late, or held by a rollback', () => {
    const late = { ...KEY, rotationDueTime: at(-HOUR_MS) };
    expect(describeNext(late, [VERSION], NOW_MS)).toContain(
      '- version 2 has been due to be replaced since 2026-11-24T11:00:00Z (1 h ago): rotation waits for 2 standbys that verifiers know',
    );
    const held = { ...KEY, rotationDueTime: at(59 * DAY_MS) };
    expect(describeNext(held, [VERSION], NOW_MS).join('\n')).toMatch(
      /version 2 is due to be replaced at .*; a rollback holds rotation until then/,
    );
    expect(describeNext(KEY, [VERSION], NOW_MS).join('\n')).not.toContain('rollback holds');
  });

  it('says of a retired key until when it can come back, and nothing of rotation', () => {
    const away = {
      ...KEY,
      activeVersion: undefined,
      activeKid: undefined,
      rotationDueTime: undefined,
      rotateAllowedTime: undefined,
      retireTime: at(-HOUR_MS),
    };
    const lines = describeNext({ ...away, unretireUntilTime: at(HOUR_MS) }, [], NOW_MS);
    expect(lines).toEqual([
      '- retired since 2026-11-24T11:00:00Z (1 h ago); `keyturn key unretire access-tokens` brings it back until 2026-11-24T13:00:00Z (in 1 h)',
    ]);
    expect(describeNext(away, [], NOW_MS)).toEqual(['- retired since 2026-11-24T11:00:00Z (1 h ago), for good']);
    expect(describeSigningKeys([away], NOW_MS)[1]).toMatch(/  retired$/);
  });

  it('says when an operator has scheduled the rotation', () => {
    const scheduled = { ...KEY, rotationDueTime: at(59 * DAY_MS), scheduledRotationTime: at(59 * DAY_MS) };
    expect(describeNext(scheduled, [VERSION], NOW_MS).join('\n')).toMatch(
      /version 2 is due to be replaced at .*, as `keyturn key rotate --at` said$/m,
    );
  });

  it('says from when a key without an ACTIVE version can sign, and what went wrong', () => {
    const waiting = {
      ...KEY,
      activeVersion: undefined,
      readyTime: at(HOUR_MS),
      reconciling: true,
      lastProblem: 'the token is full',
    };
    expect(describeNext(waiting, [], NOW_MS).slice(0, 3)).toEqual([
      '- problem: the token is full',
      '- key pairs are being made or destroyed in the token right now',
      '- it can sign from 2026-11-24T13:00:00Z (in 1 h)',
    ]);
  });
});

describe('a key set', () => {
  it('is a table of its keys', () => {
    const jwks = Buffer.from(
      JSON.stringify({
        keys: [
          { kid: 'k1', alg: 'ES256', kty: 'EC', crv: 'P-256' },
          { kid: 'k2', alg: 'RS256', kty: 'RSA' },
        ],
      }),
    );
    expect(describeKeySet({ keySet: 'default', generation: 3, jwks, etag: '"x"', maxAgeMs: 300_000 })).toEqual([
      'key set default, generation 3, verifiers are told to keep it for 5 min',
      '',
      'KID  ALG    KTY  CRV',
      'k1   ES256  EC   P-256',
      'k2   RS256  RSA',
    ]);
  });
});

describe('the token status', () => {
  it('says why the token is not ready', () => {
    const lines = describeTokenStatus({
      state: 'UNAVAILABLE',
      reason: 'PIN_INCORRECT',
      message: 'the token refused the PIN',
      label: 'keyturn',
      serial: '1234',
      manufacturer: undefined,
      model: undefined,
      firmwareVersion: undefined,
      workers: [{ pid: 12, state: 'starting', sessions: 0, inFlight: 0, uptimeMs: 1_500 }],
      workerRestarts: 1,
      queueDepth: 0,
    });
    expect(lines[0]).toMatch(/^state: +unavailable \(PIN_INCORRECT\)$/);
    expect(lines.join('\n')).toMatch(/^token: +keyturn, serial 1234$/m);
    expect(lines.at(-1)).toMatch(/^12 +starting +0 +0 +1.5 s$/);
  });
});

describe('paging', () => {
  it('collects every page, and gives up on a listing without end', async () => {
    const pages = [['a', 'b'], ['c']];
    const items = await collectPages(({ pageToken }) => {
      const index = Number(pageToken);
      return Promise.resolve({
        items: pages[index] ?? [],
        nextPageToken: index + 1 < pages.length ? String(index + 1) : '',
      });
    });
    expect(items).toEqual(['a', 'b', 'c']);
    await expect(collectPages(() => Promise.resolve({ items: [], nextPageToken: 'again' }))).rejects.toMatchObject({
      reason: 'INTERNAL',
    });
  });
});
