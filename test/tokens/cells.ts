/** One cell of the conformance table: what was tried with a token, and how it ended. */

export type Verdict =
  | 'ok'
  /** The token has no such thing; it was asked. */
  | 'missing'
  /** The token misbehaves, and the daemon doesn't let it through. */
  | 'caught'
  /** The token has no such thing to try it with, for instance no process that could end. */
  | 'none'
  | 'failed';

export interface Cell {
  readonly check: string;
  readonly verdict: Verdict;
  /** Figures, or what the token said. */
  readonly detail: string;
}

export const cell = (check: string, verdict: Verdict, detail = ''): Cell => ({ check, verdict, detail });

/** A check that must not end the others: what it throws is its result. */
export async function tryCell(check: string, act: () => Promise<Cell>): Promise<Cell> {
  try {
    return await act();
  } catch (error) {
    return cell(check, 'failed', error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
}

/** The rows of a token's guide: `| check | verdict | explanation |`. */
export function parseDocumentedCells(document: string): ReadonlyMap<string, string> {
  const rows = document.matchAll(/^\| `([\w-]+)` \| (ok|missing|caught|none) \|[^|\n]*\|$/gm);
  return new Map([...rows].map(([, check = '', verdict = '']) => [check, verdict]));
}

/** Cells that aren't as the guide says, and rows of the guide that were not tried. */
export function findSurprises(cells: readonly Cell[], documented: ReadonlyMap<string, string>): readonly string[] {
  const surprises = cells
    .filter(({ check, verdict }) => verdict !== 'failed' && documented.get(check) !== verdict)
    .map(({ check, verdict }) => `${check} is ${verdict}, and the guide says ${documented.get(check) ?? 'nothing'}`);
  const untried = [...documented.keys()].filter((check) => !cells.some((tried) => tried.check === check));
  return [...surprises, ...untried.map((check) => `${check} is in the guide and was not tried`)];
}
