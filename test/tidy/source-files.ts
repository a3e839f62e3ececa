/** The project's files as the tidy rules see them: rules take lists of these, so a test can plant a violation. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface SourceFile {
  /** Relative to the project, with forward slashes: `src/base/clock.ts`. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** As written: `../base/clock.ts`, `node:fs`, `jose`. */
  readonly specifier: string;
  readonly isTypeOnly: boolean;
}

export const ROOT = path.resolve(import.meta.dirname, '../..');

/** Files under a folder whose names match, in a stable order. */
export function readFiles(folder: string, name: RegExp, except: RegExp = /(?!)/): SourceFile[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .filter((file) => !except.test(file))
    .toSorted()
    .map((file) => readFile(file));
}

export function readFile(file: string): SourceFile {
  return { path: file, text: readFileSync(path.join(ROOT, file), 'utf8') };
}

/** The text with its comments blanked, line numbers kept. A string that holds `//` after a colon is left alone. */
export function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[^:'"`\\])\/\/[^\n]*/gm, '$1');
}

const STATEMENT = /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'([^']+)'/g;

export function importsOf({ text }: SourceFile): Import[] {
  const code = withoutComments(text);
  return [
    ...[...code.matchAll(STATEMENT)].map(([, type, specifier = '']) => ({ specifier, isTypeOnly: type !== undefined })),
    ...[...code.matchAll(DYNAMIC)].map(([, specifier = '']) => ({ specifier, isTypeOnly: false })),
  ];
}

/** The project file that a relative import names. */
export function resolveImport(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? path.posix.join(path.posix.dirname(from), specifier) : undefined;
}

export function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
