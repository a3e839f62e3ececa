/** Reads out of documents and proto files what the code must agree with. */
import path from 'node:path';
import type { SourceFile } from './source-files.ts';

export interface ReasonRow {
  readonly reason: string;
  readonly code: string;
}

/** The rows of docs/reference/errors.md. A row without its four cells is no row. */
export function parseReasonRows(document: string): ReasonRow[] {
  const rows = document.matchAll(/^\| `([A-Z0-9_]+)` \| `([A-Z_]+)` \| [^|]{10,} \| [^|]{10,} \|$/gm);
  return [...rows].map(([, reason = '', code = '']) => ({ reason, code }));
}

/** The names in the rows of docs/reference/algorithms.md. */
export function parseAlgorithmRows(document: string): string[] {
  return [...document.matchAll(/^\| `([\w-]+)` \| (?:[^|]{3,} \| ){4}[^|]{3,} \|$/gm)].map(([, name = '']) => name);
}

/** The packages that have a row with what they are for and why. */
export function parseDependencyRows(document: string): string[] {
  const rows = document.matchAll(/^\| `([^`]+)` \| [^|]{5,} \| [^|]{10,} \|$/gm);
  return [...rows].map(([, name = '']) => name).toSorted();
}

/** Full method names, `/package.Service/Method`. */
export function parseMethods(protos: readonly SourceFile[]): string[] {
  return protos.flatMap(({ text }) => {
    const packageName = text.match(/^package ([\w.]+);/m)?.[1] ?? '';
    return [...text.matchAll(/^service (\w+) \{([\s\S]*?)^\}/gm)].flatMap(([, service = '', body = '']) =>
      [...body.matchAll(/^\s*rpc (\w+)\s*\(/gm)].map(([, method = '']) => `/${packageName}.${service}/${method}`),
    );
  });
}

/** Relative links whose file isn't among `exists`, or whose heading isn't in the file. */
export function findBrokenLinks(documents: readonly SourceFile[], exists: (file: string) => boolean): string[] {
  const byPath = new Map(documents.map((document) => [document.path, document]));
  return documents.flatMap((document) =>
    linksOf(document.text)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => !resolves(document, link, byPath, exists))
      .map((link) => `${document.path}: ${link}`),
  );
}

function linksOf(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
}

function resolves(
  from: SourceFile,
  link: string,
  byPath: ReadonlyMap<string, SourceFile>,
  exists: (file: string) => boolean,
): boolean {
  const [file = '', heading] = link.split('#');
  const target = file === '' ? from.path : path.posix.join(path.posix.dirname(from.path), file);
  if (!exists(target)) return false;
  const text = byPath.get(target)?.text;
  return heading === undefined || text === undefined || headingsOf(text).includes(heading);
}

/** Anchors as the usual renderers make them. */
export function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The changelog has a section for what is not released yet, or for the version that package.json names. */
export function hasCurrentSection(changelog: string, version: string): boolean {
  return changelog
    .split('\n')
    .some((line) => line === '## Unreleased' || line === `## ${version}` || line.startsWith(`## ${version} `));
}
