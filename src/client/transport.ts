/** One gRPC channel to the daemon: over mTLS, or over a Unix socket. Retries and deadlines are decided here. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import {
  type ChannelOptions,
  Client,
  credentials,
  type ChannelCredentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { KeyturnError } from '../base/errors.ts';
import { systemClock } from '../base/system-clock.ts';
import { fromServiceError, isBrokenConnection } from './service-error.ts';

/** A file, or its content in PEM. */
type PemSource<Name extends string> =
  | { readonly [Key in `${Name}File`]: string }
  | { readonly [Key in Name]: string | Buffer };

export type ClientTarget =
  /** Whoever can open the socket is the caller that the daemon's configuration names for it. */
  | { readonly unixSocket: string }
  | ({
      /** `host:port`; an IPv6 host in brackets. */
      readonly address: string;
      /** The name in the daemon's certificate, when it isn't the host of the address. */
      readonly serverName?: string | undefined;
    } & PemSource<'ca'> &
      PemSource<'certificate'> &
      PemSource<'privateKey'>);

/** What a call needs of a generated method definition. */
interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

interface StreamLimits {
  /** Absent: as long as it goes on. */
  readonly deadlineMs?: number | undefined;
  /** Cancels the call. Aborted already: there is none. */
  readonly signal?: AbortSignal | undefined;
}

export interface Transport {
  /** Errors: what the daemon says, DAEMON_UNREACHABLE, DEADLINE_EXCEEDED; after close, SHUTTING_DOWN. */
  call<Request, Response>(
    method: Method<Request, Response>,
    request: NoInfer<Request>,
    deadlineMs: number,
  ): Promise<Response>;
  /** The messages of a streaming answer. The same errors, at the message that doesn't come; SHUTTING_DOWN once it is aborted. */
  stream<Request, Response>(
    method: Method<Request, Response>,
    request: NoInfer<Request>,
    limits: StreamLimits,
  ): AsyncIterable<Response>;
  close(): void;
}

const RETRY_POLICY = {
  maxAttempts: 4,
  initialBackoff: '0.05s',
  maxBackoff: '1s',
  backoffMultiplier: 3,
  // Safe for all but those below: signing twice makes a JWT nobody gets, apply is declarative, commands on a signing key
  // have a request id, and importing or removing a public key twice is once.
  retryableStatusCodes: ['UNAVAILABLE'],
};
/** Before a call is tried again whose connection broke on our side. */
const RECONNECT_MS = 50;
/** Whose first attempt may have been done though its answer was lost, and which mean something else the second time. */
const NOT_IDEMPOTENT = [
  { service: 'keyturn.v1.TokenService', method: 'RetryLogin' },
  { service: 'keyturn.v1.StoreService', method: 'Recover' },
  { service: 'keyturn.v1.ApprovalService', method: 'Approve' },
  { service: 'keyturn.v1.ApprovalService', method: 'CancelProposal' },
];
function isIdempotent(path: string): boolean {
  return !NOT_IDEMPOTENT.some(({ service, method }) => path === `/${service}/${method}`);
}

const SERVICE_CONFIG = {
  methodConfig: [{ name: NOT_IDEMPOTENT }, { name: [{}], retryPolicy: RETRY_POLICY }],
};
/** A dead daemon machine is found within the two together. */
const KEEPALIVE_TIME_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;
const MAX_RECEIVE_BYTES = 4 * 1024 * 1024;

const CHANNEL_OPTIONS: ChannelOptions = {
  'grpc.service_config': JSON.stringify(SERVICE_CONFIG),
  // No TXT look-up for a service config, and no detour through $http_proxy.
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_http_proxy': 0,
  'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
  'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  'grpc.max_receive_message_length': MAX_RECEIVE_BYTES,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_channelz': 0,
};

export function openTransport(target: ClientTarget, waitForReady: boolean): Transport {
  const { address, channelCredentials, options } = resolveTarget(target);
  const client = new Client(address, channelCredentials, { ...CHANNEL_OPTIONS, ...options });
  const metadata = new Metadata({ waitForReady });
  let isClosed = false;
  return {
    call(method, request, deadlineMs) {
      if (isClosed) return Promise.reject(new KeyturnError('SHUTTING_DOWN', 'the client is closed'));
      return new Promise((resolve, reject) => {
        const deadline = systemClock.wallMs() + deadlineMs;
        const attempt = (attemptsLeft: number): void => {
          client.makeUnaryRequest(
            method.path,
            method.requestSerialize,
            method.responseDeserialize,
            request,
            metadata,
            { deadline },
            (error, response) => {
              // Not at once: the channel learns later than the call that the connection is gone.
              if (error !== null && attemptsLeft > 1 && isBrokenConnection(error))
                systemClock.after(RECONNECT_MS, () => {
                  attempt(attemptsLeft - 1);
                });
              else if (error !== null) reject(fromServiceError(error, address));
              else if (response === undefined)
                reject(new KeyturnError('INTERNAL', `${address} answered without a message`));
              else resolve(response);
            },
          );
        };
        attempt(isIdempotent(method.path) ? RETRY_POLICY.maxAttempts : 1);
      });
    },
    async *stream(method, request, { deadlineMs, signal }) {
      if (isClosed) throw new KeyturnError('SHUTTING_DOWN', 'the client is closed');
      if (signal?.aborted === true) return;
      const call = client.makeServerStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        metadata,
        deadlineMs === undefined ? {} : { deadline: systemClock.wallMs() + deadlineMs },
      );
      const cancel = (): void => {
        call.cancel();
      };
      signal?.addEventListener('abort', cancel);
      try {
        for await (const message of call) yield message;
      } catch (thrown) {
        throw isServiceError(thrown) ? fromServiceError(thrown, address) : thrown;
      } finally {
        signal?.removeEventListener('abort', cancel);
        cancel();
      }
    },
    close() {
      isClosed = true;
      client.close();
    },
  };
}

function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && 'code' in thrown && 'details' in thrown && 'metadata' in thrown;
}

interface ResolvedTarget {
  readonly address: string;
  readonly channelCredentials: ChannelCredentials;
  readonly options: ChannelOptions;
}

function resolveTarget(target: ClientTarget): ResolvedTarget {
  if ('unixSocket' in target) {
    return { address: `unix:${target.unixSocket}`, channelCredentials: credentials.createInsecure(), options: {} };
  }
  const { address, serverName } = target;
  const host = serverName ?? hostOf(address);
  const ca = 'caFile' in target ? readPem(target.caFile, 'caFile') : Buffer.from(target.ca);
  const certificate =
    'certificateFile' in target ? readPem(target.certificateFile, 'certificateFile') : Buffer.from(target.certificate);
  const privateKey =
    'privateKeyFile' in target ? readPem(target.privateKeyFile, 'privateKeyFile') : Buffer.from(target.privateKey);
  return {
    address,
    channelCredentials: createMutualTls({ ca, certificate, privateKey, host }),
    options: serverNameOptions(host, serverName),
  };
}

/** RFC 6066 has no addresses in SNI, and Node warns at one: with an address, SNI says this, and the check is ours. */
const SERVER_NAME_OF_ADDRESSES = 'localhost';

function serverNameOptions(host: string, serverName: string | undefined): ChannelOptions {
  if (isIP(host) !== 0) return { 'grpc.ssl_target_name_override': SERVER_NAME_OF_ADDRESSES };
  return serverName === undefined
    ? {}
    : { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName };
}

/** The host of `host:port`, without an IPv6 address's brackets. */
function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
}

interface MutualTls {
  readonly ca: Buffer;
  readonly certificate: Buffer;
  readonly privateKey: Buffer;
  /** What the daemon's certificate must name. */
  readonly host: string;
}

function createMutualTls({ ca, certificate, privateKey, host }: MutualTls): ChannelCredentials {
  try {
    return credentials.createSsl(ca, privateKey, certificate, {
      checkServerIdentity: (_name, peer) => checkServerIdentity(host, peer),
    });
  } catch (cause) {
    throw new KeyturnError(
      'FIELD_INVALID',
      "the target's files are not CA certificates, a certificate and its private key in PEM",
      { field: 'target', cause },
    );
  }
}

function readPem(file: string, field: 'caFile' | 'certificateFile' | 'privateKeyFile'): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const reason = field === 'privateKeyFile' ? 'SECRET_FILE_UNREADABLE' : 'FIELD_INVALID';
    throw new KeyturnError(reason, `${field}: can't read ${file}`, { field, cause });
  }
}
