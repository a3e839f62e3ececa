/**
 * Reads a YAML 1.2 document of the core schema strictly: one document, no duplicate key, no alias, no tag of its own.
 * What two readers could understand differently doesn't belong in a security configuration.
 */
import { readFile, stat } from 'node:fs/promises';
import { type Document, isAlias, isNode, isScalar, LineCounter, parseAllDocuments, visit } from 'yaml';
import { ConfigError, type ConfigProblem } from './problems.ts';

const MAX_DOCUMENT_BYTES = 1024 * 1024;

/** Errors: CONFIG_INVALID when the file can't be read. */
export async function readDocumentFile(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MAX_DOCUMENT_BYTES) throw new Error(`it has more than ${MAX_DOCUMENT_BYTES} bytes`);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(file));
  } catch (error) {
    throw new ConfigError(file, [
      { path: '', message: `can't be read: ${error instanceof Error ? error.message : String(error)}` },
    ]);
  }
}

export interface ParsedYaml {
  /** Plain values; worthless with problems. */
  readonly value: unknown;
  /** What is wrong with it as YAML. */
  readonly problems: readonly ConfigProblem[];
  /** The line at which the node at `path` begins, from 1; that of the nearest one above it when there is none. */
  readonly lineOf: (path: readonly (string | number)[]) => number;
}

export function parseYaml(text: string): ParsedYaml {
  const lines = new LineCounter();
  const options = {
    version: '1.2',
    schema: 'core',
    strict: true,
    uniqueKeys: true,
    merge: false,
    prettyErrors: false,
    lineCounter: lines,
  } as const;
  const [document, ...others] = [...parseAllDocuments(text, options)];
  if (document === undefined) return { value: null, problems: [], lineOf: () => 1 };
  const lineOf: ParsedYaml['lineOf'] = (path) => {
    for (let length = path.length; length > 0; length -= 1) {
      const node: unknown = document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range !== undefined && node.range !== null) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  const problems = [...document.errors, ...document.warnings].map(({ message, pos: [offset] }) =>
    at(lines, offset, message.toLowerCase()),
  );
  if (others.length > 0) problems.push({ path: '', message: 'must hold one YAML document only' });
  problems.push(...findForbidden(document, lines));
  return { value: problems.length > 0 ? null : document.toJS({ maxAliasCount: 0 }), problems, lineOf };
}

function findForbidden(document: Document.Parsed, lines: LineCounter): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  visit(document, (position, node) => {
    if (!isNode(node)) return;
    const offset = node.range?.[0] ?? 0;
    if (isAlias(node)) problems.push(at(lines, offset, 'aliases are not allowed: write the value again'));
    else if (node.tag !== undefined) problems.push(at(lines, offset, 'tags are not allowed'));
    if (position !== 'key') return;
    if (!isScalar(node) || typeof node.value !== 'string') problems.push(at(lines, offset, 'a key must be a string'));
    else if (node.value === '<<')
      problems.push(at(lines, offset, 'merge keys are not allowed: write the members again'));
    else if (node.value === '__proto__') problems.push(at(lines, offset, '__proto__ is not allowed as a key'));
  });
  return problems;
}

function at(lines: LineCounter, offset: number, message: string): ConfigProblem {
  const { line, col } = lines.linePos(offset);
  return { path: '', message: `line ${line}, column ${col}: ${message}` };
}
