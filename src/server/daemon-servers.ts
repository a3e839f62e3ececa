/**
 * Everything that the daemon listens with, started all or nothing and drained in order. The key sets are published
 * longest: a verifier must be able to check what was signed last.
 */
import type { CallerIdentity } from '../access/caller.ts';
import type { AccessPolicy } from '../access/policy.ts';
import type { Application } from '../app/application.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Config, TlsListenerConfig, UnixListenerConfig } from '../config/config.ts';
import { ConnectionCallers } from './grpc/connection-callers.ts';
import { createGrpcServer, type GrpcServer, type GrpcServerOptions } from './grpc/grpc-server.ts';
import { Health } from './grpc/health-service.ts';
import { loadReflection } from './grpc/reflection.ts';
import { type HttpServer, listenHttp } from './http/http-server.ts';
import { createJwksHandler } from './http/jwks-handler.ts';
import type { Listener } from './listener.ts';
import { listenTls } from './tls-listener.ts';
import { BoundedLog } from './telemetry/bounded-log.ts';
import { listenUnix } from './unix-listener.ts';

/** What is left of the grace for HTTP, after gRPC has taken its part. */
const MIN_HTTP_GRACE_MS = 1_000;

export interface ServersOptions {
  readonly config: Pick<Config, 'grpcListeners' | 'http' | 'limits'>;
  readonly app: Application;
  /** The policy now: a reload replaces it. */
  readonly accessPolicy: () => AccessPolicy;
  readonly log: Logger;
  readonly clock: Clock;
}

export interface Servers {
  readonly httpUrl: string;
  /** Of the first TLS listener. */
  readonly grpcAddress: { readonly host: string; readonly port: number } | undefined;
  /**
   * Health says NOT_SERVING; gRPC accepts no connection and no call, and ends what is running; then HTTP. What takes
   * longer than `graceMs` is cut. Idempotent.
   */
  drain(graceMs: number): Promise<void>;
}

/** What all gRPC servers share. */
type Services = Pick<GrpcServerOptions, 'health' | 'reflection' | 'requests'>;

/** A gRPC server and the listener that feeds it. */
interface GrpcEndpoint {
  readonly server: GrpcServer;
  readonly listener: Listener;
  readonly host: string | undefined;
}

/** Errors: ADDRESS_UNAVAILABLE with the address, CONFIG_INVALID, SECRET_FILE_UNREADABLE, SECRET_FILE_EXPOSED; then nothing listens. */
export async function startServers(options: ServersOptions): Promise<Servers> {
  const { config, app, log, clock } = options;
  const services: Services = {
    health: new Health(app),
    reflection: loadReflection(),
    requests: new BoundedLog(clock, log),
  };
  const { health } = services;
  const endpoints: GrpcEndpoint[] = [];
  let http: HttpServer | undefined;
  try {
    // First: what is signed over the others must be verifiable from the first moment.
    http = await listenHttp(config.http, { handler: createJwksHandler(app), clock, log });
    const refusals = new BoundedLog(clock, log);
    for (const listener of config.grpcListeners) {
      endpoints.push(
        await (listener.kind === 'tls'
          ? openTls(listener, options, services, refusals)
          : openUnix(listener, options, services)),
      );
    }
  } catch (failure) {
    await drainAll({ health, endpoints, http, clock }, 0);
    throw failure;
  }
  const open = { health, endpoints, http, clock };
  let drained: Promise<void> | undefined;
  return {
    httpUrl: http.url,
    grpcAddress: findTlsAddress(endpoints),
    drain(graceMs) {
      drained ??= drainAll(open, graceMs);
      return drained;
    },
  };
}

function findTlsAddress(endpoints: readonly GrpcEndpoint[]): Servers['grpcAddress'] {
  for (const { host, listener } of endpoints) {
    if (host !== undefined && listener.port !== undefined) return { host, port: listener.port };
  }
  return undefined;
}

async function openTls(
  config: TlsListenerConfig,
  options: ServersOptions,
  services: Services,
  refusals: BoundedLog,
): Promise<GrpcEndpoint> {
  const callers = new ConnectionCallers();
  const server = createGrpcServer(toGrpcOptions(options, services, (call) => callers.find(call)));
  const listener = await listenTls(config, {
    log: options.log,
    refusals,
    onConnection: (socket, identity) => {
      callers.remember(socket, identity);
      server.accept(socket);
    },
  });
  return { server, listener, host: config.host };
}

async function openUnix(
  config: UnixListenerConfig,
  options: ServersOptions,
  services: Services,
): Promise<GrpcEndpoint> {
  const identity: CallerIdentity = { kind: 'unix', name: config.caller };
  const server = createGrpcServer(toGrpcOptions(options, services, () => identity));
  const listener = await listenUnix(config, {
    log: options.log,
    onConnection: (socket) => {
      server.accept(socket);
    },
  });
  return { server, listener, host: undefined };
}

function toGrpcOptions(
  { app, accessPolicy, config, clock }: ServersOptions,
  services: Services,
  identify: GrpcServerOptions['identify'],
): GrpcServerOptions {
  return { app, accessPolicy, identify, ...services, limits: config.limits, clock };
}

interface OpenServers {
  readonly health: Health;
  readonly endpoints: readonly GrpcEndpoint[];
  readonly http: HttpServer | undefined;
  readonly clock: Clock;
}

async function drainAll({ health, endpoints, http, clock }: OpenServers, graceMs: number): Promise<void> {
  const endMs = clock.monotonicMs() + graceMs;
  health.drain();
  const ended = endpoints.map(({ listener }) => listener.stop());
  for (const { server } of endpoints) server.drain();
  const cutAll = (): void => {
    for (const { listener } of endpoints) listener.destroyConnections();
  };
  const cancel = clock.after(graceMs, cutAll);
  await Promise.all(ended);
  cancel();
  // Handshakes that are still going on are nobody's work.
  cutAll();
  await http?.drain(Math.max(MIN_HTTP_GRACE_MS, endMs - clock.monotonicMs()));
}
