/**
 * Hands audit entries to a syslog server over a stream, in order, and waits for it as long as it takes: the files are the
 * queue, so nothing is dropped and nothing piles up. A connection that breaks is made anew.
 */
import type { Socket } from 'node:net';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/** A server that neither takes the connection nor refuses it. */
const CONNECT_TIMEOUT_MS = 10_000;

export interface SyslogSenderOptions {
  /** Begins to connect; `ready` tells that the other end has taken it, after a handshake if there is one. */
  readonly connect: (ready: () => void) => Socket;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

export class SyslogSender {
  readonly #options: SyslogSenderOptions;
  #socket: Socket | undefined;
  #hasFailed = false;

  constructor(options: SyslogSenderOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the connection has taken the frame. What it had taken and not delivered when it broke is lost without
   * a word, as syslog has no answers: the sequence of the entries shows it.
   */
  async send(frame: Uint8Array): Promise<void> {
    const socket = this.#socket ?? (await this.#connect());
    if (!socket.write(frame)) await drained(socket);
  }

  async #connect(): Promise<Socket> {
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, MAX_RETRY_MS)) {
      try {
        const socket = await this.#connectOnce();
        this.#socket = socket;
        if (this.#hasFailed) this.#options.log.info({}, 'the syslog server takes audit entries again');
        this.#hasFailed = false;
        return socket;
      } catch (thrown) {
        this.#fail(thrown);
        await sleep(this.#options.clock, retryMs);
      }
    }
  }

  #connectOnce(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      let problem: Error | undefined;
      const socket = this.#options.connect(() => {
        cancel();
        resolve(socket);
      });
      const cancel = this.#options.clock.after(CONNECT_TIMEOUT_MS, () => {
        socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`));
      });
      socket.on('error', (error) => {
        problem = error;
      });
      socket.on('close', () => {
        cancel();
        reject(problem ?? new Error('the connection was closed'));
        if (this.#socket === socket) this.#fail(problem);
        if (this.#socket === socket) this.#socket = undefined;
      });
      // Nothing is expected; what comes is thrown away, and an end is seen.
      socket.resume();
    });
  }

  /** Said once for each time that it is away. */
  #fail(problem: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.log.warn({ err: problem }, 'the syslog server takes no audit entries; they wait in the files');
  }
}

/** Or closed: what is sent next goes through a new connection. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}
