/** The HTTP listener. Anybody may connect, so everything a client could hold on to has a limit. */
import { createServer, type Server } from 'node:http';
import type { HttpConfig } from '../../config/config.ts';
import type { Logger } from '../../base/logger.ts';
import type { Clock } from '../../base/clock.ts';
import { formatHostPort, listen, portOf } from '../listener.ts';
import type { HttpHandler } from './jwks-handler.ts';

const MAX_HEADER_BYTES = 8 * 1024;
/** From connect to the last header byte, and to the last byte of the request. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** How often the two are looked at. */
const TIMEOUT_CHECK_MS = 1_000;
const KEEP_ALIVE_TIMEOUT_MS = 30_000;
/** A connection on which nothing moves at all, such as a reader that stopped reading. */
const SOCKET_TIMEOUT_MS = 60_000;
const MAX_CONNECTIONS = 4_096;
const MAX_REQUESTS_PER_CONNECTION = 10_000;
/** Addresses that mean "every interface" and can't be connected to. */
const WILDCARD_HOSTS: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);

export interface HttpServer {
  /** Where this machine can reach it: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Accepts nothing more, lets running requests end, cuts what is left after `graceMs`. Idempotent. */
  drain(graceMs: number): Promise<void>;
}

export interface HttpServerPorts {
  readonly handler: HttpHandler;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Errors: ADDRESS_UNAVAILABLE. */
export async function listenHttp(
  { host, port }: HttpConfig,
  { handler, clock, log }: HttpServerPorts,
): Promise<HttpServer> {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    },
    handler,
  );
  server.timeout = SOCKET_TIMEOUT_MS;
  server.maxConnections = MAX_CONNECTIONS;
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
  await listen(server, { host, port }, formatHostPort(host, port));
  const url = `http://${formatHostPort(WILDCARD_HOSTS.get(host) ?? host, portOf(server))}`;
  server.on('error', (error) => {
    log.error({ listener: url, err: error }, 'listener failed');
  });
  let drained: Promise<void> | undefined;
  return {
    url,
    drain(graceMs) {
      drained ??= drainServer(server, clock, graceMs);
      return drained;
    },
  };
}

function drainServer(server: Server, clock: Clock, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(graceMs, () => {
      server.closeAllConnections();
    });
    // Closes idle connections too.
    server.close(() => {
      cancel();
      resolve();
    });
  });
}
