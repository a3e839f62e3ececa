/**
 * grpc.health.v1.Health. The empty name is the daemon's liveness: SERVING while it runs, whatever the token does, so
 * that an HSM outage never becomes a restart loop. `signing-key/NAME` is the readiness of one signing key.
 */
import {
  type handleServerStreamingCall,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Application } from '../../app/application.ts';
import { KeyturnError } from '../../base/errors.ts';
import type { CallPolicy } from './call-policy.ts';
import { type HandlerPorts, unary } from './unary.ts';

interface HealthCheckRequest {
  readonly service: string;
}

interface HealthCheckResponse {
  readonly status: 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
}

type WatchCall = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

const OVERALL = '';
const SIGNING_KEY_PREFIX = 'signing-key/';
const MAX_WATCHES = 1_024;
const MAX_LISTED = 1_000;
const LIST_PAGE_SIZE = 100;

/** One for all listeners of the daemon. */
export class Health {
  readonly #app: Application;
  readonly #watches = new Set<() => void>();
  readonly #endings = new Set<() => void>();
  readonly #unsubscribe: () => void;
  #isDraining = false;

  constructor(app: Application) {
    this.#app = app;
    this.#unsubscribe = app.onReadinessChange(() => {
      this.#notify();
    });
  }

  /** NOT_SERVING from now on, to every watcher too; their streams end, for a drain would wait for them. */
  drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#unsubscribe();
    this.#notify();
    for (const end of this.#endings) end();
  }

  /** The service's handlers for one gRPC server. */
  createHandlers(ports: HandlerPorts): UntypedServiceImplementation {
    return {
      Check: unary(ports, ({ service }: HealthCheckRequest): HealthCheckResponse => {
        const status = this.#statusOf(service);
        if (status === 'SERVICE_UNKNOWN') {
          throw new KeyturnError(
            'SIGNING_KEY_NOT_FOUND',
            `no service ${service}; ask for the empty name or ${SIGNING_KEY_PREFIX}NAME`,
            { field: 'service' },
          );
        }
        return { status };
      }),
      List: unary(ports, () => ({ statuses: this.#list() })),
      Watch: this.#watchHandler(ports.policy),
    };
  }

  #watchHandler(policy: CallPolicy): handleServerStreamingCall<HealthCheckRequest, HealthCheckResponse> {
    return (call) => {
      if (this.#watches.size >= MAX_WATCHES) {
        call.emit(
          'error',
          policy.toStatus(new KeyturnError('QUEUE_FULL', 'too many health watches are open'), call.getPath(), call),
        );
        return;
      }
      this.#watch(call, policy);
    };
  }

  #watch(call: WatchCall, policy: CallPolicy): void {
    let last: string | undefined;
    const update = (): void => {
      const status = this.#statusOf(call.request.service);
      // A slow watcher gets only the latest status, when it has read what was sent before.
      if (status === last || call.writableNeedDrain) return;
      last = status;
      call.write({ status });
    };
    const end = (): void => {
      forget();
      call.emit(
        'error',
        policy.toStatus(
          new KeyturnError('SHUTTING_DOWN', 'the daemon is shutting down; watch another one'),
          call.getPath(),
          call,
        ),
      );
    };
    const forget = (): void => {
      this.#watches.delete(update);
      this.#endings.delete(end);
    };
    call.on('drain', update);
    call.on('cancelled', forget);
    call.on('close', forget);
    this.#watches.add(update);
    this.#endings.add(end);
    update();
    if (this.#isDraining) end();
  }

  #notify(): void {
    for (const update of this.#watches) update();
  }

  #statusOf(service: string): HealthCheckResponse['status'] {
    const isServing = service === OVERALL ? true : this.#isSigningKeyReady(service);
    if (isServing === undefined) return 'SERVICE_UNKNOWN';
    return isServing && !this.#isDraining ? 'SERVING' : 'NOT_SERVING';
  }

  #isSigningKeyReady(service: string): boolean | undefined {
    return service.startsWith(SIGNING_KEY_PREFIX)
      ? this.#app.isSigningKeyReady(service.slice(SIGNING_KEY_PREFIX.length))
      : undefined;
  }

  #list(): Record<string, HealthCheckResponse> {
    const statuses: Record<string, HealthCheckResponse> = { [OVERALL]: { status: this.#statusOf(OVERALL) } };
    let pageToken = '';
    let count = 0;
    do {
      const page = this.#app.listSigningKeys(LIST_PAGE_SIZE, pageToken);
      for (const { name } of page.items)
        statuses[SIGNING_KEY_PREFIX + name] = { status: this.#statusOf(SIGNING_KEY_PREFIX + name) };
      count += page.items.length;
      pageToken = page.nextPageToken;
    } while (pageToken !== '' && count < MAX_LISTED);
    // As the public definition asks, rather than a list that looks complete.
    if (pageToken !== '')
      throw new KeyturnError('QUEUE_FULL', `more than ${MAX_LISTED} signing keys; check them one by one`);
    return statuses;
  }
}
