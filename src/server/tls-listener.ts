/**
 * A TCP listener with mutual TLS 1.3 and nothing else: a connection that gets past it has a certificate that chains to
 * the client CA, speaks HTTP/2, and has exactly one caller's name. Everybody else is cut off and noted.
 */
import { constants } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import type { CallerIdentity } from '../access/caller.ts';
import { KeyturnError, toKeyturnError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { TlsListenerConfig } from '../config/config.ts';
import { parseCallerIdentity } from './caller-name.ts';
import { formatHostPort, type Listener, listen, OpenConnections, portOf } from './listener.ts';
import type { BoundedLog } from './telemetry/bounded-log.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 4_096;
/** Readable by everybody. */
const OTHERS_MODE = 0o007;

export interface TlsListenerPorts {
  readonly log: Logger;
  /** For what strangers can cause. */
  readonly refusals: BoundedLog;
  readonly onConnection: (socket: TLSSocket, identity: CallerIdentity) => void;
}

/** Errors: CONFIG_INVALID, SECRET_FILE_UNREADABLE, SECRET_FILE_EXPOSED, ADDRESS_UNAVAILABLE. */
export async function listenTls(config: TlsListenerConfig, ports: TlsListenerPorts): Promise<Listener> {
  const server = createTlsServer(await loadTlsOptions(config), config);
  server.maxConnections = MAX_CONNECTIONS;
  const connections = new OpenConnections();
  const accepted = new OpenConnections();
  let isStopped = false;
  await listen(server, { host: config.host, port: config.port }, formatHostPort(config.host, config.port));
  const port = portOf(server);
  const address = formatHostPort(config.host, port);
  const refuse = (socket: TLSSocket, reason: string): void => {
    ports.refusals.warn(
      {
        listener: address,
        peer: formatHostPort(socket.remoteAddress ?? 'unknown', socket.remotePort ?? 0),
        reason,
      },
      'connection refused',
    );
    socket.destroy();
  };

  // The bare connections: a TLS socket is there only once the handshake is over.
  server.on('connection', (socket) => {
    connections.add(socket);
  });
  server.on('drop', (dropped) => {
    const peer = formatHostPort(dropped?.remoteAddress ?? 'unknown', dropped?.remotePort);
    ports.refusals.warn(
      { listener: address, peer, reason: `more than ${MAX_CONNECTIONS} connections` },
      'connection refused',
    );
  });
  server.on('tlsClientError', (error, socket) => {
    refuse(socket, handshakeProblem(error, socket));
  });
  server.on('secureConnection', (socket) => {
    // Every socket needs one before anybody else listens; the 'close' that follows does the rest.
    socket.on('error', (error) => {
      ports.log.debug({ listener: address, err: error }, 'connection failed');
    });
    if (isStopped) {
      socket.destroy();
      return;
    }
    if (socket.alpnProtocol !== 'h2') {
      refuse(socket, 'the client does not offer HTTP/2 (ALPN h2)');
      return;
    }
    try {
      const identity = parseCallerIdentity(socket.getPeerCertificate(), config.callerName);
      accepted.add(socket);
      ports.onConnection(socket, identity);
    } catch (thrown) {
      refuse(socket, toKeyturnError(thrown).message);
    }
  });
  server.on('error', (error) => {
    ports.log.error({ listener: address, err: error }, 'listener failed');
  });
  return {
    address,
    port,
    stop() {
      if (!isStopped) server.close();
      isStopped = true;
      return accepted.whenEmpty();
    },
    destroyConnections() {
      connections.destroyAll();
    },
  };
}

async function loadTlsOptions(config: TlsListenerConfig): Promise<TlsOptions> {
  return {
    minVersion: 'TLSv1.3',
    cert: await readPem(config.certificateFile, 'certificateFile'),
    key: await readPrivateKey(config.privateKeyFile),
    ca: await readPem(config.clientCaFile, 'clientCaFile'),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ['h2'],
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    // No resumption: it would skip the check of the client's certificate.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

function createTlsServer(
  options: TlsOptions,
  { certificateFile, privateKeyFile, clientCaFile }: TlsListenerConfig,
): Server {
  try {
    return createServer(options);
  } catch (cause) {
    throw new KeyturnError(
      'CONFIG_INVALID',
      `${certificateFile}, ${privateKeyFile} and ${clientCaFile} are not a certificate, its private key and CA certificates in PEM`,
      { cause },
    );
  }
}

async function readPem(file: string, field: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new KeyturnError('CONFIG_INVALID', `${field}: can't read ${file}`, { field, cause });
  }
}

async function readPrivateKey(file: string): Promise<Buffer> {
  try {
    const { mode } = await stat(file);
    if ((mode & OTHERS_MODE) !== 0) {
      throw new KeyturnError('SECRET_FILE_EXPOSED', `everybody can use the private key in ${file}; chmod 0600 it`, {
        field: 'privateKeyFile',
      });
    }
    return await readFile(file);
  } catch (cause) {
    if (cause instanceof KeyturnError) throw cause;
    throw new KeyturnError('SECRET_FILE_UNREADABLE', `privateKeyFile: can't read ${file}`, {
      field: 'privateKeyFile',
      cause,
    });
  }
}

/** OpenSSL's codes of the common failures, in the reader's words. */
const HANDSHAKE_PROBLEMS: ReadonlyMap<string, string> = new Map([
  ['ERR_SSL_HTTP_REQUEST', 'the client does not speak TLS'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'the client does not speak TLS'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'the client does not speak TLS'],
  ['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', 'the client sent no certificate'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'the client does not speak TLS 1.3'],
]);

function handshakeProblem(error: NodeJS.ErrnoException, socket: TLSSocket): string {
  // A certificate that doesn't verify shows as this socket closing: Node decides after the handshake.
  if (socket.authorizationError !== null && socket.authorizationError !== undefined) {
    return `the client certificate is not accepted: ${String(socket.authorizationError)}`;
  }
  const { code = error.message } = error;
  return HANDSHAKE_PROBLEMS.get(code) ?? code;
}
