/** What may not stand in the sources, and where each exception is. */
import { importsOf, lineOf, withoutComments, type SourceFile } from './source-files.ts';

interface Ban {
  readonly what: string;
  readonly pattern: RegExp;
  /** Files that may. */
  readonly except?: readonly string[];
}

const CLOCK = ['src/base/system-clock.ts'];

const SOURCE_BANS: readonly Ban[] = [
  { what: 'process.env is read by the CLI entry only', pattern: /\bprocess\.env\b/g, except: ['src/cli.ts'] },
  {
    what: 'process.exit is called by the CLI entry and the HSM worker only',
    pattern: /\bprocess\.exit\(/g,
    except: ['src/cli.ts', 'src/hsm/worker/main.ts'],
  },
  {
    what: 'clocks and timers are read through the clock port',
    pattern: /\b(?:Date\.now\(|new Date\(\)|performance\.now\(|setTimeout\(|setInterval\(|process\.hrtime)/g,
    except: CLOCK,
  },
  { what: 'randomness is cryptographic or seeded, and passed in', pattern: /\bMath\.random\b/g },
  {
    what: 'only the CLI writes to the terminal, and the HSM worker to the supervisor that reads its stderr',
    pattern: /\bconsole\./g,
    except: ['src/commands/terminal.ts', 'src/hsm/worker/main.ts'],
  },
  { what: 'exports have names', pattern: /^export default\b/gm },
  { what: 'enums are not erasable', pattern: /^\s*(?:export )?(?:declare )?(?:const )?enum\s/gm },
  { what: 'any hides mistakes', pattern: /(?::|<|\bas)\s*any\b/g },
];

/** In every text file of the project; a rule's own file may name what it forbids. */
const TEXT_BANS: readonly Ban[] = [
  {
    what: 'no path of a developer’s machine',
    pattern: /(?<![\w.])\/(?:root|Users|home\/(?!runner\b|keyturn\b)\w+)\/\w/g,
    except: ['test/tidy/bans.ts', 'test/tidy/bans.test.ts'],
  },
  {
    what: 'what is left to do is an issue, not a comment',
    pattern: /\b(?:TODO|FIXME|XXX)\b/g,
    except: ['test/tidy/bans.ts', 'test/tidy/bans.test.ts', 'CONTRIBUTING.md'],
  },
  {
    what: 'no test is left alone or unfinished',
    pattern: /\b(?:it|test|describe)\.only\b/g,
    except: ['test/tidy/bans.ts', 'test/tidy/bans.test.ts'],
  },
];

function findMatches(files: readonly SourceFile[], bans: readonly Ban[], toText: (text: string) => string): string[] {
  return files.flatMap((file) => {
    const text = toText(file.text);
    return bans
      .filter(({ except }) => except?.includes(file.path) !== true)
      .flatMap(({ what, pattern }) =>
        [...text.matchAll(pattern)].map(
          (match) => `${file.path}:${lineOf(text, match.index)}: ${match[0].trim()} (${what})`,
        ),
      );
  });
}

export function findSourceBans(files: readonly SourceFile[]): string[] {
  return findMatches(files, SOURCE_BANS, withoutComments);
}

export function findTextBans(files: readonly SourceFile[]): string[] {
  return findMatches(files, TEXT_BANS, (text) => text);
}

/** A file that only hands on what others export. */
export function findBarrels(files: readonly SourceFile[]): string[] {
  const handsOn = /^export\s+(?:type\s+)?(?:\*|\{[^}]*\})\s*(?:as \w+\s*)?from\s+'[^']+';?/gm;
  return files
    .filter(({ text }) => handsOn.test(text) && withoutComments(text).replace(handsOn, '').trim() === '')
    .map(({ path }) => `${path} only re-exports`);
}

/** Each third-party package and the places that may import it. A package without a row may be imported nowhere. */
const PACKAGE_HOMES: Readonly<Record<string, readonly string[]>> = {
  '@grpc/grpc-js': ['src/server/grpc/', 'src/client/', 'src/gen/'],
  '@grpc/proto-loader': ['src/server/grpc/', 'src/client/', 'src/gen/'],
  '@grpc/reflection': ['src/server/grpc/'],
  'grpc-health-check': ['src/server/grpc/'],
  '@peculiar/x509': ['src/commands/'],
  'reflect-metadata': ['src/commands/'],
  commander: ['src/cli.ts', 'src/commands/'],
  'graphene-pk11': ['src/hsm/worker/'],
  pkcs11js: ['src/hsm/worker/'],
  jose: ['src/jose/'],
  pino: ['src/server/telemetry/'],
  'prom-client': ['src/server/telemetry/'],
  yaml: ['src/config/'],
  zod: ['src/config/'],
};

const BUILTIN_HOMES: Readonly<Record<string, readonly string[]>> = { 'node:sqlite': ['src/store/sqlite/'] };

/** Folders that decide and do nothing else: no I/O, no clock, no chance, no process. */
const PURE = /^src\/(?:base|lifecycle|jose|access|audit(?=\/(?:report\/)?[^/]+$))\//;
/** What computes and waits for nothing: hashes and signature checks, byte and path arithmetic. */
const PURE_BUILTINS = ['node:buffer', 'node:crypto', 'node:url', 'node:util'];

export function findImportBans(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    importsOf(file)
      .map(({ specifier }) => specifier)
      .filter((specifier) => !specifier.startsWith('.'))
      .flatMap((specifier) => importProblem(file.path, specifier) ?? []),
  );
}

/** The clock's adapter asks the machine for the time since boot. */
function isPure(file: string): boolean {
  return PURE.test(file) && !CLOCK.includes(file);
}

function importProblem(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('node:')) {
    if (isPure(file) && !PURE_BUILTINS.includes(specifier)) return `${file} is pure and imports ${specifier}`;
    const homes = BUILTIN_HOMES[specifier];
    return homes === undefined || isIn(file, homes)
      ? undefined
      : `${file} imports ${specifier}, which belongs to ${homes.join(', ')}`;
  }
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  const homes = PACKAGE_HOMES[name];
  if (homes === undefined) return `${file} imports ${name}, which has no home in test/tidy/bans.ts`;
  return isIn(file, homes) ? undefined : `${file} imports ${name}, which belongs to ${homes.join(', ')}`;
}

function isIn(file: string, homes: readonly string[]): boolean {
  return homes.some((home) => (home.endsWith('/') ? file.startsWith(home) : file === home));
}
