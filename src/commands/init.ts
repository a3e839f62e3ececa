/** `keyturn init`: a folder with everything for a first daemon: token, certificates, access policy, configuration. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { KeyturnError } from '../base/errors.ts';
import { EXIT } from './exit-code.ts';
import {
  isSwitchedOn,
  JSON_OPTION,
  textOption,
  type CommandContext,
  type CommandSpec,
  type Options,
} from './command.ts';
import type { LeafRequest, Validity } from './development-certificates.ts';
import {
  certificatePath,
  EXAMPLE,
  LAYOUT,
  privateKeyPath,
  toAccessPolicyDocument,
  toConfigurationDocument,
} from './init-documents.ts';
import { packageFile } from './project-files.ts';
import { formatTable } from './table.ts';
import { formatIso } from './time.ts';

const DEFAULT_FOLDER = '.keyturn';
const DEFAULT_TOKEN_LABEL = 'keyturn';
const DEFAULT_GRPC_ADDRESS = '127.0.0.1:8443';
const DEFAULT_HTTP_ADDRESS = '127.0.0.1:8080';
/** Short, so that nobody comes to rely on a development CA. */
const CERTIFICATE_DAYS = 90;
const DAY_MS = 86_400_000;
/** Certificates hold from a little before now: other machines' clocks may be behind. */
const BACKDATE_MS = 5 * 60_000;
const MAX_SOCKET_PATH_BYTES = 107;
const SETUP_TIMEOUT_MS = 30_000;

/** PKCS#11 pads labels to 32 bytes; printable ASCII without quotes and backslashes is safe in every document we write. */
const TOKEN_LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,30}[A-Za-z0-9])?$/;
const ADDRESS = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/;

export const initCommand: CommandSpec = {
  name: 'init',
  summary: 'make a folder with a SoftHSM2 token, development certificates, an access policy and a configuration',
  options: [
    { flags: '--dir <folder>', description: `the folder to make (default: ${DEFAULT_FOLDER})` },
    { flags: '--token-label <label>', description: `label of the SoftHSM2 token (default: ${DEFAULT_TOKEN_LABEL})` },
    { flags: '--grpc-address <host:port>', description: `where callers connect (default: ${DEFAULT_GRPC_ADDRESS})` },
    { flags: '--http-address <host:port>', description: `where verifiers fetch (default: ${DEFAULT_HTTP_ADDRESS})` },
    { flags: '--demo', description: 'promise verifiers a few seconds, to watch a rotation; for demonstration only' },
    JSON_OPTION,
  ],
  run: runInit,
};

async function runInit(context: CommandContext, { options }: { readonly options: Options }): Promise<number> {
  const tokenLabel = parseWith(TOKEN_LABEL, textOption(options, 'tokenLabel') ?? DEFAULT_TOKEN_LABEL, '--token-label');
  const grpcAddress = parseWith(ADDRESS, textOption(options, 'grpcAddress') ?? DEFAULT_GRPC_ADDRESS, '--grpc-address');
  const httpAddress = parseWith(ADDRESS, textOption(options, 'httpAddress') ?? DEFAULT_HTTP_ADDRESS, '--http-address');
  const folder = path.resolve(context.workingDirectory, textOption(options, 'dir') ?? DEFAULT_FOLDER);
  requireSocketPath(path.join(folder, LAYOUT.adminSocket));
  const isDemo = isSwitchedOn(options, 'demo');
  const nowMs = context.clock.wallMs();
  const validity: Validity = {
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + CERTIFICATE_DAYS * DAY_MS),
  };

  const isNew = await makeFolder(folder);
  try {
    const moduleFile = await makeToken(folder, tokenLabel);
    await makeCertificates(folder, validity);
    await mkdir(path.join(folder, LAYOUT.runFolder), { mode: 0o700 });
    const softhsmConfigFile = path.join(folder, LAYOUT.softhsmConfig);
    const choices = { tokenLabel, moduleFile, softhsmConfigFile, grpcAddress, httpAddress, isDemo };
    await writeNew(path.join(folder, LAYOUT.accessPolicy), toAccessPolicyDocument(), 0o600);
    // Last: a folder without a configuration is one that wasn't finished.
    await writeNew(path.join(folder, LAYOUT.configuration), toConfigurationDocument(choices), 0o600);
  } catch (error) {
    await removeMade(folder, isNew);
    throw error;
  }

  report(context, options, { folder, tokenLabel, isDemo, validity });
  return EXIT.ok;
}

/** A Unix socket's path is limited by the kernel; better told now than when the daemon starts. */
function requireSocketPath(socket: string): void {
  if (Buffer.byteLength(socket) <= MAX_SOCKET_PATH_BYTES) return;
  throw new KeyturnError(
    'FIELD_INVALID',
    `${socket} is longer than ${MAX_SOCKET_PATH_BYTES} bytes, too long for a Unix socket; name a shorter --dir`,
    {
      field: '--dir',
    },
  );
}

/** True when the folder was made, false when an empty one was there. */
async function makeFolder(folder: string): Promise<boolean> {
  const entries = await listFolder(folder);
  if (entries !== undefined && entries.length > 0) {
    throw new KeyturnError(
      'FIELD_INVALID',
      `${folder} is not empty, and init overwrites nothing; name another folder with --dir`,
      {
        field: '--dir',
      },
    );
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  return entries === undefined;
}

/** Undefined when there is no such folder. */
async function listFolder(folder: string): Promise<readonly string[] | undefined> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new KeyturnError('FIELD_INVALID', `--dir ${folder} can't be used: ${String(error)}`, {
      field: '--dir',
      cause: error,
    });
  }
}

async function removeMade(folder: string, isNew: boolean): Promise<void> {
  if (isNew) {
    await rm(folder, { recursive: true, force: true });
    return;
  }
  for (const entry of await readdir(folder)) await rm(path.join(folder, entry), { recursive: true, force: true });
}

/** Makes the token; returns the PKCS#11 module's path. The PIN is made by the script and never passes through here. */
async function makeToken(folder: string, label: string): Promise<string> {
  const script = packageFile('softhsm/setup.sh');
  try {
    const { stdout } = await promisify(execFile)('/bin/sh', [script, path.join(folder, LAYOUT.tokenFolder), label], {
      timeout: SETUP_TIMEOUT_MS,
    });
    const moduleFile = stdout.match(/^module[:=]\s*(\S.*)$/m)?.[1];
    if (moduleFile !== undefined) return moduleFile;
    throw new Error(`${script} didn't say where the PKCS#11 module is`);
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    const text = stderr.replace(/^error: /, '');
    throw new KeyturnError('MODULE_NOT_LOADABLE', `no SoftHSM2 token could be made: ${text}`, { cause: error });
  }
}

async function makeCertificates(folder: string, validity: Validity): Promise<void> {
  // Loaded here: no other command needs it, and it takes a noticeable part of a second.
  const { createDevelopmentAuthority, issueCertificate } = await import('./development-certificates.ts');
  await mkdir(path.join(folder, LAYOUT.tlsFolder), { mode: 0o700 });
  const authority = await createDevelopmentAuthority('keyturn development-ca - not for production', validity);
  await writeNew(path.join(folder, LAYOUT.authorityCertificate), authority.certificatePem, 0o644);
  await writeNew(path.join(folder, LAYOUT.authorityKey), authority.privateKeyPem, 0o600);
  const server: LeafRequest = {
    commonName: 'localhost',
    usage: 'server',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1', '::1'],
    validity,
  };
  const client = (name: string): LeafRequest => ({ commonName: name, usage: 'client', dnsNames: [name], validity });
  const leaves = { server, 'auth-service': client('auth-service'), operator: client('operator') };
  for (const [name, request] of Object.entries(leaves)) {
    const leaf = await issueCertificate(authority, request);
    await writeNew(path.join(folder, certificatePath(name)), leaf.certificatePem, 0o644);
    await writeNew(path.join(folder, privateKeyPath(name)), leaf.privateKeyPem, 0o600);
  }
}

/** Never over a file that is there. */
async function writeNew(file: string, text: string, mode: number): Promise<void> {
  await writeFile(file, text, { flag: 'wx', mode });
}

interface InitResult {
  readonly folder: string;
  readonly tokenLabel: string;
  readonly isDemo: boolean;
  readonly validity: Validity;
}

function report(context: CommandContext, options: Options, result: InitResult): void {
  const { terminal } = context;
  const { folder, validity, isDemo } = result;
  const shown = path.relative(context.workingDirectory, folder) || '.';
  // The usual folder is found without being named.
  const isUsual = folder === path.resolve(context.workingDirectory, DEFAULT_FOLDER);
  const named = isUsual ? '' : ` --config ${path.join(shown, LAYOUT.configuration)}`;
  const certificatesExpire = formatIso(validity.notAfter.getTime());
  if (isSwitchedOn(options, 'json')) {
    terminal.printJson({
      folder,
      configuration: path.join(folder, LAYOUT.configuration),
      tokenLabel: result.tokenLabel,
      certificatesExpire,
      demo: isDemo,
    });
    return;
  }
  terminal.print(`Made ${shown}/ (only you can read it):`);
  const contents = [
    [`${LAYOUT.tokenFolder}/`, `a SoftHSM2 token named "${result.tokenLabel}", with a random PIN in ${LAYOUT.pin}`],
    [`${LAYOUT.tlsFolder}/`, 'certificates for the server, auth-service and operator'],
    [LAYOUT.accessPolicy, 'who may do what'],
    [LAYOUT.configuration, 'the configuration, every option explained'],
  ];
  for (const line of formatTable(['', ''], contents).slice(1)) terminal.print(`  ${line}`);
  terminal.print('');
  terminal.print(
    `The certificates come from a development CA (${LAYOUT.authorityCertificate}) and expire in ${CERTIFICATE_DAYS} days,`,
  );
  terminal.print(`at ${certificatesExpire}. For production use your own CA.`);
  if (isDemo) {
    terminal.print('');
    terminal.print(
      '!!! DEMONSTRATION: this key set promises verifiers only a few seconds. Real verifiers keep keys for minutes',
    );
    terminal.print(
      '!!! to hours, and would meet JWTs that they cannot verify. Never use this configuration for real callers.',
    );
  }
  terminal.print('');
  terminal.print('What to do next:');
  terminal.print(`  keyturn serve${named}`);
  terminal.print('and in another terminal:');
  terminal.print(`  keyturn key apply ${EXAMPLE.signingKey} --algorithm ES256${named}`);
  terminal.print(
    `  keyturn sign ${EXAMPLE.signingKey} --as auth-service --claims '{"iss":"${EXAMPLE.issuer}","aud":"${EXAMPLE.audience}"}'${named}`,
  );
}

function parseWith(pattern: RegExp, text: string, field: string): string {
  if (pattern.test(text)) return text;
  const wanted =
    pattern === ADDRESS
      ? 'host:port, such as 127.0.0.1:8443'
      : '1 to 32 letters, digits, blanks, dots, hyphens or underscores';
  throw new KeyturnError('FIELD_INVALID', `${field} must be ${wanted}`, { field });
}
