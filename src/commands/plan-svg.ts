/** A plan as one SVG, for a change request: needs no font, script or file beside it. Pure. */
import { formatDuration } from '../base/duration.ts';
import type { Plan } from '../client/client.ts';
import { DRAWN_STATES, type DrawnState, type KeyRows, type Span, spanOf, toKeyRows } from './plan-phases.ts';
import { formatIso } from './time.ts';

const WIDTH = 1_000;
const LEFT = 110;
const RIGHT = 20;
const ROW = 20;
const BAR = 14;
const HEADING = 34;
const SIZE_ROW = 64;
const AXIS = 26;
const TICKS = 5;
/** More rows than this are no picture any more. */
const MAX_ROWS = 200;
/** Told apart by people who see no colours by their lightness, and by their order. */
const COLOURS: Readonly<Record<DrawnState, string>> = {
  PRE_ACTIVE: '#9ecae1',
  ACTIVE: '#08519c',
  SUSPENDED: '#fdae6b',
  DEACTIVATED: '#d9d9d9',
};

export function drawSvg(plan: Plan): string {
  const span = spanOf(plan);
  const blocks: string[] = [];
  let y = HEADING;
  for (const rows of toKeyRows(plan)) {
    const { markup, height } = drawKey(plan, rows, span, y);
    blocks.push(markup);
    y += height;
  }
  const title = `keyturn plan from ${formatIso(span.startMs)} to ${formatIso(span.endMs)} (${formatDuration(span.endMs - span.startMs)})`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + AXIS + HEADING}" font-family="sans-serif" font-size="12">`,
    `<title>${escape(title)}</title>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    text(LEFT, 20, title, 'font-weight="bold"'),
    ...blocks,
    drawAxis(span, y),
    drawLegend(y + AXIS + 16),
    '</svg>',
    '',
  ].join('\n');
}

function drawKey(plan: Plan, rows: KeyRows, span: Span, top: number): { markup: string; height: number } {
  const versions = rows.versions.slice(0, MAX_ROWS);
  const lines = [text(10, top + 14, rows.signingKey, 'font-weight="bold"')];
  versions.forEach(({ version, phases }, index) => {
    const y = top + ROW * (index + 1);
    lines.push(text(10, y + BAR - 3, `version ${version}`));
    for (const { state, fromMs, toMs } of phases) {
      const x = toX(fromMs, span);
      // A phase of an hour in a plan of a year is still to be seen.
      const width = Math.max(1, toX(toMs, span) - x);
      const label = `version ${version} ${state}: ${formatIso(fromMs)} to ${formatIso(toMs)}`;
      lines.push(
        `<rect x="${fixed(x)}" y="${y}" width="${fixed(width)}" height="${BAR}" fill="${COLOURS[state]}"><title>${escape(label)}</title></rect>`,
      );
    }
  });
  const sizeTop = top + ROW * (versions.length + 1) + 6;
  lines.push(drawSizes(plan, rows.signingKey, span, sizeTop));
  return { markup: lines.join('\n'), height: sizeTop - top + SIZE_ROW };
}

/** The size of the key set, as a line of steps, with the most that there is. */
function drawSizes(plan: Plan, signingKey: string, span: Span, top: number): string {
  const moments = plan.moments.filter((moment) => moment.signingKey === signingKey);
  const sizes = moments.map(({ time, publishedVersions }) => ({ atMs: time.getTime(), size: publishedVersions }));
  const most = Math.max(1, ...sizes.map(({ size }) => size));
  const height = SIZE_ROW - 24;
  const toY = (size: number): number => top + height - (size / most) * (height - 4);
  const path = sizes.map(({ atMs, size }, index) => {
    const x = fixed(toX(atMs, span));
    return index === 0 ? `M${x} ${fixed(toY(size))}` : `H${x}V${fixed(toY(size))}`;
  });
  return [
    text(10, top + 14, 'key set size'),
    text(10, top + 28, `at most ${most}`),
    `<path d="${path.join('')}${path.length === 0 ? '' : `H${WIDTH - RIGHT}`}" fill="none" stroke="#333333"/>`,
    `<path d="M${LEFT} ${top + height}H${WIDTH - RIGHT}" stroke="#999999"/>`,
  ].join('\n');
}

function drawAxis({ startMs, endMs }: Span, top: number): string {
  return Array.from({ length: TICKS }, (_, index) => {
    const timeMs = startMs + ((endMs - startMs) * index) / (TICKS - 1);
    const x = toX(timeMs, { startMs, endMs });
    const anchor = index === 0 ? 'start' : index === TICKS - 1 ? 'end' : 'middle';
    return [
      `<path d="M${fixed(x)} ${HEADING}V${top}" stroke="#cccccc" stroke-dasharray="2 4"/>`,
      text(x, top + 14, formatIso(timeMs), `text-anchor="${anchor}" fill="#555555"`),
    ].join('\n');
  }).join('\n');
}

function drawLegend(y: number): string {
  return DRAWN_STATES.map((state, index) => {
    const x = LEFT + index * 150;
    return `<rect x="${x}" y="${y - 10}" width="12" height="12" fill="${COLOURS[state]}"/>${text(x + 18, y, state)}`;
  }).join('\n');
}

function toX(timeMs: number, { startMs, endMs }: Span): number {
  const share = Math.min(1, Math.max(0, (timeMs - startMs) / (endMs - startMs)));
  return LEFT + share * (WIDTH - LEFT - RIGHT);
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${attributes}>${escape(content)}</text>`;
}

function fixed(value: number): string {
  return String(Number(value.toFixed(2)));
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
