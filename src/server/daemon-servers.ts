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
import { RateLimiter } from './grpc/rate-limiter.ts';
import { loadReflection } from './grpc/reflection.ts';
import { type HttpServer, listenHttp } from './http/http-server.ts';
import { createJwksHandler, type HttpHandler } from './http/jwks-handler.ts';
import { countingAnswers, createMetricsHandler } from './http/metrics-handler.ts';
import type { Listener } from './listener.ts';
import { listenTls } from './tls-listener.ts';
import { BoundedLog } from './telemetry/bounded-log.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import { listenUnix } from './unix-listener.ts';

/** What is left of the grace for HTTP, after gRPC has taken its part. */
const MIN_HTTP_GRACE_MS = 1_000;

export interface ServersOptions {
  readonly config: Pick<Config, 'grpcListeners' | 'http' | 'limits'>;
  readonly app: Application;
  /** Counts, and is served on a listener of its own; absent: neither. */
  readonly telemetry?: Telemetry | undefined;
  /** The policy now: a reload replaces it. */
  readonly accessPolicy: () => AccessPolicy;
  readonly log: Logger;
  readonly clock: Clock;
}

export interface Servers {
  readonly httpUrl: string;
  readonly metricsUrl: string | undefined;
  /** Of the first TLS listener. */
  readonly grpcAddress: { readonly host: string; readonly port: number } | undefined;
  /**
   * Health says NOT_SERVING; gRPC accepts no connection and no call, and ends what is running; then HTTP. What takes
   * longer than `graceMs` is cut. Idempotent.
   */
  drain(graceMs: number): Promise<void>;
}

/** What all gRPC servers share. */
type Services = Pick<GrpcServerOptions, 'health' | 'reflection' | 'requests' | 'rateLimiter' | 'signing' | 'onStatus'>;

/** A gRPC server and the listener that feeds it. */
interface GrpcEndpoint {
  readonly server: GrpcServer;
  readonly listener: Listener;
  readonly host: string | undefined;
}

/** Errors: ADDRESS_UNAVAILABLE with the address, CONFIG_INVALID, SECRET_FILE_UNREADABLE, SECRET_FILE_EXPOSED; then nothing listens. */
export async function startServers(options: ServersOptions): Promise<Servers> {
  const { config, app, telemetry, log, clock } = options;
  const services: Services = {
    health: new Health(app),
    reflection: loadReflection(),
    requests: new BoundedLog(clock, log),
    rateLimiter: new RateLimiter(clock, (caller) => telemetry?.countRateLimited(caller)),
    signing: telemetry?.meterSigning(app) ?? app,
    onStatus:
      telemetry === undefined
        ? undefined
        : (method, code) => {
            telemetry.countCall(method, code);
          },
  };
  const { health } = services;
  const endpoints: GrpcEndpoint[] = [];
  let http: HttpServer | undefined;
  let metrics: HttpServer | undefined;
  try {
    // First: what is signed over the others must be verifiable from the first moment.
    http = await listenHttp(config.http, { handler: createPublicHandler(app, telemetry), clock, log });
    if (telemetry !== undefined)
      metrics = await listenHttp(telemetry.address, { handler: createMetricsHandler(telemetry, log), clock, log });
    const refusals = new BoundedLog(clock, log);
    for (const listener of config.grpcListeners) {
      endpoints.push(
        await (listener.kind === 'tls'
          ? openTls(listener, options, services, refusals)
          : openUnix(listener, options, services)),
      );
    }
  } catch (failure) {
    await drainAll({ health, endpoints, http, metrics, clock }, 0);
    throw failure;
  }
  const open = { health, endpoints, http, metrics, clock };
  let drained: Promise<void> | undefined;
  return {
    httpUrl: http.url,
    metricsUrl: metrics?.url,
    grpcAddress: findTlsAddress(endpoints),
    drain(graceMs) {
      drained ??= drainAll(open, graceMs);
      return drained;
    },
  };
}

function createPublicHandler(app: Application, telemetry: Telemetry | undefined): HttpHandler {
  const handler = createJwksHandler(app);
  return telemetry === undefined
    ? handler
    : countingAnswers(handler, (status) => {
        telemetry.countHttpAnswer(status);
      });
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
  readonly metrics: HttpServer | undefined;
  readonly clock: Clock;
}

async function drainAll({ health, endpoints, http, metrics, clock }: OpenServers, graceMs: number): Promise<void> {
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
  const httpGraceMs = Math.max(MIN_HTTP_GRACE_MS, endMs - clock.monotonicMs());
  await Promise.all([http?.drain(httpGraceMs), metrics?.drain(httpGraceMs)]);
}
