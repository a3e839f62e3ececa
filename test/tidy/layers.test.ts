/** Imports point one way (CONTRIBUTING.md, "The tree"). */
import { describe, expect, it } from 'vitest';
import { findCycles, findLayerViolations, findWorkerImports } from './layers.ts';
import { readFiles } from './source-files.ts';

const SOURCES = readFiles('src', /\.ts$/);

describe('imports', () => {
  it('point from the outer layers to the inner ones only', () => {
    expect(SOURCES.length).toBeGreaterThan(50);
    expect(findLayerViolations(SOURCES)).toEqual([]);
  });

  it('make no circles', () => {
    expect(findCycles(SOURCES)).toEqual([]);
  });

  it('bring nothing of the HSM worker into the daemon', () => {
    expect(findWorkerImports(SOURCES)).toEqual([]);
  });
});

describe('the layer rules', () => {
  it.each([
    ['src/lifecycle/planted.ts', "import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';"],
    ['src/app/planted.ts', "import {\n  createHsmPool,\n} from '../hsm/pool.ts';"],
    ['src/app/planted.ts', "import type { SqliteStore } from '../store/sqlite/sqlite-store.ts';"],
    ['src/client/planted.ts', "export { x } from '../app/keyturn.ts';"],
    ['src/base/planted.ts', "const jwk = await import('../jose/jwk.ts');"],
    ['src/planted/file.ts', ''],
  ])('find a planted violation in %s: %s', (path, text) => {
    expect(findLayerViolations([{ path, text }])).toHaveLength(1);
  });

  it('let the application see its ports', () => {
    const text = "import type { Hsm } from '../hsm/hsm.ts';\nimport type { EventStore } from '../store/store.ts';";
    expect(findLayerViolations([{ path: 'src/app/ports.ts', text }])).toEqual([]);
  });

  it('find a planted circle, but not one of types', () => {
    const a = { path: 'src/base/a.ts', text: "import { b } from './b.ts';" };
    expect(findCycles([a, { path: 'src/base/b.ts', text: "import { a } from './a.ts';" }])).toEqual([
      'src/base/a.ts → src/base/b.ts → src/base/a.ts',
    ]);
    expect(findCycles([a, { path: 'src/base/b.ts', text: "import type { A } from './a.ts';" }])).toEqual([]);
  });

  it('find the daemon loading the worker', () => {
    const planted = { path: 'src/hsm/planted.ts', text: "import { Token } from './worker/token.ts';" };
    expect(findWorkerImports([planted])).toHaveLength(1);
  });
});
