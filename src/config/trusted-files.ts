/**
 * Files that hold no secret, and that decide all the same what the daemon does: who can write to one of them is who may
 * do anything. Each finding says the command that mends it.
 */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KeyturnError } from '../base/errors.ts';
import type { Config } from './config.ts';
import { quote } from './secrets.ts';

const GROUP_AND_OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o002;
const WRITABLE_BY_GROUP_AND_OTHERS = 0o022;
const READABLE_BY_OTHERS = 0o005;
const STICKY = 0o1000;

/** By the option that names each. */
export function trustedFiles({ file, token, accessPolicyFile, grpcListeners }: Config): readonly [string, string][] {
  const cas = grpcListeners.flatMap((listener) => (listener.kind === 'tls' ? [listener.clientCaFile] : []));
  return [
    ['configuration', file],
    ['accessPolicy', accessPolicyFile],
    // It runs in the process that holds the login.
    ['token.module', token.moduleFile],
    // Who can change it can be any caller.
    ...cas.map((ca): [string, string] => ['grpc.tls.clientCa', ca]),
  ];
}

/**
 * A group may be meant to look after them; everybody never is. What is missing is told about elsewhere.
 * Errors: FILE_EXPOSED.
 */
export async function checkTrustedFile(file: string): Promise<void> {
  const mode = await modeOf(file);
  if (mode !== undefined && (mode & WRITABLE_BY_OTHERS) !== 0)
    throw exposed(file, `everybody can write to ${file}: chmod o-w ${quote(file)}`);
}

/**
 * The store, and what SQLite and the reserve keep beside it; those that aren't there yet are made so. A file without a
 * reserve is no store of ours, and its mode none of our business. Errors: FILE_EXPOSED.
 */
export async function checkStoreFiles(storeFile: string): Promise<void> {
  const reserve = `${storeFile}.reserve`;
  const isOurs = (await modeOf(reserve)) !== undefined;
  for (const file of isOurs ? [storeFile, `${storeFile}-wal`, `${storeFile}-shm`, reserve] : []) {
    const mode = await modeOf(file);
    if (mode !== undefined && (mode & GROUP_AND_OTHERS) !== 0)
      throw exposed(file, `others than its owner have access to ${file}: chmod 600 ${quote(file)}`);
  }
  const folder = dirname(storeFile);
  const mode = (await modeOf(folder)) ?? 0;
  // With the sticky bit nobody can replace another user's file.
  if ((mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0)
    throw exposed(folder, `everybody can put files into ${folder}: chmod o-w ${quote(folder)}`);
}

/** What is in it says who asked for what; the folder that isn't there yet is made 0700. Errors: FILE_EXPOSED. */
export async function checkAuditFolder(folder: string): Promise<void> {
  const mode = await modeOf(folder);
  if (mode !== undefined && (mode & WRITABLE_BY_GROUP_AND_OTHERS) !== 0)
    throw exposed(folder, `others than its owner can write to ${folder}: chmod go-w ${quote(folder)}`);
  if (mode !== undefined && (mode & READABLE_BY_OTHERS) !== 0)
    throw exposed(folder, `everybody can read the audit log in ${folder}: chmod o-rx ${quote(folder)}`);
}

async function modeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.mode;
}

function exposed(subject: string, message: string): KeyturnError {
  return new KeyturnError('FILE_EXPOSED', message, { subject });
}
