/** A plan as people read it in a terminal. Pure. */
import { formatDuration } from '../base/duration.ts';
import type { CommandOutlook, KeySetOutlook, Plan, PlannedMoment, VersionExplanation } from '../client/client.ts';
import { COMFORTABLE_VERSIONS } from '../lifecycle/moments.ts';
import { type DrawnState, type KeyRows, type Span, spanOf, toKeyRows, type VersionRow } from './plan-phases.ts';
import { formatTable } from './table.ts';
import { formatIso, formatRelative, formatTime } from './time.ts';

const BAR_CHARACTERS = 64;
/** What a screen or two hold; `--json` has everything. */
const MAX_ROWS = 40;
const MAX_MOMENTS = 60;
const BLANK = ' ';
const MARKS: Readonly<Record<DrawnState, string>> = {
  PRE_ACTIVE: '░',
  ACTIVE: '█',
  SUSPENDED: '▒',
  DEACTIVATED: '·',
};

export function describePlan(plan: Plan): string[] {
  const blocks = [
    ...toKeyRows(plan).map((rows) => describeKey(plan, rows)),
    describeKeySets(plan),
    plan.remarks.map((remark) => `note: ${remark}`),
  ];
  return blocks.filter((block) => block.length > 0).flatMap((block, index) => (index === 0 ? block : ['', ...block]));
}

function describeKey(plan: Plan, rows: KeyRows): string[] {
  const own = <T extends { readonly signingKey: string }>(all: readonly T[]): readonly T[] =>
    all.filter(({ signingKey }) => signingKey === rows.signingKey);
  const span = spanOf(plan);
  const explanations = own(plan.explanations);
  return [
    `signing key ${rows.signingKey}: the next ${formatDuration(span.endMs - span.startMs)}`,
    '',
    ...drawTimeline(rows.versions, span),
    '',
    ...describeMoments(own(plan.moments), span.startMs),
    ...(explanations.length === 0 ? [] : ['', ...describeExplanations(explanations, span.startMs)]),
    ...(explanations.length === 0 ? [] : ['', ...describeCommands(own(plan.commands), span.startMs)]),
  ];
}

/** One row a version. A phase shorter than a character still shows, unless a later one ends in the same character. */
export function drawTimeline(rows: readonly VersionRow[], span: Span): string[] {
  const label = 'VERSION  ';
  const shown = rows.filter(({ phases }) => phases.length > 0);
  const [start, end] = [formatIso(span.startMs), formatIso(span.endMs)];
  const legend = Object.entries(MARKS).map(([state, mark]) => `${mark} ${state}`);
  return [
    label + start + BLANK.repeat(Math.max(1, BAR_CHARACTERS - start.length - end.length)) + end,
    ...shown.slice(0, MAX_ROWS).map((row) => (String(row.version).padEnd(label.length) + toBar(row, span)).trimEnd()),
    ...(shown.length > MAX_ROWS ? [`… and ${shown.length - MAX_ROWS} more versions`] : []),
    BLANK.repeat(label.length) + legend.join('  '),
  ];
}

function toBar({ phases }: VersionRow, { startMs, endMs }: Span): string {
  const cells = Array.from({ length: BAR_CHARACTERS }, () => BLANK);
  const toCell = (timeMs: number): number => ((timeMs - startMs) / (endMs - startMs)) * BAR_CHARACTERS;
  for (const { state, fromMs, toMs } of phases) {
    const first = Math.min(Math.floor(toCell(fromMs)), BAR_CHARACTERS - 1);
    const end = Math.max(first + 1, Math.ceil(toCell(toMs)));
    cells.fill(MARKS[state], first, end);
  }
  return cells.join('');
}

function describeMoments(moments: readonly PlannedMoment[], nowMs: number): string[] {
  if (moments.length === 0) return ['nothing will happen by itself'];
  const rows = moments
    .slice(0, MAX_MOMENTS)
    .map(({ time, version, description, publishedVersions }) => [
      formatIso(time.getTime()),
      formatRelative(time.getTime(), nowMs),
      String(publishedVersions),
      `version ${version} ${description}`,
    ]);
  return [
    ...formatTable(['TIME', '', 'KEY SET', 'WHAT'], rows),
    ...(moments.length > MAX_MOMENTS ? [`… and ${moments.length - MAX_MOMENTS} more; --json has all`] : []),
  ];
}

function describeExplanations(explanations: readonly VersionExplanation[], nowMs: number): string[] {
  return explanations.flatMap(({ signingKey, version, state, why, next }) => [
    `version ${version} is ${state}: ${why}`,
    ...next.map(({ toState, time, command = '' }) =>
      time === undefined
        ? `- ${toState} by \`${toCommandLine(signingKey, command)}\``
        : `- ${toState} by itself at ${formatTime(time.getTime(), nowMs)}`,
    ),
  ]);
}

/** `reactivate 2` as it is typed. */
function toCommandLine(signingKey: string, command: string): string {
  const [verb = '', ...rest] = command.split(BLANK);
  return ['keyturn key', verb, signingKey, ...rest].join(BLANK);
}

function describeCommands(commands: readonly CommandOutlook[], nowMs: number): string[] {
  const rows = commands.map(({ command, allowed, allowedTime, message }) => [
    command,
    allowed ? 'now' : allowedTime === undefined ? 'no' : formatRelative(allowedTime.getTime(), nowMs),
    message ?? '',
  ]);
  return formatTable(['COMMAND', 'ALLOWED', 'WHY NOT'], rows);
}

function describeKeySets({ keySets, startTime }: Plan): string[] {
  return keySets.flatMap((keySet) => describeKeySet(keySet, startTime.getTime()));
}

export function describeKeySet(outlook: KeySetOutlook, nowMs: number): string[] {
  const { keySet, peakPublishedVersions: peak, peakTime, maxPublishedVersions, complete, endTime } = outlook;
  const lines = [
    `key set ${keySet}: at most ${peak} of ${maxPublishedVersions} versions at once, first at ${formatTime(peakTime.getTime(), nowMs)}`,
  ];
  if (peak > COMFORTABLE_VERSIONS)
    lines.push(
      `warning: two common verifiers remember ${COMFORTABLE_VERSIONS} keys; with ${peak} they fetch the key set for nearly every JWT`,
    );
  if (!complete)
    lines.push(`the plan ends at ${formatTime(endTime.getTime(), nowMs)}: beyond that it would be too long`);
  return lines;
}
