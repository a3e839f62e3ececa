/**
 * Secret files: opened and looked at, never read here. The checks are made on the open descriptor, so that the file
 * that was checked is the file that is used. Symbolic links are followed: Kubernetes mounts secrets behind some, and
 * what counts is who may read the file at their end.
 */
import { closeSync, constants, fstatSync, openSync, type Stats, statSync } from 'node:fs';
import { KeyturnError } from '../base/errors.ts';

const GROUP_AND_OTHERS = 0o077;
const MAX_SECRET_BYTES = 64 * 1024;
const ROOT_UID = 0;

/**
 * A descriptor at the file's start; the caller closes it.
 * Errors: SECRET_FILE_UNREADABLE, SECRET_FILE_EXPOSED (with the command that mends it).
 */
export function openSecretFile(path: string): number {
  const descriptor = open(path);
  try {
    requirePrivate(path, fstatSync(descriptor));
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Changes when the file is written or replaced, without a look at what it holds. Errors: SECRET_FILE_UNREADABLE. */
export function identifySecretFile(path: string): string {
  try {
    const { dev, ino, ctimeNs } = statSync(path, { bigint: true });
    return `${dev}:${ino}:${ctimeNs}`;
  } catch (error) {
    throw unreadable(path, error instanceof Error ? error.message : String(error), error);
  }
}

/** The same checks, with nothing left open. */
export function checkSecretFile(path: string): void {
  closeSync(openSecretFile(path));
}

function open(path: string): number {
  try {
    // Without O_NONBLOCK a FIFO in the file's place would stop the daemon here for ever.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw unreadable(path, error instanceof Error ? error.message : String(error), error);
  }
}

function requirePrivate(path: string, stats: Stats): void {
  if (!stats.isFile()) throw unreadable(path, 'it is not a regular file');
  if (stats.size === 0) throw unreadable(path, 'it is empty');
  if (stats.size > MAX_SECRET_BYTES) throw unreadable(path, `it has more than ${MAX_SECRET_BYTES} bytes`);
  const ownUid = process.getuid?.() ?? ROOT_UID;
  if (stats.uid !== ownUid && stats.uid !== ROOT_UID) {
    throw exposed(path, `it belongs to user id ${stats.uid}, who can change it: chown ${ownUid} ${quote(path)}`);
  }
  if ((stats.mode & GROUP_AND_OTHERS) !== 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
    throw exposed(path, `others than its owner have access (mode ${mode}): chmod 600 ${quote(path)}`);
  }
}

function unreadable(path: string, problem: string, cause?: unknown): KeyturnError {
  return new KeyturnError('SECRET_FILE_UNREADABLE', `secret file ${path} can't be used: ${problem}`, {
    subject: path,
    cause,
  });
}

function exposed(path: string, problem: string): KeyturnError {
  return new KeyturnError('SECRET_FILE_EXPOSED', `secret file ${path} is exposed: ${problem}`, { subject: path });
}

/** For a POSIX shell. */
export function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
