/** What `keyturn plan` and `keyturn apply` print and draw. */
import { describe, expect, it } from 'vitest';
import type { Plan, PlannedMoment, SigningKey } from '../../src/client/client.ts';
import { compareKeys, describeKeyChanges } from '../../src/commands/apply-views.ts';
import { toKeyRows, withContents } from '../../src/commands/plan-phases.ts';
import { drawSvg } from '../../src/commands/plan-svg.ts';
import { describePlan, drawTimeline } from '../../src/commands/plan-views.ts';
import { DAY, HOUR, T0 } from '../fixtures/lifecycle.ts';

const signingKey = 'access-tokens';
const at = (distanceMs: number): Date => new Date(T0 + distanceMs);

function moment(
  afterMs: number,
  version: number,
  states: readonly [PlannedMoment['fromState'], PlannedMoment['toState']],
  publishedVersions: number,
): PlannedMoment {
  const [fromState, toState] = states;
  const description = 'is seen';
  return { time: at(afterMs), signingKey, version, fromState, toState, description, publishedVersions };
}

const PLAN: Plan = {
  startTime: at(0),
  moments: [
    moment(32 * DAY, 1, ['ACTIVE', 'SUSPENDED'], 3),
    moment(32 * DAY, 2, ['PRE_ACTIVE', 'ACTIVE'], 3),
    moment(32 * DAY, 4, [undefined, 'PRE_ACTIVE'], 4),
    moment(32 * DAY + HOUR, 4, ['PRE_ACTIVE', 'PRE_ACTIVE'], 4),
    moment(36 * DAY, 1, ['SUSPENDED', 'DEACTIVATED'], 4),
    moment(40 * DAY, 1, ['DEACTIVATED', 'DESTROYED'], 3),
    moment(41 * DAY, 5, [undefined, undefined], 3),
  ],
  explanations: [
    {
      signingKey,
      version: 1,
      state: 'ACTIVE',
      published: true,
      why: 'it signs',
      next: [
        { toState: 'SUSPENDED', time: at(32 * DAY), command: undefined },
        { toState: 'SUSPENDED', time: undefined, command: 'rotate' },
        { toState: 'ACTIVE', time: undefined, command: 'reactivate 1' },
      ],
    },
    { signingKey, version: 2, state: 'PRE_ACTIVE', published: true, why: 'it is a standby', next: [] },
  ],
  commands: [
    {
      signingKey,
      command: 'rotate',
      allowed: false,
      reason: 'LAST_STANDBY',
      message: 'would take the last',
      allowedTime: at(HOUR),
    },
    { signingKey, command: 'suspend', allowed: true, reason: undefined, message: undefined, allowedTime: undefined },
  ],
  keySets: [
    {
      keySet: 'default',
      peakPublishedVersions: 6,
      peakTime: at(32 * DAY),
      maxPublishedVersions: 16,
      endTime: at(64 * DAY),
      complete: true,
    },
  ],
  remarks: ['the wall clock is not believed'],
};

describe('the timeline', () => {
  const [rows] = toKeyRows(PLAN);

  it('has a row for each version that is published, a day a character here', () => {
    expect(drawTimeline(rows?.versions ?? [], { startMs: T0, endMs: T0 + 64 * DAY })).toEqual([
      `VERSION  2026-01-01T00:00:00Z${' '.repeat(24)}2026-03-06T00:00:00Z`,
      `1        ${'█'.repeat(32)}▒▒▒▒····`,
      `2        ${'░'.repeat(32)}${'█'.repeat(32)}`,
      `4        ${' '.repeat(32)}${'░'.repeat(32)}`,
      '         ░ PRE_ACTIVE  █ ACTIVE  ▒ SUSPENDED  · DEACTIVATED',
    ]);
  });

  it('shows a phase that is shorter than a character', () => {
    const phases = [{ state: 'SUSPENDED', fromMs: T0 + 10 * DAY, toMs: T0 + 10 * DAY + HOUR }] as const;
    const [, bar] = drawTimeline([{ version: 7, phases }], { startMs: T0, endMs: T0 + 64 * DAY });
    expect(bar).toBe(`7        ${' '.repeat(10)}▒`);
  });

  it('stops after a screen, and says how much is left', () => {
    const many = Array.from({ length: 45 }, (_, index) => ({ ...rows?.versions[0], version: index, phases: [] }));
    const phases = rows?.versions[0]?.phases ?? [];
    const lines = drawTimeline(
      many.map((row) => ({ ...row, phases })),
      { startMs: T0, endMs: T0 + DAY },
    );
    expect(lines).toHaveLength(43);
    expect(lines).toContain('… and 5 more versions');
  });
});

describe('a plan for programs', () => {
  it('has, with each moment, the versions of its signing keys that are published from then on', () => {
    const contents = withContents(PLAN).moments.map(({ published }) =>
      published.map(({ version, state }) => `${version} ${state}`),
    );
    expect(contents[0]).toEqual(['1 SUSPENDED', '2 PRE_ACTIVE']);
    expect(contents[2]).toEqual(['1 SUSPENDED', '2 ACTIVE', '4 PRE_ACTIVE']);
    expect(contents[5]).toEqual(['2 ACTIVE', '4 PRE_ACTIVE']);
    expect(contents[6]).toEqual(contents[5]);
  });
});

describe('a plan in words', () => {
  const text = describePlan(PLAN).join('\n');

  it('tells moments with the size of the key set, why, by what, and which commands are allowed', () => {
    expect(text).toMatch(/^2026-02-02T00:00:00Z +in 32 d +4 +version 4 is seen$/m);
    expect(text).toContain('version 1 is ACTIVE: it signs\n- SUSPENDED by itself at 2026-02-02T00:00:00Z (in 32 d)');
    expect(text).toContain('- SUSPENDED by `keyturn key rotate access-tokens`');
    expect(text).toContain('- ACTIVE by `keyturn key reactivate access-tokens 1`');
    expect(text).toMatch(/^rotate +in 1 h +would take the last$/m);
    expect(text).toMatch(/^suspend +now$/m);
  });

  it('warns of a key set that some verifiers cannot remember, and of a plan that was cut', () => {
    expect(text).toContain('key set default: at most 6 of 16 versions at once');
    expect(text).toContain('warning: two common verifiers remember 5 keys');
    const [keySet] = PLAN.keySets;
    if (keySet === undefined) throw new Error('fixture');
    const calm = describePlan({ ...PLAN, keySets: [{ ...keySet, peakPublishedVersions: 5, complete: false }] });
    expect(calm.join('\n')).not.toContain('warning');
    expect(calm.join('\n')).toContain('the plan ends at 2026-03-06T00:00:00Z');
    expect(text).toContain('note: the wall clock is not believed');
  });
});

describe('the drawing', () => {
  const svg = drawSvg(PLAN);

  it('has a bar for each phase, as long as the phase, and needs nothing from elsewhere', () => {
    const bars = [...svg.matchAll(/<rect x="([\d.]+)" y="\d+" width="([\d.]+)" height="14" fill="(#\w+)"><title>/g)];
    expect(bars).toHaveLength(6);
    // 870 units for 64 days.
    expect(bars.map(([, x, width]) => [Number(x), Number(width)]).slice(0, 2)).toEqual([
      [110, 435],
      [545, 54.38],
    ]);
    expect(svg).not.toMatch(/href|<script|@import|url\(/);
    expect(svg.match(/https?:[^"]+/g)).toEqual(['http://www.w3.org/2000/svg']);
  });

  it('is well-formed whatever a name holds', () => {
    const odd = {
      ...PLAN,
      moments: PLAN.moments.map((each) => ({ ...each, signingKey: '<a & "b">' })),
      explanations: [],
    };
    expect(drawSvg(odd)).toContain('>&lt;a &amp; &quot;b&quot;&gt;<');
    const tags = drawSvg(odd).match(/<(?!\/)[^>]*[^/]>|<\/\w+>/g) ?? [];
    const opened = tags.filter((tag) => !tag.startsWith('</')).length;
    expect(opened).toBe(tags.length - opened);
  });
});

describe('the difference that apply shows', () => {
  const BEFORE: SigningKey = {
    name: signingKey,
    keySet: 'default',
    algorithm: 'ES256',
    rsaBits: undefined,
    lifecyclePolicy: {
      signingPeriodMs: 30 * DAY,
      maxSigningPeriodMs: 60 * DAY,
      maxJwtLifetimeMs: HOUR,
      rollbackWindowMs: 0,
      standbys: 2,
      addJti: true,
      addNbf: false,
    },
    etag: 'e',
    createTime: at(0),
    activeVersion: 1,
    activeKid: 'kid',
    propagatedStandbys: 2,
    publishedStandbys: 2,
    rotateAllowedTime: undefined,
    readyTime: undefined,
    reconciling: false,
    lastProblem: undefined,
    rotationDueTime: undefined,
    halted: false,
    retireTime: undefined,
    unretireUntilTime: undefined,
    scheduledRotationTime: undefined,
  };
  const after = { ...BEFORE, lifecyclePolicy: { ...BEFORE.lifecyclePolicy, maxJwtLifetimeMs: HOUR + 1, standbys: 1 } };

  it('names what changes as the file does, from and to, without rounding', () => {
    expect(compareKeys(BEFORE, after)).toEqual([
      { field: 'lifecyclePolicy.maxJwtLifetime', from: '1h', to: '1h1ms' },
      { field: 'lifecyclePolicy.standbys', from: '2', to: '1' },
    ]);
    expect(compareKeys(BEFORE, BEFORE)).toEqual([]);
  });

  it('tells of each signing key what becomes of it, and of those that are not in the file that they stay', () => {
    const lines = describeKeyChanges(
      [
        { kind: 'create', name: 'new', after: BEFORE },
        { kind: 'change', name: 'old', etag: 'e', fields: compareKeys(BEFORE, after) },
        { kind: 'unchanged', name: 'same' },
        { kind: 'refused', name: 'bad', reason: 'POLICY_UNSAFE', message: 'too short' },
      ],
      ['other'],
    );
    expect(lines.filter((line) => !line.startsWith(' '))).toEqual([
      '+ new: is made',
      '~ old: changes',
      '= same: is like that already',
      '! bad: is refused: too short (POLICY_UNSAFE)',
      'not in the file, and left as they are: other',
    ]);
    expect(lines).toContain('    lifecyclePolicy.rollbackWindow: 0s');
    expect(lines).toContain('    lifecyclePolicy.standbys: 2 → 1');
  });
});
