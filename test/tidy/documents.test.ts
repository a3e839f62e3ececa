/** Documents and code say the same. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { METHOD_RULES } from '../../src/access/methods.ts';
import { REASONS } from '../../src/base/reasons.ts';
import { ALGORITHMS } from '../../src/jose/algorithms.ts';
import {
  findBrokenLinks,
  hasCurrentSection,
  parseAlgorithmRows,
  parseDependencyRows,
  parseMethods,
  parseReasonRows,
} from './documents.ts';
import { readFile, readFiles, ROOT } from './source-files.ts';

const MANIFEST = JSON.parse(readFile('package.json').text) as Record<
  'dependencies' | 'optionalDependencies' | 'devDependencies',
  Record<string, string>
> & { readonly version: string };

/** Methods of services whose proto files are other people's. */
const BORROWED = /^\/grpc\.(?:health|reflection)\./;

describe('docs/reference/errors.md', () => {
  it('lists every reason once with its gRPC code, its meaning and what to do, and no other', () => {
    const rows = parseReasonRows(readFile('docs/reference/errors.md').text).map(
      ({ reason, code }) => `${reason}: ${code}`,
    );
    expect(rows.toSorted()).toEqual(
      Object.entries(REASONS)
        .map(([reason, code]) => `${reason}: ${code}`)
        .toSorted(),
    );
  });

  it('would be found without a meaning, or with a wrong code', () => {
    expect(parseReasonRows('| `QUEUE_FULL` | `INTERNAL` |  |  |')).toEqual([]);
    expect(parseReasonRows('| `QUEUE_FULL` | `INTERNAL` | More work waits. | Wait, then retry. |')).toEqual([
      { reason: 'QUEUE_FULL', code: 'INTERNAL' },
    ]);
  });
});

describe('docs/reference/algorithms.md', () => {
  it('has a row for every algorithm of the registry, and for no other', () => {
    expect(parseAlgorithmRows(readFile('docs/reference/algorithms.md').text).toSorted()).toEqual(
      [...ALGORITHMS].toSorted(),
    );
  });

  it('would be found without its cells', () => {
    expect(parseAlgorithmRows('| `ES256` | P-256 |')).toEqual([]);
  });
});

describe('docs/internals/dependencies.md', () => {
  it('gives the reason for every package of package.json, and for no other', () => {
    const { dependencies, optionalDependencies, devDependencies } = MANIFEST;
    const packages = [dependencies, optionalDependencies, devDependencies].flatMap(Object.keys);
    expect(parseDependencyRows(readFile('docs/internals/dependencies.md').text)).toEqual(packages.toSorted());
  });

  it('would be found without a reason', () => {
    expect(parseDependencyRows('| `left-pad` | pads on the left |  |')).toEqual([]);
  });
});

describe('the access rules', () => {
  it('have a row for every method of the proto files, and for no other', () => {
    const rules = Object.keys(METHOD_RULES).filter((method) => !BORROWED.test(method));
    expect(rules.toSorted()).toEqual(parseMethods(readFiles('proto/keyturn', /\.proto$/)).toSorted());
  });

  it('would be found without a method that a proto file has', () => {
    const text =
      'package a.v1;\nservice Planted {\n  // rpc Old(X)\n  rpc One(X) returns (Y);\n  rpc Two (X) returns (Y);\n}\n';
    expect(parseMethods([{ path: 'a.proto', text }])).toEqual(['/a.v1.Planted/One', '/a.v1.Planted/Two']);
  });
});

describe('CHANGELOG.md', () => {
  it('has a section for what is coming, or for this version', () => {
    expect(hasCurrentSection(readFile('CHANGELOG.md').text, MANIFEST.version)).toBe(true);
  });

  it('would be found without one', () => {
    expect(hasCurrentSection('# Changelog\n\n## 0.0.9 (2026-01-01)\n', '0.1.0')).toBe(false);
  });
});

describe('links', () => {
  const documents = [
    ...readFiles('docs', /\.md$/),
    ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'].map(readFile),
  ];

  it('of all documents lead to files and headings that are there', () => {
    expect(findBrokenLinks(documents, (file) => existsSync(path.join(ROOT, file)))).toEqual([]);
  });

  it('that lead nowhere would be found', () => {
    const planted = {
      path: 'docs/a.md',
      text: '# Here it is\n[x](b.md) [y](#here-it-is) [z](#there) [w](https://example.com)',
    };
    expect(findBrokenLinks([planted], (file) => file === 'docs/a.md')).toEqual([
      'docs/a.md: b.md',
      'docs/a.md: #there',
    ]);
  });
});
