/**
 * A Unix socket listener. Node can't ask who the peer is, so the file's place and mode say it: a directory that only we
 * can enter, a socket that only we can open, and one caller for whoever does.
 */
import { lstat, mkdir, unlink } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { KeyturnError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { UnixListenerConfig } from '../config/config.ts';
import { type Listener, listen, OpenConnections } from './listener.ts';

const DIRECTORY_MODE = 0o700;
/** What bind() leaves out, for a socket of mode 0600. */
const SOCKET_UMASK = 0o177;
const GROUP_AND_OTHERS = 0o077;
const PROBE_TIMEOUT_MS = 1_000;
const MAX_CONNECTIONS = 256;
/** sockaddr_un.sun_path without its final zero. */
const MAX_PATH_BYTES = 107;

export interface UnixListenerPorts {
  readonly log: Logger;
  readonly onConnection: (socket: Socket) => void;
}

/** Errors: ADDRESS_UNAVAILABLE. */
export async function listenUnix({ path, caller }: UnixListenerConfig, ports: UnixListenerPorts): Promise<Listener> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    throw unavailable(path, `its path is longer than ${MAX_PATH_BYTES} bytes`);
  await requirePrivateDirectory(dirname(path), path);
  await removeStaleSocket(path);
  const server = createServer();
  server.maxConnections = MAX_CONNECTIONS;
  const connections = new OpenConnections();
  server.on('connection', (socket) => {
    connections.add(socket, { kind: 'unix', name: caller });
    socket.on('error', (error) => {
      ports.log.debug({ listener: path, err: error }, 'connection failed');
    });
    ports.onConnection(socket);
  });
  await listenPrivately(() => listen(server, { path }, path));
  server.on('error', (error) => {
    ports.log.error({ listener: path, err: error }, 'listener failed');
  });
  return {
    address: path,
    port: undefined,
    stop() {
      // Node removes the file.
      if (server.listening) server.close();
      return connections.whenEmpty();
    },
    destroyConnections() {
      connections.destroyAll();
    },
    destroyConnectionsOf(isUnwanted) {
      connections.destroyThoseOf(isUnwanted);
    },
  };
}

async function requirePrivateDirectory(directory: string, path: string): Promise<void> {
  try {
    await mkdir(directory, { mode: DIRECTORY_MODE });
    return;
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw unavailable(path, `its directory can't be made`, error);
  }
  const found = await lstat(directory);
  if (!found.isDirectory()) throw unavailable(path, `${directory} is not a directory`);
  if (found.uid !== process.getuid?.()) throw unavailable(path, `${directory} belongs to another user`);
  if ((found.mode & GROUP_AND_OTHERS) !== 0)
    throw unavailable(path, `${directory} is open to other users; chmod 0700 it`);
}

/** The file of a daemon that died goes; one that somebody answers on stays. */
async function removeStaleSocket(path: string): Promise<void> {
  try {
    const found = await lstat(path);
    if (!found.isSocket()) throw unavailable(path, 'something that is not a socket is in the way');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  if (await isAnswered(path)) throw unavailable(path, 'another process answers on it');
  await unlink(path);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, timeout: PROBE_TIMEOUT_MS });
    const settle = (isAlive: boolean): void => {
      socket.destroy();
      resolve(isAlive);
    };
    socket.once('connect', () => {
      settle(true);
    });
    // A full backlog is a sign of life.
    socket.once('timeout', () => {
      settle(true);
    });
    socket.once('error', (error) => {
      if (hasCode(error, 'ECONNREFUSED') || hasCode(error, 'ENOENT')) settle(false);
      else if (hasCode(error, 'EAGAIN')) settle(true);
      else reject(unavailable(path, "can't tell whether somebody answers on it", error));
    });
  });
}

/** The socket is born 0600: bind() happens within the call of listen, so no other file is made under this mask. */
function listenPrivately(bind: () => Promise<void>): Promise<void> {
  const before = process.umask(SOCKET_UMASK);
  try {
    return bind();
  } finally {
    process.umask(before);
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function unavailable(path: string, problem: string, cause?: unknown): KeyturnError {
  return new KeyturnError('ADDRESS_UNAVAILABLE', `can't listen on ${path}: ${problem}`, { subject: path, cause });
}
