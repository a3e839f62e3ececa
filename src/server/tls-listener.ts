/**
 * A TCP listener with mutual TLS 1.3 and nothing else: a connection that gets past it has a certificate that chains to
 * the client CA, speaks HTTP/2, and has exactly one caller's name. Everybody else is cut off and noted.
 */
import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, createServer, type SecureContextOptions, type TLSSocket } from 'node:tls';
import type { CallerIdentity } from '../access/caller.ts';
import type { Clock } from '../base/clock.ts';
import { KeyturnError, toKeyturnError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { TlsListenerConfig } from '../config/config.ts';
import type { TlsFiles } from '../config/tls-files.ts';
import { parseCallerIdentity } from './caller-name.ts';
import { formatHostPort, type Listener, listen, OpenConnections, portOf } from './listener.ts';
import type { BoundedLog } from './telemetry/bounded-log.ts';

/** By then every handshake has succeeded or failed. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 4_096;
/** The longest that Node's timers take. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface TlsListener extends Listener {
  /** Handshakes go by these files from now on. Errors: CONFIG_INVALID; then all is as it was. */
  use(files: TlsFiles): void;
  /** Connections that got past the handshake. */
  accepted(): readonly Socket[];
}

export interface TlsListenerPorts {
  readonly clock: Clock;
  readonly log: Logger;
  /** For what strangers can cause. */
  readonly refusals: BoundedLog;
  readonly onConnection: (socket: TLSSocket, identity: CallerIdentity) => void;
}

/** Errors: CONFIG_INVALID, ADDRESS_UNAVAILABLE. */
export async function listenTls(
  config: TlsListenerConfig,
  files: TlsFiles,
  ports: TlsListenerPorts,
): Promise<TlsListener> {
  const initial = toSecureOptions(files);
  requireUsable(initial, config);
  const server = createServer({
    ...initial,
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ['h2'],
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  });
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
      const certificate = socket.getPeerCertificate();
      const identity = parseCallerIdentity(certificate, config.callerName);
      accepted.add(socket, identity);
      endAtExpiry(socket, Date.parse(certificate.valid_to), ports.clock);
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
    destroyConnectionsOf(isUnwanted) {
      accepted.destroyThoseOf(isUnwanted);
    },
    use(fresh) {
      const options = toSecureOptions(fresh);
      requireUsable(options, config);
      server.setSecureContext(options);
    },
    accepted: () => accepted.sockets,
  };
}

/** OpenSSL looks at a certificate's dates in the handshake only. */
function endAtExpiry(socket: TLSSocket, notAfterMs: number, clock: Clock): void {
  const leftMs = notAfterMs - clock.wallMs();
  if (leftMs > MAX_TIMER_MS) return;
  const cancel = clock.after(Math.max(0, leftMs), () => {
    socket.destroy();
  });
  socket.once('close', cancel);
}

/** What may change while the listener is open. */
function toSecureOptions({ certificate, privateKey, clientCa, revocationLists }: TlsFiles): SecureContextOptions {
  return {
    minVersion: 'TLSv1.3',
    cert: certificate,
    key: privateKey.reveal(),
    ca: clientCa,
    // With any list OpenSSL asks for one of every CA in the chain, and refuses all when one is out of date.
    ...(revocationLists.length === 0 ? {} : { crl: [...revocationLists] }),
    // No resumption: it would skip the check of the client's certificate.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** Errors: CONFIG_INVALID. */
function requireUsable(options: SecureContextOptions, config: TlsListenerConfig): void {
  try {
    createSecureContext(options);
  } catch (cause) {
    throw new KeyturnError(
      'CONFIG_INVALID',
      `OpenSSL can't use ${[config.certificateFile, config.privateKeyFile, config.clientCaFile, ...config.revocationListFiles].join(', ')} together`,
      { cause },
    );
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
