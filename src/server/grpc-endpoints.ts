/** A listener and the gRPC server that it feeds: over TLS with reload, or on a Unix socket. */
import type { CallerIdentity } from '../access/caller.ts';
import type { Clock } from '../base/clock.ts';
import { KeyturnError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { TlsListenerConfig, UnixListenerConfig } from '../config/config.ts';
import { loadTlsFiles, type TlsFiles } from '../config/tls-files.ts';
import { ConnectionCallers } from './grpc/connection-callers.ts';
import { createGrpcServer, type GrpcServer, type GrpcServerOptions } from './grpc/grpc-server.ts';
import type { Listener } from './listener.ts';
import type { BoundedLog } from './telemetry/bounded-log.ts';
import { HANDSHAKE_TIMEOUT_MS, listenTls, type TlsListener } from './tls-listener.ts';
import { listenUnix } from './unix-listener.ts';

export interface GrpcEndpoint {
  readonly server: GrpcServer;
  readonly listener: Listener;
  /** Undefined for a Unix socket. */
  readonly host: string | undefined;
  /** Certificate, key, client CA and revocation lists anew, all or none; resolves with what changed. */
  readonly reloadTls: (() => Promise<string>) | undefined;
}

export interface EndpointPorts {
  readonly configFile: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** For what strangers can cause. */
  readonly refusals: BoundedLog;
  /** Told the files in force, at the start and after each change. */
  readonly onTlsFiles: (files: TlsFiles) => void;
  readonly toGrpcOptions: (own: Pick<GrpcServerOptions, 'identify' | 'connectionAge'>) => GrpcServerOptions;
}

/** Errors: CONFIG_INVALID, SECRET_FILE_UNREADABLE, SECRET_FILE_EXPOSED, ADDRESS_UNAVAILABLE. */
export async function openTls(config: TlsListenerConfig, ports: EndpointPorts): Promise<GrpcEndpoint> {
  const { clock, log, refusals } = ports;
  const callers = new ConnectionCallers();
  const connectionAge = { maxMs: config.maxConnectionAgeMs, graceMs: config.connectionGraceMs };
  const server = createGrpcServer(ports.toGrpcOptions({ identify: (call) => callers.find(call), connectionAge }));
  let files = await loadTlsFiles(config, ports.configFile);
  // Open all the same: the Unix sockets and the JWKS don't depend on it.
  if (isOutdated(files, clock)) log.error({ revocationLists: config.revocationListFiles }, OUTDATED);
  const listener = await listenTls(config, files, {
    clock,
    log,
    refusals,
    onConnection: (socket, identity) => {
      callers.remember(socket, identity);
      server.accept(socket);
    },
  });
  ports.onTlsFiles(files);
  const reloadTls = async (): Promise<string> => {
    const fresh = await loadTlsFiles(config, ports.configFile);
    if (isOutdated(fresh, clock)) throw new KeyturnError('CONFIG_INVALID', OUTDATED);
    listener.use(fresh);
    const isTrustNew = fresh.trustHash !== files.trustHash;
    const isCertificateNew = !fresh.certificate.equals(files.certificate);
    files = fresh;
    ports.onTlsFiles(fresh);
    if (isTrustNew) judgeAnew({ server, listener, clock, graceMs: config.connectionGraceMs });
    return describeChange(isTrustNew, isCertificateNew);
  };
  return { server, listener, host: config.host, reloadTls };
}

const OUTDATED =
  'a certificate revocation list is out of date: nobody gets in over TLS; fetch a new one, then send SIGHUP';

function isOutdated({ listsGoodUntilMs }: TlsFiles, clock: Clock): boolean {
  return listsGoodUntilMs !== undefined && listsGoodUntilMs <= clock.wallMs();
}

function describeChange(isTrustNew: boolean, isCertificateNew: boolean): string {
  if (isTrustNew) return 'the client CA or the revocation lists changed: every connection is made anew';
  return isCertificateNew ? 'new connections get the new certificate' : 'unchanged';
}

/**
 * Every client has to show its certificate again. OpenSSL judges certificates in handshakes only, so no connection from
 * before may stay; and a handshake that began before ends by the old rules, so those that came meanwhile go too.
 */
function judgeAnew({
  server,
  listener,
  clock,
  graceMs,
}: {
  readonly server: GrpcServer;
  readonly listener: TlsListener;
  readonly clock: Clock;
  readonly graceMs: number;
}): void {
  const renew = (): void => {
    const old = listener.accepted();
    server.renewConnections();
    clock.after(graceMs, () => {
      for (const socket of old) socket.destroy();
    });
  };
  renew();
  clock.after(HANDSHAKE_TIMEOUT_MS, renew);
}

/** Errors: ADDRESS_UNAVAILABLE. */
export async function openUnix(config: UnixListenerConfig, ports: EndpointPorts): Promise<GrpcEndpoint> {
  const identity: CallerIdentity = { kind: 'unix', name: config.caller };
  const server = createGrpcServer(ports.toGrpcOptions({ identify: () => identity, connectionAge: undefined }));
  const listener = await listenUnix(config, {
    log: ports.log,
    onConnection: (socket) => {
      server.accept(socket);
    },
  });
  return { server, listener, host: undefined, reloadTls: undefined };
}
