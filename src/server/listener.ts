/** What all listeners share: binding with one error, the set of open connections, and closing in two steps. */
import type { ListenOptions, Server, Socket } from 'node:net';
import type { CallerIdentity } from '../access/caller.ts';
import { KeyturnError } from '../base/errors.ts';

export interface Listener {
  /** As in logs and errors: `127.0.0.1:8443`, or a path. */
  readonly address: string;
  /** The bound port; undefined for a Unix socket. */
  readonly port: number | undefined;
  /** Accepts no more connections; resolves when the accepted ones have ended by themselves. Idempotent. */
  stop(): Promise<void>;
  /** Cuts every open connection, half-open handshakes too. */
  destroyConnections(): void;
  /** Cuts the connections of callers who are not wanted any more. */
  destroyConnectionsOf(isUnwanted: (caller: CallerIdentity) => boolean): void;
}

/** Errors: ADDRESS_UNAVAILABLE with the address. */
export function listen(server: Server, options: ListenOptions, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException): void => {
      reject(
        new KeyturnError('ADDRESS_UNAVAILABLE', `can't listen on ${address}: ${cause.code ?? cause.message}`, {
          subject: address,
          cause,
        }),
      );
    };
    server.once('error', fail);
    server.listen(options, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

export function portOf(server: Server): number | undefined {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : undefined;
}

export function formatHostPort(host: string, port: number | undefined): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Connections that are open now. */
export class OpenConnections {
  readonly #callers = new Map<Socket, CallerIdentity | undefined>();
  readonly #waiting: (() => void)[] = [];

  get sockets(): readonly Socket[] {
    return [...this.#callers.keys()];
  }

  /** `caller`: once it is known. */
  add(socket: Socket, caller?: CallerIdentity): void {
    this.#callers.set(socket, caller);
    socket.once('close', () => {
      this.#callers.delete(socket);
      if (this.#callers.size > 0) return;
      for (const resolve of this.#waiting.splice(0)) resolve();
    });
  }

  whenEmpty(): Promise<void> {
    if (this.#callers.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  destroyAll(): void {
    for (const socket of this.#callers.keys()) socket.destroy();
  }

  destroyThoseOf(isUnwanted: (caller: CallerIdentity) => boolean): void {
    for (const [socket, caller] of this.#callers) {
      if (caller !== undefined && isUnwanted(caller)) socket.destroy();
    }
  }
}
