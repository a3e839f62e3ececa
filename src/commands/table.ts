/** Plain text tables: columns aligned by blanks, no frames, so that `grep`, `awk` and eyes can read them. */

const COLUMN_GAP = '  ';

export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ''))));
  return lines.map((line) =>
    header
      .map((_, column) => {
        const cell = line[column] ?? '';
        return cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell));
      })
      .join(COLUMN_GAP)
      .trimEnd(),
  );
}

/** `name:   value` lines, values aligned. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(...fields.map(([name]) => widthOf(name))) + 1;
  return fields.map(([name, value]) => `${`${name}:`.padEnd(width)} ${value}`.trimEnd());
}

/** Characters, not UTF-16 units. */
function widthOf(text: string): number {
  return Array.from(text).length;
}
