/** What may not stand in the sources, and that each rule can fail. */
import { describe, expect, it } from 'vitest';
import { findBarrels, findImportBans, findSourceBans, findTextBans } from './bans.ts';
import { readFile, readFiles } from './source-files.ts';

const GENERATED = /^src\/gen\//;
const SOURCES = readFiles('src', /\.ts$/, GENERATED);
const TEXTS = [
  ...SOURCES,
  ...['test', 'scripts', 'proto', 'softhsm', 'docs'].flatMap((folder) =>
    readFiles(folder, /\.(?:ts|mjs|py|sh|md|proto|c|conf|ya?ml)$/),
  ),
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'Dockerfile', 'package.json', '.ci/run'].map(
    readFile,
  ),
];

describe('the sources', () => {
  it('hold nothing that is banned', () => {
    expect(findSourceBans(SOURCES)).toEqual([]);
  });

  it('have no file that only re-exports', () => {
    expect(findBarrels(SOURCES)).toEqual([]);
  });

  it('import each third-party package, and what does I/O, in its place only', () => {
    expect(findImportBans(SOURCES)).toEqual([]);
  });

  it('and all other texts have no leftovers of their making', () => {
    expect(findTextBans(TEXTS)).toEqual([]);
  });
});

describe('the rules', () => {
  it.each([
    'const path = process.env.PATH;',
    'process.exit(1);',
    'const now = Date.now();',
    'const now = new Date();',
    'const now = performance.now();',
    'setTimeout(run, 5);',
    'setInterval(run, 5);',
    'const id = Math.random();',
    "console.log('hello');",
    'export default function planted() {}',
    'export enum Planted { A }',
    'function planted(value: any) {}',
    'const x = y as any;',
  ])('find a planted %s', (text) => {
    expect(findSourceBans([{ path: 'src/app/planted.ts', text: `\n${text}\n` }])).toHaveLength(1);
  });

  it('are not bothered by comments', () => {
    expect(findSourceBans([{ path: 'src/app/a.ts', text: '/** never Date.now() */\n// nor process.env\n' }])).toEqual(
      [],
    );
  });

  it.each(['see /Users/alice/keyturn', 'cd /home/alice/keyturn', '// TODO later', '// FIXME', "it.only('x')"])(
    'find a planted %s',
    (text) => {
      expect(findTextBans([{ path: 'docs/planted.md', text }])).toHaveLength(1);
    },
  );

  it('find a planted barrel', () => {
    const text = "/** All of it. */\nexport * from './a.ts';\nexport type { B } from './b.ts';\n";
    expect(findBarrels([{ path: 'src/app/index.ts', text }])).toHaveLength(1);
    expect(findBarrels([{ path: 'src/app/index.ts', text: `${text}export const c = 1;` }])).toEqual([]);
  });

  it.each([
    ['src/app/planted.ts', 'jose'],
    ['src/server/http/planted.ts', '@grpc/grpc-js'],
    ['src/hsm/planted.ts', 'graphene-pk11'],
    ['src/app/planted.ts', 'left-pad'],
    ['src/lifecycle/planted.ts', 'node:fs'],
    ['src/base/planted.ts', 'node:timers/promises'],
    ['src/app/planted.ts', 'node:sqlite'],
  ])('find %s importing %s', (path, name) => {
    expect(findImportBans([{ path, text: `import { x } from '${name}';` }])).toHaveLength(1);
  });
});
