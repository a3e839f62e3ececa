/**
 * Imports point one way. A folder may import from the folders in its row (and from itself); `PORTS` are the only files
 * of a layer that `app` and `commands` may see where the row says so. One table, no exceptions elsewhere.
 */
import { importsOf, resolveImport, type SourceFile } from './source-files.ts';

/** Files that stand for what is behind them. */
const HSM_PORT = 'src/hsm/hsm.ts';
const STORE_PORT = 'src/store/store.ts';

/** `src/X/**` as X; files directly under src by their names. An entry with `.ts` is one file. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  base: [],
  gen: [],
  lifecycle: ['base', 'jose'],
  jose: ['base'],
  access: ['base', 'jose', 'lifecycle'],
  config: ['base', 'jose', 'lifecycle', 'access'],
  hsm: ['base', 'jose', 'lifecycle', 'access', 'config'],
  store: ['base', 'jose', 'lifecycle', 'access', 'config'],
  audit: ['base', 'jose', 'lifecycle', 'access', 'config'],
  app: ['base', 'jose', 'lifecycle', 'access', 'config', 'audit', HSM_PORT, STORE_PORT],
  // TokenStatus and the like are the port's types; telemetry decorates the store port.
  server: ['base', 'jose', 'lifecycle', 'access', 'config', 'audit', 'app', 'gen', HSM_PORT, STORE_PORT],
  'main.ts': ['base', 'jose', 'lifecycle', 'access', 'config', 'hsm', 'store', 'audit', 'app', 'server'],
  client: ['base', 'jose', 'lifecycle', 'gen'],
  // `serve`, `init` and `doctor` run on the daemon's machine: they read its configuration, start it, and look at the
  // token and the store through the same ports and adapters.
  commands: ['base', 'jose', 'lifecycle', 'access', 'config', 'client', 'gen', 'hsm', 'store', 'audit', 'main.ts'],
  'cli.ts': ['base', 'commands'],
};

export function layerOf(file: string): string {
  return file.split('/')[1] ?? file;
}

export function findLayerViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const layer = layerOf(file.path);
    const allowed = ALLOWED[layer];
    if (allowed === undefined) return [`${file.path}: ${layer} is not in the table of layers`];
    return importsOf(file)
      .map(({ specifier }) => resolveImport(file.path, specifier))
      .filter((target): target is string => target !== undefined)
      .filter((target) => layerOf(target) !== layer && !allowed.includes(layerOf(target)) && !allowed.includes(target))
      .map((target) => `${file.path} imports ${target}`);
  });
}

/** Circles of imports that run: types alone make none. Each is found once, as the path around it. */
export function findCycles(files: readonly SourceFile[]): string[] {
  const graph = new Map(
    files.map((file) => [
      file.path,
      importsOf(file)
        .filter(({ isTypeOnly }) => !isTypeOnly)
        .map(({ specifier }) => resolveImport(file.path, specifier))
        .filter((target): target is string => target !== undefined),
    ]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start >= 0) cycles.push([...trail.slice(start), file].join(' → '));
    if (start >= 0 || done.has(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return cycles;
}

/** The port is what may be seen of a layer's inside: the worker's code runs in another process. */
const WORKER_ONLY = /^src\/hsm\/worker\//;

export function findWorkerImports(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => !WORKER_ONLY.test(path))
    .flatMap((file) =>
      importsOf(file)
        .filter(
          ({ isTypeOnly, specifier }) => !isTypeOnly && WORKER_ONLY.test(resolveImport(file.path, specifier) ?? ''),
        )
        .map(({ specifier }) => `${file.path} imports ${specifier}, which runs in the HSM worker only`),
    );
}
