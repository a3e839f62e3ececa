/**
 * All gRPC services on connections that a listener of ours accepted: grpc-js neither binds an address nor sees a
 * certificate. One server per listener, since the listener says how callers are identified.
 */
import type { Duplex } from 'node:stream';
import { Server, ServerCredentials, type ServerOptions } from '@grpc/grpc-js';
import type { ReflectionService } from '@grpc/reflection';
import type { CallerIdentity } from '../../access/caller.ts';
import type { AccessPolicy } from '../../access/policy.ts';
import type { Application } from '../../app/application.ts';
import type { AuditTrail } from '../../app/audit-trail.ts';
import type { Clock } from '../../base/clock.ts';
import type { LimitsConfig } from '../../config/config.ts';
import type { BoundedLog } from '../telemetry/bounded-log.ts';
import { CallPolicy, type CallPolicyPorts, type IdentifiableCall } from './call-policy.ts';
import type { Health } from './health-service.ts';
import { createApprovalService } from './approval-service.ts';
import { createAuditService } from './audit-service.ts';
import { createKeyAdminService } from './key-admin-service.ts';
import { createKeySetService } from './key-set-service.ts';
import type { KeySetWatches } from './key-set-watches.ts';
import { createClockService } from './clock-service.ts';
import {
  approvalService,
  auditService,
  clockService,
  healthDefinition,
  keyAdminService,
  keySetService,
  signingService,
  storeService,
  tokenService,
} from './protos.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { createSigningService } from './signing-service.ts';
import { createStoreService } from './store-service.ts';
import { createTokenService } from './token-service.ts';
import type { HandlerPorts } from './unary.ts';

/** A request beside its claims. */
const MAX_ENVELOPE_BYTES = 4 * 1024;
/** A batch of 256 with claims of a kilobyte. What a connection can make the daemon hold is this by its streams. */
const MIN_RECEIVE_BYTES = 256 * 1024;
/** The largest answer is a page of 100 key versions or a key set. */
const MAX_SEND_BYTES = 4 * 1024 * 1024;
const MAX_STREAMS_PER_CONNECTION = 256;
/** A dead peer is found within the two together. */
const KEEPALIVE_TIME_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;

export interface GrpcServerOptions {
  readonly app: Application;
  /** Whose signJwt is called; it may be metered. */
  readonly signing: Pick<Application, 'signJwt'>;
  readonly accessPolicy: () => AccessPolicy;
  readonly identify: (call: IdentifiableCall) => CallerIdentity | undefined;
  /** When a connection has to make way for a new one; undefined: never. */
  readonly connectionAge: { readonly maxMs: number; readonly graceMs: number } | undefined;
  readonly health: Health;
  readonly watches: KeySetWatches;
  readonly reflection: ReflectionService;
  readonly limits: LimitsConfig;
  readonly clock: Clock;
  /** For what callers can cause. */
  readonly requests: BoundedLog;
  readonly rateLimiter: RateLimiter;
  readonly onStatus: CallPolicyPorts['onStatus'];
  /** Undefined where the audit log is off. */
  readonly audit: AuditTrail | undefined;
}

type ConnectionInjector = ReturnType<Server['createConnectionInjector']>;

export interface GrpcServer {
  /** Speaks HTTP/2 on the connection from its first byte. */
  accept(connection: Duplex): void;
  /** Asks the clients to come again (GOAWAY): no new call on a connection accepted before; running ones may end. */
  renewConnections(): void;
  /** Refuses new calls (GOAWAY); each connection ends when its running calls have. Idempotent. */
  drain(): void;
}

export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const policy = new CallPolicy(options);
  const server = new Server(toServerOptions(policy, options));
  addServices(server, { app: options.app, clock: options.clock, policy, audit: options.audit }, options);
  routeUnknownMethods(server);
  const openDoor = (): ConnectionInjector => server.createConnectionInjector(ServerCredentials.createInsecure());
  let door = openDoor();
  let isDraining = false;
  return {
    accept(connection) {
      door.injectConnection(connection);
    },
    renewConnections() {
      if (isDraining) return;
      const old = door;
      door = openDoor();
      old.destroy();
    },
    drain() {
      isDraining = true;
      // Its callback says nothing: on Node 24 closing the HTTP/2 server marks the sessions closed before grpc-js
      // begins to wait for them. The listener knows when the connections have ended.
      server.tryShutdown(() => undefined);
    },
  };
}

function toServerOptions(policy: CallPolicy, { limits, connectionAge }: GrpcServerOptions): ServerOptions {
  return {
    interceptors: [policy.interceptor],
    'grpc.max_receive_message_length': Math.max(MIN_RECEIVE_BYTES, limits.maxClaimsBytes + MAX_ENVELOPE_BYTES),
    'grpc.max_send_message_length': MAX_SEND_BYTES,
    'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
    'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.enable_channelz': 0,
    ...(connectionAge === undefined
      ? {}
      : {
          'grpc.max_connection_age_ms': connectionAge.maxMs,
          'grpc.max_connection_age_grace_ms': connectionAge.graceMs,
        }),
  };
}

function addServices(server: Server, ports: HandlerPorts, options: GrpcServerOptions): void {
  const { health, watches, reflection, signing } = options;
  server.addService(signingService, createSigningService(ports, signing));
  server.addService(keyAdminService, createKeyAdminService(ports));
  server.addService(keySetService, createKeySetService(ports, watches));
  server.addService(approvalService, createApprovalService(ports));
  server.addService(auditService, createAuditService(ports));
  server.addService(clockService, createClockService(ports));
  server.addService(storeService, createStoreService(ports));
  server.addService(tokenService, createTokenService(ports));
  server.addService(healthDefinition, health.createHandlers(ports));
  reflection.addToServer(server);
}

/**
 * grpc-js answers an unknown method before any interceptor runs: callers that nobody knows would learn which methods
 * there are, and the answer would carry no details. So its look-up always finds something, which the interceptor refuses.
 */
function routeUnknownMethods(server: Server): void {
  const find: (path: string) => unknown = server['_retrieveHandler'].bind(server);
  const passThrough = (value: Buffer): Buffer => value;
  const refused = (): void => undefined;
  Object.defineProperty(server, '_retrieveHandler', {
    value: (path: string) =>
      find(path) ?? { path, type: 'unary', func: refused, serialize: passThrough, deserialize: passThrough },
  });
}
