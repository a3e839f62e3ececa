/**
 * Tries the Dockerfile where there is no container engine: each stage is a plain Debian folder (debootstrap) with this
 * project's Node 24 in it, COPY copies, RUN runs in a chroot, and at the end the entry point and the health check are
 * started as the image's user. It shows that the instructions work; it doesn't show what only an engine can (the real
 * base images, layers, the HEALTHCHECK timer). Needs root, debootstrap and a network.
 *
 * usage: sudo node_modules/.bin/node scripts/check-dockerfile.ts [--with-softhsm] [BASE-FOLDER]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseStages, type Instruction, type Stage } from './lib/parse-dockerfile.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const DEBIAN = 'bookworm';
const CA_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
/** What node:*-bookworm has and a minimal Debian hasn't, as far as the build needs it. */
const BUILD_PACKAGES = ['ca-certificates', 'g++', 'make', 'python3'];

/** Unmounted before anything is removed; a failure to unmount removes nothing. */
const mounts: string[] = [];

interface Imitation {
  readonly folder: string;
  readonly environment: Record<string, string>;
  readonly buildArguments: Map<string, string>;
  workingDirectory: string;
  user: string;
  entryPoint: string[];
  healthCheck: string[];
}

function main(words: readonly string[]): number {
  const withSofthsm = words.includes('--with-softhsm');
  const given = words.find((word) => !word.startsWith('--'));
  if (process.getuid?.() !== 0) {
    console.log('skipped: chroot needs root');
    return 0;
  }
  const workshop = mkdtempSync(path.join(tmpdir(), 'keyturn-dockerfile-'));
  const made = new Map<string, Imitation>();
  try {
    const base = given ?? makeBase(path.join(workshop, 'base'));
    for (const stage of parseStages(readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8'))) {
      made.set(stage.name, runStage(stage, base, workshop, made, withSofthsm));
    }
    const image = [...made.values()].at(-1);
    tryImage(image);
    if (withSofthsm) tryDaemon(image);
    console.log(
      "every RUN line worked, the entry point starts as the image's user, and the health check tells up from down",
    );
    return 0;
  } finally {
    for (const mount of mounts.splice(0)) execFileSync('umount', [mount]);
    rmSync(workshop, { recursive: true, force: true });
  }
}

function makeBase(folder: string): string {
  console.log(`== plain Debian (${DEBIAN})`);
  execFileSync('debootstrap', ['--variant=minbase', DEBIAN, folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  return folder;
}

function runStage(
  stage: Stage,
  base: string,
  workshop: string,
  made: ReadonlyMap<string, Imitation>,
  withSofthsm: boolean,
): Imitation {
  console.log(`== stage ${stage.name}: ${stage.image}, imitated`);
  const imitation = imitate(stage, base, workshop);
  if (withSofthsm) imitation.buildArguments.set('WITH_SOFTHSM', 'true');
  for (const instruction of stage.instructions) {
    console.log(`   ${instruction.keyword} ${instruction.text}`);
    apply(instruction, imitation, made);
  }
  return imitation;
}

/** A folder like the image: Debian, Node with its headers, npm; the toolchain unless it is the slim one. */
function imitate(stage: Stage, base: string, workshop: string): Imitation {
  const version = stage.image.match(/^node:(\d+\.\d+\.\d+)-bookworm(?:-slim)?$/)?.[1];
  const nodePackage = path.join(ROOT, 'node_modules', `node-linux-${process.arch}`);
  const manifest = JSON.parse(readFileSync(path.join(nodePackage, 'package.json'), 'utf8')) as { version: string };
  if (version !== manifest.version) throw new Error(`${stage.image}: the lock file has Node ${manifest.version}`);

  const folder = path.join(workshop, `stage-${stage.name}`);
  execFileSync('cp', ['-a', base, folder]);
  execFileSync('cp', [
    '-a',
    path.join(nodePackage, 'bin'),
    path.join(nodePackage, 'include'),
    path.join(folder, 'usr/local/'),
  ]);
  const npm = path.resolve(
    realpathSync(execFileSync('/bin/sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim()),
    '../..',
  );
  mkdirSync(path.join(folder, 'usr/local/lib/node_modules'), { recursive: true });
  execFileSync('cp', ['-a', npm, path.join(folder, 'usr/local/lib/node_modules/npm')]);
  execFileSync('ln', ['-sf', '../lib/node_modules/npm/bin/npm-cli.js', path.join(folder, 'usr/local/bin/npm')]);
  cpSync('/etc/resolv.conf', path.join(folder, 'etc/resolv.conf'), { dereference: true });
  mkdirSync(path.join(folder, 'proc'), { recursive: true });
  const proc = path.join(folder, 'proc');
  execFileSync('mount', ['-t', 'proc', 'proc', proc]);
  mounts.push(proc);
  const imitation: Imitation = {
    folder,
    environment: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' },
    buildArguments: new Map(),
    workingDirectory: '/',
    user: '',
    entryPoint: [],
    healthCheck: [],
  };
  if (!stage.image.endsWith('-slim')) {
    const install = `apt-get update -qq && apt-get install -y -qq --no-install-recommends ${BUILD_PACKAGES.join(' ')}`;
    execute(imitation, ['/bin/sh', '-c', install], { DEBIAN_FRONTEND: 'noninteractive' });
  }
  return imitation;
}

function apply(instruction: Instruction, imitation: Imitation, made: ReadonlyMap<string, Imitation>): void {
  const { text, keyword } = instruction;
  switch (keyword) {
    case 'RUN': {
      execute(imitation, ['/bin/sh', '-c', text], {
        ...Object.fromEntries(imitation.buildArguments),
        ...networkOf(imitation),
      });
      return;
    }
    case 'COPY':
      copy(text.split(/\s+/), imitation, made);
      return;
    case 'WORKDIR':
      imitation.workingDirectory = text;
      mkdirSync(path.join(imitation.folder, text), { recursive: true });
      return;
    case 'ENV':
      for (const [, name = '', value = ''] of text.matchAll(/(\S+?)=(\S+)/g)) imitation.environment[name] = value;
      return;
    case 'ARG': {
      const [name = '', value = ''] = text.split('=');
      if (!imitation.buildArguments.has(name)) imitation.buildArguments.set(name, value);
      return;
    }
    case 'USER':
      imitation.user = text;
      return;
    case 'ENTRYPOINT':
      imitation.entryPoint = JSON.parse(text) as string[];
      return;
    case 'HEALTHCHECK':
      imitation.healthCheck = JSON.parse(text.slice(text.indexOf('['))) as string[];
      return;
    case 'CMD':
    case 'EXPOSE':
    case 'STOPSIGNAL':
    case 'VOLUME':
      return;
    default:
      throw new Error(`line ${instruction.line}: this check doesn't know ${keyword}`);
  }
}

function copy(words: readonly string[], imitation: Imitation, made: ReadonlyMap<string, Imitation>): void {
  const from = words[0]?.match(/^--from=(.+)$/)?.[1];
  const operands = from === undefined ? words : words.slice(1);
  const target = operands.at(-1) ?? '.';
  for (const source of operands.slice(0, -1)) {
    const origin = from === undefined ? ROOT : made.get(from)?.folder;
    if (origin === undefined) throw new Error(`COPY --from=${from}: no such stage`);
    const resolved = path.join(imitation.folder, path.resolve(imitation.workingDirectory, target));
    const goal = target.endsWith('/') ? path.join(resolved, path.basename(source)) : resolved;
    mkdirSync(path.dirname(goal), { recursive: true });
    execFileSync('cp', ['-a', '--no-preserve=ownership', path.join(origin, source), goal]);
  }
}

/** A network that inspects TLS is the machine's matter: hand its CA bundle to the RUN lines, never to the image. */
function networkOf(imitation: Imitation): Record<string, string> {
  if (!existsSync(CA_BUNDLE)) return {};
  const file = '/run/host-ca-certificates.crt';
  writeFileSync(path.join(imitation.folder, file), readFileSync(CA_BUNDLE));
  return { NODE_EXTRA_CA_CERTS: file };
}

function execute(imitation: Imitation, command: readonly string[], extra: Record<string, string> = {}): void {
  const result = tryCommand(imitation, command, extra);
  if (result.status === 0) return;
  process.stdout.write(result.stdout + result.stderr);
  throw new Error(`exit code ${result.status}: ${command.join(' ')}`);
}

function tryCommand(imitation: Imitation, command: readonly string[], extra: Record<string, string> = {}) {
  const inside = `cd "$1" && shift && exec "$@"`;
  const user = imitation.user === '' ? [] : [`--userspec=${imitation.user}`];
  return spawnSync(
    'chroot',
    [...user, imitation.folder, '/bin/sh', '-c', inside, 'sh', imitation.workingDirectory, ...command],
    {
      encoding: 'utf8',
      env: { ...imitation.environment, ...extra },
    },
  );
}

function tryImage(image: Imitation | undefined): void {
  if (image === undefined) throw new Error('the Dockerfile has no stage');
  console.log(`== the image, as user ${image.user}`);
  execute(image, [...image.entryPoint, '--version']);
  execute(image, ['keyturn', '--help']);
  // The addon was compiled in another stage: it must load here.
  execute(image, ['node', '-e', "require('pkcs11js')"]);
  expectFailure(image, ['touch', '/opt/keyturn/dist/planted'], 'the user can change the program');
  expectFailure(image, image.healthCheck, 'the health check is content without a daemon');
  expectFailure(image, ['test', '-e', '/opt/keyturn/node_modules/typescript'], 'development packages are in the image');
  expectFailure(
    image,
    ['test', '-e', `/opt/keyturn/node_modules/node-linux-${process.arch}`],
    "npm's Node is in the image",
  );
  const answer =
    "require('node:http').createServer((q, s) => s.end()).listen(8080, '127.0.0.1', () => process.stdout.write('up'))";
  const probe = `node -e "${answer}" & server=$!; sleep 1; ${image.healthCheck.join(' ')}; code=$?; kill $server; exit $code`;
  execute(image, ['/bin/sh', '-c', probe]);
}

/** A whole daemon as the image's user: token, key, signature, health check, SIGTERM. */
function tryDaemon(image: Imitation | undefined): void {
  if (image === undefined) return;
  console.log('== a daemon with SoftHSM2 in the image');
  const health = image.healthCheck.join(' ');
  const script = `
    set -e
    cd /var/lib/keyturn
    keyturn init --dir trial --demo >/dev/null
    export KEYTURN_CONFIG=/var/lib/keyturn/trial/keyturn.yaml
    ${image.entryPoint.join(' ')} serve >daemon.log 2>&1 & daemon=$!
    trap 'kill $daemon 2>/dev/null; tail -n 5 daemon.log' EXIT
    patience=60
    until ${health} && keyturn token status >/dev/null 2>&1; do
      patience=$((patience - 1)); [ $patience -gt 0 ] || exit 1; sleep 0.5
    done
    keyturn key apply access-tokens --algorithm ES256 >/dev/null 2>&1
    keyturn sign access-tokens --as auth-service --claims '{"iss":"https://issuer.example","aud":"https://api.example"}'
    kill -TERM $daemon
    wait $daemon
    trap - EXIT`;
  execute(image, ['/bin/sh', '-c', script]);
}

function expectFailure(image: Imitation, command: readonly string[], problem: string): void {
  if (tryCommand(image, command).status === 0) throw new Error(problem);
}

process.exitCode = main(process.argv.slice(2));
