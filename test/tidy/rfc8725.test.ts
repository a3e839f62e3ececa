/** docs/reference/rfc8725.md names tests that are there. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFile, ROOT } from './source-files.ts';

const DOCUMENT = readFile('docs/reference/rfc8725.md').text;
/** 3.1 to 3.12 of the RFC, and what its successor adds. */
const SECTIONS = Array.from({ length: 15 }, (_, index) => `3.${index + 1}`);

interface NamedTest {
  readonly file: string;
  readonly name: string;
}

function namedTests(document: string): NamedTest[] {
  return [...document.matchAll(/^- `(test\/[\w./-]+)`: \*(.+)\*$/gm)].map(([, file = '', name = '']) => ({
    file,
    name,
  }));
}

/** A name stands in quotes: as a title, or in a table of cases. */
function findDead(tests: readonly NamedTest[], read: (file: string) => string | undefined): string[] {
  return tests
    .filter(({ file, name }) => !["'", '"', '`'].some((quote) => read(file)?.includes(`${quote}${name}${quote}`)))
    .map(({ file, name }) => `${file}: ${name}`);
}

/** The sections that neither name a test nor say why there is none. */
function findUnproven(document: string): string[] {
  return document
    .split(/^## /m)
    .slice(1)
    .filter((section) => namedTests(section).length === 0 && !section.includes("Doesn't apply"))
    .map((section) => section.split('\n', 1)[0] ?? '');
}

function readIfThere(file: string): string | undefined {
  return existsSync(path.join(ROOT, file)) ? readFile(file).text : undefined;
}

describe('docs/reference/rfc8725.md', () => {
  it('has every recommendation, in order, each with a test or the reason for none', () => {
    expect([...DOCUMENT.matchAll(/^## (3\.\d+) /gm)].map(([, section]) => section)).toEqual(SECTIONS);
    expect(findUnproven(DOCUMENT)).toEqual([]);
  });

  it('names only tests that exist', () => {
    expect(namedTests(DOCUMENT).length).toBeGreaterThan(SECTIONS.length);
    expect(findDead(namedTests(DOCUMENT), readIfThere)).toEqual([]);
  });

  it('would be found with a dead name, a missing file, or a section without a test', () => {
    const planted =
      '## 3.1 A\n- `test/a.test.ts`: *lives*\n- `test/a.test.ts`: *died*\n- `test/b.test.ts`: *lives*\n## 3.2 B\nYes.\n';
    const read = (file: string): string | undefined => (file === 'test/a.test.ts' ? "it('lives', …)" : undefined);
    expect(findDead(namedTests(planted), read)).toEqual(['test/a.test.ts: died', 'test/b.test.ts: lives']);
    expect(findUnproven(planted)).toEqual(['3.2 B']);
  });
});
