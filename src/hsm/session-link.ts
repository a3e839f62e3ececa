/**
 * The daemon's end of the connection to one session of a worker: requests out, replies back in the same order, writes of
 * one turn of the event loop put together. When the connection ends, every request without an answer is told so.
 */
import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import { type Fault, parseFault, REPLY } from './wire.ts';

export type Reply =
  | { readonly kind: 'ok'; readonly payload: Buffer; readonly parts: readonly Buffer[] }
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'refused'; readonly refusal: number }
  /** The connection ended first: whether the token did it is unknown. */
  | { readonly kind: 'lost' };

type OnReply = (reply: Reply) => void;

interface Pending {
  readonly requestId: number;
  readonly sentAtMs: number;
  readonly onReply: OnReply;
  readonly parts: Buffer[];
}

const MAX_REQUEST_ID = 0xffff_ffff;
/** A listing of a million keys; a worker that sends more is not ours. */
const MAX_PARTS = 10_000;

export class SessionLink {
  readonly #stream: Duplex;
  readonly #clock: Clock;
  readonly #reader = new FrameReader();
  readonly #pending: Pending[] = [];
  #outbox: Buffer[] = [];
  #lastRequestId = 0;
  #lastReplyAtMs = 0;
  #isOpen = true;

  constructor(stream: Duplex, clock: Clock, onProtocolError: (error: unknown) => void) {
    this.#stream = stream;
    this.#clock = clock;
    stream.on('data', (chunk: Buffer) => {
      try {
        for (const { requestId, code, payload } of this.#reader.push(chunk)) this.#receive(requestId, code, payload);
      } catch (error) {
        this.#end();
        onProtocolError(error);
      }
    });
    stream.on('error', () => {
      this.#end();
    });
    stream.on('end', () => {
      this.#end();
    });
    stream.on('close', () => {
      this.#end();
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get inFlight(): number {
    return this.#pending.length;
  }

  /** How long the session has owed an answer without giving any. */
  silentMs(nowMs: number): number {
    const oldest = this.#pending[0];
    return oldest === undefined ? 0 : nowMs - Math.max(oldest.sentAtMs, this.#lastReplyAtMs);
  }

  send(code: number, parts: readonly Uint8Array[], onReply: OnReply): void {
    if (!this.#isOpen) {
      onReply({ kind: 'lost' });
      return;
    }
    this.#lastRequestId = this.#lastRequestId === MAX_REQUEST_ID ? 1 : this.#lastRequestId + 1;
    const frame = encodeFrame(this.#lastRequestId, code, ...parts);
    this.#pending.push({ requestId: this.#lastRequestId, sentAtMs: this.#clock.monotonicMs(), onReply, parts: [] });
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flush());
    this.#outbox.push(frame);
  }

  request(code: number, ...parts: readonly Uint8Array[]): Promise<Reply> {
    return new Promise((resolve) => {
      this.send(code, parts, resolve);
    });
  }

  #flush(): void {
    const frames = this.#outbox;
    this.#outbox = [];
    const [first] = frames;
    if (!this.#isOpen || first === undefined) return;
    this.#stream.write(frames.length === 1 ? first : Buffer.concat(frames));
  }

  #receive(requestId: number, code: number, payload: Buffer): void {
    const pending = this.#pending[0];
    if (pending?.requestId !== requestId) throw new TypeError('a reply came out of order');
    if (code === REPLY.part) {
      if (pending.parts.push(payload) > MAX_PARTS) throw new TypeError('a reply has too many parts');
      return;
    }
    const reply = parseReply(code, payload, pending.parts);
    this.#pending.shift();
    this.#lastReplyAtMs = this.#clock.monotonicMs();
    pending.onReply(reply);
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#stream.destroy();
    for (const { onReply } of this.#pending.splice(0)) onReply({ kind: 'lost' });
  }
}

function parseReply(code: number, payload: Buffer, parts: readonly Buffer[]): Reply {
  switch (code) {
    case REPLY.ok:
      return { kind: 'ok', payload, parts };
    case REPLY.fault:
      return { kind: 'fault', fault: parseFault(payload) };
    case REPLY.refused:
      return { kind: 'refused', refusal: payload[0] ?? 0 };
    default:
      throw new TypeError(`unknown reply code ${code}`);
  }
}
