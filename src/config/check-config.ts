/**
 * The checks that need the disk: what the configuration names is there, usable, and private where it must be. For
 * `keyturn config check` and the daemon's start; each runs whatever the others find.
 */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KeyturnError } from '../base/errors.ts';
import { loadAccessPolicy } from './access-policy-document.ts';
import type { Config, TlsListenerConfig, UnixListenerConfig } from './config.ts';
import { ConfigError, type ConfigProblem, formatProblem } from './problems.ts';
import { checkSecretFile } from './secrets.ts';
import { loadTlsFiles } from './tls-files.ts';
import { checkAuditFolder, checkStoreFiles, checkTrustedFile, trustedFiles } from './trusted-files.ts';

const GROUP_AND_OTHERS = 0o077;
const ROOT_UID = 0;

/** Every problem, in the order of the document; none when the daemon may start. */
export async function checkConfig(config: Config): Promise<readonly ConfigProblem[]> {
  const tls = config.grpcListeners.filter((listener) => listener.kind === 'tls');
  const unix = config.grpcListeners.filter((listener) => listener.kind === 'unix');
  const { audit } = config;
  const found = await Promise.all([
    ...tls.map(checkTls),
    ...unix.map(checkSocketFolder),
    attempt('token.module', () => requireReadable(config.token.moduleFile)),
    attempt('token.pinFile', () => checkSecretFile(config.token.pinFile)),
    checkEnvironment(config),
    attempt('store.file', () => requireWritableFolder(dirname(config.storeFile))),
    attempt('store.file', () => checkStoreFiles(config.storeFile)),
    ...(audit === undefined ? [] : [attempt('audit.directory', () => checkAuditFolder(audit.directory))]),
    checkAccessPolicy(config.accessPolicyFile),
    ...trustedFiles(config).map(([path, file]) => attempt(path, () => checkTrustedFile(file))),
  ]);
  return found.flat();
}

/** Errors: a ConfigError with every problem; its reason is SECRET_FILE_EXPOSED or the like when that is all there is. */
export async function requireUsableConfig(config: Config): Promise<void> {
  const problems = await checkConfig(config);
  if (problems.length > 0) throw new ConfigError(config.file, problems);
}

async function attempt(path: string, check: () => Promise<void> | void): Promise<readonly ConfigProblem[]> {
  try {
    await check();
    return [];
  } catch (error) {
    if (error instanceof KeyturnError) return [{ path, message: error.message, reason: error.reason }];
    return [{ path, message: error instanceof Error ? error.message : String(error) }];
  }
}

async function checkTls(listener: TlsListenerConfig): Promise<readonly ConfigProblem[]> {
  try {
    await loadTlsFiles(listener, '');
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

/** The daemon makes a missing folder itself. */
function checkSocketFolder({ path }: UnixListenerConfig, index: number): Promise<readonly ConfigProblem[]> {
  const folder = dirname(path);
  return attempt(`grpc.unix[${index}].path`, async () => {
    const stats = await stat(folder).catch(() => undefined);
    if (stats === undefined) return;
    if (!stats.isDirectory()) throw new Error(`${folder} is not a folder`);
    if (stats.uid !== (process.getuid?.() ?? ROOT_UID))
      throw new Error(`${folder} belongs to user id ${stats.uid}, who could put another socket in place`);
    if ((stats.mode & GROUP_AND_OTHERS) !== 0)
      throw new Error(`others than its owner have access to ${folder}: chmod 700 ${folder}`);
  });
}

/** The one variable whose meaning we know. */
async function checkEnvironment({ token }: Config): Promise<readonly ConfigProblem[]> {
  const file = token.environment['SOFTHSM2_CONF'];
  return file === undefined ? [] : attempt('token.environment.SOFTHSM2_CONF', () => requireReadable(file));
}

async function checkAccessPolicy(file: string): Promise<readonly ConfigProblem[]> {
  try {
    await loadAccessPolicy(file);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => ({ path: 'accessPolicy', message: formatProblem(problem) }));
  }
}

async function requireReadable(file: string): Promise<void> {
  await access(file, constants.R_OK);
  if (!(await stat(file)).isFile()) throw new Error(`${file} is not a file`);
}

async function requireWritableFolder(folder: string): Promise<void> {
  if (!(await stat(folder)).isDirectory()) throw new Error(`${folder} is not a folder`);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    // A disk that became read-only is no mistake in the configuration: who opens the store or the log there says so, with
    // an exit code after which a service manager tries again.
    if (!isReadOnlyDisk(error)) throw error;
  }
}

function isReadOnlyDisk(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'EROFS';
}
